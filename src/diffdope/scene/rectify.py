"""Pictures of a lens with distortion, made into those of the pinhole that the camera is compared through."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.scene.stored_image import SAME_SURFACE, StoredImage

F32 = NDArray[np.float32]
_KEPT = 2  # maps, for a rig of two cameras: those of 2 megapixels have 16 MB each


class RectifyingMap:
    """Where each pixel of the rectified picture lies in the one that was taken.

    Attributes:
        columns: (H, W) pixels of the taken picture, NaN where it shows nothing.
        rows: the same, downwards.
        factor: by which depth along the optical axis changes: (H, W), or (1, 1) where the axis stays.
    """

    def __init__(self, camera: Camera) -> None:
        distortion, pinhole = camera.distortion, camera.rectified
        assert distortion is not None
        x = (np.arange(pinhole.width) - pinhole.cx) / pinhole.fx
        y = (np.arange(pinhole.height) - pinhole.cy) / pinhole.fy
        points = np.stack([*np.meshgrid(x, y), np.ones((pinhole.height, pinhole.width))], axis=-1)
        columns, rows = camera.project(points)
        self.columns, self.rows = columns.astype(np.float32), rows.astype(np.float32)
        self.factor: F32 = np.ones((1, 1), np.float32)
        if distortion.rotation is not None:
            before = points @ np.reshape(distortion.rotation, (3, 3))
            self.factor = (1.0 / np.maximum(before[..., 2], 1e-6)).astype(np.float32)
        seen = (columns > -0.5) & (columns < camera.width - 0.5) & (rows > -0.5) & (rows < camera.height - 0.5)
        if not seen.any():
            cure = "its coefficients, or their order, belong to another camera"
            raise expected("distortion", "a lens that shows some of the rectified picture", "one that shows none", cure)


@lru_cache(maxsize=_KEPT)
def rectifying_map(camera: Camera) -> RectifyingMap:
    """The map of a camera with distortion; made once for the frames of a video."""
    return RectifyingMap(camera)


def rectified(
    images: dict[str, StoredImage], camera: Camera, *, depth_rectified: bool = False
) -> dict[str, StoredImage]:
    """Images of a camera as its `rectified` would have taken them; the same ones where there is no distortion.

    Colours are blended, and those of the border go on outside of the picture. Depth is taken from one surface, and is 0
    outside. A pixel is the mask's if half of it is.

    Args:
        images: by name: rgb, depth, mask.
        camera: which took them.
        depth_rectified: whether depth is that of `rectified` already, and stays as it is.

    Raises:
        DiffDopeError: if nothing of the mask is left.
    """
    if camera.distortion is None:
        return images
    places = rectifying_map(camera)
    stays = ("depth",) if depth_rectified else ()
    return {name: image if name in stays else _READERS[name](image, places) for name, image in images.items()}


def _colours(image: StoredImage, places: RectifyingMap) -> StoredImage:
    from diffdope.scene.rectify_kernels import blended

    values = np.ascontiguousarray(image.values)
    taken = values.reshape(*values.shape[:2], -1)
    out = np.empty((*places.columns.shape, taken.shape[2]), taken.dtype)
    blended(taken, places.columns, places.rows, 0.5 if taken.dtype.kind == "u" else 0.0, out)
    return StoredImage(out.reshape(*out.shape[:2], *values.shape[2:]), image.unit)


def _depth(image: StoredImage, places: RectifyingMap) -> StoredImage:
    from diffdope.scene.rectify_kernels import depth_between

    out = np.empty(places.columns.shape, image.values.dtype)
    whole = 0.5 if out.dtype.kind == "u" else 0.0
    depth_between(image.values, places.columns, places.rows, places.factor, SAME_SURFACE, whole, out)
    return StoredImage(out, image.unit)


def _mask(image: StoredImage, places: RectifyingMap) -> StoredImage:
    from diffdope.scene.rectify_kernels import shares

    hard = image.values.dtype == np.bool_
    out = np.empty(places.columns.shape, np.float32)
    shares(image.values.view(np.uint8) if hard else image.values, places.columns, places.rows, out)
    mask = out >= 0.5 if hard else out
    if not mask.any():
        cure = "the rectified picture does not show the object: its pinhole (P) is that of another camera"
        raise expected("mask", "some pixels on the object after lens distortion is removed", "an empty mask", cure)
    return StoredImage(mask, image.unit)


_READERS = {"rgb": _colours, "depth": _depth, "mask": _mask}
