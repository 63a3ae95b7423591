"""Whether depth and the other images agree about the object's size.

An object that is s times as large, s times as far away, looks the same, but for its depth. So depth that disagrees with
outline and colours about the size shows a model, a depth scale or a focal length that is wrong, or a mask that is too
wide or too narrow. Between depth and mask the photograph's edges decide, and the steps of depth itself: they lie at the
outline of the other size where depth is wrong, and at that of the result where the mask is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.problem import Evaluation
from diffdope.search.checks.contradictions import (
    FAILS,
    LEAST,
    NONE,
    Doubt,
    how_it_begins,
    softened,
)
from diffdope.search.checks.sizes_by_edges import agrees_without_mask, refutes
from diffdope.search.checks.tried_sizes import LARGER, SMALLER, Sized, Sizes
from diffdope.solve.levenberg_marquardt import LevenbergSettings

F64 = NDArray[np.float64]

Edges = Callable[[Pose, float, Pose], float | None]
"""The share of an outline on the photograph's edges (`outline_evidence.share_on_edges`), or where the measured
surface ends (`depth_steps.share_on_steps`): of a pose drawn for an object of a size, in the picture around another one.
None if unknown."""

_FINE = ((0.99, 0.98, 0.97, 0.96, *SMALLER), (1.01, 1.02, 1.03, 1.04, *LARGER))
"""Sizes that are tried one after the other as long as each fits better than the one before."""
_WORTH_STEPS = 1.35  # ratio of costs, before any step ...
_WORTH_STEPS_OFF = 2.0  # ... and where the mask does not fit either: of depth 5 % off, 1.35 missed 2 of 13
_OVERLAPS = 0.95  # of 13 results whose depth is 5 % off, the most was 0.948
_MASKED = (0.80, 0.88)  # ratio of costs after these steps that contradicts a result, and that does not at all
_UNMASKED = (0.945, 0.98)  # the same without a mask, where nothing but depth and colours feels the size
_DOUBTED = 0.25  # of `softened`: a result is right with a probability of a half, and has not failed
_HIDDEN = 0.5  # of the object that is seen: where less is, sizes are about the middle of that part
_MUCH = 0.9  # ratio of costs below which the note says "much better"
_WORTH_FINE = 1.1  # ratio of costs before any step: of a box 1 % too far, 0.85 to 1.06; of right results, often less
_PROMISED = 0.99  # the same, as one Gauss-Newton step is expected to leave: of what was doubted, at most 0.985
_UNSURE = (0.85, 0.95)  # ratio after these steps that shows a wrong distance, and that does not; right ones: 0.995
_MASK_LEFT = (0.45, 0.7)  # share of the mask's own cost: 2 % off, 0.23 to 0.59; right ones with noisy masks from 0.63
_FROM_MASK, _FROM_EDGES, _FROM_STEPS = (-1.0, -1.45), 9.0, 5.0
"""Log odds that depth is off and not the mask: a constant, of the log share of the mask's own cost that is left at the
other size, and of the share of outline that it gains on the photograph's edges. Fitted to 177 results with depth 5 % or
a model 7 % off and 108 with masks 2 to 4 pixels off. Areas under the curve of sets left out: 0.87, 0.95, 0.95 and, of
YCB-Video, whose photographs and depth are misregistered, 0.69; of the mask's share alone, 0.65 to 0.79. The last is
of the share of outline that it gains where the measured surface ends, beside these."""
_DEPTH_IS_OFF, _MASK_IS_OFF = 0.5, -1.5
"""Of these log odds: where the mask tells the size, and where it tells nothing. They are of as many of both, but masks
are off by pixels more often than depth is by percents."""
_EITHER = 0.5
"""The most that masks excuse of sizes within 2.5 %: half a pixel of a radius of 25, by which outlines of right results
are off. Of 104 right results with exact and noisy masks none cost less than 0.93 times at such a size; of 164 with
masks 1 to 3 pixels off 41 do, of 205 with depth 2 % off 136. Where more than 0.7 of the mask's own cost is left, 13 and
35."""
_MASKS_PX, _MASKS_SHARE = 4.0, 0.05
"""By how much masks may be off, pixels of the image, and as a share of a radius: what networks draw on a coarse grid.
A mask that would have to be off by a quarter more excuses nothing."""
_NEXT_SIZE = 0.025  # half of what sizes are apart: where the best of them may lie
_SMALL = 0.025  # of a size: cameras err by as much, which makes the distance less sure, and is no contradiction


def of_size(
    level: LevelProblem, pose: Pose, length_m: float, step: LevenbergSettings, own: Evaluation, *,
    overlap: float | None = None, visible: float = 1.0, log_odds: float = np.inf, edges: Edges | None = None,
    steps: Edges | None = None,
) -> Doubt:  # fmt: skip
    """Whether depth and the other modalities agree better about an object of another size.

    Args:
        level: a coarse one, prepared near the pose, with depth and something beside it.
        pose: the result.
        length_m: the object's diameter.
        step: of the solver.
        own: of the result there, with derivatives.
        overlap: of the result with the mask, None without one: where this is good, sizes that look dear are not looked
            at more closely.
        visible: share of the object that nothing hides.
        log_odds: of the result, by its fit: what has failed anyhow may fit a little better at any size.
        edges: of the photograph, which tell masks that are off from depth that is; None for the mask's own cost alone.
        steps: of depth, which tell the same.
    """
    alone = "mask" not in level.modalities and log_odds > FAILS
    likely, unlikely = _UNMASKED if alone else _MASKED
    sizes, cost = Sizes(level, pose, length_m, step, own, hidden=visible < _HIDDEN), float(own.cost[0])
    off = overlap is None or overlap < _OVERLAPS
    coarse = sizes.worth((SMALLER, LARGER), (_WORTH_STEPS_OFF if off else _WORTH_STEPS) * cost)
    fine = sizes.worth(_FINE, _WORTH_FINE * cost, promised=_PROMISED)
    if coarse is None and fine is not None and abs(fine.scale - 1.0) > _SMALL:
        coarse = sizes.descended(LARGER if fine.scale > 1.0 else SMALLER)
    found = [one for one in (fine, coarse) if one is not None]
    best = min(found, key=lambda one: one.cost, default=None)
    if best is None or best.cost >= max(_UNSURE[1], unlikely) * cost:
        return NONE
    here = sizes.descended((1.0,))  # as many steps: it is the minimum of a finer level
    ratio = best.cost / max(here.cost, LEAST)
    unsure = (ratio - _UNSURE[0]) / (_UNSURE[1] - _UNSURE[0])
    wrong = np.inf
    if coarse is not None:
        times = max(coarse.cost, LEAST) / max(here.cost, LEAST)
        gained = _gained(coarse, pose, edges) if alone and times < unlikely else None
        wrong = (times - likely) / (unlikely - likely)
        if gained is not None:  # edges alone make nothing fail
            refuted = refutes(gained, sizes.nearest(coarse.scale), lambda one: _gained(one, pose, edges))
            agrees = max(agrees_without_mask(times, gained), refuted)
            unsure = max(min(unsure, agrees), refuted)
            wrong = max(agrees, 0.0 if wrong < _DOUBTED else _DOUBTED)
    if min(unsure, wrong) >= 1.0:
        return NONE
    excused = _mask_is_off(best, here, pose, edges, steps)
    if excused > 0.0:
        excused = min(excused, _as_masks_are_off(best.scale, _radius_px(level, pose)))
    at_most = softened(max(wrong, excused)) if max(wrong, excused) < 1.0 else np.inf
    excused = excused if abs(best.scale - 1.0) > _SMALL else min(excused, _EITHER)
    share = float(np.clip(1.0 - max(unsure, excused), 0.0, 1.0))  # to which the distance is wrong
    off_m = share * abs(1.0 - 1.0 / best.scale) * float(np.linalg.norm(pose.t_m2c))
    if at_most == np.inf and off_m == 0.0:
        return NONE
    told = _size_in_words(best.scale, ratio, off_m, how_it_begins(at_most), alone=set(level.modalities) <= {"depth"})
    return Doubt(at_most, told, ratio, off_m)


def _mask_is_off(
    other: Sized, here: Sized, pose: Pose, edges: Edges | None, steps: Edges | None = None
) -> float:  # fmt: skip
    """From 0 (the mask tells the size) to 1: it is too wide or too narrow, and depth is right.

    A detector's mask that is some pixels too wide fits a larger object better, but no size well; and the photograph's
    edges and the measured surface's end are at the outline of the result. Where depth is off, they are at that of the
    other size. At most 0 is returned without a mask.

    Args:
        other: another size.
        here: the result's own.
        pose: the result.
        edges: of outlines; sizes that are nearly alike have edges that are.
        steps: the same of depth.
    """
    if here.mask <= LEAST:
        return -np.inf
    left = max(other.mask / here.mask, LEAST)
    by_edges, by_steps = (_gained(other, pose, one) for one in (edges, steps))
    if by_edges is None and by_steps is None:
        return (left - _MASK_LEFT[0]) / (_MASK_LEFT[1] - _MASK_LEFT[0])
    constant, weight = _FROM_MASK
    log_odds = constant + weight * float(np.log(left))
    log_odds += _FROM_EDGES * (by_edges or 0.0) + _FROM_STEPS * (by_steps or 0.0)
    return (_DEPTH_IS_OFF - log_odds) / (_DEPTH_IS_OFF - _MASK_IS_OFF)


def _as_masks_are_off(scale: float, radius_px: float) -> float:
    """From 0 to 1, how well masks may be off as much as another size asks for.

    Args:
        scale: of the object.
        radius_px: of the drawn object, pixels of the image.
    """
    off_px = max(abs(scale - 1.0) - _NEXT_SIZE, 0.0) * radius_px
    return float(np.clip(1.0 - 4.0 * (off_px / max(_MASKS_PX, _MASKS_SHARE * radius_px) - 1.0), 0.0, 1.0))


def _radius_px(level: LevelProblem, pose: Pose) -> float:
    """Of a disc of the area that a pose is drawn on, pixels of the image."""
    drawn = np.count_nonzero(level.drawn(level.factor.buffers, pose).coverage > 0.5)
    return level.window.reduction * float(np.sqrt(drawn / np.pi))


def _gained(other: Sized, pose: Pose, edges: Edges | None) -> float | None:
    """By how much more of its outline lies on edges, or steps, at another size than at a result; None if unknown."""
    if edges is None or abs(other.scale - 1.0) <= _SMALL:
        return None
    there, here = edges(other.drawn, other.scale, pose), edges(pose, 1.0, pose)
    return None if there is None or here is None else there - here


def _size_in_words(scale: float, ratio: float, off_m: float, kind: str, *, alone: bool) -> str:
    """What depth and the other images, or depth alone and the mesh, say about the size."""
    both = "depth and the mesh" if alone else "depth and the other images"
    share, larger = f"{abs(round(100.0 * (scale - 1.0)))} %", scale > 1.0
    along = f"; the distance is known to about {1e3 * off_m:.1f} mm" if off_m > 0.0 and kind == "scale" else ""
    return Note(
        NoteCode.DEPTH_SCALE if kind == "contradiction" else NoteCode.DEPTH_SCALE_UNSURE,
        f"{kind}: {both} agree {'much' if ratio < _MUCH else 'a little'} better if the "
        f"object were {share} {'larger' if larger else 'smaller'} than its model, or the depth {share} "
        f"{'less' if larger else 'more'}, or the focal length {share} {'longer' if larger else 'shorter'}: is the "
        f"unit, the CAD model, the depth scale or K (of another picture size?) wrong?{along}",
    )
