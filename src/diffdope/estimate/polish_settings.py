"""Settings of the last steps; see `robust_gauss_newton.py`."""

from __future__ import annotations

from dataclasses import dataclass

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, check_count


@dataclass(frozen=True)
@checked_fields()
class PolishSettings:
    """The last steps: Gauss-Newton with variances that the residuals tell, instead of fixed weights.

    Raises:
        DiffDopeError: if `steps` is no count, or another number is not above 0.
    """

    steps: int = 4
    """At most; 0 for none."""
    tolerance: float = 1e-3
    """The step that is shorter is the last: radians, or share of half the diameter. So is one of less than 0.13
    standard deviations in each direction, however long that is."""
    without_depth: bool = True
    """Whether steps are also taken where no depth is compared."""
    longest: float = 0.2
    """Farthest that all steps together may go: radians, or this share of half the diameter."""
    anew: float = 0.02
    """A pose that moved farther is polished once more, for the weights were those of a wrong pose: radians, or share of
    half the diameter."""
    covariance: bool = True
    """Whether the covariance is estimated if no steps are taken, which takes a few milliseconds."""

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return self.steps == 0 and not self.covariance

    def __post_init__(self) -> None:
        """Refuses numbers that make no steps."""
        check_count("steps", self.steps, least=0, most=10**5)
        check_above_zero(self, "tolerance", "longest", "anew")
