"""Crops of the image, reduced by a whole factor so that a block of pixels becomes one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diffdope.errors import as_floats, check_finite, check_positive, check_shape, expected
from diffdope.geometry.camera import Camera

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class CropWindow:
    """A rectangle of the full image, reduced by a whole factor.

    Attributes:
        x0: leftmost column, full-image pixels.
        y0: top row.
        width: columns in the full image, a multiple of `reduction`.
        height: rows in the full image, a multiple of `reduction`.
        reduction: k; each k x k block of pixels becomes one pixel of the crop.

    Raises:
        DiffDopeError: if the size is not a positive multiple of the reduction.
    """

    x0: int
    y0: int
    width: int
    height: int
    reduction: int = 1

    def __post_init__(self) -> None:
        if self.reduction < 1:
            raise expected("reduction", "a whole number of at least 1", self.reduction)
        for name, value in (("width", self.width), ("height", self.height)):
            if value < self.reduction or value % self.reduction:
                raise expected(name, f"a positive multiple of the reduction {self.reduction}", value)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the reduced crop."""
        return self.width // self.reduction, self.height // self.reduction

    def camera(self, camera: Camera) -> Camera:
        """The camera of the reduced crop, given that of the full image.

        Raises:
            DiffDopeError: if the window leaves the image.
        """
        self.check_inside(camera)
        if camera.distortion is None:
            return _of_blocks(camera, self)
        return camera.crop(self.x0, self.y0, self.width, self.height).resize(*self.size)

    def check_inside(self, camera: Camera) -> None:
        """Refuses a window that leaves the camera's image.

        Raises:
            DiffDopeError: if it does.
        """
        right, bottom = self.x0 + self.width, self.y0 + self.height
        if self.x0 < 0 or self.y0 < 0 or right > camera.width or bottom > camera.height:
            got = f"columns {self.x0} to {right}, rows {self.y0} to {bottom}"
            raise expected("window", f"a rectangle inside the {camera.width} x {camera.height} image", got)


def _of_blocks(camera: Camera, window: CropWindow) -> Camera:
    """The same for a pinhole, whose numbers have been checked before."""
    width, height = window.size
    scale = 1.0 / window.reduction
    made = object.__new__(Camera)
    made.__dict__.update(
        fx=camera.fx * scale, fy=camera.fy * scale,
        cx=(camera.cx - window.x0 + 0.5) * scale - 0.5, cy=(camera.cy - window.y0 + 0.5) * scale - 0.5,
        width=width, height=height, distortion=None, is_crop=True,
    )  # fmt: skip
    return made


def choose_crop(boxes_uv: Sequence[Box], camera: Camera, *, margin: float, max_size: int) -> CropWindow:
    """The window around several boxes.

    Args:
        boxes_uv: (x0, y0, x1, y1) in pixels of the full image, borders included; they may leave it.
        camera: of the full image.
        margin: added on every side, as a fraction of the larger side of the union.
        max_size: longest allowed side of the reduced crop, pixels.

    Returns:
        The union enlarged and clipped to the image, with the least reduction that fits `max_size`.

    Raises:
        DiffDopeError: if the boxes are empty or not finite, or if their union misses the image.
    """
    boxes = as_floats("boxes_uv", boxes_uv)
    check_shape("boxes_uv", boxes, (None, 4))
    check_finite("boxes_uv", boxes)
    check_positive("max_size", max_size)
    if not (math.isfinite(margin) and margin >= 0):
        raise expected("margin", "a fraction of at least 0", margin)
    if len(boxes) == 0 or np.any(boxes[:, 2:] < boxes[:, :2]):
        raise expected("boxes_uv", "at least one box, each with x0 <= x1 and y0 <= y1", boxes.tolist())
    return crop_around(boxes.tolist(), camera, margin=margin, max_size=max_size)


def crop_around(boxes_uv: Sequence[Sequence[float]], camera: Camera, *, margin: float, max_size: int) -> CropWindow:
    """The same of boxes and numbers that are known to be right.

    Args:
        boxes_uv: see `choose_crop`, as the others.
        camera: of the full image.
        margin: added on every side.
        max_size: longest allowed side.

    Raises:
        DiffDopeError: if the union of the boxes misses the image.
    """
    left, top = min(box[0] for box in boxes_uv), min(box[1] for box in boxes_uv)
    right, bottom = max(box[2] for box in boxes_uv), max(box[3] for box in boxes_uv)
    border = margin * max(right - left, bottom - top)
    x0, x1 = _clip(left - border, right + border, camera.width)
    y0, y1 = _clip(top - border, bottom + border, camera.height)
    if x0 >= x1 or y0 >= y1:
        raise expected("boxes_uv", f"a box that meets the {camera.width} x {camera.height} image", list(boxes_uv))
    k = min(math.ceil(max(x1 - x0, y1 - y0) / max_size), camera.width, camera.height)
    (x0, x1), (y0, y1) = _whole_blocks(x0, x1, k, camera.width), _whole_blocks(y0, y1, k, camera.height)
    return CropWindow(x0, y0, x1 - x0, y1 - y0, k)


def _clip(low: float, high: float, size: int) -> tuple[int, int]:
    # Clipped before rounding, since a box close to the camera plane can be astronomically large.
    return math.floor(min(max(low, 0.0), float(size))), math.ceil(min(max(high + 1.0, 0.0), float(size)))


def _whole_blocks(low: int, high: int, k: int, size: int) -> tuple[int, int]:
    """Grows [low, high) to a multiple of k; shrinks it where the image has no room left."""
    blocks = min(math.ceil((high - low) / k), size // k)
    low = min(max(low - (blocks * k - (high - low)) // 2, 0), size - blocks * k)
    return low, low + blocks * k
