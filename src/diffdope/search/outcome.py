"""What a search hands back; the pipeline makes the result of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Status
from diffdope.problem.level_problem import LevelProblem
from diffdope.search.alternatives.answers import Answers
from diffdope.search.history import History
from diffdope.terms.photometric_gain import PhotometricGain

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """A pose, and how it was reached.

    cost and initial_cost are of the same objective, that of `level`; modality costs (M,) unweighted. gain: the light in
    which the colours agree best, if they say anything about it.
    """

    level: LevelProblem
    start: Pose
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
    quality: FitQuality | None = None
    gain: PhotometricGain | None = None
    answers: Answers | None = None
    """Of a search with no start pose; the first is `pose`."""
    curvature: F64 | None = None
    """(6, 6) of the cost where the search ended, in (rho [m], phi [rad]); None where no solver had one."""
    apart_m: float = 0.0
    """How far the object's print alone would lead the pose, in a film of photographs, metres; 0 where not asked."""
    why: str = ""
    """Why it is doubted, where something contradicts it."""
