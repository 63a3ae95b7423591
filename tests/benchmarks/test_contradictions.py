"""How far off results are in the benchmark of inputs that contradict each other."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import diffdope as dd
from benchmarks import contradictions
from benchmarks.contradictions import off_m


def test_a_mirrored_model_is_off_by_what_is_drawn() -> None:
    own = np.random.default_rng(0).uniform(-0.1, 0.1, (400, 3))
    own[200:] = own[:200] * [-1.0, 1.0, 1.0]
    own[:, 0] += 0.02  # its own mirror image, about x = 0.02
    truth = dd.Pose(np.eye(3), np.array([0.0, 0.0, 1.0]))
    drawn_there = dd.Pose(np.eye(3), np.array([0.04, 0.0, 1.0]))  # of the model that is mirrored about x = 0
    assert off_m(own, drawn_there, truth, of_mirrored=True) == pytest.approx(0.0, abs=1e-12)
    assert off_m(own, truth, truth, of_mirrored=True) > 0.005
    assert off_m(own, truth, truth, of_mirrored=False) == pytest.approx(0.0, abs=1e-12)


def test_located_asks_for_no_start() -> None:
    asked: list[str] = []

    class Asked:
        def refine(self, *_: object) -> None:
            asked.append("refine")
            raise StopIteration

        def locate(self, *given: object) -> None:
            asked.append(f"locate {len(given)}")
            raise StopIteration

    case = SimpleNamespace(start=None)
    for located in (False, True):
        with pytest.raises(StopIteration):
            contradictions.found_of(case, Asked(), None, located=located, of_mirrored=False)  # type: ignore[arg-type]
    assert asked == ["refine", "locate 1"]
