"""The camera's pose from all pictures at once: robust Gauss-Newton over pose, joints, and what is wrong with images.

Unknowns that all pictures share: the pose, how far outside the masks' borders lie, by which share depths read too far,
and, if asked for, an offset of each joint. Unknowns of one picture: errors of its joint values, Gaussian with a
deviation that the pictures tell, eliminated by a Schur complement. So a picture whose arm is not quite where its joints
say counts for what it is worth, and errors of one link do not count as often as the link has pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.rows import Rows, ShotCrop, depth_rows, outline_rows
from diffdope.calibration.shots import ArmShot, turned_about
from diffdope.calibration.solution import (
    BORDER,
    POSE,
    SCALE,
    SHARED,
    CalibrationNoise,
    CommonErrors,
    NormalEquations,
    Scales,
    Solution,
    inverse_of,
)
from diffdope.geometry.pose import Pose
from diffdope.render.pool import default_threads
from diffdope.solve.robust import GAUSSIAN

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_TUKEY = 4.685  # deviations beyond which a residual does not count: 95 % efficiency under Gaussian noise
_LEAST_ROWS = 20  # of a picture; fewer are chance
_LEAST_KNOWN = 1.0  # errors of joints that pictures must determine to tell their deviation
_LARGEST_ROUNDS = 12  # of steps, at most
_NEGLIGIBLE = 0.02  # deviations of the pose: a step that is shorter is the last


class Reach(NamedTuple):
    """How far residuals are looked for: outline, pixels of the crop; depth, metres."""

    outline: float
    depth_m: float


COARSE_REACH = (Reach(20.0, 0.10), Reach(14.0, 0.06), Reach(10.0, 0.05))
FINE_REACH = (Reach(14.0, 0.05), Reach(10.0, 0.04))
WIDTHS = (32.0, 16.0, 8.0, 4.0, 2.0)
"""Factors on the deviations by which Tukey's weights go, step by step: what lies far off pulls, too, at first."""
SHORTER = 0.1
"""Deviations of a last step where larger crops follow."""


class Estimator:
    """Steps at one resolution.

    Args:
        arms: the shots.
        noise: what is known before.
        size: longest side of crops, pixels.
        offsets: whether joints' offsets are looked for.
        modalities: which of "mask" and "depth" are compared.
        threads: None for the library setting.
    """

    def __init__(
        self, arms: Sequence[ArmShot], noise: CalibrationNoise, *, size: int, offsets: bool,
        modalities: tuple[str, ...] = ("mask", "depth"), threads: int | None = None,
    ) -> None:  # fmt: skip
        self._arms, self._noise, self._size, self._offsets = arms, noise, size, offsets
        self._modalities, self._threads = modalities, threads
        self._joints = arms[0].screws.axis.shape[0]
        self._size_s = SHARED + (self._joints if offsets else 0)

    def solve(
        self, pose: Pose, reaches: Sequence[Reach], *, counted: NDArray[np.bool_] | None = None,
        joint_rad: float | None = None, shared: F64 | None = None, rounds: int = _LARGEST_ROUNDS,
        negligible: float = _NEGLIGIBLE, widths: Sequence[float] = (),
    ) -> Solution:  # fmt: skip
        """Steps from a pose, with shorter and shorter reach; at the last one until they are short.

        Args:
            pose: of the base in the camera.
            reaches: one for each step, the last for all others.
            counted: (N,) pictures that take part; None for all.
            joint_rad: deviation of joint values to begin with.
            shared: (S,) unknowns beside the pose, to begin with.
            rounds: steps at most.
            negligible: deviations of the pose: a step that is shorter is the last.
            widths: factors on the deviations of residuals in the first steps, which leave that of joints as it is.
        """
        noise = self._noise
        sigma = np.radians(noise.joint_deg) if joint_rad is None else joint_rad
        counted = np.ones(len(self._arms), bool) if counted is None else counted
        seen = [ShotCrop.around(arm, pose, self._size) for arm in self._arms]
        shared, solution = np.zeros(self._size_s) if shared is None else shared, None
        for round_ in range(rounds):
            reach = reaches[min(round_, len(reaches) - 1)]
            width = widths[round_] if round_ < len(widths) else 1.0
            solution = self._at(pose, seen, reach, counted, sigma, shared, width)
            step, own, told = self._step(solution, sigma)
            sigma = told if width == 1.0 else sigma
            shared = shared.copy()
            shared[SHARED - 2 :] += step[SHARED - 2 :]
            pose = turned_about(pose, solution.centre_c, step)
            size = float(np.linalg.norm(step[:3]) / self._length + np.linalg.norm(step[3:6]))
            solution = replace(solution, pose=pose, shared=shared, own=own, joint_rad=sigma, moved=size)
            if round_ >= max(len(reaches) - 1, len(widths)) and _surely(step, solution) < negligible:
                break
        assert solution is not None
        return solution

    @property
    def _length(self) -> float:
        return self._arms[0].posed.mesh.diameter

    def _at(
        self, pose: Pose, seen: Sequence[ShotCrop | None], reach: Reach, counted: NDArray[np.bool_], sigma: float,
        shared: F64, width: float,
    ) -> Solution:  # fmt: skip
        """Normal equations at a pose."""
        centre_c = self._centre(pose)
        rows = self._all_rows(pose, seen, reach, counted)
        scales = self._scales(rows, shared, width)
        S, J = self._size_s, self._joints
        total, of_picture, pull = np.diag(self._prior()), np.zeros((len(rows), S, S)), np.zeros((len(rows), S))
        back: list[tuple[F64, F64, F64] | None] = []
        zeros = CommonErrors.none(S, J)
        for n, kinds in enumerate(rows):
            if not kinds:
                back.append(None)
                continue
            one = NormalEquations.summed([self._block(name, part, scales, shared) for name, part in kinds.items()])
            inner = np.asarray(np.linalg.inv(one.own + np.eye(J) / sigma**2), np.float64)
            of_picture[n] = one.shared - one.between @ inner @ one.between.T
            pull[n] = one.gradient - one.between @ (inner @ one.own_gradient)
            back.append((inner, one.between, one.own_gradient))
            zeros = zeros.told_by(one, inner / sigma**2)
        total, free = total + of_picture.sum(axis=0), self._free(rows)
        zeros = zeros.answered(inverse_of(total, free), self._gradient(pull, shared))
        self._back = back
        return Solution(
            pose, centre_c, shared, np.zeros((len(rows), J)), total, of_picture, pull, sigma, scales, counted,
            free, None if self._offsets else zeros,
            [{k: len(one.residual) for k, one in kinds.items()} for kinds in rows],
            [{k: self._rms(k, one, scales, shared) for k, one in kinds.items()} for kinds in rows],
        )  # fmt: skip

    def support(self, solution: Solution, reach: Reach, scales: Scales) -> float:
        """How much of what is seen lies where a solution has it: the sum of Tukey's weights, of rows that err alone.

        Args:
            solution: of this estimator.
            reach: how far residuals are looked for.
            scales: the same for all that are compared.
        """
        seen = [ShotCrop.around(arm, solution.pose, self._size) for arm in self._arms]
        rows = self._all_rows(solution.pose, seen, reach, solution.counted)
        return sum(
            tukey(self._corrected(name, one, solution.shared) + one.joints @ own, scales.deviation[name])[1]
            / scales.correlation[name]
            for kinds, own in zip(rows, solution.own, strict=True)
            for name, one in kinds.items()
            if name in scales.deviation
        )

    def _centre(self, pose: Pose) -> F64:
        return pose.apply(np.mean([arm.posed.mesh.center_m for arm in self._arms], axis=0))

    def _all_rows(
        self, pose: Pose, seen: Sequence[ShotCrop | None], reach: Reach, counted: NDArray[np.bool_]
    ) -> list[dict[str, Rows]]:
        """Of each picture; none of those that do not take part."""
        centre_c = self._centre(pose)

        def rows_of(n: int) -> dict[str, Rows]:
            one = seen[n]
            return self._rows(one, pose, centre_c, reach) if one is not None and counted[n] else {}

        with ThreadPoolExecutor(self._threads or default_threads()) as pool:
            return list(pool.map(rows_of, range(len(seen))))

    def _rows(self, seen: ShotCrop, pose: Pose, centre_c: F64, reach: Reach) -> dict[str, Rows]:
        drawn, kinds = seen.drawn(pose), {}
        if "mask" in self._modalities and seen.crop.mask is not None:
            kinds["mask"] = outline_rows(seen, drawn, pose, centre_c, reach.outline * seen.window.reduction)
        if "depth" in self._modalities and seen.crop.depth is not None:
            kinds["depth"] = depth_rows(seen, drawn, pose, centre_c, reach.depth_m)
        return {name: rows for name, rows in kinds.items() if len(rows.residual) >= _LEAST_ROWS}

    def _corrected(self, name: str, rows: Rows, shared: F64) -> F64:
        """Residuals without what masks and depths, and joints' offsets, explain."""
        residual = rows.residual + shared[BORDER if name == "mask" else SCALE] * rows.common
        return np.asarray(residual + rows.joints @ shared[SHARED:] if self._offsets else residual)

    def _scales(self, rows: Sequence[dict[str, Rows]], shared: F64, width: float) -> Scales:
        """Deviation of the bulk of residuals of each kind, and how much less neighbours know together."""
        least = {"mask": self._noise.outline_px, "depth": self._noise.depth_m}
        deviation, correlation = {}, {}
        for name in ("mask", "depth"):
            parts = [self._corrected(name, kinds[name], shared) for kinds in rows if name in kinds]
            if not parts:
                continue
            # About zero, not about their own median: an error that all share must not make the others outliers.
            size = float(np.median(np.abs(np.concatenate(parts))))
            deviation[name] = width * max(GAUSSIAN * size, least[name])
            white = [tukey(part, deviation[name])[0] * part / deviation[name] for part in parts]
            cells = [kinds[name].cell for kinds in rows if name in kinds]
            correlation[name] = _correlation(white, cells)
        return Scales(deviation, correlation)

    def _block(self, name: str, rows: Rows, scales: Scales, shared: F64) -> NormalEquations:
        residual, scale = self._corrected(name, rows, shared), scales.deviation[name]
        weight = tukey(residual, scale)[0] / (scale**2 * scales.correlation[name])
        columns = np.zeros((len(residual), self._size_s))
        columns[:, POSE], columns[:, BORDER if name == "mask" else SCALE] = rows.pose, rows.common
        if self._offsets:
            columns[:, SHARED:] = rows.joints
        weighed, joints = columns * weight[:, None], rows.joints * weight[:, None]
        return NormalEquations(
            weighed.T @ columns, weighed.T @ rows.joints, joints.T @ rows.joints, weighed.T @ residual,
            joints.T @ residual,
        )  # fmt: skip

    def _rms(self, name: str, rows: Rows, scales: Scales, shared: F64) -> float:
        residual = self._corrected(name, rows, shared)
        weight = tukey(residual, scales.deviation[name])[0]
        return float(np.sqrt((weight * residual**2).sum() / max(weight.sum(), 1e-12)))

    def _prior(self) -> F64:
        noise, prior = self._noise, np.zeros(self._size_s)
        prior[BORDER], prior[SCALE] = 1.0 / noise.border_px**2, 1.0 / noise.depth_scale**2
        if self._offsets:
            slides = ~self._arms[0].screws.axis.any(axis=(1, 2))
            prior[SHARED:] = np.where(slides, 1e-3 * noise.offset_mm, np.radians(noise.offset_deg)) ** -2
        return prior

    def _free(self, rows: Sequence[dict[str, Rows]]) -> NDArray[np.bool_]:
        free = np.ones(self._size_s, bool)
        free[BORDER] = any("mask" in kinds for kinds in rows)
        free[SCALE] = any("depth" in kinds for kinds in rows)
        return free

    def _gradient(self, pull: F64, shared: F64) -> F64:
        return np.asarray(pull.sum(axis=0) + self._prior() * shared)  # (S,); the pose has no prior

    def _step(self, at: Solution, sigma: float) -> tuple[F64, F64, float]:
        """The step of the shared unknowns, errors of joints, and their deviation anew.

        That is the sum of squares by the number of errors that the pictures determine (MacKay, Neural Computation 4,
        1992).
        """
        step, squares, known = -at.covariance @ self._gradient(at.pull, at.shared), 0.0, 0.0
        own = np.zeros((len(at.pull), self._joints))
        for n, back in enumerate(self._back):
            if back is None:
                continue
            inner, B, c = back
            own[n] = -inner @ (c + B.T @ step)
            squares += float((own[n] ** 2).sum())
            known += self._joints - float(np.trace(inner)) / sigma**2
        noise = self._noise
        if known < _LEAST_KNOWN:
            return step, own, sigma
        new = float(np.sqrt(squares / known))
        low, high = np.radians([noise.least_joint_deg, noise.most_joint_deg]).tolist()
        return step, own, min(max(new, low), high)


def _surely(step: F64, at: Solution) -> float:
    """How long a step is, in standard deviations of the pose."""
    covariance = at.covariance[POSE, POSE]
    squares = float(step[POSE] @ np.linalg.pinv(covariance, hermitian=True) @ step[POSE])  # what is open has no step
    return math.sqrt(max(squares, 0.0))


def tukey(residual: F64, scale: float) -> tuple[F64, float]:
    """Weights (N,) of the squares of residuals (Beaton and Tukey, Technometrics 1974), and their sum."""
    share = np.clip(1.0 - (residual / (_TUKEY * scale)) ** 2, 0.0, None)
    weight = share**2
    return weight, float(weight.sum())


def _correlation(white: Sequence[F64], cells: Sequence[I64]) -> float:
    """Mean square of sums over tiles, over the sum of squares: 1 for residuals that do not err together."""
    together = alone = 0.0
    for values, cell in zip(white, cells, strict=True):
        _, number = np.unique(cell, return_inverse=True)
        together += float((np.bincount(number, values) ** 2).sum())
        alone += float((values**2).sum())
    return max(together / max(alone, 1e-12), 1.0)
