"""What a solver hands back; the refiner makes the result of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.estimate.fit_quality import Evidence
from diffdope.problem.prepare import Problem
from diffdope.pipelines.result import History, Status

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """A pose, and how it was reached.

    cost and initial_cost are of the same objective, that of `problem`; modality costs (M,) unweighted.
    """

    problem: Problem
    pose: Pose
    status: Status
    cost: float
    modality_costs: F64
    initial_cost: float
    initial_modality_costs: F64
    history: History
    winner: int
    winner_iteration: int
    covariance: F64 | None = None
    unobserved: F64 | None = None
    notes: tuple[str, ...] = ()
    confidence: float | None = None
    evidence: Evidence | None = None
