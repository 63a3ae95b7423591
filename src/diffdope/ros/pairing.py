"""Which messages of several topics belong to one moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NS_PER_S = 1_000_000_000


def reach_ns(others_ns: Sequence[int], most_ns: int) -> int:
    """By how much the closest of a topic's messages can be off: half of its median step, and `most_ns` at most.

    What is farther belongs to another moment: where a message is lost, or has not come yet, its neighbour would stand
    for it, and at 60 Hz that is within what clocks of two cameras differ by.

    Args:
        others_ns: nanoseconds, in any order.
        most_ns: by which partners differ at most.
    """
    steps = np.diff(np.unique(np.asarray(others_ns, np.int64)))
    return min(most_ns, int(np.median(steps)) // 2) if len(steps) else most_ns


def partners(times_ns: Sequence[int], others_ns: Sequence[int], tolerance_ns: int) -> list[int | None]:
    """For each time the number of the closest other one, None where none is close enough.

    Each of the others is the partner of one time at most: of the closest, of two that are as close of the first.

    Args:
        times_ns: nanoseconds, in any order.
        others_ns: nanoseconds, in any order.
        tolerance_ns: by which partners differ at most.
    """
    if not len(others_ns):
        return [None] * len(times_ns)
    order = np.argsort(np.asarray(others_ns, np.int64), kind="stable")
    others = np.asarray(others_ns, np.int64)[order]
    times = np.asarray(times_ns, np.int64)
    right = np.clip(np.searchsorted(others, times), 1, max(len(others) - 1, 1)) if len(others) > 1 else None
    if right is None:
        nearest = np.zeros(len(times), np.int64)
    else:
        nearest = np.where(times - others[right - 1] <= others[right] - times, right - 1, right)
    distance = np.abs(others[nearest] - times)
    best: dict[int, int] = {}
    for k in np.flatnonzero(distance <= tolerance_ns).tolist():
        held = best.get(int(nearest[k]))
        if held is None or distance[k] < distance[held]:
            best[int(nearest[k])] = k
    found: list[int | None] = [None] * len(times_ns)
    for number, k in best.items():
        found[k] = int(order[number])
    return found
