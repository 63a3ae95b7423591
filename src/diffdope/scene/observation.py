"""What the camera saw: any of RGB, depth and the object's mask, validated once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import DiffDopeError, check_finite, check_positive, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.io.images import read_depth, read_rgb
from diffdope.io.masks import object_pixels, read_mask

F32 = NDArray[np.float32]

_FARTHEST_M, _NEAREST_M = 20.0, 0.005  # median depths beyond these are a wrong unit
_SAMPLE = 10_000  # pixels by which the unit of depth is judged
_SAME_SURFACE = 0.02  # depths of a block this close to its median, relatively, are averaged


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Observation:
    """Images of one moment from one camera; at least one of rgb, depth and mask.

    Attributes:
        camera: whose size the images have.
        rgb: (H, W, 3) float32 in [0, 1], or None.
        depth: (H, W) float32 metres, 0 where missing, or None.
        mask: (H, W) float32 in [0, 1], 1 on the object, or None.
    """

    camera: Camera
    rgb: F32 | None
    depth: F32 | None
    mask: F32 | None

    def __init__(
        self,
        camera: Camera,
        *,
        rgb: ArrayLike | None = None,
        depth: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        depth_scale: float | None = None,
    ) -> None:
        """Validates and converts.

        Args:
            camera: of these images.
            rgb: (H, W, 3), or grey (H, W): uint8 (divided by 255), uint16 (by 65535) or float in [0, 1].
            depth: (H, W) along the optical axis, 0 where missing: float metres or integers (see depth_scale).
            mask: (H, W): bool, float in [0, 1], or integers, of which `diffdope.io.masks` says what is the object.
            depth_scale: METRES per unit of `depth`; required for integers. (BOP's is in millimetres.)

        Raises:
            DiffDopeError: if there is no image, a size is not the camera's, or values break these rules.
        """
        if rgb is None and depth is None and mask is None:
            raise DiffDopeError("observation: expected at least one of rgb, depth and mask, got none")
        self._set(
            camera,
            None if rgb is None else _checked_rgb(np.asarray(rgb), camera),
            None if depth is None else _checked_depth(np.asarray(depth), camera, depth_scale),
            None if mask is None else _checked_mask(np.asarray(mask), camera),
        )

    def _set(self, camera: Camera, rgb: F32 | None, depth: F32 | None, mask: F32 | None) -> None:
        for name, value in (("camera", camera), ("rgb", rgb), ("depth", depth), ("mask", mask)):
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    @classmethod
    def load(
        cls,
        camera: Camera,
        *,
        rgb: str | Path | None = None,
        depth: str | Path | None = None,
        mask: str | Path | None = None,
        depth_scale: float | None = None,
    ) -> Observation:
        """Reads image files; .npy will do as well.

        Args:
            camera: of these images.
            rgb: 8-bit or grey 16-bit image file; an opaque alpha channel is dropped.
            depth: single-channel image file, integers with `depth_scale` or float metres.
            mask: image file, of which `diffdope.io.masks` says what is the object.
            depth_scale: METRES per stored unit of depth.

        Raises:
            DiffDopeError: if a file is missing or no image, or for what the constructor refuses.
        """
        return cls(
            camera,
            rgb=None if rgb is None else read_rgb(rgb),
            depth=None if depth is None else read_depth(depth),
            mask=None if mask is None else read_mask(mask),
            depth_scale=depth_scale,
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """Which of "rgb", "depth" and "mask" there are."""
        return tuple(name for name in ("rgb", "depth", "mask") if getattr(self, name) is not None)

    @cached_property
    def mask_box(self) -> tuple[float, float, float, float] | None:
        """Pixels (x0, y0, x1, y1) between which the mask is not 0; None without a mask, or for one that is empty."""
        if self.mask is None:
            return None
        rows = np.flatnonzero(self.mask.any(axis=1))
        if len(rows) == 0:
            return None
        columns = np.flatnonzero(self.mask[rows[0] : rows[-1] + 1].any(axis=0))
        return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])

    def with_mask(self, mask: ArrayLike) -> Observation:
        """The same images with another mask (H, W); they are shared, not copied and checked again.

        Raises:
            DiffDopeError: for what the constructor refuses of a mask.
        """
        other = object.__new__(Observation)
        other._set(self.camera, self.rgb, self.depth, _checked_mask(np.asarray(mask), self.camera))
        return other

    def without_mask(self) -> Observation:
        """The same images, and nothing that says which pixels are the object's."""
        other = object.__new__(Observation)
        other._set(self.camera, self.rgb, self.depth, None)
        return other

    def with_rgb(self, rgb: F32) -> Observation:
        """The same images with other colours (H, W, 3) float32, which may leave [0, 1]; nothing is checked again."""
        other = object.__new__(Observation)
        other._set(self.camera, rgb, self.depth, self.mask)
        return other

    def crop(self, window: CropWindow) -> Observation:
        """The part in a window, each k x k block of pixels reduced to one.

        Colours and mask are averaged. Depth is the mean of the block's samples close to their median, so that
        it never mixes two surfaces; it is missing where fewer than half of the block's pixels have one.

        Raises:
            DiffDopeError: if the window leaves the image.
        """
        cropped = object.__new__(Observation)  # no checks: a crop may well hold no depth and nothing of the mask
        cropped._set(
            window.camera(self.camera),
            None if self.rgb is None else _box_average(self.rgb, window),
            None if self.depth is None else _reduce_depth(self.depth, window),
            None if self.mask is None else _box_average(self.mask, window),
        )
        return cropped

    def __repr__(self) -> str:
        return f"Observation({self.camera.width} x {self.camera.height}, {' + '.join(self.modalities)})"


def _check_size(name: str, array: NDArray[Any], camera: Camera) -> None:
    size = (camera.height, camera.width)
    if array.shape[:2] == size:
        return
    cure = "images must have the camera's height and width: resize them, or use camera.resize"
    if array.shape[:2] == size[::-1]:
        cure = "width and height are swapped, in the camera or in the image"
    elif array.shape[1:3] == size:
        channels_first = name == "rgb" and array.shape[0] == 3
        cure = "transpose the axes (1, 2, 0)" if channels_first else "give one image, not a batch"
    shape = (*size, 3) if name == "rgb" else size
    raise expected(name, f"shape {shape}", array.shape, cure)


def _check_single_channel(name: str, array: NDArray[Any], camera: Camera) -> None:
    _check_size(name, array, camera)
    if array.ndim != 2:
        cure = f"take one channel: {name}[..., 0]"
        raise expected(name, f"shape ({camera.height}, {camera.width})", array.shape, cure)


def _checked_rgb(array: NDArray[Any], camera: Camera) -> F32:
    _check_size("rgb", array, camera)
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3:
        cure = "drop the alpha channel: rgb[..., :3]" if array.shape[2:] == (4,) else ""
        raise expected("rgb", f"shape ({camera.height}, {camera.width}, 3)", array.shape, cure)
    if array.dtype in (np.uint8, np.uint16):
        scaled: F32 = array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max)
        return scaled
    if array.dtype.kind != "f":
        raise expected("rgb", "uint8, uint16 or float in [0, 1]", array.dtype, "convert with rgb.astype(np.uint8)")
    check_finite("rgb", array)
    low, high = float(array.min()), float(array.max())
    if low < -1e-6 or high > 1 + 1e-6:
        cure = "divide by 255, or give uint8" if high > 1 else "undo the normalisation by mean and deviation"
        raise expected("rgb", "floats in [0, 1]", f"{low:.4g} to {high:.4g}", cure)
    clipped: F32 = np.clip(array, 0.0, 1.0).astype(np.float32)
    return clipped


def _checked_depth(array: NDArray[Any], camera: Camera, depth_scale: float | None) -> F32:
    _check_single_channel("depth", array, camera)
    if array.dtype.kind not in "fiu":
        raise expected("depth", "float metres or integers with depth_scale", array.dtype)
    if array.dtype.kind in "iu" and depth_scale is None:
        cure = "give depth_scale, metres per unit: 0.001 where the file holds millimetres"
        raise expected("depth_scale", f"a number for depth of type {array.dtype}", None, cure)
    check_finite("depth", array, cure="set missing depth to 0, for example with np.nan_to_num(depth, posinf=0)")
    if depth_scale is not None:
        check_positive("depth_scale", depth_scale)
    depth: F32 = (
        array.astype(np.float32) if depth_scale is None else (array * np.float64(depth_scale)).astype(np.float32)
    )
    if depth.min() < 0:
        cure = "depth is the distance along the optical axis; set missing depth to 0"
        raise expected("depth", "no negative numbers", f"{depth.min():.4g}", cure)
    _check_depth_unit(depth, depth_scale)
    return depth


def _check_depth_unit(depth: F32, depth_scale: float | None) -> None:
    # A sample will do: the question is whether it is metres or millimetres.
    sample = depth.ravel()[:: max(1, depth.size // _SAMPLE)]
    sample = sample if sample.any() else depth
    valid = sample[sample > 0]
    if len(valid) == 0:
        raise expected("depth", "some pixels with depth", "0 (missing) everywhere", "leave depth out")
    middle = float(np.median(valid))
    if _NEAREST_M <= middle <= _FARTHEST_M:
        return
    given = "" if depth_scale is None else f" with depth_scale {depth_scale:g}"
    if middle > _FARTHEST_M:
        cure = "it looks like millimetres: depth_scale is METRES per unit, 0.001 for millimetres"
    else:
        cure = "it looks scaled twice: depth_scale is METRES per unit, and none is needed for float metres"
    raise expected("depth", f"a median of {_NEAREST_M} to {_FARTHEST_M} m", f"{middle:.4g} m{given}", cure)


def _checked_mask(array: NDArray[Any], camera: Camera) -> F32:
    _check_single_channel("mask", array, camera)
    if array.dtype.kind not in "biuf":
        raise expected("mask", "bool, integers or float in [0, 1]", array.dtype)
    if array.dtype.kind == "f":
        check_finite("mask", array)
        low, high = float(array.min()), float(array.max())
        if low < 0 or high > 1:
            raise expected("mask", "floats in [0, 1]", f"{low:.4g} to {high:.4g}", "give mask > 0")
    mask: F32 = (object_pixels(array) if array.dtype.kind in "iu" else array).astype(np.float32)
    if not mask.any():
        raise expected("mask", "some pixels on the object", "an empty mask", "leave mask out if there is none")
    return mask


def _box_average(image: F32, window: CropWindow) -> F32:
    from diffdope.scene.blocks import mean_of_blocks

    width, height = window.size
    lines = np.ascontiguousarray(image).reshape(len(image), -1)
    result: F32 = np.empty((height, width, *image.shape[2:]), np.float32)
    k, planes = window.reduction, result.reshape(height, width, -1)
    mean_of_blocks(lines, window.x0, window.y0, k, np.empty(width * k * planes.shape[2], np.float32), planes)
    return result


def _reduce_depth(depth: F32, window: CropWindow) -> F32:
    from diffdope.scene.blocks import depth_of_blocks

    result: F32 = np.empty(window.size[::-1], np.float32)
    k = window.reduction
    room, samples = np.empty((4, result.shape[1] * k), np.float32), np.empty(k * k, np.float32)
    depth_of_blocks(depth, window.x0, window.y0, k, np.float32(_SAME_SURFACE), room, samples, result)
    return result
