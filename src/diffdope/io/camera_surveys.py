"""Camera files of Metashape (XML) and of ZED's stereo cameras (SN12345.conf), as names that `camera_entries` knows.

Metashape (manual, appendix on camera models): u = width / 2 + cx + x (f + b1) + y b2, v = height / 2 + cy + y f, from
the corner of the first pixel; p1 and p2 are OpenCV's exchanged.

ZED: a section for each side and size, LEFT_CAM_HD say, for pictures as the sensor gives them.
"""

from __future__ import annotations

import re
from typing import Any

from diffdope.errors import expected
from diffdope.geometry.distortion import CURE
from diffdope.io.numbers import is_number

_SECTION = re.compile(r"\[((LEFT|RIGHT)_CAM_(\w+))\]")
_ZED_SIZES = {
    "2K": (2208, 1242), "FHD": (1920, 1080), "FHD1200": (1920, 1200), "HD": (1280, 720), "SVGA": (960, 600),
    "VGA": (672, 376),
}  # fmt: skip
_LENS = ("k1", "k2", "p1", "p2", "k3")
_PINHOLE = ("f", "fx", "fy", "cx", "cy", "b1", "b2")
_HIGHER = ("k4", "k5", "k6", "p3", "p4")  # of which OpenCV has none, or others

_READ = frozenset((*_PINHOLE, *_LENS, *_HIGHER))


def is_zed(lines: list[str]) -> bool:
    """Whether a text has a section of ZED's."""
    return any(_SECTION.fullmatch(line) for line in lines)


def of_zed(lines: list[str], where: str) -> dict[str, Any]:
    """Cameras by section and place in the file.

    Args:
        lines: of the file, without blanks at their ends.
        where: the file, for messages.

    Raises:
        DiffDopeError: if a value is no number, or a lens has higher coefficients.
    """
    found: dict[str, dict[str, Any]] = {}
    section: dict[str, Any] = {}
    for line in lines:
        if line.startswith("["):
            section = {}
            if (match := _SECTION.fullmatch(line)) is not None:
                found[f"{match[1]}, camera {len(found)}"] = section
                if match[3] in _ZED_SIZES:
                    section["width"], section["height"] = _ZED_SIZES[match[3]]
            continue
        name, sign, value = (part.strip() for part in line.partition("="))
        if sign and (is_number(value) or name in _READ):
            section[name] = _number(value, f"{where}, {name}")
    for name, one in found.items():
        _check_lens(one, f"{where}, {name}")
        lens = [one.pop(key, 0.0) for key in _LENS]
        one |= {"distortion_model": "plumb_bob", "distortion_coefficients": lens}
    return {name: dict(one) for name, one in found.items()}


def of_metashape(root: Any, where: str) -> dict[str, Any]:
    """Cameras by the number of their sensor; of a calibration alone, that one.

    Args:
        root: of the XML.
        where: the file, for messages.

    Raises:
        DiffDopeError: if there is none, or one is of another model than a frame camera's.
    """
    if root.tag == "calibration":
        return _of_calibration(root, where)
    found = {}
    for number, sensor in enumerate(root.iter("sensor")):
        listed = sensor.findall("calibration")
        adjusted = [one for one in listed if one.get("class") == "adjusted"] or listed
        if adjusted:
            found[f"camera {sensor.get('id', number)}"] = _of_calibration(adjusted[0], f"{where}, sensor {number}")
    if not found:
        raise expected(where, "a sensor with a calibration", "none", "export cameras after they have been aligned")
    return next(iter(found.values())) if len(found) == 1 else found


def _of_calibration(node: Any, where: str) -> dict[str, Any]:
    texts = {child.tag: (child.text or "").strip() for child in node}
    kind = node.get("type") or texts.get("projection", "frame")
    if kind != "frame":
        raise expected(where, "the model of a frame camera", kind, CURE)
    values = {
        name: _number(text, f"{where}, {name}") for name, text in texts.items() if is_number(text) or name in _READ
    }
    size = node.find("resolution")
    if size is not None:
        values |= {name: float(text) for name, text in size.attrib.items() if is_number(text)}
    missing = [name for name in ("f", "width", "height") if not values.get(name)]
    if missing:
        raise expected(where, "f, width and height", f"no {', '.join(missing)}", "export it by Metashape 1.2 or later")
    _check_lens(values, where)
    if values.get("b2", 0.0):
        raise expected(where, "pixels without skew (b2 of 0)", values["b2"], CURE)
    width, height, f = values["width"], values["height"], values["f"]
    lens = [values.get(name, 0.0) for name in ("k1", "k2", "p2", "p1", "k3")]
    return {
        "fx": f + values.get("b1", 0.0), "fy": f,
        "cx": (width - 1.0) / 2.0 + values.get("cx", 0.0), "cy": (height - 1.0) / 2.0 + values.get("cy", 0.0),
        "width": width, "height": height,
        "distortion_model": "plumb_bob", "distortion_coefficients": lens,
    }  # fmt: skip


def _number(text: str, where: str) -> float:
    """A number; of what is read, nothing may be lost: a lens would be taken for none."""
    if not is_number(text):
        raise expected(where, "a number", repr(text))
    return float(text)


def _check_lens(values: dict[str, Any], where: str) -> None:
    more = [name for name in _HIGHER if values.get(name)]
    for name in _HIGHER:
        values.pop(name, None)
    if more:
        raise expected(where, f"a lens of {', '.join(_LENS)}", f"{', '.join(more)} too", CURE)
