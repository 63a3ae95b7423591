"""Photographs that EXIF turns upright, beside masks, depth and cameras that may be of the picture before that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.io.images import ORIENTATION, TURNED_FORMATS
from diffdope.io.memory_file import Source, opened, source_of
from diffdope.note_codes import Note, NoteCode

_UPRIGHT = 1  # as the file has its pixels
_QUARTER_TURNS = (5, 6, 7, 8)  # which exchange width and height


def orientation_of(path: Source) -> int:
    """EXIF's orientation of a photograph that was read, 1 to 8; 1 where it is not turned.

    Args:
        path: the file.
    """
    from PIL import Image

    try:
        with opened(source_of(path)) as stream, Image.open(stream) as image:
            stored = image.getexif().get(ORIENTATION, _UPRIGHT) if image.format in TURNED_FORMATS else _UPRIGHT
            return int(stored) if stored in range(_UPRIGHT, 9) else _UPRIGHT  # others turn nothing
    except Exception:  # arrays in .npy are no pictures; what is broken was refused before
        return _UPRIGHT


def exchanges_sides(orientation: int) -> bool:
    """Whether a picture of that orientation is as wide, once it is turned, as its file's is high."""
    return orientation in _QUARTER_TURNS


def check_upright(name: str, image: NDArray[Any] | None, rgb: NDArray[Any], orientation: int) -> None:
    """Refuses an image of the size that the photograph had before EXIF turned it.

    Args:
        name: of the argument.
        image: (H, W, ...), or None.
        rgb: the photograph, turned.
        orientation: EXIF's.

    Raises:
        DiffDopeError: if it is one.
    """
    rows, columns = rgb.shape[:2]
    if image is None or rows == columns or not exchanges_sides(orientation) or image.shape[:2] != (columns, rows):
        return
    wanted = f"{columns} x {rows} pixels, as the photograph has once EXIF (orientation {orientation}) turned it upright"
    raise expected(name, wanted, f"{rows} x {columns}, of the picture before that", cure_of(name))


def cure_of(name: str) -> str:
    """What to do where an image, or a camera, is of the picture as its file stores it."""
    turned = "calibrate with upright pictures" if name == "camera" else f"turn the {name} as well"
    return f"{turned}, or save the photograph without its EXIF tag, as cv2.IMREAD_IGNORE_ORIENTATION reads it"


def notes_on_turn(rgb: NDArray[Any] | None, orientation: int, beside: Sequence[str]) -> tuple[Note, ...]:
    """That a photograph was turned, where the sizes of what is beside it cannot tell whether that was turned, too.

    Args:
        rgb: the photograph, turned; None for none.
        orientation: EXIF's.
        beside: what there is beside it: "mask", "depth".
    """
    if rgb is None or orientation == _UPRIGHT or not beside:
        return ()
    if exchanges_sides(orientation) and rgb.shape[0] != rgb.shape[1]:
        return ()
    things = " and ".join([", ".join(beside), "K"])
    text = f"rgb: EXIF (orientation {orientation}) says how the photograph is held, and it was turned: {things} have "
    return (Note(NoteCode.RGB_UPRIGHT, text + "to be of the picture as it is shown"),)
