"""Whether depth lies where colours and mask have it: the shift between the outlines of both.

Extrinsics of a depth camera that are a little off, images that were taken one after the other, or a depth image that
was never registered shift depth by some pixels. A pose gives way to both sides by a part of that, and each modality
still fits. So the pixels that have the depth of the object's surface are laid over the mask: where they fit much better
moved, depth is shifted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.level_problem import LevelProblem

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
Intp = NDArray[np.intp]

_STEPS = (6, 3, 1)  # pixels of the crop by which a shift is looked for
_FARTHEST = sum(_STEPS) + 1  # what lies beside the farthest is looked at, too
_THICKNESS = 0.05  # of the diameter: what is as near to the surface is taken for the object
_UNKNOWN = 0.5  # what a pixel without depth pays: it may be the object's or not
_FEWEST = 60  # pixels of the crop that agree once depth is moved back: fewer may by chance
_FEWEST_INSIDE = _FEWEST // 8  # half of what a shift makes disagree, at a coarse level of a quarter of the pixels
_LEFT = 0.55  # share of disagreeing pixels that is left: 0.59 at least of 29 objects of HOPE, whose depth is registered
_WORTH_A_LOOK = 0.8  # the same at a coarse level
_REGISTERED_PX = 1.25  # of a coarse crop: of 28 exact masks and their depth 1.1 at 75 %, 1.4 at 90 %
_LEAST_PX = 2.0  # of the whole image: masks are drawn no better


class DepthShift(NamedTuple):
    """How far depth is to the right of and below the other images, pixels of the whole image, and how well that fits.

    share: of the pixels that disagree, what is left once depth is moved back; gained: how many fewer they are.
    """

    pixels: F64
    share: float
    gained: float

    @property
    def is_clear(self) -> bool:
        """Whether it is worth a word."""
        far = float(np.linalg.norm(self.pixels)) >= _LEAST_PX
        return far and self.share < _LEFT and self.gained >= _FEWEST


def coarse_shift(rough: LevelProblem, level: LevelProblem, pose: Pose, length_m: float) -> DepthShift | None:
    """The shift at a coarse level, of depth that is compared beside other images; None where nothing tells.

    Args:
        rough: a coarse level.
        level: the last one.
        pose: the result.
        length_m: the object's diameter.
    """
    beside = "depth" in level.modalities and len(level.modalities) > 1
    return shift_of_depth(rough, pose, length_m) if beside else None


def may_be_shifted(first: DepthShift | None, rough: LevelProblem) -> bool:
    """Whether a coarse level, prepared near a pose, leaves it open that depth lies beside the other images."""
    if first is None:
        return False
    away_px = float(np.linalg.norm(first.pixels)) / rough.window.reduction
    return first.share < _WORTH_A_LOOK or away_px > _REGISTERED_PX


def note_on_shift(first: DepthShift | None, level: LevelProblem, pose: Pose, length_m: float) -> str:
    """That depth is shifted, by how much, and what may be wrong; empty where it is not, or nothing tells.

    Args:
        first: at a coarse level; where that shows no shift, the last one is not looked at.
        level: the last one.
        pose: the result.
        length_m: the object's diameter.
    """
    if first is None or first.share > _WORTH_A_LOOK:
        return ""
    shift = shift_of_depth(level, pose, length_m, first.pixels)
    if shift is None or not shift.is_clear:
        return ""
    camera, k = level.crop.camera, level.window.reduction
    other, question = "photograph", ""
    if level.crop.mask is not None:
        other, question = "mask", " Or is it the mask that is shifted?"
    x, y = 1e3 * pose.t_m2c[2] * shift.pixels / (k * np.array([camera.fx, camera.fy]))
    return Note(
        NoteCode.REGISTRATION,
        f"registration: the object's outline in depth lies ({shift.pixels[0]:.1f}, {shift.pixels[1]:.1f}) pixels right "
        f"of and below that in the {other}, ({x:.1f}, {y:.1f}) mm at "
        f"its distance, to about {k} pixel{'s' * (k > 1)}: is depth registered to the photograph, and are the "
        f"extrinsics of its camera right?{question}",
    )


def shift_of_depth(level: LevelProblem, pose: Pose, length_m: float, guess: F64 | None = None) -> DepthShift | None:
    """The shift with which the object's outline in depth fits the mask, or, without one, the drawn outline best.

    Args:
        level: prepared near the pose.
        pose: the result.
        length_m: the object's diameter.
        guess: (2,) where it is looked for, pixels of the whole image; in all directions without it.

    Returns:
        None without depth, or where too few pixels tell the object from what is behind it.
    """
    crop = level.crop
    if crop.depth is None:
        return None
    drawn = level.drawn(level.factor.buffers, pose)
    inside = drawn.coverage[0] > 0.5
    is_object = inside if crop.mask is None else np.asarray(crop.mask > 0.5)
    behind = (crop.depth > 0.0) & (np.abs(crop.depth - drawn.depth[0]) > _THICKNESS * length_m)
    if np.count_nonzero(behind & inside & is_object) < _FEWEST_INSIDE:
        return None
    surface = _grown(np.where(inside, drawn.depth[0], np.float32(0.0)))
    rows, columns = np.nonzero(surface > 0.0)
    padded = np.pad(np.asarray(crop.depth, np.float32), _FARTHEST + 1)
    width = padded.shape[1]
    outlines = _Outlines(
        padded.ravel(), (rows + _FARTHEST + 1) * width + columns + _FARTHEST + 1, width,
        surface[rows, columns], is_object[rows, columns], _THICKNESS * length_m,
    )  # fmt: skip
    return outlines.shift(level.window.reduction, guess)


class _Outlines(NamedTuple):
    """Measured depth (padded, flat), and for N pixels near the object their place in it, the surface's depth, the mask.

    width: of the padded rows.
    """

    depth: F32
    place: Intp
    width: int
    surface: F32
    is_object: Bool
    thickness_m: float

    def disagreeing(self, shifts: Sequence[tuple[int, int]]) -> list[float]:
        """How many pixels do, if depth is that far to the right and below."""
        away = np.array([down * self.width + right for right, down in shifts])
        depth = self.depth.take(self.place + away[:, None])
        measured = depth > 0.0
        depth -= self.surface
        np.abs(depth, out=depth)
        wrong = np.count_nonzero(((depth < self.thickness_m) != self.is_object) & measured, axis=1)
        unknown = depth.shape[1] - np.count_nonzero(measured, axis=1)
        return list(wrong + _UNKNOWN * unknown)

    def shift(self, reduction: int, guess: F64 | None) -> DepthShift | None:
        """The one that makes fewest pixels disagree; None where that is not within reach."""
        known: dict[tuple[int, int], float] = {}

        def costs(every: list[tuple[int, int]]) -> list[float]:
            new = [at for at in every if at not in known and max(map(abs, at)) <= _FARTHEST]
            if new:
                known.update(zip(new, self.disagreeing(new), strict=True))
            return [known.get(at, np.inf) for at in every]

        def best_around(at: tuple[int, int], step: int) -> tuple[int, int]:
            every = [(at[0] + step * i, at[1] + step * k) for i in (-1, 0, 1) for k in (-1, 0, 1)]
            return every[int(np.argmin(costs(every)))]

        best = (0, 0)
        if guess is None:
            for step in _STEPS:
                best = best_around(best, step)
        else:  # a finer level has more minima, so it begins where the coarse one ended
            right, down = np.clip(np.rint(guess / reduction), -_FARTHEST, _FARTHEST)
            best = (int(right), int(down))
        while (better := best_around(best, 1)) != best:
            best = better
        (right, down), beside = best, [(-1, 0), (1, 0), (0, -1), (0, 1)]
        here, own, *around = costs([best, (0, 0), *((right + i, down + k) for i, k in beside)])
        sides = np.reshape(around, (2, 2))
        bends = sides.sum(1) - 2.0 * here
        if not np.all(np.isfinite(bends)) or np.min(bends) < 1e-9:
            return None
        finer = 0.5 * (sides[:, 0] - sides[:, 1]) / bends  # of the parabola; within half a pixel, for none is lower
        return DepthShift(reduction * (np.array(best) + finer), here / max(own, 1.0), own - here)


def _grown(surface: F32) -> F32:
    """Depth (H, W), 0 where nothing is drawn, continued beyond the outline from the nearest pixel that is drawn.

    As far as depth may be shifted, along rows and columns together.
    """
    from scipy.ndimage import distance_transform_cdt

    outside = surface <= 0.0
    away, (rows, columns) = distance_transform_cdt(outside, metric="taxicab", return_indices=True)
    return np.where(away <= _FARTHEST, surface[rows, columns], np.float32(0.0))
