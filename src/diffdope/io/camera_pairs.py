"""Stereo calibrations that hold two cameras in one object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from diffdope.geometry.distortion import plain_word
from diffdope.io.camera_entries import numbers_of

_PAIRED = {
    "m": "cam_K", "k": "cam_K", "cameramatrix": "cam_K", "d": "D", "dist": "D", "distcoeffs": "D",
    "distortioncoefficients": "D",
}  # fmt: skip
_OF_PAIR = re.compile(rf"(?P<what>{'|'.join(sorted(_PAIRED, key=len, reverse=True))})(?P<side>1|2|left|right)")


def of_pair(entry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The two cameras of a stereo calibration that has both in one object: OpenCV's M1 D1 M2 D2, left and right.

    Returns:
        By number, "1" and "2" (left, right); empty for what is no pair. What has no number belongs to both.
    """
    sides: dict[str, dict[str, Any]] = {"1": {}, "2": {}}
    shared: dict[str, Any] = {}
    for key, value in entry.items():
        match = _OF_PAIR.fullmatch(plain_word(str(key)))
        numbers = numbers_of(value) if match else None
        if match and numbers and (_PAIRED[match["what"]] == "D" or len(numbers) == 9):
            sides[{"left": "1", "right": "2"}.get(match["side"], match["side"])][_PAIRED[match["what"]]] = value
        else:
            shared[str(key)] = value
    both = all("cam_K" in side for side in sides.values())
    return {number: {**shared, **side} for number, side in sides.items()} if both else {}
