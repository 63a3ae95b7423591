"""Which pixels of an image are the object's.

Images hold masks in many ways, and 'whatever is not black' is right for few of them: JPEG leaves ringing around the
object, resizing leaves a blurred border, networks write probabilities times 255, editors write cut-outs whose alpha
channel is the mask, and annotation tools write the labels of several objects. What is the object:

| the image holds | the object is |
|---|---|
| 0 (or black) and one other value | the other value, whatever it is |
| an alpha channel on both sides of half | where alpha is at least half of full scale; colours do not count |
| shades of 8 or 16 bits | where they are at least half of full scale (of the brightest channel, in colours) |
| darker shades around a flat area of one grey | where they are above half of that grey |
| floats in [0, 1] | where they are at least 0.5 |
| flat areas of several values or colours: labels | none: one has to be chosen |

The label of a colour is R + 256 G + 65536 B, as in COCO's panoptic images; that of a palette's entry is its index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, some_of
from diffdope.io.images import as_stored

if TYPE_CHECKING:
    from PIL.Image import Image

Bool = NDArray[np.bool_]
Integers = NDArray[np.integer[Any]]

_LOSSY = frozenset({"JPEG", "MPO", "JPEG2000", "WEBP"})  # no label survives them
_FEW = 64  # more values than this are shades, not labels
_NOISE = 1 / 8  # share of full scale within which a flat area may be black or white, compressed with loss before
_UNDECIDED = 0.1  # of full scale: what is farther from black and white is undecided in a mask
_MOSTLY_UNDECIDED = 0.5  # share of a picture: masks are undecided at borders, photographs and depth nearly all over
_PARTLY_UNDECIDED = 0.25  # of a picture in colours that is not flat: photographs may have much black or white
_FLAT = 0.5  # share of pixels whose neighbours have the same value: of photographs a fifth at most, of masks most
_EIGHT_BITS = 255


class Levels(NamedTuple):
    """An image of which it is not decided yet what is the object.

    Attributes:
        labels: (H, W) not negative, one for each value, colour or entry of the palette; 0 is the background.
        shades: (H, W) brightness; the same array where values are grey.
        full: the brightness of white.
        lossless: whether a flat area of a value may be a label.
    """

    labels: Integers
    shades: Integers
    full: int
    lossless: bool

    @property
    def is_grey(self) -> bool:
        """Whether the labels are brightnesses."""
        return self.labels is self.shades

    def flat_labels(self) -> list[int]:
        """The labels of several objects, in ascending order; none where the image shows one."""
        if not self.lossless or _holds_one_value(self.labels):
            return []
        values = _values(self.labels)
        if (len(values) == 2 and self.is_grey) or len(values) > _FEW:
            return []
        labels = _flat_values(self, values)
        return labels if len(labels) > 1 else []

    def _check_is_mask(self) -> None:
        """Refuses what is no mask, but a photograph or a depth image.

        Raises:
            DiffDopeError: if the shades are neither dark nor bright nearly everywhere.
        """
        sixteen = self.full > _EIGHT_BITS
        if self.is_grey and not sixteen:  # probabilities may be anything
            return
        highest = int(self.shades.max())
        white = min(self.full, highest) if sixteen else self.full  # no sensor's distances end where the numbers do
        between = (self.shades > _UNDECIDED * white) & (self.shades < (1 - _UNDECIDED) * white)
        shown = np.count_nonzero(self.shades) if sixteen and self.is_grey else between.size  # 0 is missing depth
        share = np.count_nonzero(between) / max(shown, 1)
        refused = share > _MOSTLY_UNDECIDED if self.is_grey else share > _PARTLY_UNDECIDED and not self._is_flat()
        if refused:
            got = f"shades up to {highest} that are neither in {100 * share:.0f} % of what it shows"
            cure = f"it looks like a {'depth image' if self.is_grey else 'photograph'}: give the object's mask"
            raise expected("mask", "pixels that are the object's or are not", got, cure)

    def _is_flat(self) -> bool:
        """Whether much of the picture has neighbours of the same value only."""
        return bool(min(self.labels.shape) < 3 or np.mean(_within_flat_areas(self.labels)) >= _FLAT)

    def object_pixels(self, label: int | None) -> Bool:
        """(H, W): where the object is."""
        if label is not None:
            return np.asarray(self.labels == label)
        if self.lossless:
            if _holds_one_value(self.labels):
                return np.asarray(self.labels > 0)
            values = _values(self.labels)
            if len(values) == 2 and self.is_grey:
                return np.asarray(self.shades > self.shades.min())
            dim = self.is_grey and values[-1] < self.full / 2
            labels = _flat_values(self, values) if dim or len(values) <= _FEW else []
            if dim and len(labels) == 1:  # grey in place of white, with a soft border
                return np.asarray(self.shades > labels[0] / 2)
            if len(labels) > 1 and len(values) <= _FEW:
                cure = "choose one by read_mask(..., label=) or --mask-id, or give a mask of that object alone"
                raise expected("mask", "one object", f"the labels {some_of(labels)}", cure)
        self._check_is_mask()
        return np.asarray(self.shades >= (self.full + 1) // 2)


def object_pixels(array: NDArray[Any], *, label: int | None = None) -> NDArray[Any]:
    """The object's pixels (H, W) of an array (H, W) or (H, W, 1 to 4), by the rules above.

    Args:
        array: of an image.
        label: of the object, where it holds the labels of several.

    Returns:
        The pixels, bool; what can be no mask (of floats that leave [0, 1], say) as it is, for `Observation` to refuse.

    Raises:
        DiffDopeError: if it holds several labels and none was chosen.
    """
    levels = levels_of(array)
    return levels.object_pixels(label) if isinstance(levels, Levels) else levels


def levels_of_image(image: Image) -> Levels | NDArray[Any]:
    """What an image holds, with what its format says of palettes and losses."""
    lossless = image.format not in _LOSSY
    if image.mode == "P" and "transparency" not in image.info:
        colours = np.asarray(image.convert("RGB"))
        if not _is_grey(colours):
            return Levels(np.asarray(image), colours.max(axis=2), 255, lossless)
        return levels_of(colours, lossless=lossless)
    modes = {"P": "RGBA", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB"}
    array = np.asarray(image.convert(modes[image.mode])) if image.mode in modes else as_stored(image)
    return levels_of(array, lossless=lossless)


def levels_of(array: NDArray[Any], *, lossless: bool = True) -> Levels | NDArray[Any]:
    """What an array holds; what can be no mask as it is."""
    if array.ndim == 3 and array.shape[2] in (2, 4):
        alpha, array = array[..., -1], array[..., :-1]
        if _parts(alpha):
            array, lossless = alpha, False  # opacity is no label
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    is_image = array.ndim in (2, 3) and array.shape[2:] in ((), (3,)) and array.size > 0
    if not is_image or array.dtype.kind not in "biuf":
        return array
    if array.dtype.kind == "f":
        if not (array.min() >= 0 and array.max() <= 1):  # NaN, too
            return array
        array = array >= 0.5
    if array.dtype == bool:
        on = np.asarray(array.any(axis=2) if array.ndim == 3 else array).astype(np.uint8)
        return Levels(on, on, 1, lossless)
    integers: NDArray[Any] = np.maximum(array, 0) if array.dtype.kind == "i" else array
    if integers.ndim == 3 and _is_grey(integers):
        integers = integers[..., 0]
    shades: Integers = np.asarray(integers.max(axis=2)) if integers.ndim == 3 else integers
    highest = int(shades.max())
    full = next((full for full in (255, 65535) if highest <= full), highest)
    labels: Integers = integers @ np.array([1, 256, 65536]) if integers.ndim == 3 else integers
    return Levels(labels, shades, full, lossless)


def _parts(alpha: NDArray[Any]) -> bool:
    """Whether it is opaque in some places, and transparent in others."""
    half = 0.5 * (np.iinfo(alpha.dtype).max if alpha.dtype.kind in "iu" else 1.0)
    return alpha.size > 0 and bool(alpha.min() < half <= alpha.max())


def _is_grey(colours: NDArray[Any]) -> bool:
    return bool((colours[..., :1] == colours[..., 1:]).all())


def _holds_one_value(labels: Integers) -> bool:
    """Whether there is one value beside 0, or one at all."""
    return bool(np.count_nonzero(labels) == np.count_nonzero(labels == labels.max()) or labels.max() == 0)


def _values(labels: Integers) -> NDArray[np.int64]:
    if labels.max() < 1 << 16:
        return np.flatnonzero(np.bincount(labels.ravel()))
    return np.unique(labels).astype(np.int64)


def _numbered(labels: Integers, values: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(H, W): the place of each label among the values, of which there are few."""
    if values[-1] >= 1 << 16:
        return np.searchsorted(values, labels).astype(np.uint8)
    table = np.zeros(int(values[-1]) + 1, np.uint8)
    table[values] = np.arange(len(values))
    return np.asarray(table[labels])


def _within_flat_areas(labels: Integers) -> Bool:
    """(H - 2, W - 2): whether a pixel's neighbours all have its value, the picture's border left out."""
    middle = labels[1:-1, 1:-1]
    inside = np.ones(middle.shape, bool)
    rows, columns = labels.shape
    for dy, dx in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)):
        inside &= labels[dy : rows - 2 + dy, dx : columns - 2 + dx] == middle
    return inside


def _flat_values(levels: Levels, values: NDArray[np.int64]) -> list[int]:
    """The values, the background left out, most of whose pixels have neighbours of the same value only.

    In a blurred border, or in a mask that was resized, no value between black and white is so. Where a grey image has
    white, flat values near white are white, and flat values near black are black unless they cover much.
    """
    number = _numbered(levels.labels, values)
    middle, inside = number[1:-1, 1:-1], _within_flat_areas(number)
    areas = np.bincount(number.ravel(), minlength=len(values))
    flat = 2 * np.bincount(middle[inside], minlength=len(values)) >= areas
    if levels.is_grey or values[0] == 0:
        flat[0] = False  # the background
    if levels.is_grey and values[-1] >= (1 - _NOISE) * levels.full:
        white, black = values >= (1 - _NOISE) * levels.full, values <= _NOISE * levels.full
        if areas[flat & black].sum() < 0.5 * areas[values >= 0.5 * levels.full].sum():
            flat[black] = False
        if flat[white].any():
            flat[white] = False
            flat[-1] = True
    return [int(value) for value in values[flat]]
