"""Entries that are called as they were compiled for an address, without asking for types again."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from diffdope.kernel_compiler import EXACT_ENTRY
from diffdope.render.kernels.calls import call_entry


@njit(**{**EXACT_ENTRY, "cache": False})
def weighted(address, images, weight):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(images[0].size):
        total += weight * images[0][k] * images[1][k]
    return total


def images(kind: type) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    rng = np.random.default_rng(0)
    return rng.normal(size=50).astype(kind), rng.normal(size=50).astype(kind)


def test_results_are_those_of_numbas_own_call() -> None:
    for address, kind in ((7, np.float64), (8, np.float32)):
        for weight in (1.5, -0.3):
            assert call_entry(weighted, address, images(kind), weight) == weighted(address, images(kind), weight)


def test_an_array_that_cannot_be_written_to_compiles_nothing() -> None:
    pair = images(np.float64)
    expected = call_entry(weighted, 9, pair, 1.0)
    before = len(weighted.overloads)
    for image in pair:
        image.setflags(write=False)
    assert call_entry(weighted, 9, pair, 1.0) == expected
    assert len(weighted.overloads) == before
