"""Depth as sensors give it, made into what is compared: along the optical axis of the photograph's camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_choice, check_positive, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode, coded

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Kind = Literal["axis", "ray", "disparity"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_COLOURED = "a colourised picture, or a photograph, in which they cannot be read"
_SATURATED = 65535  # of 16 bits: what sensors and converters write for 'nothing measured'
_BEYOND = 6e4  # float metres or millimetres: 65504 of half floats, and the background of renderers, 1e10
_SAME_SHAPE = 0.01  # by which factors of width and height may differ, where sizes were rounded to whole pixels
_MOST_SPLAT = 8  # pixels of the photograph along a side that one of depth covers at most


@dataclass(frozen=True)
class DepthSource:
    """How a depth image relates to the photograph.

    Attributes:
        kind: "axis" for distances along the optical axis, "ray" for those from the camera's centre to the surface,
            "disparity" for pixels by which rectified pictures of two cameras differ.
        camera: that took it, where it is another than the photograph's.
        T_depth2rgb: from that camera's frame to the photograph's; given if and only if `camera` is.
        baseline_m: distance between the two cameras of a disparity; given if and only if it is one.
        offset: what is to be added to a disparity, in focal lengths: (cx of the right camera - cx of the left) / fx.
        rectified: whether it is that of the pinhole to which photographs are rectified, while they show the lens.
    """

    kind: Kind = "axis"
    camera: Camera | None = None
    T_depth2rgb: Pose | None = None
    baseline_m: float | None = None
    offset: float = 0.0
    rectified: bool = False

    def __post_init__(self) -> None:
        check_choice("depth-kind", self.kind, KINDS)
        if self.baseline_m is not None:
            check_positive("depth-baseline", self.baseline_m)
        if self.kind == "disparity" and self.baseline_m is None:
            cure = "give it, or Middlebury's calib.txt as camera; distance is fx times baseline by disparity"
            raise expected("depth-baseline", "millimetres between the two cameras of a disparity", "none", cure)
        if self.kind != "disparity" and self.baseline_m is not None:
            raise expected("depth-baseline", "--depth-kind disparity beside it", self.kind, "leave one of them out")
        if (self.camera is None) != (self.T_depth2rgb is None):
            missing = "depth-extrinsics" if self.T_depth2rgb is None else "depth-camera"
            cure = (
                "where the depth camera is and what its lens is belong together; the identity, if it is the same place"
            )
            raise expected(missing, "a file beside the other one", "none", cure)
        if self.rectified and self.camera is not None:
            cure = "leave it out: depth of another camera is drawn as the photograph's lens shows it"
            raise expected("depth-rectified", "none beside --depth-camera", "both", cure)

    def registered(
        self, depth: NDArray[Any], scale_m: float | None, camera: Camera
    ) -> tuple[NDArray[Any], float | None, tuple[str, ...]]:
        """Depth as the photograph's camera sees it, its scale, and what a user should know.

        Args:
            depth: (h, w) integers or floats.
            scale_m: metres per unit; None for float metres. Of disparities, a thousandth of pixels per unit.
            camera: of the photograph, with its distortion.

        Returns:
            (H, W); unchanged, with its scale, where nothing is to be done; else float32 metres and None.

        Raises:
            DiffDopeError: if it is of another size and shape than the photograph and nothing tells how they relate.
        """
        size = (camera.height, camera.width)
        if depth.ndim != 2 or (self.kind == "axis" and self.camera is None and depth.shape == size):
            return depth, scale_m, ()
        if depth.dtype.kind not in "iuf" or (scale_m is None and depth.dtype.kind in "iu"):
            return depth, scale_m, ()  # refused when the observation is made
        metres = without_missing(depth).astype(np.float64) * (1.0 if scale_m is None else scale_m)
        own = self.camera or _resized(camera.rectified if self.rectified else camera, depth.shape)
        if metres.shape != (own.height, own.width):
            wanted = f"{own.width} x {own.height} as its camera"
            raise expected("depth", wanted, f"{metres.shape[1]} x {metres.shape[0]}", "see --depth-camera")
        notes = []
        if self.kind == "disparity":
            metres, said = self._distances(metres if scale_m is None else 1e3 * metres, own)
            notes.append(said)
        if self.kind == "ray":
            metres = along_axis(metres, own)
            notes.append("depth was taken along the rays and turned into distances along the optical axis")
        if self.T_depth2rgb is not None:
            notes.append("depth of another camera was registered to the photograph")
            measured = bool(metres.any())
            metres = _seen_from(metres, own, self.T_depth2rgb, camera)
            if measured and not metres.any():
                raise _out_of_view(self.T_depth2rgb)
        elif metres.shape != size:
            word = "enlarged" if metres.size < size[0] * size[1] else "reduced"
            notes.append(f"depth of {own.width} x {own.height} pixels was {word} to {size[1]} x {size[0]}")
            metres = _enlarged(metres, size)
        return metres.astype(np.float32), None, coded(notes, NoteCode.DEPTH_CONVERTED)

    def _distances(self, disparity: F64, camera: Camera) -> tuple[F64, str]:
        """Metres of disparities (H, W) in pixels, and what to say; 0 where there is none, or it is of no distance."""
        assert self.baseline_m is not None
        if camera.distortion is not None:
            cure = "give --rectified, if K or P is that of the rectified pictures"
            raise expected("depth", "a camera without distortion, as disparities need", "one with distortion", cure)
        shifted = disparity + self.offset * camera.fx
        seen = (disparity > 0) & (shifted > 0)
        metres = np.divide(camera.fx * self.baseline_m, shifted, out=np.zeros_like(shifted), where=seen)
        text = (
            f"disparity was turned into distances: fx {camera.fx:g} times {1e3 * self.baseline_m:g} mm, divided by it"
        )
        return metres, text


def _out_of_view(T_depth2rgb: Pose) -> DiffDopeError:
    away = float(np.linalg.norm(T_depth2rgb.t_m2c))
    cure = (
        f"they put the depth camera {away:.4g} m away: write t in metres, and give the transform from the depth "
        "camera's frame to the photograph's, not its inverse"
    )
    return expected("depth-extrinsics", "depth within the photograph's view", "none of it", cure)


@dataclass(frozen=True)
class DepthReader:
    """Depth images of one camera, one after the other.

    Attributes:
        source: how they relate to the photographs.
        camera: of the photographs.
        scale_m: METRES per unit; None for float metres.
        name: of their files, for errors.
        scale_given: whether the user said so.
        notes: what a user should know about the scale.
    """

    source: DepthSource
    camera: Camera
    scale_m: float | None
    name: str
    scale_given: bool
    notes: tuple[str, ...] = ()

    def read(self, depth: NDArray[Any]) -> tuple[NDArray[Any], float | None, tuple[str, ...]]:
        """Depth as `Observation` takes it, its scale in METRES per unit, and notes; see `DepthSource.registered`."""
        depth = check_is_depth(depth, self.name, scale_given=self.scale_given)
        depth, scale_m, notes = self.source.registered(depth, self.scale_m, self.camera)
        return depth, scale_m, (*self.notes, *notes)


def without_missing(depth: NDArray[Any]) -> NDArray[Any]:
    """Depth with 0 where nothing was measured: NaN, infinity, 65535 of 16 bits, and floats beyond all distances.

    Args:
        depth: integers or floats, of any shape; returned as it is where nothing is to be changed.
    """
    if depth.size == 0:
        return depth
    if depth.dtype.kind == "f":
        low, high = float(depth.min()), float(depth.max())
        if np.isfinite(low) and high < _BEYOND:
            return depth
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(depth) & (depth < _BEYOND), depth, depth.dtype.type(0))
    if depth.dtype.newbyteorder("=") == np.uint16 and depth.max() == _SATURATED:
        return np.where(depth == _SATURATED, depth.dtype.type(0), depth)
    return depth


def along_axis(distance: F64, camera: Camera) -> F64:
    """Distances from the camera's centre, (H, W), as those along its optical axis."""
    x, y, z = np.moveaxis(camera.back_project(np.ones_like(distance)), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(np.asarray(distance / np.sqrt(x * x + y * y + z * z), np.float64))


def check_is_depth(depth: NDArray[Any], name: str, *, scale_given: bool) -> NDArray[Any]:
    """The single channel of a depth image; pictures made for looking at are refused.

    Args:
        depth: as the file holds it.
        name: of the file, for the error.
        scale_given: whether the user said what a unit is.

    Raises:
        DiffDopeError: if it is colourised, or of 8 bits, which are shades.
    """
    cure = "save the sensor's own numbers: 16-bit PNG, or float metres in .npy, .tiff or .exr"
    if depth.ndim == 3 and depth.shape[2] in (3, 4):
        if (depth[..., 0] != depth[..., 1]).any() or (depth[..., 0] != depth[..., 2]).any():
            raise expected(f"depth {name}", "distances", _COLOURED, f"{cure}; or are photograph and depth exchanged?")
        depth = depth[..., 0]
    if depth.dtype == np.uint8 and not scale_given:
        got = f"shades of 8 bits, {int(depth.min())} to {int(depth.max())}" if depth.size else "nothing"
        raise expected(f"depth {name}", "distances", got, f"{cure}; or give --depth-scale if these are distances")
    return depth


def _resized(camera: Camera, shape: tuple[int, ...]) -> Camera:
    height, width = shape
    sx, sy = width / camera.width, height / camera.height
    if abs(sx / sy - 1.0) > _SAME_SHAPE:
        wanted = f"{camera.width} x {camera.height} as the photograph, or of that shape"
        cure = "give --depth-camera and --depth-extrinsics, if another camera took it"
        raise expected("depth", wanted, f"{width} x {height}", cure)
    return camera.resize(width, height)


def _enlarged(depth: F64, size: tuple[int, int]) -> F64:
    """The nearest of its pixels for each of the photograph: depth is never mixed."""
    rows, columns = (((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(size, depth.shape, strict=True))
    return np.asarray(depth[np.minimum(rows, len(depth) - 1)][:, np.minimum(columns, depth.shape[1] - 1)])


def _seen_from(depth: F64, own: Camera, T_depth2rgb: Pose, camera: Camera) -> F64:
    """Depth (H, W) in another camera: each pixel covers as many there as it is large, and the nearest one wins."""
    there = depth > 0
    points = T_depth2rgb.apply(own.back_project(depth)[there])
    u, v = _project_taken(points, camera)
    z = points[:, 2]
    seen = np.isfinite(u) & np.isfinite(v) & (z > 0)
    ratio = np.max(camera.fx / own.fx * depth[there][seen] / z[seen], initial=1.0)
    k = int(np.clip(np.ceil(ratio), 1, _MOST_SPLAT))
    order = np.argsort(-z[seen], kind="stable")  # of several in a pixel the last, which is the nearest, stays
    u, v, z = (part[seen][order] for part in (u, v, z))
    out = np.zeros((camera.height, camera.width))
    first_u, first_v = np.rint(u - 0.5 * (k - 1)).astype(int), np.rint(v - 0.5 * (k - 1)).astype(int)
    columns = (first_u[:, None] + np.tile(np.arange(k), k)).ravel()
    rows = (first_v[:, None] + np.repeat(np.arange(k), k)).ravel()
    inside = (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
    out[rows[inside], columns[inside]] = np.repeat(z, k * k)[inside]
    return out


def _project_taken(points: F64, camera: Camera) -> tuple[F64, F64]:
    """Pixels of points that are far from overflowing integers."""
    u, v = camera.project(points)
    far = 4.0 * (camera.width + camera.height)
    with np.errstate(invalid="ignore"):
        near = (np.abs(u) < far) & (np.abs(v) < far)
    return np.where(near, u, np.nan), np.where(near, v, np.nan)
