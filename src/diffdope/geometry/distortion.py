"""Lens distortion as camera files state it, under whatever key; what is not understood is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diffdope.errors import expected

# Keys of ROS, OpenCV, RealSense, COLMAP, Kalibr, Kinect and nerfstudio files, without case and underscores.
_COEFFICIENTS = re.compile(
    r"(cam|lens|camera)?dist(ort|ortion)?(coeffs?|coefs?|coefficients?|params?|parameters?)?"
    r"|(radial|tangential|fisheye)(distortion)?(coeffs?|coefs?|coefficients?|params?|parameters?)?"
    r"|coeffs?|coefs?|coefficients?|d[12]?|k[1-6]|p[12]|s[1-4]|tau[xy12]?|xi"
    r"|(?!.*undistort).*distort.*|(inv|lens|camera|cam)*poly(nomial)?(coeffs?|coefs?|coefficients?)?"
)
_LISTS = ("d", "dist")  # a number under these is something else
_MODEL = re.compile(r"(camera|cam|lens|distortion|projection|intrinsics?)?(model|modeltype|type)|distortion")
# Of the models, those that are no pinhole even if all coefficients are 0; and words that say that there is nothing.
_NO_PINHOLE = ("fisheye", "equidistant", "kannala", "omni", "fov", "ftheta", "spher", "equirect", "unified", "eucm")
_NO_PINHOLE_ALONE = ("ds", "mei")
_NOTHING = ("", "none", "no", "pinhole", "plumb_bob", "brown_conrady", "radtan", "rational_polynomial")
CURE = "undistort the images first, and give the K that belongs to the result"


def check_undistorted(entry: Mapping[str, Any]) -> None:
    """Refuses a camera entry that states lens distortion, under whatever key; coefficients that are all 0 are none.

    Args:
        entry: an object of a camera file; objects within it are looked at, too.

    Raises:
        DiffDopeError: naming the key, if a coefficient is not 0, or the lens model is not that of a pinhole.
    """
    check_none(leaves(entry))


def check_none(values: Iterable[tuple[tuple[str, ...], Any]]) -> None:
    """The same of (keys from the outside in, value), as `leaves` gives them."""
    for path, value in values:
        words = [plain_word(key) for key in path]
        name = ".".join(path)
        if isinstance(value, str) and _MODEL.fullmatch(words[-1]) and any(letter.isalpha() for letter in value):
            if value.lower() in _NO_PINHOLE_ALONE or any(model in value.lower() for model in _NO_PINHOLE):
                raise expected(name, "the lens model of a pinhole", repr(value), CURE)
            continue
        stated = any(_COEFFICIENTS.fullmatch(word) for word in words)
        if stated and not (words[-1] in _LISTS and isinstance(value, (int, float))) and not _is_zero(value):
            raise expected(name, "no lens distortion: coefficients that are all 0", _short(value), CURE)


def plain_word(key: str) -> str:
    """A key without case, underscores and the like."""
    return re.sub(r"[_\-. ]", "", key).lower()


def leaves(entry: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(keys from the outside in, value); of a matrix as OpenCV and ROS write it (rows, cols, data), its data."""
    for key, value in entry.items():
        path = (*above, str(key))
        if isinstance(value, Mapping) and "data" in value:
            yield path, value["data"]
        elif isinstance(value, Mapping):
            yield from leaves(value, path)
        else:
            yield path, value


def _is_zero(value: Any) -> bool:
    if value is None or value is False:
        return True
    if isinstance(value, Mapping):
        return all(_is_zero(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return all(_is_zero(part) for part in value)
    if isinstance(value, str):
        return value.strip().lower() in _NOTHING or all(_is_number_0(word) for word in value.replace(",", " ").split())
    return _is_number_0(value)


def _is_number_0(value: Any) -> bool:
    try:
        return float(value) == 0.0
    except (TypeError, ValueError, OverflowError):
        return False


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
