"""What a refinement returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import MESSAGES, Status
from diffdope.search.answers import Answer
from diffdope.search.history import History

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class RefinementResult:
    """A refined pose, and how far to trust it."""

    pose: Pose
    initial_pose: Pose
    cost: float
    initial_cost: float
    cost_per_modality: dict[str, float]
    initial_cost_per_modality: dict[str, float]
    status: Status
    message: str
    winner: int
    winner_iteration: int
    iterations: int
    history: History
    modalities: tuple[str, ...]
    notes: tuple[str, ...]
    seed: int
    elapsed_s: float
    window: CropWindow | None
    """The part of the image that was compared; None if nothing was."""
    covariance: F64 | None = None
    """(6, 6) in (rho [m], phi [rad]); None from a solver that has none, or where nothing could be compared."""
    unobserved: F64 | None = None
    """(K, 6) directions about which the images say less than `search.noise.spread`, in (rho [m], phi [rad]), each of
    length 1 in (rho over half the diameter, phi); the notes name them. Along them the covariance is that spread."""
    confidence: float | None = None
    evidence: FitQuality | None = None
    answers: tuple[Answer, ...] = ()
    """Of `locate`: all poses that the images support, the most probable first; the first is `pose`."""
    none_of_these: float | None = None
    """Of `locate`: the probability that no answer is right; with those of the answers it sums to 1."""

    @property
    def ok(self) -> bool:
        """Whether a refined pose was found."""
        return self.status.ok


__all__ = ["MESSAGES", "Answer", "History", "RefinementResult", "Status"]
