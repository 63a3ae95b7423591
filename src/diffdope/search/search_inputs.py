"""What a search is given: its object, its image, and its numbers, in one record for all that take part in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from diffdope.geometry.pose import Pose
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.settings import SearchSettings
from diffdope.search.tracking.keyframes import Keyframes
from diffdope.terms.keyframe import Keyframe
from diffdope.terms.registry import ObjectiveSettings


@dataclass(frozen=True, eq=False)
class SearchInputs:
    """What a search is given.

    Attributes:
        meshes: the object, about its own middle.
        observation: the whole image.
        settings: of the search.
        objective: of the terms.
        margin: of crops, a share of the side of the object's box.
        keyframes: what a film has shown of the object so far; None for a single picture.
    """

    meshes: MeshLevels
    observation: Observation
    settings: SearchSettings
    objective: ObjectiveSettings
    margin: float
    keyframes: Keyframes | None = None

    @property
    def filmed(self) -> bool:
        """Whether the image is a frame of a film, which is held against those before."""
        return self.keyframes is not None

    def keyframe(self, pose: Pose) -> Keyframe | None:
        """What a film has shown of the object from about a pose; None for nothing."""
        return None if self.keyframes is None else self.keyframes.nearest(pose)

    def of(self, observation: Observation) -> SearchInputs:
        """The same of another image."""
        return replace(self, observation=observation)

    def by(self, settings: SearchSettings) -> SearchInputs:
        """The same by other settings."""
        return replace(self, settings=settings)
