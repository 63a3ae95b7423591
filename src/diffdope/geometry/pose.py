"""A rigid pose of the object in the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import (
    LARGEST,
    DiffDopeError,
    as_floats,
    check_finite,
    check_shape,
    check_type,
    expected,
    refused,
)  # fmt: skip
from diffdope.geometry import so3

F64 = NDArray[np.float64]
_MM = 1e-3
_ROUNDING = 1e-14  # of R^T R: what projections leave is below 3e-15; so a pose that is read back stays what it was
# OpenGL's camera looks along -z with y up; ours (OpenCV) along +z with y down.
_OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True, eq=False)
class Pose:
    """x_c = R_m2c @ x_m + t_m2c, in the OpenCV camera: x right, y down, z forward.

    The tangent order is (rho [m], phi [rad]): `retract` does R <- Exp(phi) R, t <- t + rho.

    Attributes:
        R_m2c: rotation (3, 3); orthonormal within 1e-3 when given, exactly so afterwards.
        t_m2c: translation (3,), metres.

    Raises:
        DiffDopeError: if a shape is wrong, a number is not finite or R_m2c is no rotation.
    """

    R_m2c: F64
    t_m2c: F64

    def __post_init__(self) -> None:
        R, t = as_floats("R_m2c", self.R_m2c), as_floats("t_m2c", self.t_m2c)
        check_shape("R_m2c", R, (3, 3), cure="Pose.from_matrix takes a matrix (4, 4)" if R.shape == (4, 4) else "")
        check_shape("t_m2c", t, (3,), cure="give t_m2c.ravel()" if t.shape in ((3, 1), (1, 3)) else "")
        check_finite("R_m2c", R)
        check_finite("t_m2c", t)
        if not all(-LARGEST <= part <= LARGEST for part in t.tolist()):
            raise expected("t_m2c", f"metres, up to {LARGEST:g}", f"{float(np.abs(t).max()):.4g}")
        R = _checked_rotation("R_m2c", R)
        for name, array in (("R_m2c", R), ("t_m2c", t)):
            array.flags.writeable = False  # a frozen dataclass would otherwise let its arrays be edited in place
            object.__setattr__(self, name, array)

    @classmethod
    def identity(cls) -> Pose:
        """Model frame and camera frame coincide."""
        return cls(np.eye(3), np.zeros(3))

    @classmethod
    def from_matrix(cls, T_m2c: ArrayLike) -> Pose:
        """From a homogeneous matrix.

        Args:
            T_m2c: (4, 4) or its first three rows, translation in metres.

        Raises:
            DiffDopeError: if it is not a rigid transform; a transposed one is recognised.
        """
        T = _checked_matrix("T_m2c", T_m2c)
        return cls(T[:3, :3], T[:3, 3])

    @classmethod
    def from_wxyz_xyz(cls, wxyz_xyz: ArrayLike) -> Pose:
        """From a quaternion and a translation.

        Args:
            wxyz_xyz: (7,): the quaternion (w, x, y, z), normalised here, and the translation in metres.

        Raises:
            DiffDopeError: if a number is missing or not finite, or the quaternion is 0.
        """
        values = as_floats("wxyz_xyz", wxyz_xyz)
        check_shape("wxyz_xyz", values, (7,))
        check_finite("wxyz_xyz", values)
        if not values[:4].any():
            raise expected("wxyz_xyz", "a quaternion (w, x, y, z) that is not zero", values[:4].tolist())
        return cls(so3.matrix_from_wxyz(values[:4]), values[4:])

    @classmethod
    def from_bop(cls, cam_R_m2c: ArrayLike, cam_t_m2c: ArrayLike) -> Pose:
        """From BOP's rotation and translation.

        Args:
            cam_R_m2c: (9,) row by row, or (3, 3).
            cam_t_m2c: (3,) millimetres.

        Raises:
            DiffDopeError: if a shape is wrong, a number is not finite or the matrix is no rotation.
        """
        R = as_floats("cam_R_m2c", cam_R_m2c)
        if R.shape == (9,):
            R = R.reshape(3, 3)
        check_shape("cam_R_m2c", R, (3, 3), cure="9 numbers, row by row, will do too")
        t = as_floats("cam_t_m2c", cam_t_m2c)
        check_shape("cam_t_m2c", t, (3,))
        check_finite("cam_R_m2c", R)
        check_finite("cam_t_m2c", t)
        return cls(R, t * _MM)

    @classmethod
    def from_opengl(cls, T_m2gl: ArrayLike) -> Pose:
        """From a pose in an OpenGL camera: x right, y up, looking along -z.

        Args:
            T_m2gl: (4, 4) or its first three rows, translation in metres.

        Raises:
            DiffDopeError: if it is not a rigid transform.
        """
        T = _checked_matrix("T_m2gl", T_m2gl)
        pose = cls(T[:3, :3], T[:3, 3])
        return cls(_OPENCV_FROM_OPENGL @ pose.R_m2c, _OPENCV_FROM_OPENGL @ pose.t_m2c)

    @property
    def matrix(self) -> F64:
        """T_m2c (4, 4), translation in metres."""
        T = np.eye(4)
        T[:3, :3], T[:3, 3] = self.R_m2c, self.t_m2c
        return T

    @property
    def wxyz(self) -> F64:
        """The rotation as a unit quaternion (w, x, y, z) with w >= 0."""
        return so3.wxyz_from_matrix(self.R_m2c)

    def to_bop(self) -> tuple[list[float], list[float]]:
        """cam_R_m2c (9 numbers, row-major) and cam_t_m2c (3 numbers, millimetres)."""
        return self.R_m2c.ravel().tolist(), (self.t_m2c / _MM).tolist()

    def to_opengl(self) -> F64:
        """T_m2gl (4, 4), metres: in a camera of OpenGL or three.js, x right, y up, looking along -z."""
        return np.asarray(np.diag([*np.diag(_OPENCV_FROM_OPENGL), 1.0]) @ self.matrix)

    def apply(self, x_m: ArrayLike) -> F64:
        """Points in the camera's frame (..., 3), metres.

        Args:
            x_m: (..., 3) metres, in the model's frame.

        Raises:
            DiffDopeError: if they are no points.
        """
        points = as_floats("x_m", x_m)
        check_shape("x_m", points, (*points.shape[:-1], 3))
        result: F64 = points @ self.R_m2c.T + self.t_m2c
        return result

    def inverse(self) -> Pose:
        """The transform from camera to model."""
        return Pose(self.R_m2c.T, -self.R_m2c.T @ self.t_m2c)

    def __matmul__(self, other: Pose) -> Pose:
        """(self @ other).apply(x) = self.apply(other.apply(x)).

        Raises:
            DiffDopeError: if it is no pose.
        """
        check_type("other", other, Pose, cure="Pose.from_matrix takes a matrix (4, 4), and `apply` points")
        return Pose(self.R_m2c @ other.R_m2c, self.R_m2c @ other.t_m2c + self.t_m2c)

    def retract(self, xi: ArrayLike) -> Pose:
        """Moved by a tangent vector: R <- Exp(phi) R, t <- t + rho.

        Args:
            xi: (6,) = (rho [m], phi [rad]).

        Raises:
            DiffDopeError: if it has another shape, or a number is not finite.
        """
        step = as_floats("xi", xi)
        check_shape("xi", step, (6,))
        check_finite("xi", step)
        return solved_pose(so3.exp(step[3:]) @ self.R_m2c, self.t_m2c + step[:3])

    def angle_to(self, other: PoseLike) -> float:
        """Angle between the two rotations, radians in [0, pi].

        Args:
            other: the other pose, or its matrix (4, 4).

        Raises:
            DiffDopeError: if it is no pose.
        """
        return so3.angle_of(as_pose("other", other).R_m2c @ self.R_m2c.T)

    def distance_to(self, other: PoseLike) -> float:
        """Distance between the two translations, metres.

        Args:
            other: the other pose, or its matrix (4, 4), metres.

        Raises:
            DiffDopeError: if it is no pose.
        """
        return float(np.linalg.norm(as_pose("other", other).t_m2c - self.t_m2c))

    def __repr__(self) -> str:
        wxyz, xyz = (np.array2string(v, precision=6, separator=", ") for v in (self.wxyz, self.t_m2c))
        return f"Pose(wxyz={wxyz}, t_m2c={xyz} m)"


PoseLike = Pose | NDArray[np.floating[Any]]
"""A pose, or its matrix (4, 4) or (3, 4): what public functions take where they take one."""
POSE_CURE = (
    "Pose.from_matrix takes a matrix (4, 4), Pose(R, t) a rotation matrix and a translation in metres, Pose.from_bop "
    "BOP's numbers"
)


def as_pose(name: str, value: Any, expectation: str = "a Pose or a matrix (4, 4)") -> Pose:
    """What was given where a pose is taken: a `Pose`, or a matrix (4, 4) with the translation in metres.

    Args:
        name: of the argument.
        value: what came.
        expectation: for the message.

    Raises:
        DiffDopeError: if it is something else, or not a rigid transform.
    """
    if isinstance(value, Pose):
        return value
    if not is_array_like(value):
        raise expected(name, expectation, type(value).__name__, POSE_CURE)
    T = _checked_matrix(name, value)
    try:
        return Pose(T[:3, :3], T[:3, 3])
    except DiffDopeError as error:
        raise refused(name, str(error)) from error


def is_array_like(value: object) -> bool:
    """Whether it may be a matrix: an array, also one of torch and the like, or a list."""
    return isinstance(value, np.ndarray | list | tuple) or hasattr(value, "__array__")


def solved_pose(R_m2c: F64, t_m2c: F64) -> Pose:
    """A pose that steps have made: copied and not checked, for its rotation is one to the last digits.

    Args:
        R_m2c: (3, 3) rotation.
        t_m2c: (3,) metres.
    """
    pose = object.__new__(Pose)
    for name, array in (("R_m2c", R_m2c.copy()), ("t_m2c", t_m2c.copy())):
        array.flags.writeable = False
        object.__setattr__(pose, name, array)
    return pose


def _checked_matrix(name: str, values: ArrayLike) -> F64:
    """A homogeneous matrix (4, 4) with its last row; whether it turns is for the constructor to say."""
    T = as_floats(name, values)
    T = np.vstack([T, [[0.0, 0.0, 0.0, 1.0]]]) if T.shape == (3, 4) else T
    check_shape(name, T, (4, 4))
    check_finite(name, T)
    if np.allclose(T[3], [0, 0, 0, 1], atol=1e-6):
        return T
    cure = f"it looks transposed: give {name}.T" if np.allclose(T[:, 3], [0, 0, 0, 1], atol=1e-6) else ""
    raise expected(name, "last row (0, 0, 0, 1)", T[3].tolist(), cure)


def _checked_rotation(name: str, R: F64) -> F64:
    error = so3.off_orthonormal(R)
    if error > 1e-3:
        column = float(np.linalg.norm(R[:, 0]))
        uniform = np.allclose(R.T @ R, column**2 * np.eye(3), atol=1e-3 * max(column**2, 1e-12))
        cure = f"it holds a scale of {column:.4g}: divide by it" if uniform and column > 1e-6 else ""
        raise expected(name, "an orthonormal matrix", f"R^T R off the identity by {error:.3g}", cure)
    (a, b, c), (d, e, f), (g, h, i) = R.tolist()
    if a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) < 0:
        cure = "one axis is mirrored: the pose comes from a left-handed frame"
        raise expected(name, "a rotation (determinant +1)", "a reflection (determinant -1)", cure)
    return R.copy() if error < _ROUNDING else so3.project_to_so3(R)


def between(one: Pose, other: Pose) -> tuple[F64, F64]:
    """The motion R (3, 3), t (3,) of the model's frame that makes the first pose the other: T_one^-1 T_other."""
    return one.R_m2c.T @ other.R_m2c, one.R_m2c.T @ (other.t_m2c - one.t_m2c)


def difference(one: Pose, other: Pose) -> F64:
    """(6,) the step (rho, phi) that takes another pose to this one: `other.retract` of it is `one`."""
    return np.concatenate([one.t_m2c - other.t_m2c, so3.log(one.R_m2c @ other.R_m2c.T)])
