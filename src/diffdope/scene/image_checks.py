"""Images checked against their camera and kept: copied once, in the numbers in which they were given."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from diffdope.errors import check_finite, check_positive, check_type, expected
from diffdope.geometry.camera import Camera
from diffdope.io.depth import without_missing
from diffdope.io.masks import looks_inverted, object_pixels
from diffdope.note_codes import Note, NoteCode
from diffdope.scene.stored_image import StoredImage

_COUNTED = 1e-2  # of whole numbers that were scaled and divided by the scale again
_INVERTED = Note(
    NoteCode.MASK_INVERTED,
    "the mask has all of the border of the picture and leaves out a patch within: it looks inverted",
)
FARTHEST_M, _NEAREST_M = 20.0, 0.005
"""Median depths beyond these are a wrong unit, ..."""
_FARTHEST_METRES_M = 200.0  # ... or this, if no whole numbers: depth cameras begin at 200 mm, and few see 200 m
_COARSE_M = 0.01  # no sensor counts in larger units: its scale is of another unit
_UNITS = ((0.001, "millimetres"), (0.01, "centimetres"), (0.0001, "tenths of a millimetre"))
_SAMPLE = 10_000  # pixels by which the unit of depth is judged
_WHITES, _SOME = (255, 4095, 65535), 16  # of 8, 12 and 16 bits; pixels by which a picture of 16 is told
_OFF_CENTRE = 0.1  # of width and height; real ones are within a few per cent, rectified ones a little farther
_ROUNDING = 1e-6  # by which colours may leave [0, 1]


def check_drawn_depth(name: str, depth: NDArray[Any]) -> None:
    """Refuses what no rendering of depth is: integers, what is not finite or below 0, millimetres.

    Raises:
        DiffDopeError: saying which.
    """
    wanted = "float metres, finite and at least 0"
    if depth.dtype.kind != "f":
        raise expected(name, wanted, str(depth.dtype))
    if not float(depth.min()) >= 0.0 or not np.isfinite(depth.max()):
        values = "infinities or NaN" if not np.isfinite(depth).all() else f"down to {depth.min():g}"
        raise expected(name, wanted, values, "0 where nothing is drawn")
    drawn = depth[depth > 0]
    middle = float(np.median(drawn)) if len(drawn) else 0.0
    if middle > _FARTHEST_METRES_M:
        raise expected(name, wanted, f"a median of {middle:.4g}", "is it in millimetres? divide by 1000")


def check_no_paths(**images: object) -> None:
    """Refuses paths where images are asked for.

    Raises:
        DiffDopeError: naming the reader of files.
    """
    for name, image in images.items():
        if isinstance(image, str | os.PathLike):
            cure = f"Observation.load(camera, {name}=...) reads files"
            raise expected(name, "an array", f"the path {os.fspath(image)!r}", cure)


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
        if name == "depth" and (array[..., :1] != array).any():
            cure = "it is colourised: distances cannot be read from it; give the sensor's own numbers"
        raise expected(name, f"shape ({camera.height}, {camera.width})", array.shape, cure)


def notes_on_camera(camera: Camera) -> tuple[Note, ...]:
    """That a principal point is farther from the middle of the picture than lenses have it, but of `Camera.crop`."""
    off = float(np.hypot((camera.cx + 0.5) / camera.width - 0.5, (camera.cy + 0.5) / camera.height - 0.5))
    if camera.is_crop or off <= _OFF_CENTRE:
        return ()
    text = (
        f"K's principal point ({camera.cx:.4g}, {camera.cy:.4g}) is {100 * off:.0f} % off the middle of "
        f"the {camera.width} x {camera.height} picture: right if it is a crop whose top-left pixel was subtracted from "
        "cx and cy; else K is of other pictures, and what is found is turned and shifted by as much"
    )
    return (Note(NoteCode.CAMERA_OFF_CENTRE, text),)


def checked_rgb(array: NDArray[Any], camera: Camera) -> tuple[StoredImage, tuple[str, ...]]:
    """Colours (H, W, 3) or grey (H, W), checked and copied; and a note, where 16 bits hold a picture of fewer.

    Raises:
        DiffDopeError: for another size or type, or floats that leave [0, 1].
    """
    _check_size("rgb", array, camera)
    if array.ndim == 2:
        array = array[..., None]
    elif array.ndim != 3 or array.shape[2] != 3:
        cures = {(4,): "drop the alpha channel: rgb[..., :3]", (1,): "give grey as (H, W): rgb[..., 0]"}
        cure = cures.get(array.shape[2:], "")
        raise expected("rgb", f"shape ({camera.height}, {camera.width}, 3)", array.shape, cure)
    kind = array.dtype.newbyteorder("=")
    if kind == np.uint8:
        return StoredImage(_copied(array, kind), 1.0 / 255), ()
    if kind == np.uint16:
        white = _white_of(array)
        return StoredImage(_copied(array, kind), 1.0 / white), _notes_on_bits(white)
    if kind.kind != "f":
        raise expected("rgb", "uint8, uint16 or float in [0, 1]", array.dtype, "convert with rgb.astype(np.uint8)")
    low, high = _finite_range("rgb", array)
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        cure = "undo the normalisation by mean and deviation" if low < -_ROUNDING else "divide by 255, or give uint8"
        if 1 < high <= FARTHEST_M and low >= 0.0 and (array != np.floor(array)).any():
            cure = "is it depth? give it as depth="
        raise expected("rgb", "floats in [0, 1]", f"{low:.4g} to {high:.4g}", cure)
    colors = _copied(array, np.float32)
    if low < 0.0 or high > 1.0:
        np.clip(colors, 0.0, 1.0, out=colors)
    return StoredImage(colors), ()


def _white_of(array: NDArray[Any]) -> int:
    """The largest number of 8, 12 or 16 bits, whichever are the fewest that hold a picture in uint16.

    A camera of 10 or 12 bits as a rule fills the low ones, and a picture with a sixteenth of the brightness is darker
    than any light that is fitted. Of pictures that use their range, a few pixels tell so.
    """
    every = _WHITES[:-1]
    brightest = int(array[::_SOME, ::_SOME].max())
    if brightest <= every[-1]:
        brightest = int(array.max())
    return next((white for white in every if brightest <= white), _WHITES[-1])


def _notes_on_bits(white: int) -> tuple[str, ...]:
    if white == _WHITES[-1]:
        return ()
    text = (
        f"rgb: no value of uint16 is above {white}, so {white} was taken for white, as a camera of "
        f"{white.bit_length()} bits has it; give floats in [0, 1] if the picture is that dark"
    )
    return (Note(NoteCode.RGB_BITS, text),)


def checked_depth(
    array: NDArray[Any], camera: Camera, depth_scale: float | None
) -> tuple[StoredImage, tuple[str, ...]]:  # fmt: skip
    """Depth (H, W), checked and copied, with 0 for what means 'missing': see `without_missing`; and notes on its unit.

    Raises:
        DiffDopeError: for another size or type, integers without a scale, numbers that are no distances, or a median
            that no camera would see.
    """
    _check_single_channel("depth", array, camera)
    if array.dtype.kind not in "fiu":
        raise expected("depth", "float metres or integers with depth_scale", array.dtype)
    if array.dtype.kind in "iu" and depth_scale is None:
        cure = "give depth_scale, metres per unit: 0.001 where the file holds millimetres"
        raise expected("depth_scale", f"a number for depth of type {array.dtype}", None, cure)
    given, array = array, without_missing(array)
    if not array.any() and given.any() and np.isfinite(given).any():
        got = f"numbers up to {float(given[np.isfinite(given)].max()):.4g}, all of which mean missing"
        cure = "divide them until they are metres, if they are distances"
        raise expected("depth", "some pixels with depth", got, cure)
    low = 0.0 if array.dtype.kind == "u" else float(array.min())
    if depth_scale is not None:
        check_positive("depth_scale", depth_scale)
    unit = 1.0 if depth_scale is None else float(depth_scale)
    if low < 0.0:
        cure = "depth is the distance along the optical axis; set missing depth to 0"
        raise expected("depth", "no negative numbers", f"{low * unit:.4g}", cure)
    depth = _in_metres(array, unit)
    return depth, _notes_on_unit(depth, depth_scale)


def _hard(array: NDArray[Any]) -> NDArray[np.bool_]:
    """The object's pixels of a mask in bools or whole numbers, in an array of their own."""
    return np.ascontiguousarray(object_pixels(array)) if array.dtype.kind in "iu" else _copied(array, np.bool_)


def checked_mask(array: NDArray[Any], camera: Camera) -> StoredImage:
    """Mask (H, W), checked and copied: bool, or float32 if it was given as floats.

    Raises:
        DiffDopeError: for another size or type, floats that leave [0, 1], or a mask of no pixels.
    """
    _check_single_channel("mask", array, camera)
    if array.dtype.kind not in "biuf":
        raise expected("mask", "bool, integers or float in [0, 1]", array.dtype)
    is_soft = array.dtype.kind == "f"
    if is_soft:
        low, high = _finite_range("mask", array)
        if low < 0 or high > 1:
            cure = "divide by 255" if high == 255 else "give mask > 0"
            raise expected("mask", "floats in [0, 1]", f"{low:.4g} to {high:.4g}", cure)
    mask = _copied(array, np.float32) if is_soft else _hard(array)
    if not mask.any():
        raise expected("mask", "some pixels on the object", "an empty mask", "leave mask out if there is none")
    return StoredImage(mask)


def _copied(array: NDArray[Any], kind: DTypeLike) -> NDArray[Any]:
    """What is given may be a camera's buffer, which the next picture overwrites. RGB out of BGR is copied as BGR."""
    if array.ndim == 3 and array.strides[2] < 0:  # which is four times as fast as turning each pixel round
        return _copied(array[..., ::-1], kind)[..., ::-1]
    return np.array(array, dtype=kind, order="C", copy=True)


def _finite_range(name: str, array: NDArray[Any]) -> tuple[float, float]:
    """The least and the greatest number; both passes together read less than a test of each number writes.

    Raises:
        DiffDopeError: if one is NaN or infinite.
    """
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        check_finite(name, array)
    return low, high


def _in_metres(array: NDArray[Any], unit: float) -> StoredImage:
    if array.dtype.newbyteorder("=") == np.uint16:
        return StoredImage(_copied(array, np.uint16), unit)
    if unit == 1.0:
        return StoredImage(_copied(array, np.float32))
    metres = np.empty(array.shape, np.float32)
    np.multiply(array, np.float64(unit), out=metres, casting="unsafe", dtype=np.float64)
    return StoredImage(metres)


def _likely_unit(median: float) -> tuple[float, str]:
    """Metres per unit, and the unit, that bring a median of depth nearest to a metre, where most cameras look."""
    return min(_UNITS, key=lambda one: abs(np.log(median * one[0])))


def _notes_on_unit(depth: StoredImage, depth_scale: float | None) -> tuple[str, ...]:
    """What may be meant by distances that few cameras see; those that none does are refused."""
    # A sample will do: the question is whether it is metres or millimetres.
    sample = depth.values.ravel()[:: max(1, depth.values.size // _SAMPLE)]
    sample = sample if sample.any() else depth.values
    valid = sample[sample > 0]
    if len(valid) == 0:
        raise expected("depth", "some pixels with depth", "0 (missing) everywhere", "leave depth out")
    plausible = (valid >= _NEAREST_M / depth.unit) & (valid <= FARTHEST_M / depth.unit)
    if 2 * np.count_nonzero(plausible) > len(valid):  # so is the median, which takes longer
        return ()
    middle = float(np.median(valid)) * depth.unit
    # Metres beyond the sensors of a room come as fractions; what counts millimetres is whole, whatever its type.
    whole = depth.unit > _COARSE_M and bool(np.all(valid == np.rint(valid)))
    farthest_m = FARTHEST_M if whole else _FARTHEST_METRES_M
    if _NEAREST_M <= middle <= farthest_m:
        if middle <= FARTHEST_M or depth_scale is not None:
            return ()
        note = f"depth has a median of {middle:.4g} m: if that looks like millimetres, depth_scale is METRES per unit"
        return (Note(NoteCode.DEPTH_UNIT, f"{note}, 0.001 for millimetres"),)
    given = "" if depth_scale is None else f" with depth_scale {depth_scale:g}"
    # Fractions that are too small were metres before they were scaled; what is whole is counted by a sensor.
    stored = valid * (depth.unit / (depth_scale or depth.unit))
    counted = bool(np.all(np.abs(stored - np.rint(stored)) < _COUNTED))
    if middle > farthest_m or counted:
        scale, unit = _likely_unit(float(np.median(stored)) if counted else middle / depth.unit)
        cure = f"it looks like {unit}: depth_scale is METRES per unit, {scale:g} for {unit}"
        if middle > farthest_m:
            cure += "; if it is right, set what is far behind the object to 0 (missing)"
    else:
        cure = "it looks scaled twice: depth_scale is METRES per unit, and none is needed for float metres"
    raise expected("depth", f"a median of {_NEAREST_M} to {farthest_m} m", f"{middle:.4g} m{given}", cure)


def notes_on_mask(images: Mapping[str, StoredImage]) -> tuple[str, ...]:
    """That a mask looks inverted, of images by name."""
    mask = images["mask"].values if "mask" in images else None
    return (_INVERTED,) if mask is not None and mask.dtype == bool and looks_inverted(mask) else ()


def checked_notes(notes: Iterable[str]) -> tuple[str, ...]:
    """Texts that were given beside images."""
    if isinstance(notes, str) or not isinstance(notes, Iterable):
        raise expected("notes", "texts in a list or tuple", repr(notes))
    kept = tuple(notes)
    for note in kept:
        check_type("notes", note, str)
    return kept
