"""What the photograph's edges say of another size of the object, where no mask was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

_COSTS = 6.0
"""Without a mask, edges speak beside a ratio of costs that says something: by the share of outline that the other size
gains on them, less so many times the ratio's logarithm. Of 23 right and 31 wrong results, the ratio alone has an area
under the curve of 0.972, the gain of 0.954, both 0.993. Edges alone are not asked: of YCB-Video, whose photographs and
depth are misregistered, right results gain up to 0.49."""
_AGREED, _DISAGREED = 0.06, 0.25  # of that sum: of these right results the most was 0.04

Sized = TypeVar("Sized")


def agrees_without_mask(times: float, gained: float) -> float:
    """From 0 to 1, how little another size contradicts a result without a mask.

    Args:
        times: its cost over that of the result.
        gained: by how much more of its outline lies on edges.
    """
    return (_DISAGREED - (gained - _COSTS * float(np.log(times)))) / (_DISAGREED - _AGREED)


def refutes(gained: float, nearest: Iterator[Sized], gained_at: Callable[[Sized], float | None]) -> float:
    """From 0 to 1, how surely edges refute another size without a mask, whatever it costs.

    Costs are means over what is drawn. Of a flat object on a table, one that is drawn larger, and nearer by as much,
    has more of the table in it, which fits: the mean falls, and the outline leaves the object's. But it costs less
    than a size beside it as well that may be the right one. So edges have to leave the nearest size of its side, too,
    by more than they do by chance, and if they lie better at that of the other side they refute nothing.

    Args:
        gained: by how much more of the other size's outline lies on edges than of the result's.
        nearest: the nearest size of its side, and that of the other one; made only if they are asked.
        gained_at: the same share of one of them, None if unknown.
    """
    if gained >= -_AGREED:
        return 0.0
    beside, across = (gained_at(one) for one in nearest)
    if beside is None or across is None or beside >= -_AGREED or across > 0.0:
        return 0.0
    return float(np.clip((-gained - _AGREED) / (_DISAGREED - _AGREED), 0.0, 1.0))
