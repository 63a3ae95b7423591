"""Kernels that are compiled as a part of their entries give what their Python code gives."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER

ENTRY = {**EXACT_ENTRY, "cache": False}


@njit(**EXACT_INNER)
def square(x):  # type: ignore[no-untyped-def]
    return x * x


@njit(**EXACT_INNER)
def larger(x, y):  # type: ignore[no-untyped-def]
    return max(square(x), square(y), 0.0)  # `max` is numba's own compiled code


@njit(**ENTRY)
def sum_of(values):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(values.size - 1):
        total += larger(values[k], values[k + 1]) - square(values[k])
    return total


@njit(**ENTRY)
def twice(values):  # type: ignore[no-untyped-def]
    return sum_of(values) + sum_of(values)


@njit
def compiled_as_numba_does(values):  # type: ignore[no-untyped-def]
    return larger(values[0], values[1])


def values() -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(size=9)


def expected(values: NDArray[np.float64]) -> float:
    squares = values * values
    return float(np.sum(np.maximum(squares[:-1], squares[1:]) - squares[:-1]))


def test_an_entry_contains_what_it_calls_directly_or_not() -> None:
    assert sum_of(values()) == pytest.approx(expected(values()), rel=1e-14)


def test_entries_call_entries() -> None:
    assert twice(values()) == pytest.approx(2.0 * expected(values()), rel=1e-14)


def test_functions_that_numba_compiles_as_it_does_can_call_kernels() -> None:
    assert compiled_as_numba_does(np.array([1.0, -3.0])) == 9.0


def test_inner_functions_are_never_compiled_on_their_own() -> None:
    sum_of(values())
    for inner in (square, larger):
        (compiled,) = inner.overloads.values()
        assert compiled.library._compiled_object is None
