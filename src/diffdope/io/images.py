"""Reading image files into arrays without changing what they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected, some_of
from diffdope.io.array_files import read_arrays
from diffdope.io.exr import read_exr
from diffdope.io.files import is_file, missing_file
from diffdope.io.heic import ENDINGS as HEIC
from diffdope.io.heic import prepare_heic
from diffdope.io.memory_file import MemoryFile, Source, opened, size_of, source_of
from diffdope.io.pfm import read_pfm
from diffdope.io.points import depth_of_ply, depth_of_points, is_points, read_pcd
from diffdope.note_codes import Note, NoteCode

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T")
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luma, ITU-R BT.601."""
ORIENTATION = 0x0112  # EXIF's tag of which way up a picture is
TURNED_FORMATS = ("JPEG", "MPO", "TIFF", "WEBP", "PNG")  # Pillow's names of those that are turned as the tag says
_OTHER_MODES = ("P", "PA", "1", "CMYK", "YCbCr", "LAB")  # whose numbers are no levels of red, green and blue
_STRETCHED = {"L": 255, "I": 65535}  # the largest number that Pillow gives of a PGM, by its mode

ENDINGS = frozenset({
    ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", *HEIC, ".npy", ".npz", ".exr", ".pcd",
})  # fmt: skip
"""Of files that are taken for images where a folder holds others too."""

_BRIGHT = 0.5  # of the largest number: distances in millimetres or less end below it, exposures do not, as a rule


def endings_in(name: str, listed: Sequence[Path]) -> frozenset[str]:
    """Of the images of a folder; .ply is a mesh, unless a folder of depth holds nothing else.

    Args:
        name: "rgb" or "depth".
        listed: the folder's files.
    """
    alone = name == "depth" and not any(path.suffix.lower() in ENDINGS for path in listed)
    return ENDINGS | {".ply"} if alone else ENDINGS


def without_images(name: str, folder: Path) -> DiffDopeError:
    """The error of a folder in which there are no images: which of its own folders have some.

    Args:
        name: the argument to blame.
        folder: that was given.
    """
    inner = (path for path in sorted(folder.iterdir()) if path.is_dir())
    # `glob` passes over folders that may not be read.
    above = [path.name for path in inner if any(one.suffix.lower() in ENDINGS for one in path.glob("*"))]
    known = f"known endings: {', '.join(sorted(ENDINGS))}"
    return expected(name, f"images in {folder}", "none", f"its folders {some_of(above)} have some" if above else known)


def notes_on_rgb(rgb: NDArray[Any] | None) -> tuple[Note, ...]:
    """A note on what was given as a photograph and looks like a depth image.

    Args:
        rgb: as the file holds it; None for no photograph.
    """
    if rgb is None or rgb.ndim != 2 or rgb.dtype.newbyteorder("=") != np.uint16 or not rgb.size:
        return ()
    most, full = int(rgb.max()), int(np.iinfo(np.uint16).max)
    if most > _BRIGHT * full:
        return ()
    text = f"rgb: one channel of 16 bits, up to {most} of {full}, as depth images have: was it to be given as depth?"
    return (Note(NoteCode.RGB_LIKE_DEPTH, text),)


def read_image(name: str, path: Source) -> NDArray[Any]:
    """The array of an image or .npy file, in the file's own number type; palettes are resolved to RGB.

    Pillow reads single-channel 16-bit files losslessly, but gives the upper 8 bits only of 16-bit RGB.

    Args:
        name: the argument to blame.
        path: the file.

    Raises:
        DiffDopeError: if the file is missing or is no image.
    """
    return read_with(name, path, _array_of, lambda array: array)


def read_rgb(path: Source) -> NDArray[Any]:
    """Like `read_image`; an alpha channel that is opaque everywhere is dropped.

    Raises:
        DiffDopeError: if the file is missing or is no image, or shows an object that was cut out of its photograph:
            what is beside the object is compared, too.
    """
    array = read_image("rgb", path)
    channels = array.shape[2] if array.ndim == 3 else 1
    opaque = np.iinfo(array.dtype).max if array.dtype.kind in "iu" else 1
    if channels in (2, 4):
        hidden = float(np.mean(array[..., -1] < 0.5 * opaque))
        if hidden:
            cure = "give the whole photograph, without alpha; this file may be the mask"
            raise expected("rgb", f"a photograph in {path}", f"a cut-out: {100 * hidden:.0f} % is transparent", cure)
        if (array[..., -1] == opaque).all():
            array = array[..., : channels - 1]
    return array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array


def read_depth(path: Source, *, told: bool = False) -> NDArray[Any]:
    """Like `read_image`, and of EXR: (H, W) integers to be multiplied by a depth scale, or float metres.

    Of points (H, W, 3), in an array or an organised .pcd or .ply file, it is their z.

    Args:
        path: the file.
        told: whether the user said what the numbers are; those of .pfm are disparities as a rule.
    """
    path = source_of(path)
    if isinstance(path, Path) and path.suffix.lower() == ".exr":
        if not is_file(path):
            raise missing_file("depth", "an image file", path)
        return read_exr("depth", path)
    if isinstance(path, Path) and path.suffix.lower() == ".pcd" and is_file(path):
        return depth_of_points(read_pcd("depth", path), f"depth {path}")
    if isinstance(path, Path) and path.suffix.lower() == ".pfm" and is_file(path):
        if not told:
            cure = (
                "give --depth-kind disparity and --depth-baseline, or --depth-scale 1000 if they are metres; where "
                "neither is taken, save metres in .npy"
            )
            raise expected(f"depth {path}", "a word on whether .pfm holds disparities or distances", "none", cure)
        return read_pfm("depth", path)
    if isinstance(path, Path) and path.suffix.lower() == ".ply" and is_file(path):
        return depth_of_ply("depth", path)
    array = read_with("depth", path, _depth_of, lambda array: array)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if is_points(array):
        return depth_of_points(array, f"depth {path}")
    return array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array


def read_with(name: str, path: Source, of_image: Callable[[Image], T], of_array: Callable[[NDArray[Any]], T]) -> T:
    """Opens an image or .npy file and returns what one of two functions makes of it.

    Args:
        name: the argument to blame.
        path: the file, or one in memory, which holds an image.
        of_image: takes what Pillow opened.
        of_array: takes the array of a .npy file.

    Raises:
        DiffDopeError: if the file is missing or is no image.
    """
    path = source_of(path)
    if size_of(path) is None:
        raise missing_file(name, "an image file", path)
    if isinstance(path, Path) and path.suffix.lower() in (".npy", ".npz"):
        return of_array(_read_numpy(name, path))
    from PIL import Image

    try:
        prepare_heic(name, path)
        with opened(path) as stream, Image.open(stream) as image:
            pages = _pages(image)
            if pages == 1:
                return of_image(_upright(image))
    except DiffDopeError:
        raise
    except Exception as error:  # of a damaged file Pillow raises whatever its fields lead to
        raise expected(name, f"an image in {path}", _cause(path, str(error) or type(error).__name__)) from error
    raise expected(name, f"one picture in {path}", f"{pages} pages of one size", "give the page that is meant, alone")


def _pages(image: Image) -> int:
    """Pages of a TIFF that are as large as the first: others are its thumbnails, and levels of it that are smaller."""
    if image.format != "TIFF" or getattr(image, "n_frames", 1) == 1:
        return 1
    size, count = image.size, 0
    for page in range(image.n_frames):  # type: ignore[attr-defined]
        image.seek(page)
        count += image.size == size
    image.seek(0)
    return count


def _cause(path: Path | MemoryFile, error: str) -> str:
    """What Pillow's errors mean."""
    if not size_of(path):
        return "an empty file"
    if "truncated" in error or "broken data stream" in error or "unpack requires" in error:
        return "a file that was cut off"
    return "another kind of file, or a damaged one" if error.startswith("cannot identify") else error


def _upright(image: Image) -> Image:
    """A photograph turned as its EXIF tag says it is to be shown; other images as they are."""
    if image.format not in TURNED_FORMATS or image.getexif().get(ORIENTATION, 1) == 1:
        return image
    from PIL import ImageOps

    kind, turned = image.format, ImageOps.exif_transpose(image)
    turned.format = kind  # which says whether it was compressed with loss
    return turned


def as_rgb_texture(image: Image) -> NDArray[np.uint8]:
    """A texture (H, W, 3) uint8 of any Pillow image; alpha is dropped."""
    if image.mode.startswith("I;16"):  # Pillow would clip these instead of scaling them
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.array(image.convert("RGB"), dtype=np.uint8)


def as_stored(image: Image) -> NDArray[Any]:
    """The numbers of an image's file, of which none is a level of light.

    Pillow multiplies those of a PGM until the largest that its header allows is that of 8 or 16 bits: depth up to
    10000 mm became 6.55 times as far, and labels others. As that only moves numbers apart, it is undone exactly.
    """
    tile = getattr(image, "tile", None)  # as what it is read; it is gone once it was
    told = tile[0][-1] if tile and image.format == "PPM" and image.mode in _STRETCHED else None
    array: NDArray[Any] = np.asarray(image)
    if not isinstance(told, tuple):
        return array
    stored: NDArray[Any] = np.rint(array * (told[-1] / _STRETCHED[image.mode])).astype(array.dtype)
    return stored


def _array_of(image: Image) -> NDArray[Any]:
    return np.asarray(image.convert("RGB") if image.mode in _OTHER_MODES else image)


def _depth_of(image: Image) -> NDArray[Any]:
    return _array_of(image) if image.mode in _OTHER_MODES else as_stored(image)


def _read_numpy(name: str, path: Path) -> NDArray[Any]:
    stored = read_arrays(name, path, "an image")
    array = stored if isinstance(stored, np.ndarray) else stored[_key_of(name, list(stored), path)]
    if array.dtype.kind not in "biuf":
        raise expected(name, f"an array of numbers in {path}", array.dtype)
    return np.asarray(array)


def _key_of(name: str, keys: list[str], path: Path) -> str:
    """Which array of a .npz is meant: the only one, or the one with the name of what is wanted."""
    if len(keys) == 1:
        return keys[0]
    named = [key for key in keys if name in key.lower()]
    if len(named) != 1:
        raise expected(name, f"one array in {path}, or one named {name}", ", ".join(keys) or "none")
    return named[0]
