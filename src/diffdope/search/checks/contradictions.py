"""What contradicts a result, though each of its modalities may fit: kinds of depth.

Depth along the ray in place of the optical axis is too far by a factor that depends on the pixel alone, and away from
the middle of the picture it disagrees with the outline. Sizes are a matter of `size_consistency.py`, and what lies
where no start was meant to lead of `departure.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.problem import Evaluation, Problem
from diffdope.problem.variables import Variables
from diffdope.render.renderer import RenderedImages
from diffdope.scene.observation import Observation
from diffdope.solve.levenberg_marquardt import LevenbergSettings, minimise
from diffdope.terms.layout import DEPTH

F64 = NDArray[np.float64]

STEPS = 8
"""Of another kind of depth, or another size, before its cost is compared."""
_WORTH_STEPS = 1.35  # ratio of costs, before any step
_OTHER_KIND = 0.94  # ratio of costs after these steps: of 102 right poses whose depth costs less, the least was 0.967
_SAME_KIND = 0.003  # share by which both kinds differ that does not matter: a millimetre or two
_DEPTH_FITS = 0.9  # ratio of the depth's own cost: what is better for another reason leaves depth as it was
_FIT = 0.85  # share of depths that fit once turned: of 38 parts whose kind was wrong 0.97, of floors mostly less
_NEAR, _LEAST_M = 0.03, 0.003  # of the diameter, and metres: what fits, as of the fit quality
LEAST = 1e-12
"""Of a cost by which another is divided."""

AT_MOST = -2.0
"""Log odds, of the right minimum a probability of 0.2: a premise is wrong, and nobody knows which."""
CONTRADICTED = 0.12
"""The confidence that a result has at most where its images as a whole are doubted. A film that begins so is not lost
(`TrackingSettings.lost`)."""
FAILS = -0.8
"""Log odds below which the right minimum is doubted (`right_minimum` of a result from a start)."""
_HARDLY = 3.0  # log odds where a contradiction begins to show: they fall from there to `AT_MOST`


class Doubt(NamedTuple):
    """The log odds that a result has at most, and why."""

    at_most: float
    note: str
    share: float = np.inf
    """Of the cost that is left where the note is right."""
    off_m: float = 0.0
    """How far the object may be off along the view for it, a deviation in metres."""
    aside_m: float = 0.0
    """The same across the view, along either axis."""
    fits: float = 0.0
    """How exactly a mask's border follows the outline, from 0 to 1, which speaks for the result."""


NONE = Doubt(np.inf, "")


def softened(share: float) -> float:
    """Log odds that a result has at most, from what contradicts it (0) to what hardly does (1)."""
    return AT_MOST + (_HARDLY - AT_MOST) * float(np.clip(share, 0.0, 1.0))


class ShareOfPixels(NamedTuple):
    """A doubt by the share of pixels that speak against a result.

    Attributes:
        share: of the drawn pixels, of a crop, the result as drawn there, and the object's diameter [m].
        little: no doubt up to this share.
        much: a clear one from this share on.
        code: of its note.
        text: of its note, with a place for the per cent.
    """

    share: Callable[[Observation, RenderedImages, float], float]
    little: float
    much: float
    code: NoteCode
    text: str

    def __call__(self, crop: Observation, images: RenderedImages, length_m: float) -> Doubt:
        """Whether they speak against it; see `share`."""
        share = self.share(crop, images, length_m)
        if share <= self.little:
            return NONE
        note = Note(self.code, self.text.format(100.0 * share))
        return Doubt(softened((self.much - share) / (self.much - self.little)), note)


def how_it_begins(at_most: float) -> str:
    """How a note begins: one that makes a result fail is a contradiction."""
    return "contradiction" if at_most < FAILS else "scale"


def of_kind(level: LevelProblem, pose: Pose, length_m: float, step: LevenbergSettings, own: Evaluation) -> Doubt:
    """Whether depth fits much better as distances along each pixel's ray, or, if it was made from these, as it was.

    Args:
        level: a coarse one, prepared near the pose, with depth and something beside it.
        pose: the result.
        length_m: the object's diameter.
        step: of the solver.
        own: of the result there.
    """
    bend = float(np.linalg.norm(pose.t_m2c) / pose.t_m2c[2]) if pose.t_m2c[2] > 0.0 else 1.0
    if bend - 1.0 < _SAME_KIND:
        return NONE
    camera = level.crop.camera
    lengths = np.linalg.norm(camera.back_project(np.ones((camera.height, camera.width))), axis=-1).ravel()
    here = _costs(own)
    sides = [
        _of_kind(level, pose, length_m, *side) for side in (("ray", 1.0 / lengths, 1.0 / bend), ("axis", lengths, bend))
    ]
    side = min(sides, key=lambda one: one.cost)
    if side.cost > _WORTH_STEPS * here[0]:
        return NONE
    problem = problem_of(level, side.factor, length_m)
    ended = minimise(problem, *state_of(side.pose, 1.0), iterations=STEPS, settings=step)
    found = Pose(ended.R[0, 0], ended.t[0, 0])
    total, depth = (a / b for a, b in zip(_evaluated(level, side.factor, found, length_m), here, strict=True))
    if total > _OTHER_KIND or depth > _DEPTH_FITS:
        return NONE
    if _share_that_fits(level, found, side.factor, length_m) < _FIT:
        return Doubt(AT_MOST, "", total)  # it fits neither way: it is of something else, of which others speak
    off = 1e3 * found.distance_to(pose)
    word, cure = ("the ray", "divide it") if side.kind == "ray" else ("the optical axis", "do not divide it")
    text = (
        f"contradiction: depth fits better as distances along {word}, with a pose {off:.1f} mm away: give --depth-kind "
        f"{side.kind}, or in Python {cure} by the lengths of the pixels' rays"
    )
    return Doubt(AT_MOST, Note(NoteCode.DEPTH_KIND, text), total)


def _share_that_fits(level: LevelProblem, pose: Pose, factor: F64, length_m: float) -> float:
    """Share of the object's depths, those in the mask or else where a pose is drawn, that fit once multiplied."""
    crop, images = level.crop, level.drawn(level.factor.buffers, pose)
    assert crop.depth is not None
    drawn = images.coverage[0] > 0.5
    there = (drawn if crop.mask is None else crop.mask > 0.5) & (crop.depth > 0.0)
    away_m = np.abs(crop.depth * factor.reshape(crop.depth.shape) - images.depth[0])
    fits = there & drawn & (away_m < max(_NEAR * length_m, _LEAST_M))
    return int(np.count_nonzero(fits)) / max(int(np.count_nonzero(there)), 1)


def problem_of(level: LevelProblem, factor: float | F64, length_m: float) -> Problem:
    """Of depths that are a multiple, one for all pixels or one for each (H * W,).

    With 1 / s it is that of an object that is s times as large, whose poses are given as if it were not.
    """
    image = level.factor if np.ndim(factor) == 0 and factor == 1.0 else level.factor.of_depth_times(factor)
    return Problem(Variables.one_object(0.5 * length_m), [image], priors=[], quadratics=[])


def _evaluated(level: LevelProblem, factor: float | F64, pose: Pose, length_m: float) -> tuple[float, float]:
    """Of a pose with depths that are a multiple."""
    return _costs(problem_of(level, factor, length_m).evaluate(*state_of(pose, 1.0), with_normal=False))


def _costs(found: Evaluation) -> tuple[float, float]:
    """The cost of a pose, and depth's own, at least what rounding leaves."""
    return max(float(found.cost[0]), LEAST), max(float(found.each[0, DEPTH]), LEAST)


class _Side(NamedTuple):
    """Depth as of the other kind: times a factor a pixel; the pose moved along the view by that of its middle; cost."""

    kind: str
    factor: F64
    pose: Pose
    cost: float


def _of_kind(level: LevelProblem, pose: Pose, length_m: float, kind: str, factor: F64, scale: float) -> _Side:
    moved = Pose(pose.R_m2c, scale * pose.t_m2c)
    return _Side(kind, factor, moved, _evaluated(level, factor, moved, length_m)[0])


def state_of(pose: Pose, scale: float) -> tuple[F64, F64]:
    """(1, 1, 3, 3) and (1, 1, 3). Copies, for numba takes arrays that cannot be written to for another type, and would
    compile everything once more.
    """
    return np.array(pose.R_m2c)[None, None], np.array(pose.t_m2c)[None, None] / scale
