"""The gradient magnitude term (the paper's `edge`): how fast the composite's intensity changes, against the photograph.

Its pass is `gradient_magnitude_kernel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from diffdope.errors import check_above_zero, check_at_least_zero
from diffdope.terms.base import ImageTerm


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
    image = "rgb"
    needs_color = True

    def least_deviation(self, noise: Any) -> float:
        """It takes no part in the regression that asks for it."""
        return float(noise.least_rgb)
