"""What of a depth image is flat, connected and larger than the object: tables, and the bottom, sides and rims of a bin.

Unlike where one object is looked for (`depth_segments.py`), faces of many parts lie in any plane through a bin. So a
point is on a plane only if the surface around it is turned as the plane is, and a plane counts only if it is connected
farther than the object reaches; or if its pieces reach so far, and it ends nowhere: where a face of a part ends, what
lies behind it is seen, and where the bottom of a bin does, something stands on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LARGER = 1.3  # diameters that a plane reaches which is no face of the object: depth is noisy
_DRAWS, _SAMPLE = 64, 1500  # points that propose a plane each, and points that vote
_MISSES = 6  # planes, one after the other, that are not large: then there is none left
_MOST = 16  # planes: a bin has nine with its rim, a table beside it one more
_TURNED = np.cos(np.radians(25.0))  # normals are noisy
_ACROSS = 2  # pixels to both sides, between which a surface's slope is measured
_PIECE = 12  # points of a piece of a plane: fewer may lie in it by chance
_ENDS = 0.02  # share of what is in and around a plane's pieces that lies behind it: depth at borders is a mixture


def off_large_planes(
    points: F64, there: Mask, length_m: float, near: float, rng: np.random.Generator
) -> Mask:  # fmt: skip
    """Which points (H, W) are on no large plane.

    Args:
        points: (H, W, 3) metres, in the camera's frame.
        there: (H, W) which of them were measured.
        length_m: the object's diameter.
        near: share of it within which a point is on a plane.
        rng: of the draws.
    """
    from scipy.ndimage import binary_dilation

    normals, told = _normals(points, there)
    left, misses, planes = there.copy(), 0, 0
    asked = ~told  # those on a plane that is not large propose it no more, or the largest such would be the last
    while planes < _MOST and misses < _MISSES:
        at = np.flatnonzero(left & ~asked)
        if len(at) < 3:
            break
        on, normal, origin = _plane(points.reshape(-1, 3)[at], normals.reshape(-1, 3)[at], near * length_m, rng)
        whole = np.zeros(left.size, np.bool_)
        whole[at[on]] = True
        flat = whole.reshape(left.shape)
        away_m = (points - origin) @ normal
        behind = away_m * np.sign(origin @ normal) > near * length_m
        if _is_large(flat, behind, points, there, _LARGER * length_m):
            # At its ends a plane's normals are unknown, or mixed with those of what stands on it.
            around = binary_dilation(flat, np.ones((3, 3)), iterations=_ACROSS + 1)
            left &= ~(flat | (around & (np.abs(away_m) < near * length_m)))
            misses, planes = 0, planes + 1
        else:
            asked |= flat
            misses += 1
    return left


def _normals(points: F64, there: Mask) -> tuple[F64, Mask]:
    """Unit normals (H, W, 3) of the surface, and where they are known (H, W)."""
    n = _ACROSS
    normals, told = np.zeros_like(points), np.zeros_like(there)
    if min(there.shape) <= 2 * n:
        return normals, told
    inside = np.s_[n:-n, n:-n]
    right, left = points[n:-n, 2 * n :], points[n:-n, : -2 * n]
    below, above = points[2 * n :, n:-n], points[: -2 * n, n:-n]
    across = np.cross(right - left, below - above)
    length = np.linalg.norm(across, axis=-1)
    normals[inside] = across / np.maximum(length, 1e-12)[..., None]
    known = there[n:-n, 2 * n :] & there[n:-n, : -2 * n] & there[2 * n :, n:-n] & there[: -2 * n, n:-n]
    told[inside] = there[inside] & known & (length > 0.0)
    return normals, told


def _plane(points: F64, normals: F64, near_m: float, rng: np.random.Generator) -> tuple[Mask, F64, F64]:
    """Which of the points (N, 3) with these normals are on the plane that most of a sample is on."""
    some = rng.choice(len(points), min(len(points), _SAMPLE), replace=False)
    draws = rng.choice(len(points), min(len(points), _DRAWS), replace=False)
    best, most = 0, -1
    for k in draws:
        count = np.count_nonzero(_on(points[some], normals[some], normals[k], points[k], near_m))
        if count > most:
            best, most = int(k), int(count)
    normal, origin = normals[best], points[best]
    on = _on(points, normals, normal, origin, near_m)
    for _ in range(2):
        origin = points[on].mean(axis=0)
        spread = points[on] - origin
        new = np.linalg.eigh(np.einsum("ni,nj->ij", spread, spread))[1][:, 0]
        normal = new if new @ normal > 0.0 else -new
        again = _on(points, normals, normal, origin, near_m)
        if np.count_nonzero(again) < 3:
            break
        on = again
    return on, normal, origin


def _on(points: F64, normals: F64, normal: F64, origin: F64, near_m: float) -> Mask:
    return np.asarray((np.abs((points - origin) @ normal) < near_m) & (normals @ normal > _TURNED))


def _is_large(flat: Mask, behind: Mask, points: F64, there: Mask, size_m: float) -> bool:
    """Whether the largest piece of a plane reaches so far, or all do, and nothing behind is seen at their borders.

    Args:
        flat: (H, W) which points are on the plane.
        behind: (H, W) which are behind it, measured or not.
        points: (H, W, 3) metres.
        there: (H, W) which were measured.
        size_m: how far.
    """
    from scipy.ndimage import binary_dilation, label

    parts, _ = label(flat, np.ones((3, 3)))
    count = np.bincount(parts.ravel())
    count[0] = 0
    if not count.any():
        return False
    if _reach(points[parts == int(np.argmax(count))]) > size_m:
        return True
    pieces = count[parts] >= _PIECE
    if not pieces.any() or not _reach(points[pieces]) > size_m:
        return False
    around = there & binary_dilation(pieces, np.ones((3, 3)), iterations=_ACROSS + 1)
    return bool(np.count_nonzero(around & behind) < _ENDS * np.count_nonzero(around))


def _reach(points: F64) -> float:
    """The diagonal of the box of points (N, 3), metres."""
    return float(np.linalg.norm(np.ptp(points, axis=0)))
