"""How a search ends: the status of its result, and what start and result cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import right_minimum
from diffdope.estimate.robust_gauss_newton import RobustEstimate
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Status
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.variables import Variables
from diffdope.search.answers import Answers
from diffdope.search.candidates import Candidates
from diffdope.search.settings import SearchSettings
from diffdope.solve.gradient_descent import DescentSettings, descend
from diffdope.solve.levenberg_marquardt import SolverResult

F64 = NDArray[np.float64]

_AT_REST = 0.005  # share by which the last step lowered the cost of a pose that has come to rest


def status_of(
    found: Candidates, confidence: float, answers: Answers | None, settings: SearchSettings, *, first_order: bool
) -> Status:  # fmt: skip
    """Whether a result is to be believed, and has come to rest.

    Args:
        found: the result.
        confidence: in it.
        answers: of a search with no start.
        settings: of the search.
        first_order: whether gradient descent led there, which has no confidence.
    """
    solution = found.ended.solution
    if first_order and found.winner_row == 0:
        return Status.FAILED
    told = right_minimum(confidence, started=True) if answers is None else answers.of_first
    if not first_order and told < settings.least_confidence:
        return Status.AMBIGUOUS if answers is not None and answers.ambiguous else Status.FAILED
    best = solution.best
    rest = solution.converged[best] or (not first_order and solution.last_reduction[best] < _AT_REST)
    return Status.CONVERGED if rest else Status.ITERATION_LIMIT


def costs_of(
    found: Candidates, estimate: RobustEstimate, start: Pose, length_m: float, *, fixed: bool
) -> tuple[F64, F64]:  # fmt: skip
    """Costs (2,) and modality costs (2, M) of start and result at the last level, without what the prior adds.

    Args:
        found: the result before its last steps.
        estimate: and after.
        start: of the whole search.
        length_m: the object's diameter.
        fixed: whether the near search has no prior: then its iterates have these costs.
    """
    level, ended = found.level, found.ended
    own = found.levels == 1 and ended.first_row == 0 and not estimate.moved and ended.contour is None
    if own and fixed:
        solution, best = ended.solution, ended.solution.best
        rows = [0, found.winner_row]
        each = level.unweighted(solution.history_each[rows, best])
        return solution.history_cost[rows, best], each[:, level.counted]
    ends = (start, estimate.pose)
    problem = level.problem(Variables.one_object(0.5 * length_m), None, ended.quadratics)
    evaluation = problem.evaluate(
        np.stack([p.R_m2c for p in ends]), np.stack([p.t_m2c for p in ends]),
        with_normal=False,
    )  # fmt: skip
    return evaluation.cost, level.unweighted(evaluation.each)[:, level.counted]


def first_order(problem: object, R: F64, t: F64, *, descent: DescentSettings, rates: F64, **_: object) -> SolverResult:
    """`gradient_descent.descend` with the arguments of `levenberg_marquardt.minimise`."""
    return descend(problem, R, t, descent, rates)  # type: ignore[arg-type]


def refused(level: LevelProblem) -> tuple[str, ...]:
    """A note, if the mask was left out."""
    if level.mask_refused_px is None:
        return ()
    return (f"mask is off: its border is {level.mask_refused_px:.1f} pixels of the crop from the object's outline",)
