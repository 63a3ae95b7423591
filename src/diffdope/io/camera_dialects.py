"""Camera files whose names say in another way which camera a number is of, as objects, one a camera.

| tool | names | becomes |
|---|---|---|
| KITTI | P0 ... P3, P_rect_00 ...: 3 x 4 numbers of rectified pictures | 0 ... 3: cam_K |
| ORB-SLAM 2, 3 | Camera.fx, Camera1.fx, Camera.type | fx, distortion_model |
| NDDS, FAT | camera_settings: name, intrinsic_settings with resX, resY | the name: cam_K, width, height |

Those of makers' and calibrators' programs: `io/camera_makers.py`; of renderers: `io/camera_optics.py`; of phones and
of structure from motion: `io/camera_phones.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from diffdope.errors import expected
from diffdope.io.camera_entries import numbers_of
from diffdope.io.camera_makers import of_basalt, of_bouguet, of_camodocal, of_depthai, of_matlab
from diffdope.io.camera_optics import of_film, of_replicator
from diffdope.io.camera_phones import of_arcore, of_opensfm

_KITTI = re.compile(r"P(?:_rect_0)?([0-3])")
_ORB = re.compile(r"Camera([12]?)\.(\w+)")
_LENSES = {"pinhole": "plumb_bob", "perspective": "plumb_bob", "kannalabrandt8": "equidistant", "rectified": "none"}


def plainly(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a file holds, with the names that others use; as it is, if they are used already.

    Raises:
        DiffDopeError: if it is of one of these tools, and a lens is of a kind that is not known.
    """
    readers = (
        _of_kitti, _of_orb_slam, _of_ndds, of_depthai, of_basalt, of_matlab, of_bouguet, of_camodocal, of_replicator,
        of_opensfm, of_arcore, of_film,
    )  # fmt: skip
    for read in readers:
        found = read(data)
        if found:
            return found
    return data


def _of_kitti(data: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in data.items():
        match, numbers = _KITTI.fullmatch(str(key)), numbers_of(value)
        if match is None or numbers is None or len(numbers) != 12:
            continue
        found[f"camera {match[1]}"] = {"cam_K": np.reshape(numbers, (3, 4))[:, :3].ravel().tolist()}
    return found


def _of_orb_slam(data: Mapping[str, Any]) -> dict[str, Any]:
    sides: dict[str, dict[str, Any]] = {}
    for key, value in data.items():
        match = _ORB.fullmatch(str(key))
        if match is not None:
            sides.setdefault(match[1], {})[match[2]] = value
    shared = sides.pop("", {})
    if not any("fx" in side for side in (shared, *sides.values())):
        return {}
    lens = str(shared.pop("type", "PinHole"))
    if lens.lower() not in _LENSES:
        raise expected("camera, Camera.type", f"one of {', '.join(_LENSES)}", lens)
    if _LENSES[lens.lower()] != "none":
        shared["distortion_model"] = _LENSES[lens.lower()]
    if not sides:
        return shared
    return {f"camera {number}": {**shared, **side} for number, side in sides.items()}


def _of_ndds(data: Mapping[str, Any]) -> dict[str, Any]:
    settings = data.get("camera_settings")
    found: dict[str, Any] = {}
    for number, one in enumerate(settings if isinstance(settings, list) else []):
        inner = one.get("intrinsic_settings") if isinstance(one, Mapping) else None
        if not isinstance(inner, Mapping):
            return {}
        missing = [name for name in ("fx", "fy", "cx", "cy") if name not in inner]
        if missing:
            raise expected("camera, intrinsic_settings", "fx, fy, cx and cy", f"no {', '.join(missing)}")
        K = [inner["fx"], inner.get("s", 0.0), inner["cx"], 0.0, inner["fy"], inner["cy"], 0.0, 0.0, 1.0]
        size = {name: inner[key] for name, key in (("width", "resX"), ("height", "resY")) if key in inner}
        found[str(one.get("name", number))] = {"cam_K": K, **size}
    return found
