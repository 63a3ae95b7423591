"""What the metrics compare: estimated poses with true ones, over the points of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import as_floats, check_finite, check_shape, expected
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

CHUNK_NUMBERS = 2_000_000  # numbers (8 bytes) that an intermediate array may hold
_RIGID = 1e-3  # largest entry of R R^T - 1 that is taken


@dataclass(frozen=True, eq=False)
class PosePairs:
    """N estimates, each with the truth that it is compared with; a truth for all N may be given once.

    Attributes:
        R_est: estimated rotations (N, 3, 3), model to camera.
        t_est: estimated translations (N, 3), metres.
        R_true: true rotations (N, 3, 3), or (3, 3).
        t_true: true translations (N, 3), or (3,), metres.

    Raises:
        DiffDopeError: if a shape is wrong, a number is not finite, or a matrix is off a rotation by more than 1e-3.
    """

    R_est: F64
    t_est: F64
    R_true: F64
    t_true: F64

    def __post_init__(self) -> None:
        arrays: dict[str, Any] = {name: as_floats(name, getattr(self, name)) for name in self.__dataclass_fields__}
        n = max((len(a) for name, a in arrays.items() if a.ndim == (3 if name[0] == "R" else 2)), default=1)
        for name, array in arrays.items():
            last = (3, 3) if name[0] == "R" else (3,)
            if array.shape == last:
                array = np.broadcast_to(array, (n, *last))
            check_shape(name, array, (n, *last))
            check_finite(name, array)
            if name[0] == "R":
                _check_rotations(name, array)
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, estimates: Sequence[Pose], truths: Sequence[Pose]) -> PosePairs:
        """From as many estimates as truths."""
        if len(estimates) != len(truths):
            raise expected("truths", f"{len(estimates)}, one an estimate", len(truths))
        rotations = [np.array([pose.R_m2c for pose in poses]).reshape(-1, 3, 3) for poses in (estimates, truths)]
        translations = [np.array([pose.t_m2c for pose in poses]).reshape(-1, 3) for poses in (estimates, truths)]
        return cls(rotations[0], translations[0], rotations[1], translations[1])

    def __len__(self) -> int:
        return len(self.R_est)

    def __getitem__(self, rows: slice | NDArray[Any]) -> PosePairs:
        """Some of the pairs: a slice, indices or a mask."""
        return PosePairs(self.R_est[rows], self.t_est[rows], self.R_true[rows], self.t_true[rows])

    def truth_from_estimate(self) -> tuple[F64, F64]:
        """The estimate as seen from the true object: T_true^-1 T_est, (N, 3, 3) and (N, 3) metres."""
        back = np.swapaxes(self.R_true, 1, 2)
        return back @ self.R_est, np.einsum("nij,nj->ni", back, self.t_est - self.t_true)

    def turned_like_estimate(self, symmetries: Symmetries) -> tuple[PosePairs, Symmetries]:
        """Of a ball every turn goes unnoticed: its truth may be turned as the estimate is, and no symmetry is left."""
        if not symmetries.is_ball or symmetries.centre_m is None:
            return self, symmetries
        t_true = (self.R_true - self.R_est) @ symmetries.centre_m + self.t_true
        return PosePairs(self.R_est, self.t_est, self.R_est, t_true), Symmetries.none()


class ModelPoints:
    """Points of a model, with what is computed from them once and used for all its poses.

    Args:
        points_m: (P, 3) metres: usually the vertices of the mesh, as BOP has it.

    Raises:
        DiffDopeError: if there are none, the shape is wrong or a number is not finite.
    """

    def __init__(self, points_m: ArrayLike) -> None:
        self.points_m = as_floats("points_m", points_m)
        check_shape("points_m", self.points_m, (None, 3))
        check_finite("points_m", self.points_m)
        if len(self.points_m) == 0:
            raise expected("points_m", "at least one point", "none")

    def __len__(self) -> int:
        return len(self.points_m)

    @cached_property
    def tree(self) -> Any:
        """A search tree (scipy's cKDTree) in the model frame."""
        from scipy.spatial import cKDTree

        return cKDTree(self.points_m)

    @cached_property
    def neighbours_first(self) -> F64:
        """The points in the tree's order: neighbours in space follow each other, which queries do faster."""
        ordered: F64 = self.points_m[self.tree.indices]
        return ordered

    @cached_property
    def hull(self) -> F64:
        """Corners of the convex hull (H, 3), metres; all points where they are flat or fewer than five."""
        from scipy.spatial import ConvexHull, QhullError

        try:
            corners: F64 = self.points_m[ConvexHull(self.points_m).vertices]
        except (QhullError, ValueError):
            return self.points_m
        return corners

    @cached_property
    def extremes(self) -> F64:
        """A few points, at most 48, that reach farthest in directions all around: (E, 3) metres."""
        rows = np.unique(np.argmax(self.points_m @ _directions(48).T, axis=0))
        return np.asarray(self.points_m[rows])


def model_points(points: ModelPoints | ArrayLike) -> ModelPoints:
    """Points as given, made ready if they are not; keep a `ModelPoints` to compare many poses of one model."""
    return points if isinstance(points, ModelPoints) else ModelPoints(points)


def chunks(count: int, numbers_each: int) -> Iterator[slice]:
    """Slices of 0 ... count, each with few enough items that an intermediate array stays within `CHUNK_NUMBERS`."""
    size = max(1, CHUNK_NUMBERS // max(1, numbers_each))
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))


def _directions(count: int) -> F64:
    """Unit vectors spread evenly over the sphere along a spiral of the golden angle (Vogel 1979)."""
    k = np.arange(count) + 0.5
    z = 1.0 - 2.0 * k / count
    angle, radius = np.pi * (3.0 - np.sqrt(5.0)) * k, np.sqrt(1.0 - z * z)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)


def _check_rotations(name: str, R: F64) -> None:
    error = np.abs(np.swapaxes(R, 1, 2) @ R - np.eye(3)).max(axis=(1, 2))
    if len(R) and error.max() > _RIGID:
        worst = int(error.argmax())
        raise expected(f"{name}[{worst}]", "a rotation", f"R^T R off the identity by {error[worst]:.3g}")
