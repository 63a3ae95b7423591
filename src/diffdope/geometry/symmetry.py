"""The rigid motions of an object that go unnoticed, as BOP's models_info.json tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.error_kinds import unknown_keys
from diffdope.errors import as_floats, check_finite, check_shape, expected
from diffdope.geometry import so3

F64 = NDArray[np.float64]
BOP_STEPS = 315
"""ceil(pi / 0.01): between two turns no point moves more than 1 % of the diameter (BOP Challenge 2019)."""

_MM = 1e-3
_RIGID = 1e-3  # how far a matrix of a file may be from a rotation
_MEET_M = 1e-3  # axes of one body that miss each other by less are meant to meet


@dataclass(frozen=True, eq=False)
class Symmetries:
    """Motions s of the model with which T_m2c and T_m2c @ s look the same; the identity comes first.

    Where every turn about an axis is a symmetry, `R` and `t_m` hold it in steps, as BOP's metrics want it, and `axis`
    and `centre_m` exactly. Where every turn about a point is one (a ball: several axes), `axis` is None and
    `centre_m` the point; `R` and `t_m` then hold turns about the given axes only, which is what BOP looks at.

    Attributes:
        R: rotations (S, 3, 3).
        t_m: translations (S, 3), metres: x_m -> R @ x_m + t_m.
        axis: unit direction (3,) in the model frame, or None.
        centre_m: point (3,) on the axis, or in the middle of the ball, metres; None if there are only single motions.

    Raises:
        DiffDopeError: if a shape is wrong, a matrix is no rotation, or the first motion is not the identity.
    """

    R: F64
    t_m: F64
    axis: F64 | None = None
    centre_m: F64 | None = None

    def __post_init__(self) -> None:
        R, t_m = as_floats("R", self.R), as_floats("t_m", self.t_m)
        check_shape("R", R, (len(t_m), 3, 3))
        check_shape("t_m", t_m, (len(R), 3))
        for k in range(len(R)):
            _check_rotation(f"R[{k}]", R[k])
        if len(R) == 0 or not (np.allclose(R[0], np.eye(3)) and np.allclose(t_m[0], 0.0)):
            raise expected("R, t_m", "the identity as the first symmetry", f"{len(R)} others")
        for name, array in (("R", R), ("t_m", t_m)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    @cache  # each search asks, and the checks take longer than the rest
    def none(cls) -> Symmetries:
        """Of an object that looks different from everywhere."""
        return cls(np.eye(3)[None], np.zeros((1, 3)))

    @classmethod
    def from_bop(cls, info: Mapping[str, Any], steps: int = BOP_STEPS) -> Symmetries:
        """From an object's entry of models_info.json.

        Every discrete symmetry is followed by every step of every continuous one, as in BOP; the list of a data set is
        taken as it is, not completed to a group. Several axes give the turns about one OR another, not their
        products: S = (discrete + 1) * (1 + axes * (steps - 1)), never steps ** axes.

        Args:
            info: may hold symmetries_discrete: [16 numbers, a 4 x 4 matrix row by row, millimetres], and
                symmetries_continuous: [{"axis": 3 numbers, "offset": 3 numbers, millimetres}].
            steps: into how many turns a full one is divided.

        Raises:
            DiffDopeError: naming the key, if a shape is wrong, a matrix is not rigid, an axis is zero, or several
                axes do not meet in a point.
        """
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise expected("steps", "a positive whole number", repr(steps))
        R_d, t_d = _discrete(_list_of(info, "symmetries_discrete"))
        axes, offsets_m = _continuous(_list_of(info, "symmetries_continuous"))
        if len(axes) == 0:
            return cls(R_d, t_d)
        centre_m = _meeting_point(axes, offsets_m)
        is_ball = bool(np.linalg.norm(np.cross(axes, axes[0]), axis=1).max() > _RIGID)
        R_c, t_c = _turns(axes if is_ball else axes[:1], centre_m, steps)
        R = (R_c[None] @ R_d[:, None]).reshape(-1, 3, 3)
        t_m = (np.einsum("cij,dj->dci", R_c, t_d) + t_c).reshape(-1, 3)
        return cls(R, t_m, None if is_ball else axes[0], centre_m)

    @property
    def symmetric(self) -> bool:
        """Whether there is any motion that goes unnoticed."""
        return self.centre_m is not None or len(self.R) > 1

    @property
    def is_ball(self) -> bool:
        """Whether every turn about `centre_m` goes unnoticed."""
        return self.centre_m is not None and self.axis is None

    def __len__(self) -> int:
        return len(self.R)

    def __repr__(self) -> str:
        kind = "ball" if self.is_ball else "single motions" if self.axis is None else f"axis {self.axis.tolist()}"
        return f"Symmetries({len(self)} motions, {kind})"


def _list_of(info: Mapping[str, Any], key: str) -> list[Any]:
    value = info.get(key, [])
    if not isinstance(value, list | tuple):
        raise expected(key, "a list", type(value).__name__)
    return list(value)


def _discrete(entries: list[Any]) -> tuple[F64, F64]:
    """The identity and the listed motions: (D, 3, 3) and (D, 3) metres."""
    rotations, translations = [np.eye(3)], [np.zeros(3)]
    for number, entry in enumerate(entries):
        name = f"symmetries_discrete[{number}]"
        values = as_floats(name, entry)
        check_finite(name, values)
        if values.size != 16:
            raise expected(name, "16 numbers, a 4 x 4 matrix row by row", f"{values.size} numbers")
        T = values.reshape(4, 4)
        if not np.allclose(T[3], [0, 0, 0, 1], atol=1e-6):
            cure = "it looks transposed" if np.allclose(T[:, 3], [0, 0, 0, 1], atol=1e-6) else ""
            raise expected(name, "last row (0, 0, 0, 1)", T[3].tolist(), cure)
        _check_rotation(name, T[:3, :3])
        rotations.append(so3.project_to_so3(T[:3, :3]))
        translations.append(_MM * T[:3, 3])
    return np.stack(rotations), np.stack(translations)


def _check_rotation(name: str, R: F64) -> None:
    check_finite(name, R)
    error = float(np.abs(R.T @ R - np.eye(3)).max())
    if error > _RIGID or np.linalg.det(R) < 0:
        found = f"R^T R off the identity by {error:.3g}" if error > _RIGID else "a mirror image (determinant -1)"
        raise expected(name, "a rigid motion", found)


def _continuous(entries: list[Any]) -> tuple[F64, F64]:
    """Unit axes (A, 3) and points on them (A, 3), metres."""
    axes, offsets_m = np.zeros((len(entries), 3)), np.zeros((len(entries), 3))
    for number, entry in enumerate(entries):
        name = f"symmetries_continuous[{number}]"
        if not isinstance(entry, Mapping):
            raise expected(name, 'an object {"axis": ..., "offset": ...}', type(entry).__name__)
        axis, offset = _vector(entry, "axis", name), _vector(entry, "offset", name)
        length = float(np.linalg.norm(axis))
        if length < 1e-9:
            raise expected(f"{name}.axis", "a direction other than zero", axis.tolist())
        axes[number], offsets_m[number] = axis / length, _MM * offset
    return axes, offsets_m


def _vector(entry: Mapping[str, Any], key: str, name: str) -> F64:
    if key not in entry:
        raise unknown_keys(name, f"the key {key}", entry)
    vector = as_floats(f"{name}.{key}", entry[key])
    check_shape(f"{name}.{key}", vector, (3,))
    check_finite(f"{name}.{key}", vector)
    return vector


def _meeting_point(axes: F64, offsets_m: F64) -> F64:
    """The point nearest to all axes (3,), metres: of one axis its offset."""
    if len(axes) == 1:
        return np.asarray(offsets_m[0])
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]  # projects onto the plane perpendicular to an axis
    right = np.einsum("aij,aj->i", across, offsets_m)
    centre_m: F64 = np.linalg.lstsq(across.sum(axis=0), right, rcond=1e-6)[0]
    misses = np.linalg.norm(np.einsum("aij,aj->ai", across, centre_m - offsets_m), axis=1)
    if misses.max() > _MEET_M:
        cure = "turns about axes that miss each other would move the object ever further"
        found = f"axes {2e3 * misses.max():.3g} mm apart"
        raise expected("symmetries_continuous", "axes that meet in a point", found, cure)
    return centre_m


def _turns(axes: F64, centre_m: F64, steps: int) -> tuple[F64, F64]:
    """Turns about each axis through the centre, the identity only once: (C, 3, 3) and (C, 3) metres."""
    angles = 2.0 * np.pi / steps * np.arange(1, steps)
    R = np.concatenate([np.eye(3)[None], so3.exp((axes[:, None] * angles[:, None]).reshape(-1, 3))])
    return R, centre_m - R @ centre_m
