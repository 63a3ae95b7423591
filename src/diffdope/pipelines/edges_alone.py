"""How sure a film is whose object nothing but its outline's edges hold: other poses may explain them as well.

The share of an outline that lies on edges does not tell: where two faces of an object meet beside its outline, with a
stronger contrast, a wrong pose has as much of it. So from time to time it is looked at what else would fit, and what
comes out holds until the next time.
"""

from __future__ import annotations

from dataclasses import replace

from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.tracked import rests_on_contrast
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.other_poses import share_of_edges


class EdgesAlone:
    """What was found around the poses of a film.

    Args:
        meshes: the object, in its own frame.
        every: how many frames until it is looked again.
    """

    def __init__(self, meshes: MeshLevels, every: int) -> None:
        self._meshes, self._every = meshes, every
        self.clear()

    def clear(self) -> None:
        """For a new film."""
        self._share: float | None = None
        self._left = 0

    def weighed(self, result: RefinementResult, observation: Observation) -> RefinementResult:
        """A result, no surer than what else fits allows.

        Args:
            result: of a frame, in the own frame.
            observation: the frame.
        """
        if not result.ok or result.confidence is None or not rests_on_contrast(result):
            return result
        if self._left == 0:
            share = share_of_edges(self._meshes, observation, result.pose)
            # It falls at once, and rises by half: what else fits is not found every time.
            self._share = share if self._share is None else min(share, 0.5 * (self._share + share))
            self._left = self._every
        self._left -= 1
        if self._share is None or result.confidence <= self._share:
            return result
        text = f"outline: other poses explain the photograph's edges as well (this one with {self._share:.2f})"
        note = Note(NoteCode.OTHER_POSES, text)
        return replace(result, confidence=self._share, notes=(*result.notes, note))
