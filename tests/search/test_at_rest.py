"""When a search has come to rest: by its last step, or by what one more would gain."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from diffdope.problem.failure import Status
from diffdope.search.ending import status_of
from diffdope.search.settings import SearchSettings
from diffdope.solve.levenberg_marquardt import SolverResult


def ended(*, last: float, left: float, converged: bool = False, cost: float = 0.07) -> Any:
    """A search whose last step lowered the cost by a share, and whose next would lower it by another one."""
    normal = np.diag([4e3, 4e3, 1e1, 3.0, 2.0, 1.0])
    step = np.array([1.0, -2.0, 0.5, 1.0, 0.3, -0.7])
    step *= np.sqrt(2.0 * left * cost / (step @ normal @ step)) if left else 0.0
    none = np.empty(0)
    solution = SolverResult(
        R=none, t=none, cost=np.array([1.0, cost]), gradient=np.stack([np.ones(6), normal @ step]),
        normal=np.stack([np.eye(6), normal]), converged=np.array([False, converged]),
        last_reduction=np.array([0.5, last]), canvas=np.zeros(2, np.int64), history_R=none, history_t=none,
        history_cost=none, history_each=none,
    )  # fmt: skip
    return SimpleNamespace(ended=SimpleNamespace(solution=solution), winner_row=3)


@pytest.mark.parametrize(
    ("last", "left", "rests"),
    [(0.02, 1e-4, True), (0.02, 0.02, False), (1e-4, 0.02, True), (0.02, 0.0, True), (0.02, 0.0049, True),
     (0.02, 0.0051, False)],
)  # fmt: skip
def test_short_last_steps_are_convergence(last: float, left: float, rests: bool) -> None:
    found = ended(last=last, left=left)
    status = status_of(found, 0.99, None, SearchSettings(), first_order=False)
    assert status is (Status.CONVERGED if rests else Status.ITERATION_LIMIT)
    assert status_of(found, 0.99, None, SearchSettings(), first_order=True) is Status.ITERATION_LIMIT


def test_nothing_is_left_of_a_cost_of_zero() -> None:
    found = ended(last=0.5, left=0.0, cost=0.0)
    assert status_of(found, 0.99, None, SearchSettings(), first_order=False) is Status.CONVERGED
