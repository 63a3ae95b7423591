"""How sure a film is whose object nothing but its outline's edges hold: other poses may explain them as well.

The share of an outline that lies on edges does not tell: where two faces of an object meet beside its outline, with a
stronger contrast, a wrong pose has as much of it. So from time to time it is looked at what else would fit, and what
comes out holds until the next time.
"""

from __future__ import annotations

from dataclasses import replace

from diffdope.estimate.confidence import fit_of
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.tracking.frame import rests_on_contrast
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.outline_alternatives import outline_alternatives
from diffdope.search.mesh_levels import MeshLevels

_AHEAD = 4.0  # log odds by which other poses have been likelier, one time after the other, to follow them instead
_MOVED = 0.5  # probability of what is followed from then on, until more is known


class EdgeAmbiguity:
    """What was found around the poses of a film.

    Attributes:
        better: a pose that explains more edges, by which the object is to be followed from this frame on; else None.

    Args:
        meshes: the object, in its own frame.
        every: how many frames until it is looked again.
    """

    def __init__(self, meshes: MeshLevels, every: int) -> None:
        self._meshes, self._every = meshes, every
        self.clear()

    def clear(self) -> None:
        """For a new film."""
        self._begin(None)

    def moved(self) -> None:
        """When `better` is followed from now on."""
        self._begin(_MOVED)

    def _begin(self, share: float | None) -> None:
        self._share = share
        self._left = self._times = 0
        self._behind = 0.0
        self.better: Pose | None = None

    def weighed(self, result: RefinementResult, observation: Observation) -> RefinementResult:
        """A result, no surer than what else fits allows.

        Args:
            result: of a frame, in the own frame.
            observation: the frame.
        """
        self.better = None
        seen = result.ok and "rgb" in observation.modalities  # without, there are no edges that others could explain
        if not seen or result.confidence is None or not rests_on_contrast(result):
            return result
        if self._left == 0:
            self._look(result, observation)
        self._left -= 1
        most = 1.0 if self._share is None else fit_of(self._share)
        if result.confidence <= most:
            return result
        text = f"outline: other poses explain the photograph's edges as well (this one with {self._share:.2f})"
        note = Note(NoteCode.EDGES_ALONE, text)
        return replace(result, confidence=most, notes=(*result.notes, note))

    def _look(self, result: RefinementResult, observation: Observation) -> None:
        found = outline_alternatives(self._meshes, observation, result.pose)
        # It falls at once, and rises by half: what else fits is not found every time.
        self._share = found.share if self._share is None else min(found.share, 0.5 * (self._share + found.share))
        self._left = self._every
        self._times, self._behind = (self._times + 1, self._behind + found.ahead) if found.ahead > 0.0 else (0, 0.0)
        if self._times > 1 and self._behind > _AHEAD:  # in one frame, it may be chance
            self.better = found.best
