"""An image in the numbers in which it was given; floats are made only of what is looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import CropWindow

F32 = NDArray[np.float32]

SAME_SURFACE = np.float32(0.02)  # depths of a block this close to its median, relatively, are averaged
_MOST_SAMPLES = 1024  # of a block of several surfaces, by which its median is judged: all of them up to k = 32
_MOST_PIXELS = 2**21  # of a window that is read in full: full HD has fewer
_APART = 16  # pixels by which a coloured image is told from a grey one
_FEWEST_ROWS = 7  # of a block that are read: of 49 pixels and more, the noise averages out
_HALF = np.float32(0.5)  # of a block's pixels that have to be measured, for it to show one surface rather than a hole
_BAND, _BANDS = 16, 4  # rows that are looked at together, and how often: no sensor's lines are farther apart
_NO_NEIGHBOURS = 0.1  # share of measured pixels with measured ones beside and above: a quarter of them, at random, 0.19
_KINDS = (np.uint8, np.uint16, np.float32)


def _empty(kind: type) -> NDArray[Any]:
    array: NDArray[Any] = np.empty((0, 0), kind)
    array.flags.writeable = False  # as images are: to numba, one that can be written to is of another type
    return array


_NONE = tuple(_empty(kind) for kind in _KINDS)


class StoredImage:
    """An image that nobody writes to any more, and what its numbers stand for.

    Attributes:
        values: (H, W) of a single channel, or (H, W, C): bool, uint8, uint16 or float32. Contiguous, but that the
            channels may lie the other way round, as BGR images give them.
        unit: what 1 in `values` stands for: 1 / 255 of a colour, metres of depth.
    """

    __slots__ = ("_floats", "_grey", "_sparse", "unit", "values")

    def __init__(self, values: NDArray[Any], unit: float = 1.0) -> None:
        """Takes the array, which its owner gives away, as it is."""
        values.flags.writeable = False
        self.values, self.unit = values, unit
        is_final = values.dtype == np.float32 and unit == 1.0 and values.shape[2:] != (1,)
        self._floats: F32 | None = values if is_final else None
        self._grey: bool | None = None
        self._sparse: bool | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredImage, (self.values, self.unit)

    @property
    def floats(self) -> F32:
        """The whole image as float32, with grey colours (H, W, 1) three times; made once."""
        if self._floats is None:
            floats = np.empty((*self.values.shape[:2], 3)[: self.values.ndim], np.float32)
            np.multiply(self.values, np.float64(self.unit), out=floats, dtype=np.float64, casting="unsafe")
            floats.flags.writeable = False
            self._floats = floats
        return self._floats

    @property
    def is_grey(self) -> bool:
        """Whether an image (H, W, C) has one channel, or three that are equal; looked at once."""
        if self._grey is None:
            looked_at = (self.values[::_APART, ::_APART], self.values)  # of a coloured one, a few pixels tell
            self._grey = all(
                (some[..., c] == some[..., 0]).all() for some in looked_at for c in range(1, some.shape[2])
            )
        return self._grey

    @property
    def is_sparse(self) -> bool:
        """Whether depth (H, W) is of single points or lines, as a lidar's, rather than of surfaces; looked at once.

        Of what has holes, however large, most measured pixels have others beside and above or below them.
        """
        if self._sparse is None:
            last = max(len(self.values) - _BAND, 0)
            tops = sorted({last * number // (_BANDS - 1) for number in range(_BANDS)})
            most, measured, within = self.values[:_BAND].size * len(tops), 0, 0
            for top in tops[len(tops) // 2 :] + tops[: len(tops) // 2]:  # those in the middle are rarely empty
                there = self.values[top : top + _BAND] > 0
                measured += int(np.count_nonzero(there))
                within += int(np.count_nonzero(_beside(there) & _beside(there.T).T & there))
                if within >= _NO_NEIGHBOURS * most:  # enough, however many the other bands have
                    break
            self._sparse = measured > 0 and within < _NO_NEIGHBOURS * measured
        return self._sparse

    def in_mirror(self) -> StoredImage:
        """The same with its columns in reverse."""
        return StoredImage(np.ascontiguousarray(self.values[:, ::-1]), self.unit)

    def mean(self, window: CropWindow) -> StoredImage:
        """Each block of the window averaged."""
        if window.reduction == 1:
            return self._slice(window)
        from diffdope.scene.blocks import mean_of_blocks

        width, height = window.size
        numbers, backwards = self._numbers, self.values.strides[-1] < 0
        lines = (numbers[..., ::-1] if backwards else numbers).reshape(len(numbers), -1)
        means = np.empty((height, width, *numbers.shape[2:]), np.float32)
        planes = means.reshape(height, width, -1)
        line = np.empty(window.width * planes.shape[2], np.float32)
        mean_of_blocks(
            *_as_one_of(lines), window.x0, window.y0, window.reduction, rows_apart(window), float(self.unit),
            line, planes,
        )  # fmt: skip
        return StoredImage(np.ascontiguousarray(means[..., ::-1]) if backwards else means)

    def depth(self, window: CropWindow) -> StoredImage:
        """Each block of the window reduced to a depth, metres, that mixes no two surfaces; see `Observation.crop`."""
        if window.reduction == 1:
            return self._slice(window)
        from diffdope.scene.blocks import depth_of_blocks

        k = window.reduction
        depth = np.empty(window.size[::-1], np.float32)
        room, samples = np.empty((3, window.width), np.float32), np.empty(min(k * k, _MOST_SAMPLES), np.float32)
        _, words, floats = _as_one_of(self._numbers)
        step, least = (1, np.float32(0.0)) if self.is_sparse else (rows_apart(window), _HALF)
        depth_of_blocks(
            words, floats, window.x0, window.y0, k, step, float(self.unit), SAME_SURFACE, least, room, samples, depth
        )
        return StoredImage(depth)

    def _slice(self, window: CropWindow) -> StoredImage:
        rows, columns = slice(window.y0, window.y0 + window.height), slice(window.x0, window.x0 + window.width)
        return StoredImage(self.values[rows, columns].copy(), self.unit)

    @property
    def _numbers(self) -> NDArray[Any]:
        return self.values.view(np.uint8) if self.values.dtype == np.bool_ else self.values


def _beside(there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the pixel to the left or to the right is measured, too."""
    either = np.zeros_like(there)
    either[:, 1:] |= there[:, :-1]
    either[:, :-1] |= there[:, 1:]
    return either


def rows_apart(window: CropWindow) -> int:
    """The step between rows of a window that are read: 1 up to full HD, and 3, 5, ... in the blocks of a larger one.

    Reading a large photograph takes longer than anything that is done with it. So about as many pixels are read as of
    a full HD picture, but at least seven rows of each block.
    """
    wanted = -(-window.width * window.height // _MOST_PIXELS)
    step = max(1, min(wanted, window.reduction // _FEWEST_ROWS))
    return step - (step + 1) % 2


def _as_one_of(values: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """As kernels take it: one array a number type, of which the other two are empty."""
    return tuple(values if values.dtype == kind else none for kind, none in zip(_KINDS, _NONE, strict=True))
