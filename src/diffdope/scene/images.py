"""Reading image files into arrays without changing what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected

if TYPE_CHECKING:
    from PIL.Image import Image


def read_image(name: str, path: str | Path) -> NDArray[Any]:
    """The array of an image or .npy file, in the file's own number type; palettes are resolved to RGB.

    Pillow reads single-channel 16-bit files losslessly, but gives the upper 8 bits only of 16-bit RGB.

    Raises:
        DiffDopeError: if the file is missing or is no image; `name` is the argument to blame.
    """
    path = Path(path)
    if not path.is_file():
        raise DiffDopeError(f"{name}: expected an image file, but there is none at {path}")
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        from PIL import Image

        with Image.open(path) as image:
            return np.asarray(image.convert("RGB") if image.mode in ("P", "1", "CMYK", "YCbCr") else image)
    except (OSError, ValueError, SyntaxError) as error:
        raise expected(name, f"an image in {path}", str(error)) from error


def read_rgb(path: str | Path) -> NDArray[Any]:
    """Like `read_image`; an alpha channel that is opaque everywhere is dropped."""
    array = read_image("rgb", path)
    channels = array.shape[2] if array.ndim == 3 else 1
    if channels in (2, 4) and (array[..., -1] == np.iinfo(array.dtype).max).all():
        array = array[..., : channels - 1]
    return array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array


def read_mask(path: str | Path) -> NDArray[Any]:
    """Like `read_image`; of a coloured mask, whatever is not black is the object."""
    array = read_image("mask", path)
    if array.ndim == 3 and array.shape[2] in (2, 4):
        array = array[..., :-1]
    return np.asarray(array.any(axis=2)) if array.ndim == 3 else array


def as_rgb_texture(image: Image) -> NDArray[np.uint8]:
    """A texture (H, W, 3) uint8 of any Pillow image; alpha is dropped."""
    if image.mode.startswith("I;16"):  # Pillow would clip these instead of scaling them
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.array(image.convert("RGB"), dtype=np.uint8)
