"""What a refinement returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.estimate.fit_quality import Evidence

F64 = NDArray[np.float64]


class Status(StrEnum):
    """How a refinement ended."""

    CONVERGED = "converged"
    ITERATION_LIMIT = "iteration_limit"
    OUT_OF_VIEW = "out_of_view"
    NO_OVERLAP = "no_overlap"
    BEHIND_CAMERA = "behind_camera"
    FAILED = "failed"
    LOST = "lost"

    @property
    def ok(self) -> bool:
        """Whether a refined pose was found."""
        return self in (Status.CONVERGED, Status.ITERATION_LIMIT)


MESSAGES: dict[Status, str] = {
    Status.CONVERGED: "the descent came to rest",
    Status.ITERATION_LIMIT: "the best hypothesis was still improving at the last iteration; allow more iterations",
    Status.OUT_OF_VIEW: "the start pose projects outside the image; check K, the image size and the pose's units",
    Status.NO_OVERLAP: "the start pose and the mask do not overlap; give a closer start or the right mask",
    Status.BEHIND_CAMERA: "the start pose is behind the camera; an OpenGL pose (z backward) must be converted with "
    "Pose.from_opengl, or its translation is negated",
    Status.LOST: "the tracked object is lost; the pose is a guess from the last good one",
    Status.FAILED: "the images do not support any pose that was found; check mesh units, K and the observed images, or "
    "give a closer start",
}


@dataclass(frozen=True)
class History:
    """Every iterate of every hypothesis: K iterations, B hypotheses, M modalities.

    costs (K+1, B) weighted totals; modality_costs (K+1, B, M) unweighted, in the order of the result's `modalities`;
    R_m2c (K+1, B, 3, 3); t_m2c (K+1, B, 3) metres; learning_rates (B,) rate multipliers, all 1 for a search.
    A hypothesis that took no part in an iteration is NaN there. sizes (K+1,): of a search, the longest side of the crop
    in pixels; costs compare within one size only.
    """

    costs: F64
    modality_costs: F64
    R_m2c: F64
    t_m2c: F64
    learning_rates: F64
    sizes: NDArray[np.intp] | None = None


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
    evidence: Evidence | None = None

    @property
    def ok(self) -> bool:
        """Whether a refined pose was found."""
        return self.status.ok
