"""Pairs of rectified pictures: Middlebury's calib.txt, and what a disparity is measured in.

calib.txt (Middlebury Stereo, version 3): cam0 and cam1 are K of both, baseline is in millimetres, doffs is cx of the
second minus cx of the first; distance = baseline f / (disparity + doffs).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from diffdope.errors import check_number, check_positive, expected
from diffdope.io.camera_entries import numbers_of
from diffdope.io.numbers import is_number

_LINE = re.compile(r"(\w+)\s*=\s*(.+)")
_NEEDED = ("cam0", "cam1", "baseline", "width", "height")


def is_middlebury(lines: list[str]) -> bool:
    """Whether a text is Middlebury's calib.txt."""
    return {"cam0", "cam1"} <= {match[1] for line in lines if (match := _LINE.fullmatch(line)) is not None}


def of_middlebury(lines: list[str], where: str) -> dict[str, Any]:
    """Both cameras, with the names that `camera_entries` knows, or the one that both are.

    Args:
        lines: of the file, without blanks at their ends.
        where: the file, for messages.

    Raises:
        DiffDopeError: if a line is missing, or holds no numbers.
    """
    said: dict[str, list[float]] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        words = re.sub(r"[\[\];,]", " ", match[2]).split() if match is not None else []
        if match is not None and all(map(is_number, words)):
            said[match[1]] = [float(word) for word in words]
    missing = [name for name in _NEEDED if len(said.get(name, [])) != (9 if name.startswith("cam") else 1)]
    if missing:
        raise expected(where, f"{', '.join(_NEEDED)}, each in a line", f"no {', '.join(missing)}")
    doffs = said.get("doffs", [said["cam1"][2] - said["cam0"][2]])[0]
    shared = {"width": said["width"][0], "height": said["height"][0], "baseline": said["baseline"][0], "doffs": doffs}
    cameras = {f"camera {k}": {"cam_K": said[f"cam{k}"], **shared} for k in (0, 1)}
    return cameras["camera 0"] if said["cam0"] == said["cam1"] else cameras


def stereo_of(entry: Mapping[str, Any]) -> tuple[float | None, float]:
    """Millimetres between two cameras, and what is added to disparities in focal lengths; None and 0 where unknown.

    Args:
        entry: of a camera file.

    Raises:
        DiffDopeError: if it says both, and one is no number, or the focal length is none.
    """
    numbers = numbers_of(entry.get("cam_K"))
    if not {"baseline", "doffs"} <= entry.keys() or not numbers:
        return None, 0.0
    check_positive("camera, fx", numbers[0])
    doffs = check_number("camera, doffs", entry["doffs"])
    return check_number("camera, baseline", entry["baseline"]), doffs / numbers[0]


def pixels_per_unit(given: float | None, disparity: NDArray[Any]) -> float | None:
    """A thousandth of the pixels that a unit of a disparity image is; None for floats, which are pixels.

    Args:
        given: pixels per unit, as the user says.
        disparity: the image.

    Raises:
        DiffDopeError: if it holds integers and nobody says what they are.
    """
    if given is not None:
        check_positive("depth-scale", given)
        return 1e-3 * given
    if disparity.dtype.kind in "iu":
        cure = "0.00390625 (1/256) is KITTI's, 0.0625 (1/16) that of OpenCV's StereoSGBM, 1 whole pixels"
        raise expected("depth-scale", "pixels per unit of a disparity of integers", "none", cure)
    return None
