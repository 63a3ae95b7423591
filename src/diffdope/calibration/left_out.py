"""Which pictures do not fit where the others do, and whether that is since something hides the robot in them.

Where joints are wrong, or the camera was moved, a mask lacks as much of the drawn robot as it has beside it. Where
something stands before the robot, it lacks a part, and has nothing beside it: such a picture contradicts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from diffdope.calibration.assess import Measured
    from diffdope.calibration.solution import Solution

F64 = NDArray[np.float64]

_BAD_FACTOR, _BAD_COST = 3.0, 0.15  # a picture pays so many times as much as the median, and as much more
_LEAST_PICTURES = 3  # with fewer, nobody knows which of them is bad
_LEAST_LEFT = 2  # pictures: if fewer fit, the others are not what is wrong
_BESIDE = 0.2  # of what masks lack: masks of other joints have 0.4 or more beside, hidden ones up to 0.1
_LACKS = 0.1  # of the drawn robot: with less, nothing is hidden that would explain a cost


def dear(costs: F64) -> dict[int, str]:
    """Pictures that pay far more than the others, and why they are left out.

    Args:
        costs: (N,) of each picture, NaN where the robot is out of it.
    """
    if np.count_nonzero(np.isfinite(costs)) < _LEAST_PICTURES:
        return {}
    middle = float(np.nanmedian(costs))
    limit = max(_BAD_FACTOR * middle, middle + _BAD_COST)
    text = "left out: it does not fit where the other pictures do ({:.1f} times their cost); are its joints right?"
    return {int(n): text.format(costs[n] / max(middle, 1e-9)) for n in np.flatnonzero(costs > limit)}


def misfits(
    solution: Solution, measured: Sequence[Measured], least_iou: float, least_share: float
) -> dict[int, str]:  # fmt: skip
    """Pictures that a wrong pose would fit as well, though others fit, and why they are left out.

    Args:
        solution: of the estimate.
        measured: of each picture, at the solution's pose.
        least_iou: overlap of a picture that fits, and
        least_share: share of its outline that the mask's border meets: one that fits neither way does not fit.
    """
    found = {}
    for n, one in enumerate(measured):
        if solution.counted[n] and one.get("iou", 1.0) < least_iou and one["outline_share"] < least_share:
            found[n] = f"left out: robot and mask overlap by {one['iou']:.2f} only where the other pictures fit"
    left = int(np.count_nonzero(solution.counted)) - len(found)
    return found if left >= _LEAST_LEFT else {}


def behind_something(bad: Mapping[int, str], lacks: Sequence[tuple[float, float] | None]) -> dict[int, str]:
    """Those of the pictures to be left out in which something hides the robot, and what to say of them.

    Args:
        bad: pictures, and why they are left out.
        lacks: of each picture, the shares of `lacks_and_beside`; None without a mask.
    """
    text = "left out: its mask lacks {:.0f} % of the robot, and has nothing beside it; does something hide it there?"
    found = {}
    for n in bad:
        one = lacks[n]
        if one is not None and one[0] > _LACKS and one[1] < _BESIDE * one[0]:
            found[n] = text.format(100.0 * one[0])
    return found


def lacks_and_beside(inside: NDArray[np.bool_], mask: NDArray[np.bool_], border_px: int) -> tuple[float, float]:
    """Share of the drawn robot that a mask lacks, and what the mask has beside it, in the same measure.

    Args:
        inside: (H, W) pixels of the drawn robot.
        mask: (H, W) of the mask.
        border_px: by which masks' borders may be off.
    """
    from scipy.ndimage import binary_dilation

    size = max(int(np.count_nonzero(inside)), 1)
    lacks = np.count_nonzero(inside & ~binary_dilation(mask, iterations=border_px))
    beside = np.count_nonzero(mask & ~binary_dilation(inside, iterations=border_px))
    return lacks / size, beside / size
