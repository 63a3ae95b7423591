"""Keypoints of a picture: places that look alike from elsewhere, and what they look like.

SIFT (Lowe, IJCV 2004), compared by the roots of its histograms (RootSIFT; Arandjelovic and Zisserman, CVPR 2012).
OpenCV finds them: an extra, for nothing else here needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.error_kinds import NothingSaysWhereError
from diffdope.errors import not_installed

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Bytes = NDArray[np.uint8]

_CLIP, _TILES = 2.0, (4, 4)  # of the equalisation: how far contrast may rise, and in how many parts of the picture
_LENGTH = 128  # of a descriptor
_EDGE = 15.0  # ratio of curvatures: what lies along an edge is found along all of it


class Keypoints(NamedTuple):
    """N keypoints.

    place (N, 2): columns and rows, pixels; size (N,): pixels; angle_rad (N,): of the strongest gradient, from the
    image's right to its bottom; descriptor (N, 128): of length 1.
    """

    place: F64
    size: F64
    angle_rad: F64
    descriptor: F32

    def taken(self, kept: NDArray[np.bool_]) -> Keypoints:
        """Some of them."""
        return Keypoints(self.place[kept], self.size[kept], self.angle_rad[kept], self.descriptor[kept])


def can_detect() -> bool:
    """Whether OpenCV is installed; looked for once, since a film asks in every frame, but again if it was missing."""
    if "cv2" in sys.modules:
        return sys.modules["cv2"] is not None
    installed = _is_found_by(find_spec)
    if not installed:
        _is_found_by.cache_clear()
    return installed


@lru_cache(maxsize=1)
def _is_found_by(find: Callable[[str], Any]) -> bool:
    return find("cv2") is not None


def check_can_detect(name: str) -> None:
    """Refuses an argument for which keypoints are needed where OpenCV is not installed.

    Args:
        name: of the argument.

    Raises:
        NothingSaysWhereError: if it is not.
    """
    if not can_detect():
        wanted = "OpenCV, to find the object by keypoints of the photograph where there is no depth"
        raise not_installed(name, wanted, "features", otherwise="or give a mask, or depth", kind=NothingSaysWhereError)


def prepared(grey: F32, width: int, height: int) -> Bytes:
    """A photograph (H, W) in [0, 1] in another size, its contrast the same all over.

    Light falls unevenly, and the model knows nothing of it: contrast-limited adaptive histogram equalisation
    (Zuiderveld, Graphics Gems IV, 1994).
    """
    import cv2

    way = cv2.INTER_AREA if width < grey.shape[1] else cv2.INTER_CUBIC
    sized = cv2.resize(np.ascontiguousarray(grey, np.float32), (width, height), interpolation=way)
    return np.asarray(cv2.createCLAHE(_CLIP, _TILES).apply(in_bytes(sized)))


def in_bytes(grey: F32) -> Bytes:
    """A picture in [0, 1] as OpenCV takes it."""
    return np.asarray(np.clip(np.rint(255.0 * grey), 0.0, 255.0), np.uint8)


def detect(grey: Bytes, *, most: int, contrast: float) -> Keypoints:
    """The keypoints of a picture, at most so many, those of the strongest response.

    Args:
        grey: (H, W), 8 bits.
        most: how many are kept.
        contrast: that a keypoint has at least, as SIFT measures it.
    """
    import cv2

    # Without the precise upscale, keypoints lie a quarter of a pixel right of and below what they mark.
    sift = cv2.SIFT.create(nfeatures=most, contrastThreshold=contrast, edgeThreshold=_EDGE, enable_precise_upscale=True)
    found, histograms = sift.detectAndCompute(grey, None)
    if histograms is None or len(found) == 0:
        return Keypoints(np.zeros((0, 2)), np.zeros(0), np.zeros(0), np.zeros((0, _LENGTH), np.float32))
    numbers = np.array([(*one.pt, one.size, np.radians(one.angle), one.response) for one in found], np.float64)
    order = np.lexsort((numbers[:, 2], numbers[:, 1], numbers[:, 0], -numbers[:, 4]))[:most]
    numbers, histograms = numbers[order], np.maximum(histograms[order], 0.0)
    roots = np.sqrt(histograms / np.maximum(histograms.sum(axis=1, keepdims=True), 1e-9))
    return Keypoints(numbers[:, :2], numbers[:, 2], numbers[:, 3], np.ascontiguousarray(roots, np.float32))
