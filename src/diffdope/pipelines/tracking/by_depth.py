"""Frames whose colours contradict depth and mask: what these find without them.

Colours of a fine pattern, or in a light that the frame before did not have, have minima of their own everywhere: where
depth and mask would lead to the object, a descent that compares all three may rest on its way there. Depth and mask
hold a pose on their own. So what they find is one attempt more, and colours are compared again from there: where the
pose is less sure with them, they are left out of the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode, without_codes
from diffdope.pipelines.attempt import Attempt, Follow, Refine
from diffdope.pipelines.diagnosis.modality_rejection import LEFT_OUT
from diffdope.pipelines.tracking.frame import sureness
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.photometric_gain import PhotometricGain

_ALL = {"rgb", "depth", "mask"}
_NOTE = Note(
    NoteCode.COLOURS_LEFT_OUT,
    "colours are left out of this frame: depth and mask hold the object, and are surer without them",
)


@dataclass(frozen=True)
class ByDepth:
    """Attempts with colours and without.

    Only of frames that are followed: which way round a lost object is, colours tell as a rule, and of bodies of
    revolution, they alone tell the turn.

    Attributes:
        meshes: the object, about its own middle; None for no such attempts.
    """

    meshes: MeshLevels | None = None

    def tells(self, observation: Observation) -> bool:
        """Whether depth and mask hold the object in a frame in which colours are compared as well."""
        if self.meshes is None or not set(observation.modalities) >= _ALL:
            return False
        return self.meshes.mesh.has_color and self.meshes.axis is None

    def attempts(
        self, follow: Refine, observation: Observation, start: Pose, *, first: bool
    ) -> Iterator[Callable[[], Attempt]]:  # fmt: skip
        """With colours, and what depth and mask lead to, if they tell.

        Args:
            follow: refines a frame from a start.
            observation: the frame.
            start: where the object is expected.
            first: whether depth and mask lead first, for the frame before had its colours left out.
        """
        if not first:
            yield partial(follow, observation, start)
        yield from self.alone(follow, observation, start)
        if first:
            yield partial(follow, observation, start)

    def alone(self, follow: Refine, observation: Observation, start: Pose) -> Iterator[Callable[[], Attempt]]:
        """What depth and mask find, or what is found from there with colours, where that is as sure; or nothing.

        Args:
            follow: refines a frame from a start.
            observation: the frame.
            start: where the object is expected.
        """
        if self.tells(observation):
            yield partial(_by_depth_first, follow, observation, start)


def in_light(follow: Follow, gain: PhotometricGain | None) -> Refine:
    """Follows a frame in the light of the frame before."""
    return lambda observation, start: follow(observation, start, gain)


def _by_depth_first(follow: Refine, observation: Observation, start: Pose) -> Attempt:
    alone = follow(observation.without_rgb(), start)
    if not alone.result.ok:
        return _noted(alone)
    return _surer(follow(observation, alone.result.pose), alone)


def _surer(coloured: Attempt, alone: Attempt) -> Attempt:
    """Of two attempts at a frame the surer one."""
    alone = _noted(alone)
    return coloured if sureness(coloured.result) >= sureness(alone.result) else alone


def _noted(alone: Attempt) -> Attempt:
    """An attempt without colours, which says so, for they were given; and less sure, for something is wrong."""
    result, notes = alone.result, without_codes(alone.result.notes, {NoteCode.RGB_OFF})
    sure = None if result.confidence is None else min(result.confidence, LEFT_OUT)
    return alone._replace(result=replace(result, confidence=sure, notes=(*notes, _NOTE)))
