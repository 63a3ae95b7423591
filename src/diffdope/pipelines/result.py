"""What a refinement returns."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode, code_of, codes_of, of_codes
from diffdope.problem.failure import LOCATED_FAILED, MESSAGES, Status
from diffdope.search.alternatives.answers import Answer
from diffdope.search.history import History

if TYPE_CHECKING:
    from diffdope.scene.mesh import Mesh
    from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
_SHOWN, _WIDEST = 5, 96  # notes and answers, and letters of a note, that a screen has room for
NOWHERE = Pose(np.eye(3), np.array([0.0, 0.0, 1.0]))
"""Stands for a pose where none was given and none was found."""


@dataclass(frozen=True, repr=False, eq=False)
class RefinementResult:
    """A refined pose, and how far to trust it. Look at `ok` first.

    As of a `Pose`, two results are equal only if they are the same one: compare their poses with `distance_to` and
    `angle_to`.
    """

    pose: Pose
    """The refined pose, model to camera, metres; the start where nothing could be compared, and a guess where a tracked
    object is lost."""
    initial_pose: Pose
    """The start, model to camera, metres; of a tracked frame, where the motion model expected the object."""
    cost: float
    """Weighted sum of the modalities' costs at the end, without unit; infinite where nothing could be compared. It
    compares within one image and one size of crop only."""
    initial_cost: float
    """The same at the start of the level at which `cost` was measured."""
    cost_per_modality: dict[str, float]
    """By the names of `modalities`: each one's cost at the end, unweighted and without unit: a mean over the observed
    mask, or over the start's region. Empty where nothing could be compared."""
    initial_cost_per_modality: dict[str, float]
    """The same at the start."""
    status: Status
    """How the refinement ended."""
    message: str
    """The status in words, with the cure of a failure."""
    winner: int
    """Number of the hypothesis that won: a column of the history."""
    winner_iteration: int
    """Number of its best iterate: a row of the history."""
    iterations: int
    """Number of iterations that were made, over all levels."""
    history: History
    """Costs and poses of every hypothesis at every iteration."""
    modalities: tuple[str, ...]
    """What was compared at the last level, of "rgb", "depth", "mask", "edge" and "outline"; empty if nothing was."""
    notes: tuple[str, ...]
    """What a user should know: images or settings that had no effect, what was left out, what is not observed.
    A note is a text; what it is about, for programs, is in `note_codes`."""
    seed: int
    """Of the hypotheses, as given."""
    elapsed_s: float
    """How long it took, seconds by the clock."""
    window: CropWindow | None
    """The part of the image that was compared; None if nothing was."""
    covariance: F64 | None = None
    """(6, 6) in (rho [m], phi [rad]); None from a solver that has none, or where nothing could be compared."""
    unobserved: F64 | None = None
    """(K, 6) directions that the images tell no better than to half of `search.noise.spread` and `spread_deg`, in (rho
    [m], phi [rad]), each of length 1 in (rho over half the diameter, phi); the notes name them. Along them the pose
    stays where the start has it, and the covariance is as wide as the robust cost and the start's error allow."""
    confidence: float | None = None
    """Probability that the surface is off by less than `tolerance_m`: that of the right minimum times that of an error
    below the tolerance there, which the covariance tells; without one, errors as they usually are. None from a solver
    that has none."""
    evidence: FitQuality | None = None
    """How well the rendering explains the images, in numbers that compare across objects; None where `confidence`
    is."""
    answers: tuple[Answer, ...] = ()
    """Of `locate`: all poses that the images support, the most probable first; the first is `pose`."""
    right_minimum: float | None = None
    """Probability that the pose is in the right minimum, however well it is known there; None where `confidence` is."""
    tolerance_m: float | None = None
    """What the confidence is about, metres: `search.confidence.tolerance_m`, by default 3 % of the diameter."""
    none_of_these: float | None = None
    """Of `locate`: the probability that no answer is right; with those of the answers it sums to 1."""

    def __repr__(self) -> str:
        """Status, pose and confidence in a few lines; look at the attributes for the rest."""
        x, y, z = 1e3 * self.pose.t_m2c
        sure = "" if self.confidence is None else f", confidence {self.confidence:.2f}"
        lines = [
            f"RefinementResult({self.status}{sure}, at ({x:.1f}, {y:.1f}, {z:.1f}) mm, {self.elapsed_s:.2f} s",
            f"  pose: wxyz {np.round(self.pose.wxyz, 4).tolist()}, t_m2c {np.round(self.pose.t_m2c, 5).tolist()} m",
            f"  compared: {', '.join(self.modalities) or 'nothing'}; cost {self.initial_cost:.4g} -> {self.cost:.4g}",
        ]
        if len(self.answers) > 1:
            shares = ", ".join(f"{answer.probability:.2f}" for answer in self.answers[:_SHOWN])
            lines.append(f"  answers: {len(self.answers)}, probabilities {shares}")
        notes = [note if len(note) <= _WIDEST else f"{note[: _WIDEST - 3]}..." for note in self.notes[:_SHOWN]]
        lines += [f"  note: {note}" for note in notes]
        if len(self.notes) > _SHOWN:
            lines.append(f"  and {len(self.notes) - _SHOWN} more notes")
        return "\n".join(lines) + ")"

    @property
    def ok(self) -> bool:
        """Whether a refined pose was found."""
        return self.status.ok

    @property
    def note_codes(self) -> tuple[NoteCode, ...]:
        """What each note is about, for programs: `if "depth-scale" in result.note_codes`."""
        return codes_of(self.notes)

    def to_record(self) -> dict[str, Any]:
        """Everything but the history as result.json has it: words, numbers, lists and None, for JSON and for tables.

        docs/files.md lists the keys; lengths are in the unit that each states.
        """
        from diffdope.io import results

        return results.encode(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> RefinementResult:
        """The result of a record, to the bit; its history is empty.

        Args:
            record: of `to_record`, result.json, or a line of `poses.jsonl`; other keys are passed over.

        Raises:
            DiffDopeError: naming the key that is missing or broken.
        """
        from diffdope.io import results

        if not isinstance(record, Mapping):
            raise expected("record", "a dictionary", type(record).__name__, "of a text, json.loads makes one")
        return results.decode(record, cls, "record")

    @property
    def _images(self) -> tuple[Mesh, Observation] | None:
        mesh, observation = (kept() for kept in getattr(self, "_seen", (lambda: None, lambda: None)))
        return None if mesh is None or observation is None else (mesh, observation)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_seen"}

    def _repr_png_(self) -> bytes | None:
        """The overlay, for notebooks; None where the images are gone."""
        from diffdope.viz.notebook import png_of

        return png_of(self, self._images)

    def _repr_html_(self) -> str:
        """One line and the overlay, for notebooks."""
        from diffdope.viz.notebook import html_of

        return html_of(self, self._images)


def seen_in(result: RefinementResult, mesh: Mesh, observation: Observation) -> RefinementResult:
    """The same result, which shows itself in a notebook while somebody else holds mesh and images.

    It does not hold them itself: results are kept by the thousand, and photographs are large.

    Args:
        result: new, of these images.
        mesh: the object.
        observation: the whole image.
    """
    object.__setattr__(result, "_seen", (weakref.ref(mesh), weakref.ref(observation)))
    return result


def read_result(path: str | Path) -> RefinementResult:
    """Reads what `diffdope refine` or `locate` wrote; everything but the history comes back to the bit.

    Args:
        path: result.json.

    Raises:
        DiffDopeError: if the file cannot be read or holds no result.
    """
    from diffdope.io import results

    return results.read_result(path, RefinementResult)


def message_of(status: Status, why: str = "", *, located: bool = False) -> str:
    """The status in words; of what is doubted for a reason, the reason.

    Args:
        status: of the result.
        why: it is doubted; empty for no reason.
        located: whether there was no start.
    """
    if why and not status.ok:
        return why
    return LOCATED_FAILED if located and status is Status.FAILED else MESSAGES[status]


def nothing_compared(
    pose: Pose, status: Status, message: str, *, seed: int = 0, elapsed_s: float = 0.0, window: CropWindow | None = None
) -> RefinementResult:
    """The result of a pose that stays as it was, because nothing could be compared."""
    infinite = float("inf")
    history = History(
        np.full((1, 1), infinite), np.zeros((1, 1, 0)), pose.R_m2c[None, None], pose.t_m2c[None, None], np.ones(1)
    )
    return RefinementResult(
        pose=pose, initial_pose=pose, cost=infinite, initial_cost=infinite, cost_per_modality={},
        initial_cost_per_modality={}, status=status, message=message, winner=0, winner_iteration=0, iterations=0,
        history=history, modalities=(), notes=(), seed=seed, elapsed_s=elapsed_s, window=window,
    )  # fmt: skip


def in_pose_of(refined: RefinementResult, result: RefinementResult) -> RefinementResult:
    """A located result in another pose that looks the same, with its covariance and costs.

    Where the refinement compared other images, its costs before are taken, too: they are of the same modalities.
    """
    others = refined.modalities != result.modalities
    before = refined if others else result
    notes = [note for note in result.notes if code_of(note) is not NoteCode.UNOBSERVED]
    notes += of_codes(refined.notes, (NoteCode.UNOBSERVED,))
    return replace(
        result, pose=refined.pose, answers=(replace(result.answers[0], pose=refined.pose), *result.answers[1:]),
        covariance=refined.covariance, unobserved=refined.unobserved, modalities=refined.modalities, cost=refined.cost,
        cost_per_modality=refined.cost_per_modality, initial_cost=before.initial_cost,
        initial_cost_per_modality=before.initial_cost_per_modality, notes=tuple(notes),
    )  # fmt: skip


__all__ = [
    "MESSAGES",
    "NOWHERE",
    "Answer",
    "History",
    "RefinementResult",
    "Status",
    "in_pose_of",
    "message_of",
    "nothing_compared",
    "read_result",
    "seen_in",
]
