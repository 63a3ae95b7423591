"""A pinhole camera, perhaps with a lens that bends it; the centre of the top-left pixel is (0, 0)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.error_kinds import unknown_keys
from diffdope.errors import (
    MOST,
    DiffDopeError,
    as_floats,
    check_count,
    check_number,
    check_positive,
    check_shape,
    check_type,
    expected,
)  # fmt: skip
from diffdope.former_homes import leading_on
from diffdope.geometry.calibration_matrix import check_focal_length, check_principal_point, intrinsics_of
from diffdope.geometry.distortion import check_undistorted
from diffdope.geometry.lens import Distortion, no_distortion

F64 = NDArray[np.float64]
CAMERA_CURE = "Camera.from_K takes a matrix and the picture's size, load_camera reads files"
if not TYPE_CHECKING:  # a checker of types would take any name for one of this module
    __getattr__ = leading_on(__name__)


@dataclass(frozen=True)
class Camera:
    """u = fx * x / z + cx, v = fy * y / z + cy, in the OpenCV frame: x right, y down, z forward.

    With a distortion, that is the camera of a picture as the lens drew it. Everything is compared through a pinhole, so
    `Observation` rectifies such pictures, has the camera `rectified`, and poses refer to that one.

    Attributes:
        fx: focal length along the rows, pixels.
        fy: focal length along the columns, pixels.
        cx: principal point, pixels from the CENTRE of the top-left pixel; a crop's may lie outside the image.
        cy: the same, downwards.
        width: columns of the image.
        height: rows of the image.
        distortion: of the lens: a `Distortion`, or OpenCV's coefficients (k1, k2, p1, p2, k3, ...); None, which is also
            what zeros become, for a pinhole.
        focal_deviation: standard deviation of the focal length, as a share of it: 0 for a calibrated camera, some
            percent for one that is known by its lens or by EXIF. Results are as much less sure.

    Raises:
        DiffDopeError: if a number is not finite, a focal length or size is not positive, the deviation is not a share
            from 0 to below 1, or for what `Distortion` refuses.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    distortion: Distortion | None = None
    focal_deviation: float = 0.0
    is_crop = False  # no field: set by `crop`, whose principal point may be anywhere

    def __post_init__(self) -> None:
        for name in ("fx", "fy", "cx", "cy", "focal_deviation"):
            object.__setattr__(self, name, check_number(name, getattr(self, name)))
        for name in ("width", "height"):
            size = check_count(name, getattr(self, name), expectation="a positive whole number of pixels")
            object.__setattr__(self, name, size)
        for name in ("fx", "fy"):
            check_focal_length(name, getattr(self, name), max(self.width, self.height))
        if not 0.0 <= self.focal_deviation < 1.0:
            raise expected("focal_deviation", "a share of the focal length, from 0 to below 1", self.focal_deviation)
        if self.distortion is not None:
            object.__setattr__(self, "distortion", _checked_distortion(self.distortion))

    @classmethod
    def from_K(
        cls, K: ArrayLike, *, width: int, height: int, distortion: Distortion | Sequence[float] | None = None,
        focal_deviation: float = 0.0,
    ) -> Camera:  # fmt: skip
        """From a calibration matrix of the full image.

        The principal point must lie in the image, because outside it K nearly always belongs to another image
        size. For a true off-centre crop use `Camera(...)` itself or `Camera.crop`, which do not ask.

        Args:
            K: (3, 3), or its 9 numbers row by row, pixels.
            width: columns of the image.
            height: rows of the image.
            distortion: as `Camera` takes it.
            focal_deviation: as `Camera` takes it.

        Raises:
            DiffDopeError: if K has skew, is transposed or not finite, or if width and height look swapped.
        """
        if isinstance(K, str | os.PathLike):
            raise expected("K", "a matrix (3, 3)", f"the path {os.fspath(K)!r}", "load_camera reads files")
        camera = cls(*intrinsics_of(as_floats("K", K)), width, height, distortion, focal_deviation)  # type: ignore[arg-type]
        check_principal_point(camera)
        return camera

    @classmethod
    def from_bop(cls, entry: Mapping[str, Any], *, width: int | None = None, height: int | None = None) -> Camera:
        """From an entry of BOP's scene_camera.json (cam_K) or camera.json (fx, fy, cx, cy, width, height).

        Args:
            entry: the JSON object.
            width: columns of the image, needed where the entry has none.
            height: rows of the image.

        Raises:
            DiffDopeError: if keys are missing, the matrix is refused by `from_K`, or lens distortion is stated.
        """
        check_type("entry", entry, Mapping)
        check_undistorted(entry)
        width, height = _size("width", entry, width), _size("height", entry, height)
        if "cam_K" in entry:
            return cls.from_K(entry["cam_K"], width=width, height=height)
        missing = [key for key in ("fx", "fy", "cx", "cy") if key not in entry]
        if missing:
            raise _no_intrinsics(entry)
        camera = cls(entry["fx"], entry["fy"], entry["cx"], entry["cy"], width, height)
        check_principal_point(camera)
        return camera

    @property
    def K(self) -> F64:
        """Calibration matrix (3, 3), pixels."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    @property
    def rectified(self) -> Camera:
        """The pinhole to which pictures of this camera are rectified, of the same size; itself without distortion."""
        if self.distortion is None:
            return self
        fx, fy, cx, cy = self.distortion.pinhole or (self.fx, self.fy, self.cx, self.cy)
        return Camera(fx, fy, cx, cy, self.width, self.height, focal_deviation=self.focal_deviation)

    def project(self, x_c: ArrayLike) -> tuple[F64, F64]:
        """Pixels (u, v), each (...), of camera points; NaN for points with z <= 0, and beyond what the lens sees.

        Args:
            x_c: (..., 3) metres, in the camera's frame; with a distortion, in that of the rectified camera.

        Raises:
            DiffDopeError: if they are no points.
        """
        points = as_floats("x_c", x_c)
        check_shape("x_c", points, (*points.shape[:-1], 3))
        if self.distortion is not None and self.distortion.rotation is not None:
            points = points @ np.reshape(self.distortion.rotation, (3, 3))
        x, y, z = np.moveaxis(points, -1, 0)
        inverse = 1.0 / np.where(z > 0, z, np.nan)
        if self.distortion is None:
            return self.fx * x * inverse + self.cx, self.fy * y * inverse + self.cy
        xd, yd = self.distortion.distort(x * inverse, y * inverse)
        return self.fx * xd + self.cx, self.fy * yd + self.cy

    def back_project(self, depth: ArrayLike) -> F64:
        """Camera points (H, W, 3), metres, of a depth image; a missing depth (0) gives the origin.

        With a distortion they are in the rectified camera's frame, and NaN where no ray is seen.

        Args:
            depth: (H, W) along the optical axis, metres.

        Raises:
            DiffDopeError: if its size is not the camera's.
        """
        z = as_floats("depth", depth)
        check_shape("depth", z, (self.height, self.width))
        x, y = self._rays()
        points = np.stack([x * z, y * z, z], axis=-1)
        if self.distortion is None or self.distortion.rotation is None:
            return points
        return np.asarray(points @ np.reshape(self.distortion.rotation, (3, 3)).T)

    def _rays(self) -> tuple[F64, F64]:
        """X / Z and Y / Z of each pixel, of shapes that broadcast to (H, W)."""
        x = (np.arange(self.width, dtype=np.float64)[None, :] - self.cx) / self.fx
        y = (np.arange(self.height, dtype=np.float64)[:, None] - self.cy) / self.fy
        if self.distortion is None:
            return x, y
        return self.distortion.undistort(*(part.copy() for part in np.broadcast_arrays(x, y)))

    def opengl_projection(self, near_m: float = 0.01, far_m: float = 100.0) -> F64:
        """The projection matrix (4, 4) of OpenGL, WebGL and three.js for points as `Pose.to_opengl` gives them.

        It is that of the rectified pinhole, exact for any principal point, where the viewport has the picture's size or
        its shape. Depth goes from -1 at `near_m` to 1 at `far_m`.

        Args:
            near_m: distance of the nearest point that is drawn, metres.
            far_m: of the farthest.

        Raises:
            DiffDopeError: if they are not positive, or not in this order.
        """
        check_positive("near_m", near_m)
        check_positive("far_m", far_m)
        if not far_m > near_m:
            raise expected("far_m", f"more than near_m, {near_m:g}", far_m)
        pinhole, span = self.rectified, far_m - near_m
        # OpenGL's window counts from the corner of the bottom-left pixel: u + 0.5 and height - (v + 0.5).
        right = (self.width - 1 - 2 * pinhole.cx) / self.width
        up = (2 * pinhole.cy + 1 - self.height) / self.height
        return np.array(
            [
                [2 * pinhole.fx / self.width, 0.0, right, 0.0],
                [0.0, 2 * pinhole.fy / self.height, up, 0.0],
                [0.0, 0.0, -(far_m + near_m) / span, -2 * far_m * near_m / span],
                [0.0, 0.0, -1.0, 0.0],
            ]
        )

    def crop(self, x0: int, y0: int, width: int, height: int) -> Camera:
        """The camera of the rectangle whose top-left pixel is (x0, y0).

        Args:
            x0: column of the image, whole pixels; may lie outside of it.
            y0: row of the image.
            width: columns of the rectangle.
            height: rows of the rectangle.

        Raises:
            DiffDopeError: if a number is not whole, or a size not positive.
        """
        x0, y0 = check_count("x0", x0, least=-MOST), check_count("y0", y0, least=-MOST)
        bent = None if self.distortion is None else self.distortion.moved(1.0, 1.0, -x0, -y0)
        made = Camera(self.fx, self.fy, self.cx - x0, self.cy - y0, width, height, bent, self.focal_deviation)
        object.__setattr__(made, "is_crop", True)
        return made

    def resize(self, width: int, height: int) -> Camera:
        """The camera of the image resampled to another size; c -> (c + 0.5) * s - 0.5, per axis.

        Args:
            width: columns of the new image.
            height: rows of the new image.

        Raises:
            DiffDopeError: if a size is not a positive whole number.
        """
        width = check_count("width", width, expectation="a positive whole number of pixels")
        height = check_count("height", height, expectation="a positive whole number of pixels")
        sx, sy = width / self.width, height / self.height
        cx, cy = (self.cx + 0.5) * sx - 0.5, (self.cy + 0.5) * sy - 0.5
        shift = 0.5 * sx - 0.5, 0.5 * sy - 0.5
        bent = None if self.distortion is None else self.distortion.moved(sx, sy, *shift)
        made = Camera(self.fx * sx, self.fy * sy, cx, cy, width, height, bent, self.focal_deviation)
        object.__setattr__(made, "is_crop", self.is_crop)
        return made


def _checked_distortion(distortion: Any) -> Distortion | None:
    """A `Distortion`, of OpenCV's coefficients where those were given; None for one that changes nothing."""
    made = distortion if isinstance(distortion, Distortion) else Distortion(distortion)
    return None if no_distortion(made) else made


def _no_intrinsics(entry: Mapping[str, Any]) -> DiffDopeError:
    return unknown_keys("camera", "cam_K, or fx, fy, cx and cy", entry)


def _size(name: str, entry: Mapping[str, Any], given: int | None) -> int:
    stored = entry.get(name)
    if given is None and stored is None:
        cure = "this camera entry holds no size: pass width and height"
        raise expected(name, "the image's size in pixels", "none", cure)
    if given is not None:
        given = check_count(name, given, expectation="a positive whole number of pixels")
    if isinstance(stored, float) and stored.is_integer():  # JSON knows no whole numbers
        stored = int(stored)
    if stored is not None:
        stored = check_count(name, stored, expectation="a positive whole number of pixels")
    if given is not None and stored is not None and given != stored:
        cure = "the camera file is for another image size, or width and height are swapped"
        raise expected(name, f"{stored} as in the camera file", given, cure)
    return stored if given is None else given  # type: ignore[return-value]
