"""The call from a solver to the cost, by address: a solver knows neither meshes nor images.

`evaluate(problem, scratch, R, t, sums, paint)` is compiled once (see `problem/evaluate.py`) and reads of the arguments
what it wants; a solver only hands them on. The poses are (P, 3, 3) and (P, 3) float64, `sums` is a `Sums`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from diffdope.render.kernels.calls import call_by_address

F64 = NDArray[np.float64]
MODALITIES = 5  # columns of `Sums.each`: four image terms, and the quadratic factors together


class Sums(NamedTuple):
    """What an evaluation fills: unweighted costs by term (5,), gradient (D,) and normal matrix (D, D)."""

    each: F64
    gradient: F64
    normal: F64

    @classmethod
    def of(cls, size: int) -> Sums:
        """Room for D = `size` unknowns."""
        return cls(np.zeros(MODALITIES), np.zeros(size), np.zeros((size, size)))


@intrinsic
def evaluate_at(_context, address, problem, scratch, R, t, sums, paint):
    """Calls `evaluate`; returns the cost."""
    kinds: tuple[Any, ...] = (problem, scratch, R, t, sums, types.int64)
    return call_by_address(types.float64, *kinds)
