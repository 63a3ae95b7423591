"""Reading masks of files: images, arrays, and what annotation tools and detectors write in text.

Which pixels of an image are the object's: `io/mask_levels.py`. Run lengths, polygons and boxes: `io/mask_files.py`.

| .npy or .npz holds | the object is |
|---|---|
| whole numbers, bools | as in an image |
| probabilities: floats in [0, 1] | where they are at least 0.5 |
| logits: floats of both signs | where they are above 0; a note says so |
| several of them, (N, H, W) | none: a label has to be chosen, 1 for the first |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_path, expected, told_more
from diffdope.io.files import is_file, missing_file
from diffdope.io.images import read_with
from diffdope.io.mask_files import ENDINGS as TEXTS
from diffdope.io.mask_files import Instances, Size, read_instances
from diffdope.io.mask_levels import Levels, levels_of, levels_of_image, object_pixels
from diffdope.io.memory_file import MemoryFile
from diffdope.io.regions import mask_of_box, note_on_cut
from diffdope.note_codes import Note, NoteCode

__all__ = ["Mask", "MaskFile", "looks_inverted", "mask_in_box", "object_pixels", "read_labels", "read_mask"]

Stored = Levels | NDArray[Any] | list[Levels | NDArray[Any]]
BOX_NOTE = Note(NoteCode.MASK_BOX, "the mask is a box")
LOGITS_NOTE = Note(NoteCode.MASK_LOGITS, "the mask was taken for logits: the object is where they are above 0")
_FRAME = 0.98  # share of the picture's border that an inverted mask covers
_HOLE = 16  # pixels that it leaves out at least


@dataclass(frozen=True, eq=False)
class Mask:
    """A mask as it was read.

    Attributes:
        pixels: (H, W) bool; what can be no mask as it is, for `Observation` to refuse.
        notes: what a user should know about how it was read.
    """

    pixels: NDArray[Any]
    notes: tuple[str, ...] = ()


def mask_in_box(box: Sequence[float], size: tuple[int, int]) -> Mask:
    """A box that a user gave in place of a mask, and a note where the picture cuts it.

    Args:
        box: x, y of the top-left corner, width, height, pixels.
        size: (height, width) of the picture.

    Raises:
        DiffDopeError: if it is no box, or no pixel of the picture is in it.
    """
    cut = note_on_cut(box, size)
    return Mask(mask_of_box(box, size), (BOX_NOTE, cut) if cut else (BOX_NOTE,))


@dataclass(frozen=True)
class MaskFile:
    """Which mask of which file.

    Attributes:
        path: image, .npy, .npz, .json or .txt; or an image in memory.
        label: of the object, where the file holds several.
        image_id: of the image, where a .json holds several.
        inverted: True where the file is black or 0 on the object, False where it is not though it looks so; None to
            refuse one that looks so.
    """

    path: Path | MemoryFile
    label: int | None = None
    image_id: int | None = None
    inverted: bool | None = None

    def read(self, *, size: Size | None = None, picture: str | None = None) -> Mask:
        """The mask.

        Args:
            size: (height, width) of the image, for what is in text.
            picture: name of its file, by which it is found among several.

        Raises:
            DiffDopeError: if the file is missing or is none, holds several labels and none was chosen, or looks
                inverted.
        """
        of_text = self.path.suffix.lower() in TEXTS
        mask = self._of_text(size, picture) if of_text else self._of_image()
        if self.inverted and mask.pixels.dtype == bool:
            return Mask(~mask.pixels, mask.notes)
        if self.inverted is None and mask.pixels.dtype == bool and looks_inverted(mask.pixels):
            got = f"all of the picture's border and {100 * mask.pixels.mean():.0f} % of it, but for a patch within"
            cure = "it looks inverted: give --mask-inverted yes (inverted=True), or no if it is right"
            raise expected(f"mask {self.path}", "the object's pixels", got, cure)
        return mask

    def labels(self, *, picture: str | None = None) -> list[int]:
        """The labels of a mask that shows several objects, in ascending order; none where it shows one."""
        if self.path.suffix.lower() in TEXTS:
            masks = self._instances(picture).masks
            return sorted(masks) if len(masks) > 1 else []
        stored = self._stored()
        if isinstance(stored, list):
            return list(range(1, len(stored) + 1))
        return stored.flat_labels() if isinstance(stored, Levels) else []

    def _instances(self, picture: str | None) -> Instances:
        if isinstance(self.path, MemoryFile) or not is_file(self.path):
            raise missing_file("mask", "a mask file", self.path)
        return read_instances(self.path, image_id=self.image_id, picture=picture)

    def _of_text(self, size: Size | None, picture: str | None) -> Mask:
        found = self._instances(picture)
        label = next(iter(found.masks)) if self.label is None and len(found.masks) == 1 else self.label
        pixels = found.mask(label, size, str(self.path))
        return Mask(pixels, (BOX_NOTE,) if label in found.boxes else ())

    def _of_image(self) -> Mask:
        stored, label = self._stored(), self.label
        if isinstance(stored, list):
            stored, label = self._layer(stored), None
        notes: tuple[str, ...] = ()
        if not isinstance(stored, Levels) and _are_logits(stored):
            stored, notes = levels_of(stored > 0), (LOGITS_NOTE,)
        if not isinstance(stored, Levels):
            return Mask(stored)
        try:
            return Mask(stored.object_pixels(label), notes)
        except DiffDopeError as error:
            raise told_more(error, f" ({self.path})") from error

    def _layer(self, layers: list[Levels | NDArray[Any]]) -> Levels | NDArray[Any]:
        if self.label is None or not 1 <= self.label <= len(layers):
            cure = "choose one by read_mask(..., label=) or --mask-id, 1 for the first"
            got = "none chosen" if self.label is None else self.label
            raise expected("mask", f"one of the {len(layers)} masks in {self.path}", got, cure)
        return layers[self.label - 1]

    def _stored(self) -> Stored:
        return read_with("mask", self.path, levels_of_image, _of_array)


def read_mask(
    path: str | Path,
    *,
    label: int | None = None,
    size: Size | None = None,
    image_id: int | None = None,
    inverted: bool | None = None,
) -> NDArray[Any]:
    """The object's pixels (H, W), bool, of a mask's file.

    Args:
        path: image, .npy, .npz, COCO's or LabelMe's .json, YOLO's .txt.
        label: of the object, where the file holds several: of a .json the annotation's id, else counted from 1.
        size: (height, width) of the image, for polygons and boxes.
        image_id: of the image, where a .json holds several.
        inverted: True where the file is black on the object, False where it only looks so.

    Returns:
        The pixels; what can be no mask (of floats above 1, say) as it is, for `Observation` to refuse.

    Raises:
        DiffDopeError: if the file is missing or is none, holds several labels and none was chosen, or looks inverted.
    """
    check_path("path", path)
    return MaskFile(Path(path), label, image_id, inverted).read(size=size).pixels


def read_labels(path: str | Path) -> list[int]:
    """The labels of a mask that shows several objects, in ascending order; none where it shows one.

    Args:
        path: the file.

    Raises:
        DiffDopeError: if the file is missing or is none.
    """
    return MaskFile(Path(path)).labels()


def looks_inverted(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask (H, W) has nearly all of the picture's border, most of it, and leaves out a patch within."""
    if mask.ndim != 2 or min(mask.shape) < 3:
        return False
    border = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    if np.mean(border) < _FRAME:
        return False
    share = np.count_nonzero(mask)
    return bool(2 * share >= mask.size and mask.size - share >= _HOLE)


def _of_array(array: NDArray[Any]) -> Stored:
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[2] > 4:
        return [_of_layer(layer) for layer in array]
    return _of_layer(array)


def _of_layer(array: NDArray[Any]) -> Levels | NDArray[Any]:
    whole = array.dtype.kind == "f" and array.size > 0 and array.min() >= 0 and 1 < array.max() < 2**31
    if whole and (array == np.floor(array)).all():
        array = array.astype(np.int64)
    return levels_of(array)


def _are_logits(array: NDArray[Any]) -> bool:
    floats = array.ndim == 2 and array.dtype.kind == "f" and array.size > 0
    return bool(floats and np.isfinite(array).all() and array.min() < 0 < array.max())
