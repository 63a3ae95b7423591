"""What one frame of a film says of its inputs, and holds for the frames after it.

A wrong unit, depth scale, CAD model or K is as wrong in every frame. Frames that are followed are not looked at for
it again, which would take as long as following them; their depth and colours may fit well, for their poses gave way.
"""

from __future__ import annotations

from dataclasses import replace

from diffdope.estimate.confidence import sigmoid
from diffdope.geometry.pose import Pose
from diffdope.pipelines.plausible import of_units
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.contradictions import AT_MOST

_DEPTH, _SHIFT = "contradiction: depth", "registration:"  # a departure is about one start and none of these
_FITS = 0.35  # share of depths: where more are of the object, its unit is right


class FilmDoubt:
    """What the last trusted frame that was looked at closely says of the inputs.

    Args:
        mesh: the object, in its own frame.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._units: tuple[str, ...] = ()
        self._notes: tuple[str, ...] = ()

    def clear(self) -> None:
        """For a new film."""
        self._units = self._notes = ()

    def looked_at(self, result: RefinementResult, observation: Observation, start: Pose) -> RefinementResult:
        """The result of a search that looked for contradictions, with what mask, depth and start say of units.

        Args:
            result: in the object's own frame.
            observation: the frame.
            start: of the search.
        """
        seen = result.evidence
        fits = seen is not None and seen.depth_inliers is not None and seen.depth_inliers >= _FITS
        self._units = () if fits or "depth" not in observation.modalities else tuple(
            of_units(self._mesh, observation, start)
        )  # fmt: skip
        return _with(result, self._units)

    def lost(self, result: RefinementResult) -> RefinementResult:
        """A result of a frame in between of those that are looked at closely, with what these say of units."""
        return _with(result, self._units)

    def take(self, result: RefinementResult) -> None:
        """Keeps what a trusted result says: the frames after it are no surer."""
        kept = (note for note in result.notes if note.startswith((_DEPTH, _SHIFT)) or note in self._units)
        self._notes = tuple(kept)

    def followed(self, result: RefinementResult) -> RefinementResult:
        """A result of a search that did not look, with the notes of the frames before, and no surer than they allow."""
        return _with(result, self._notes)


def _with(result: RefinementResult, notes: tuple[str, ...]) -> RefinementResult:
    if not notes:
        return result
    noted = replace(result, notes=(*result.notes, *notes))
    if result.confidence is None or all(note.startswith(_SHIFT) for note in notes):
        return noted
    return replace(noted, confidence=min(result.confidence, sigmoid(AT_MOST)))
