"""What some frames of a film say of its inputs, and holds for the frames after them.

A wrong unit, depth scale, CAD model or K is as wrong in every frame. Frames that are followed are not looked at for
it again, which would take as long as following them; their depth and colours may fit well, for their poses gave way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode, code_of, of_codes
from diffdope.pipelines.diagnosis.implausible_inputs import of_units
from diffdope.pipelines.diagnosis.wrong_depth import FEW
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.checks.contradictions import CONTRADICTED

# What holds for a whole film, by kinds: two notes of one kind say the same. A departure is about one start.
_CONTRADICTED = frozenset({NoteCode.DEPTH_SCALE, NoteCode.DEPTH_KIND})
_SHIFTED = frozenset({NoteCode.REGISTRATION})
_LESS_SURE = frozenset({NoteCode.DEPTH_SCALE_UNSURE, NoteCode.OUTLINE_SIZE})  # and not more than that
_KINDS = (_CONTRADICTED, _SHIFTED, _LESS_SURE, frozenset({NoteCode.FILM_DISTANCE}))
_BELIEVED = 0.5  # probability from which depth that fits says that its unit is right
_RARE = 3  # frames that show nothing, for each that shows something, until it was chance
_TIMES = 3.0  # nothing that is followed comes or goes so far while it is lost


class InputDoubts:
    """What the frames that were looked at closely say of the inputs.

    What contradicts a frame may be seen in one and not in the next, and may be chance in one. So it holds until a
    quarter of the frames at most have shown something. A pose that nobody trusts is compared with whatever is there, so
    what contradicts it says nothing of the inputs.

    Args:
        mesh: the object, in its own frame.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.clear()

    @property
    def contradicted(self) -> bool:
        """Whether what holds for the film contradicts its inputs, and does not only make it less sure."""
        return any(code_of(note) not in _SHIFTED | _LESS_SURE for note in self._notes)

    def clear(self) -> None:
        """For a new film."""
        self._notes: tuple[str, ...] = ()
        self._most = CONTRADICTED
        self._against = self._clear = 0

    def looked_at(
        self, result: RefinementResult, observation: Observation, start: Pose,
        trusted: Callable[[RefinementResult], bool] | None = None,
    ) -> RefinementResult:  # fmt: skip
        """The result of a search that looked for contradictions, with what mask, depth and start say of units.

        Args:
            result: in the object's own frame.
            observation: the frame.
            start: of the search.
            trusted: whether the object is where such a result has it: what others show is not held against the film;
                None where it is.
        """
        seen = result.evidence
        fits = seen is not None and seen.depth_inliers is not None and seen.depth_inliers >= FEW
        fits &= (result.confidence or 0.0) >= _BELIEVED  # a face may lie on any depth
        there = "depth" in observation.modalities and not fits
        units = tuple(of_units(self.mesh, observation, start)) if there else ()
        result = _with(result, units)
        own = (*of_codes(result.notes, _CONTRADICTED | _SHIFTED | _LESS_SURE), *units)
        against = [note for note in own if code_of(note) not in _SHIFTED]
        if trusted is not None and not trusted(result if against else self.followed(result)):
            return self.followed(replace(result, notes=tuple(one for one in result.notes if one not in own)))
        if against:
            self._against += 1
            self._notes, self._most = own, CONTRADICTED
            if all(code_of(note) in _LESS_SURE for note in against):  # frames that follow are as sure as this one
                self._most = max(CONTRADICTED, result.confidence or 0.0)
            return result
        self._clear += result.ok
        if self._clear >= _RARE * self._against:
            self._notes = own
        return _with(result, self._notes, self._most)

    def followed(self, result: RefinementResult) -> RefinementResult:
        """A result of any other search, with the notes of the frames before, and no surer than they allow."""
        return _with(result, self._notes, self._most)

    def at_scale(self, result: RefinementResult, observation: Observation, expected: Pose) -> RefinementResult:
        """A result without depth, doubted where it is so many times as far away as the object was."""
        if "depth" in observation.modalities or not result.ok:
            return result
        away, before = (float(np.linalg.norm(pose.t_m2c)) for pose in (result.pose, expected))
        if before / _TIMES < away < before * _TIMES:
            return result
        note = Note(
            NoteCode.FILM_DISTANCE,
            f"contradiction: scale: the object is found {1e3 * away:.0f} mm away and was {1e3 * before:.0f}, "
            "without depth: is the unit of the mesh or of the start, or K, wrong?",
        )
        return _with(result, (note,))


def _with(result: RefinementResult, notes: tuple[str, ...], most: float = CONTRADICTED) -> RefinementResult:
    if not notes:
        return result
    new = tuple(note for note in notes if not any(_same(note, other) for other in result.notes))
    noted = replace(result, notes=(*result.notes, *new))
    if result.confidence is None or all(code_of(note) in _SHIFTED for note in notes):
        return noted
    return replace(noted, confidence=min(result.confidence, most))


def _same(note: str, other: str) -> bool:
    """Whether two notes say the same, perhaps with other numbers."""
    return note == other or any(code_of(note) in kind and code_of(other) in kind for kind in _KINDS)
