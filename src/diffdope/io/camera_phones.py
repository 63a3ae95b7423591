"""Cameras of phones and of structure from motion, as objects with the names that `io/camera_entries.py` knows.

| tool | names |
|---|---|
| OpenSfM, OpenDroneMap | projection_type, focal (or focal_x, focal_y, c_x, c_y), k1 ...: shares of the longer side |
| ARCore, ARFoundation | focalLength, principalPoint, imageDimensions or resolution: pairs, or x and y |
| nerfstudio, instant-ngp | frames: file_path and a camera of each |
| Record3D | perFrameIntrinsicCoeffs: fx, fy, cx, cy of each |

ARKit's matrices (simd_float3x3) are written column by column: `camera_entries` turns them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from diffdope.error_kinds import unknown_keys
from diffdope.errors import check_number, expected
from diffdope.geometry.distortion import CURE
from diffdope.io.camera_entries import holds_camera, numbers_of
from diffdope.io.numbers import DIGITS

Entry = Mapping[str, Any]

_SHARES = {  # OpenSfM's models (its documentation, 'Camera Models'): the lens, and its coefficients in our order
    "perspective": ("plumb_bob", ("k1", "k2", "", "", "")),
    "simple_radial": ("plumb_bob", ("k1", "", "", "", "")),
    "radial": ("plumb_bob", ("k1", "k2", "", "", "")),
    "brown": ("plumb_bob", ("k1", "k2", "p1", "p2", "k3")),
    "fisheye": ("equidistant", ("k1", "k2", "", "")),
    "fisheye_opencv": ("equidistant", ("k1", "k2", "k3", "k4")),
}
_LONGEST = 50.0  # a lens of 1800 mm on a film of 36 mm; focal lengths in pixels are longer
_PHONE = ("focalLength", "focal_length"), ("principalPoint", "principal_point")
_PHONE_SIZE = ("imageDimensions", "image_dimensions", "imageSize", "image_size", "resolution")
_DIGITS = re.compile(DIGITS)


def of_opensfm(data: Entry) -> dict[str, Any]:
    """Cameras of camera_models.json, or of OpenDroneMap's cameras.json, by their place in the file.

    Raises:
        DiffDopeError: if one is of another model, states no size, or its focal length is in pixels.
    """
    if "projection_type" in data:
        return _of_shares(data)
    named = {str(key): one for key, one in data.items() if isinstance(one, Mapping) and "projection_type" in one}
    return {f"{key}, camera {place}": _of_shares(one) for place, (key, one) in enumerate(named.items())}


def of_arcore(data: Entry) -> dict[str, Any]:
    """The camera of ARCore's CameraIntrinsics, or of ARFoundation's XRCameraIntrinsics."""
    focal, principal = (_pair(data, names) for names in _PHONE)
    if focal is None or principal is None:
        return {}
    size = _pair(data, _PHONE_SIZE)
    stated = {} if size is None else {"width": size[0], "height": size[1]}
    rest = {key: value for key, value in data.items() if key not in (*_PHONE[0], *_PHONE[1], *_PHONE_SIZE)}
    return {**rest, "fx": focal[0], "fy": focal[1], "cx": principal[0], "cy": principal[1], **stated}


def frames_of(data: Entry) -> dict[int, tuple[str, Entry]]:
    """{number: (its file, camera)} of a file that holds a camera for each image; empty for another.

    The number is that in the name of the image's file, where all differ in it, else its place.
    """
    listed = data.get("frames")
    if isinstance(listed, list) and not holds_camera(data):
        frames = [one for one in listed if isinstance(one, Mapping) and holds_camera(one)]
        shared = {key: value for key, value in data.items() if not isinstance(value, Mapping | list)}
        entries = [{**_of_frame(one), **shared} for one in frames]  # what is stated once is every frame's
        files = [str(one.get("file_path", place)) for place, one in enumerate(frames)]
        return dict(zip(numbers_in(files), zip(files, entries, strict=True), strict=True))
    coefficients = data.get("perFrameIntrinsicCoeffs")
    if isinstance(coefficients, list):
        size = {key: data[key] for key in ("w", "h") if key in data}
        rows = [numbers_of(row) for row in coefficients]
        if all(row is not None and len(row) == 4 for row in rows):
            names = ("fx", "fy", "cx", "cy")
            return {k: (str(k), {**dict(zip(names, row or [], strict=True)), **size}) for k, row in enumerate(rows)}
    return {}


def _of_frame(frame: Entry) -> dict[str, Any]:
    return {str(key): value for key, value in frame.items() if not ("path" in str(key) or "transform" in str(key))}


def numbers_in(files: list[str]) -> list[int]:
    """A number for each of some images: that in its file's name, if all differ in it, else its place."""
    found = [_DIGITS.findall(PurePosixPath(file.replace("\\", "/")).stem) for file in files]
    numbers = [int(digits[-1]) for digits in found if digits]
    return numbers if len(set(numbers)) == len(files) else list(range(len(files)))


def _of_shares(one: Entry) -> dict[str, Any]:
    kind = one.get("projection_type")
    if not isinstance(kind, str) or kind not in _SHARES:
        raise expected("camera, projection_type", f"one of {', '.join(_SHARES)}", repr(kind), CURE)
    missing = [name for name in ("width", "height") if not one.get(name)]
    if missing or not ("focal" in one or {"focal_x", "focal_y"} <= one.keys()):
        wanted = "focal (or focal_x and focal_y), width and height"
        raise unknown_keys("camera", wanted, one)
    numbers = {name: check_number(f"camera, {name}", one.get(name, 0.0)) for name in ("width", "height", "c_x", "c_y")}
    width, height = numbers["width"], numbers["height"]
    focal = [check_number("camera, focal", one[name if name in one else "focal"]) for name in ("focal_x", "focal_y")]
    if not 0.0 < max(focal) < _LONGEST:
        cure = "divide pixels by the longer side, or write fx, fy, cx and cy"
        raise expected("camera, focal", "a share of the picture's longer side", f"{max(focal):g}", cure)
    longer = max(width, height)
    lens, names = _SHARES[kind]
    return {
        "fx": focal[0] * longer, "fy": focal[1] * longer,
        "cx": numbers["c_x"] * longer + (width - 1.0) / 2.0, "cy": numbers["c_y"] * longer + (height - 1.0) / 2.0,
        "width": width, "height": height, "distortion_model": lens,
        "distortion_coefficients": [check_number(f"camera, {name}", one.get(name, 0.0)) for name in names],
    }  # fmt: skip


def _pair(data: Entry, names: tuple[str, ...]) -> tuple[float, float] | None:
    for name in names:
        value = data.get(name)
        if isinstance(value, Mapping):
            keys = next((keys for keys in (("x", "y"), ("width", "height")) if set(keys) <= value.keys()), None)
            value = None if keys is None else [value[key] for key in keys]
        numbers = numbers_of(value)
        if numbers is not None and len(numbers) == 2:
            return numbers[0], numbers[1]
    return None
