"""Cameras of renderers, which state a focal length beside the size of a film or an angle, as objects with a K.

| tool | names |
|---|---|
| Isaac Sim, Replicator | cameraProjection, renderProductResolution; or as USD |
| USD | focalLength, horizontalAperture |
| Blender | lens, sensor_width, sensor_height, sensor_fit, shift_x, shift_y; resolution_x, resolution_y |
| NeRF's transforms.json | camera_angle_x |

Their images' middle is the axis, unless they are shifted: in pixels whose centres are whole, (width - 1) / 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from diffdope.errors import check_count, check_number, check_positive, expected
from diffdope.geometry.distortion import CURE
from diffdope.io.camera_entries import holds_camera, numbers_of, size_of

Entry = Mapping[str, Any]

_ANGLE = "camera_angle_x"
_OWN = frozenset(
    {"w", "h", "width", "height", "resolution", "frames", "lens"}
)  # what is told anew, or speaks of no lens


def of_replicator(data: Entry) -> dict[str, Any]:
    """The camera_params of Isaac Sim's BasicWriter: OpenGL's projection of a picture."""
    projection, size = numbers_of(data.get("cameraProjection")), numbers_of(data.get("renderProductResolution"))
    if projection is None or size is None or len(projection) != 16 or len(size) != 2:
        return {}
    model = data.get("cameraModel", "pinhole")
    if model != "pinhole":
        raise expected("camera, cameraModel", "pinhole", repr(model), CURE)
    if projection[8] or projection[9]:
        raise expected("camera, cameraProjection", "the axis in the middle of the picture", "one that is shifted")
    width, height = size
    return _of_focal(0.5 * width * projection[0], 0.5 * height * projection[5], width, height)


def of_film(data: Entry) -> dict[str, Any]:
    """A focal length beside the size of a film (Blender's and USD's), or an angle of view (NeRF's)."""
    blender = "lens" in data and "sensor_width" in data
    usd = next((key for key in ("horizontalAperture", "horizontal_aperture") if key in data), "")
    angle = _ANGLE in data
    if holds_camera(data) or not (blender or (usd and {"focalLength", "focal_length"} & data.keys()) or angle):
        return {}
    width, height = _size(data)
    rest = {key: value for key, value in data.items() if key not in _OWN}  # a lens, perhaps
    if blender:
        return {**rest, **_of_blender(data, width, height)}
    if usd:
        focal = _positive(data, "focalLength" if "focalLength" in data else "focal_length") * width
        focal /= _positive(data, usd)
    else:
        focal = 0.5 * width / math.tan(0.5 * _angle(data))
    return {**rest, **_of_focal(focal, focal, width, height)}


def _of_blender(data: Entry, width: int, height: int) -> dict[str, Any]:
    fit = data.get("sensor_fit", "AUTO")
    if fit not in ("AUTO", "HORIZONTAL", "VERTICAL"):
        raise expected("camera, sensor_fit", "AUTO, HORIZONTAL or VERTICAL", repr(fit))
    for name in ("pixel_aspect_x", "pixel_aspect_y"):
        if data.get(name, 1.0) != 1.0:
            raise expected(f"camera, {name}", "square pixels: 1", data[name])
    upright = fit == "VERTICAL" or (fit == "AUTO" and height > width)
    side = height if upright else width
    film = _positive(data, "sensor_height" if fit == "VERTICAL" and "sensor_height" in data else "sensor_width")
    focal = _positive(data, "lens") / film * side
    shift_x, shift_y = (check_number(f"camera, {name}", data.get(name, 0.0)) for name in ("shift_x", "shift_y"))
    return _of_focal(focal, focal, width, height, -shift_x * side, shift_y * side)


def _of_focal(
    fx: float, fy: float, width: float, height: float, right: float = 0.0, down: float = 0.0
) -> dict[str, Any]:
    cx, cy = 0.5 * (width - 1) + right, 0.5 * (height - 1) + down
    return {"cam_K": [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0], "width": int(width), "height": int(height)}


def _size(data: Entry) -> tuple[int, int]:
    if "resolution_x" in data and "resolution_y" in data:
        share = check_number("camera, resolution_percentage", data.get("resolution_percentage", 100)) / 100.0
        sides = [check_count(f"camera, {name}", data[name]) for name in ("resolution_x", "resolution_y")]
        return int(sides[0] * share), int(sides[1] * share)
    size = size_of(data)
    if size is None:
        cure = 'add "width" and "height" of the picture to the file'
        raise expected("camera", "the picture's size beside a focal length in millimetres or an angle", "none", cure)
    return size


def _positive(data: Entry, name: str) -> float:
    check_positive(f"camera, {name}", data[name])
    return check_number(f"camera, {name}", data[name])


def _angle(data: Entry) -> float:
    angle = _positive(data, _ANGLE)
    if not angle < math.pi:
        raise expected(f"camera, {_ANGLE}", "radians, less than pi", f"{angle:g}")
    return angle
