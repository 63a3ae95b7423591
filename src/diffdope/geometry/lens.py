"""Lens models: where a ray of the pinhole is seen in the picture, and back. No images here; see `scene/rectify.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import as_floats, check_choice, check_finite, check_number, check_positive, check_shape, expected

F64 = NDArray[np.float64]
Model = Literal["opencv", "fisheye", "thin_prism_fisheye", "fov"]
MODELS: dict[str, tuple[int, ...]] = {
    "opencv": (4, 5, 8, 12), "fisheye": (4, 6, 8, 12), "thin_prism_fisheye": (8,), "fov": (1,),
}  # fmt: skip
"""Of each model, how many coefficients there can be."""
_SAMPLES = 4096  # radii at which it is looked whether the image of a ray still moves outwards
_WIDEST = 20.0  # tangent of the angle to the axis (87 degrees) up to which a pinhole is of any use
_STEP = 1e-6  # of central differences, in normalised coordinates
_ROUNDS = 20  # of Newton's method, which needs some five


@dataclass(frozen=True)
class Distortion:
    """How a lens departs from the pinhole.

    Normalised coordinates are x = X / Z and y = Y / Z of a ray; the distorted ones, times (fx, fy) and plus (cx, cy),
    are pixels. Models and the order of their coefficients:

    - `opencv`: k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4]]], as cv2.calibrateCamera returns them; ROS's plumb_bob too
    - `fisheye`: k1 k2 k3 k4 [k5 k6 [p1 p2 [s1 s2 s3 s4]]] of the angle: cv2.fisheye, equidistant; 12: FISHEYE624
    - `thin_prism_fisheye`: k1 k2 p1 p2 k3 k4 sx1 sy1 of the angle, as COLMAP has it
    - `fov`: omega of Devernay and Faugeras

    Attributes:
        coefficients: without unit.
        model: one of those.
        pinhole: (fx, fy, cx, cy), pixels, of the camera to which images are rectified; None for that of the picture.
            ROS writes it in its projection matrix P.
        rotation: 9 numbers, row by row, that turn points of the camera's frame into that of the rectified one, as a
            stereo calibration has it; None for no turn.

    Raises:
        DiffDopeError: if there is no such model, it has another number of coefficients, or a number is not finite.
    """

    coefficients: tuple[float, ...]
    model: Model = "opencv"
    pinhole: tuple[float, float, float, float] | None = None
    rotation: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        check_choice("distortion.model", self.model, tuple(MODELS))
        values = as_floats("distortion", self.coefficients).ravel()
        check_finite("distortion", values)
        counts = MODELS[self.model]
        if self.model == "opencv" and len(values) == 14 and not values[12:].any():
            values = values[:12]  # no tilt of the sensor
        if len(values) == 14 and self.model == "opencv":
            raise expected("distortion", "no tilt of the sensor (tauX, tauY)", values[12:].tolist(), _CURE)
        if len(values) not in counts:
            raise expected("distortion", f"{' or '.join(map(str, counts))} coefficients of {self.model}", len(values))
        object.__setattr__(self, "coefficients", tuple(values.tolist()))
        if self.pinhole is not None:
            pinhole = as_floats("distortion.pinhole", self.pinhole)
            check_shape("distortion.pinhole", pinhole, (4,))
            for value in pinhole[:2]:
                check_positive("distortion.pinhole", float(value))
            numbers = tuple(check_number("distortion.pinhole", float(value)) for value in pinhole)
            object.__setattr__(self, "pinhole", numbers)
        if self.rotation is not None:
            object.__setattr__(self, "rotation", _checked_rotation(self.rotation))

    @property
    def bends(self) -> bool:
        """Whether any ray is seen elsewhere than a pinhole shows it."""
        return "fisheye" in self.model or any(self.coefficients)

    def moved(self, sx: float, sy: float, dx: float, dy: float) -> Distortion:
        """The same lens after c -> s * c + d of the pixels, per axis.

        Args:
            sx: factor along the rows.
            sy: factor along the columns.
            dx: shift along the rows, pixels.
            dy: shift along the columns, pixels.

        Raises:
            DiffDopeError: if that makes no pinhole.
        """
        if self.pinhole is None:
            return self
        fx, fy, cx, cy = self.pinhole
        return replace(self, pinhole=(fx * sx, fy * sy, cx * sx + dx, cy * sy + dy))

    def distort(self, x: F64, y: F64) -> tuple[F64, F64]:
        """Distorted coordinates of normalised ones (...); NaN farther out than the model reaches.

        Args:
            x: X / Z of rays.
            y: Y / Z of rays.

        Raises:
            DiffDopeError: if they are no numbers.
        """
        x, y = as_floats("x", x), as_floats("y", y)
        radius = np.hypot(x, y)
        with np.errstate(all="ignore"):
            xd, yd = _FORWARD[self.model](self.coefficients, x, y, radius)
        outside = ~(radius <= reach(self))
        return np.where(outside, np.nan, xd), np.where(outside, np.nan, yd)

    def undistort(self, xd: F64, yd: F64) -> tuple[F64, F64]:
        """Normalised coordinates of distorted ones (...), by Newton's method; NaN where no ray is seen.

        Args:
            xd: (u - cx) / fx of pixels.
            yd: (v - cy) / fy of pixels.

        Raises:
            DiffDopeError: if they are no numbers.
        """
        xd, yd = as_floats("xd", xd), as_floats("yd", yd)
        x, y = self._first_guess(xd, yd)
        for _ in range(_ROUNDS):
            fx, fy = self.distort(x, y)
            ax, ay = self.distort(x + _STEP, y)
            bx, by = self.distort(x, y + _STEP)
            a, b, c, d = (ax - fx) / _STEP, (bx - fx) / _STEP, (ay - fy) / _STEP, (by - fy) / _STEP
            with np.errstate(all="ignore"):
                rx, ry, det = xd - fx, yd - fy, a * d - b * c
                x, y = x + (d * rx - b * ry) / det, y + (a * ry - c * rx) / det
        fx, fy = self.distort(x, y)
        good = np.hypot(fx - xd, fy - yd) < 1e-6
        return np.where(good, x, np.nan), np.where(good, y, np.nan)

    def _first_guess(self, xd: F64, yd: F64) -> tuple[F64, F64]:
        """The undistorted radius of each distorted one, by a table of the radial part."""
        radii = np.linspace(0.0, reach(self), _SAMPLES)
        images = np.hypot(*_FORWARD[self.model](self.coefficients, radii, np.zeros_like(radii), radii))
        rd = np.hypot(xd, yd)
        scale = np.interp(rd, np.maximum.accumulate(images), radii) / np.where(rd > 0, rd, 1.0)
        scale = np.where(rd > 0, scale, 1.0) * (1.0 - 1e-6)  # the step of the first derivative stays within reach
        return xd * scale, yd * scale


def no_distortion(distortion: Distortion) -> bool:
    """Whether rectifying with it would change nothing at all."""
    return not distortion.bends and distortion.pinhole is None and distortion.rotation is None


@lru_cache(maxsize=64)
def reach(distortion: Distortion) -> float:
    """Radius of normalised coordinates up to which the image of a ray moves outwards; beyond, polynomials turn back."""
    radii = np.linspace(0.0, _WIDEST, 8 * _SAMPLES)
    with np.errstate(all="ignore"):
        x, y = _FORWARD[distortion.model](distortion.coefficients, radii, np.zeros_like(radii), radii)
        images = np.hypot(x, y) * np.where(x < 0, -1.0, 1.0)
    grows = np.diff(images) > 0
    end = len(grows) if grows.all() else int(np.argmin(grows))
    return float(radii[end])


def _opencv(k: tuple[float, ...], x: F64, y: F64, radius: F64) -> tuple[F64, F64]:
    """OpenCV's calib3d documentation, 'Detailed Description'."""
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = (*k, *([0.0] * (12 - len(k))))
    r2 = radius * radius
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    xd = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + r2 * (s1 + s2 * r2)
    yd = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + r2 * (s3 + s4 * r2)
    return xd, yd


def _fisheye(k: tuple[float, ...], x: F64, y: F64, radius: F64) -> tuple[F64, F64]:
    """Kannala and Brandt, as cv2.fisheye has it; with tangential and thin-prism terms as Project Aria's FISHEYE624."""
    k1, k2, k3, k4, k5, k6, p1, p2, s1, s2, s3, s4 = (*k, *([0.0] * (12 - len(k))))
    theta = np.arctan(radius)
    t2 = theta * theta
    bent = theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * (k4 + t2 * (k5 + t2 * k6))))))
    scale = np.where(radius > 0, bent / np.where(radius > 0, radius, 1.0), 1.0)
    u, v = x * scale, y * scale
    r2 = u * u + v * v
    along = 2 * (u * p1 + v * p2)
    return u + along * u + r2 * p1 + r2 * (s1 + s2 * r2), v + along * v + r2 * p2 + r2 * (s3 + s4 * r2)


def _thin_prism_fisheye(k: tuple[float, ...], x: F64, y: F64, radius: F64) -> tuple[F64, F64]:
    """COLMAP's THIN_PRISM_FISHEYE (its camera/models.h): all terms act on the angle, none on another's result."""
    k1, k2, p1, p2, k3, k4, s1, s2 = k
    scale = np.where(radius > 0, np.arctan(radius) / np.where(radius > 0, radius, 1.0), 1.0)
    u, v = x * scale, y * scale
    r2 = u * u + v * v
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * (k3 + r2 * k4)))
    xd = u * radial + 2 * p1 * u * v + p2 * (r2 + 2 * u * u) + s1 * r2
    yd = v * radial + 2 * p2 * u * v + p1 * (r2 + 2 * v * v) + s2 * r2
    return xd, yd


def _fov(k: tuple[float, ...], x: F64, y: F64, radius: F64) -> tuple[F64, F64]:
    """Devernay and Faugeras, 'Straight lines have to be straight', 2001."""
    (omega,) = k
    if omega == 0.0:
        return x, y
    bent = np.arctan(2.0 * radius * np.tan(0.5 * omega)) / omega
    centre = 2.0 * np.tan(0.5 * omega) / omega
    scale = np.where(radius > 0, bent / np.where(radius > 0, radius, 1.0), centre)
    return x * scale, y * scale


_FORWARD: dict[str, Callable[..., tuple[F64, F64]]] = {
    "opencv": _opencv, "fisheye": _fisheye, "thin_prism_fisheye": _thin_prism_fisheye, "fov": _fov,
}  # fmt: skip
_CURE = "undistort the images first, and give the K that belongs to the result"


def _checked_rotation(rotation: Any) -> tuple[float, ...] | None:
    R = as_floats("distortion.rotation", rotation)
    R = R.reshape(3, 3) if R.shape == (9,) else R
    check_shape("distortion.rotation", R, (3, 3))
    check_finite("distortion.rotation", R)
    if np.abs(R.T @ R - np.eye(3)).max() > 1e-3 or np.linalg.det(R) < 0:
        raise expected("distortion.rotation", "a rotation matrix", R.tolist())
    return None if np.allclose(R, np.eye(3), atol=1e-12) else tuple(R.ravel().tolist())
