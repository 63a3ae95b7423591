"""The gradient magnitude term (the paper's `edge`): how fast the composite's intensity changes, against the photograph.

Its pass is `gradient_magnitude_kernel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.base import ImageTerm
from diffdope.terms.checks import check_above_zero, check_at_least_zero

F32 = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class GradientMagnitudeSettings:
    """Of the gradient magnitude term."""

    edge_weight: float = 0.0
    edge_cap: float = 0.5
    """Residual above which the loss does not grow."""

    def check_gradient_magnitude(self) -> None:
        """Refuses numbers that make no cost."""
        check_at_least_zero(self, "edge_weight")
        check_above_zero(self, "edge_cap")


@final
class GradientMagnitude(ImageTerm):
    """See the module."""

    name = "edge"
    needs_color = True

    def image_of(self, observation: Observation) -> F32 | None:
        """The photograph."""
        return observation.rgb

    def why_off(self, mesh: Mesh, observation: Observation, settings: Any) -> str | None:
        """Why it is not compared: it is only where it is asked for."""
        if observation.rgb is None:
            return "no rgb image was given"
        return super().why_off(mesh, observation, settings)

    def least_deviation(self, noise: Any) -> float:
        """It takes no part in the regression that asks for it."""
        return float(noise.least_rgb)
