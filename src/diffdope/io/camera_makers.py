"""Camera files of sensors' and calibrators' own programs, as objects with the names that `io/camera_entries.py` knows.

| tool | names |
|---|---|
| depthai (OAK) | cameraData: [socket, {cameraType, intrinsicMatrix, distortionCoeff, width, height}] |
| Basalt | value0: intrinsics: [{camera_type, intrinsics}], resolution |
| MATLAB | toStruct(cameraParams): IntrinsicMatrix or K, FocalLength; RadialDistortion; ImageSize (rows, columns) |
| Bouguet's toolbox | fc, cc, kc, alpha_c, nx, ny |
| camodocal, VINS | KANNALA_BRANDT: projection_parameters with mu, mv, u0, v0, k2 to k5 |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_number, expected
from diffdope.geometry.distortion import CURE
from diffdope.io.camera_entries import numbers_of

F64 = NDArray[np.float64]
Entry = Mapping[str, Any]

_OAK = {0: "rational_polynomial", 1: "equidistant"}  # depthai's CameraModel: Perspective, Fisheye
_BASALT = {"pinhole": "none", "kb4": "equidistant", "pinhole-radtan8": "rational_polynomial"}
_PINHOLE = ("fx", "fy", "cx", "cy")
_FISHEYE = ("MappingCoefficients", "StretchMatrix")  # of MATLAB's fisheyeIntrinsics
_DEEPEST = 3  # structs within structs


def of_depthai(data: Entry) -> dict[str, Any]:
    """Cameras of a device, by the number of their socket (0: CAM_A)."""
    listed = data.get("cameraData")
    found: dict[str, Any] = {}
    for socket, one in _pairs(listed):
        numbers = numbers_of(one.get("intrinsicMatrix"))
        if numbers is None or len(numbers) != 9 or not any(numbers):
            continue  # a socket without a camera
        kind = one.get("cameraType", 0)
        if not isinstance(kind, int) or kind not in _OAK:
            raise expected("camera, cameraType", "0 (perspective) or 1 (fisheye)", repr(kind), CURE)
        lens = _lens_of(one, "distortionCoeff")
        found[f"camera {socket}"] = _entry(
            numbers, (one.get("width"), one.get("height")), _OAK[kind], lens[:4] if kind == 1 else lens
        )
    return found


def of_basalt(data: Entry) -> dict[str, Any]:
    """Cameras of a rig, by their place in the list."""
    inner = data.get("value0")
    listed = inner.get("intrinsics") if isinstance(inner, Mapping) else None
    sizes = inner.get("resolution") if isinstance(inner, Mapping) else None
    found: dict[str, Any] = {}
    for number, one in enumerate(listed if isinstance(listed, list) else []):
        values = one.get("intrinsics") if isinstance(one, Mapping) else None
        if not isinstance(values, Mapping):
            return {}
        kind = str(one.get("camera_type"))
        kept = {name: value for name, value in values.items() if name != "rpmax"}  # up to where the lens was fitted
        if kind not in _BASALT:  # refused where this camera is chosen
            kept = {name: kept.pop(name) for name in _PINHOLE if name in kept} | {"coeffs": list(kept.values())}
        size = sizes[number] if isinstance(sizes, list) and number < len(sizes) else None
        stated = {"resolution": size} if size else {}
        found[f"camera {number}"] = {**kept, "distortion_model": _BASALT.get(kind, kind), **stated}
    return found


def of_matlab(data: Entry, depth: int = 0) -> dict[str, Any]:
    """The camera of a struct of MATLAB, or those within; MATLAB counts pixels from 1."""
    own = _of_struct(data)
    if own is not None or depth == _DEEPEST:
        return own or {}
    found: dict[str, Any] = {}
    for key, value in data.items():
        inner = of_matlab(value, depth + 1) if isinstance(value, Mapping) else {}
        if "cam_K" in inner:
            found[str(key)] = inner
        else:
            found |= inner
    return next(iter(found.values())) if len(found) == 1 else found


def of_bouguet(data: Entry) -> dict[str, Any]:
    """The camera of Bouguet's toolbox, which counts pixels from 0."""
    fc, cc = numbers_of(data.get("fc")), numbers_of(data.get("cc"))
    if fc is None or cc is None or len(fc) != 2 or len(cc) != 2:
        return {}
    skew = numbers_of([data.get("alpha_c", 0.0)]) or [0.0]
    K = [fc[0], fc[0] * skew[0], cc[0], 0.0, fc[1], cc[1], 0.0, 0.0, 1.0]
    return _entry(K, (data.get("nx"), data.get("ny")), "plumb_bob", _lens_of(data, "kc"))


def of_camodocal(data: Entry) -> dict[str, Any]:
    """Kannala and Brandt's model, whose coefficients are counted from 2 there."""
    inner = data.get("projection_parameters")
    if data.get("model_type") != "KANNALA_BRANDT" or not isinstance(inner, Mapping):
        return {}
    names = ("mu", "mv", "u0", "v0", "k2", "k3", "k4", "k5")
    missing = [name for name in names if name not in inner]
    if missing:
        raise expected("camera, projection_parameters", ", ".join(names), f"no {', '.join(missing)}")
    fx, fy, cx, cy, *lens = (check_number(f"camera, {name}", inner[name]) for name in names)
    K = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
    return _entry(K, (data.get("image_width"), data.get("image_height")), "equidistant", lens)


def _lens_of(data: Entry, name: str) -> list[float]:
    """Coefficients under a name; none where nothing is stated.

    Raises:
        DiffDopeError: if they are no numbers: the camera would be taken for one without a lens.
    """
    value = data.get(name)
    numbers = [] if value is None else numbers_of(value)
    if numbers is None:
        raise expected(f"camera, {name}", "a list of numbers", repr(value)[:60])
    return numbers


def _pairs(listed: Any) -> list[tuple[Any, Entry]]:
    """[[key, object], ...], as JSON has maps whose keys are numbers."""
    pairs = listed if isinstance(listed, list) else []
    return [
        (one[0], one[1]) for one in pairs if isinstance(one, list) and len(one) == 2 and isinstance(one[1], Mapping)
    ]


def _entry(K: Sequence[float], size: tuple[Any, Any], model: str, lens: Sequence[float]) -> dict[str, Any]:
    width, height = size
    stated = {"width": width, "height": height} if width and height else {}
    return {"cam_K": list(K), **stated, "distortion_model": model, "distortion_coefficients": list(lens)}


def _of_struct(data: Entry) -> dict[str, Any] | None:
    if any(name in data for name in _FISHEYE):
        raise expected("camera, lens model", "MATLAB's cameraParameters", "its fisheyeIntrinsics", CURE)
    K = _matlab_K(data)
    if K is None:
        return None
    radial, tangential = _lens_of(data, "RadialDistortion"), _lens_of(data, "TangentialDistortion")
    k1, k2, k3 = (*radial, 0.0, 0.0, 0.0)[:3]
    p1, p2 = (*tangential, 0.0, 0.0)[:2]
    rows, columns = (*(numbers_of(data.get("ImageSize")) or []), None, None)[:2]
    return _entry(K.ravel().tolist(), (columns, rows), "plumb_bob", [k1, k2, p1, p2, k3])


def _matlab_K(data: Entry) -> F64 | None:
    """K (3, 3), of pixels counted from 0, of an object with MATLAB's names; None if these are others'."""
    rows = numbers_of(data.get("IntrinsicMatrix"))  # as rows times points, to R2022a
    columns = numbers_of(data.get("K")) if "RadialDistortion" in data else None
    focal, principal = numbers_of(data.get("FocalLength")), numbers_of(data.get("PrincipalPoint"))
    if columns is not None and len(columns) == 9:
        K = np.reshape(columns, (3, 3))
    elif rows is not None and len(rows) == 9 and not (rows[2] or rows[5]):
        K = np.reshape(rows, (3, 3)).T
    elif focal is not None and principal is not None and len(focal) == len(principal) == 2:
        skew = numbers_of([data.get("Skew", 0.0)]) or [0.0]
        K = np.array([[focal[0], skew[0], principal[0]], [0.0, focal[1], principal[1]], [0.0, 0.0, 1.0]])
    else:
        return None
    return K - [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
