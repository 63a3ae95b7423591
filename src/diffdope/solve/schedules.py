"""Learning rates over the iterations, and across hypotheses."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected

Distribution = Literal["uniform", "log-uniform"]


def exponential_decay(iteration: int, *, iterations: int, decay: float) -> float:
    """Factor on the learning rate: 1 at iteration 0, `decay` at the last."""
    return float(decay ** (iteration / max(iterations, 1)))


def sample_learning_rates(
    count: int, *, low: float, high: float, distribution: Distribution = "uniform", rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draws one rate multiplier a hypothesis, (count,), from U(low, high) or log-uniformly.

    The first k draws do not depend on `count`: adding a hypothesis changes no other.

    Raises:
        DiffDopeError: unless 0 < low <= high.
    """
    if not 0.0 < low <= high:
        raise expected("rate_low, rate_high", "0 < low <= high", f"{low} and {high}")
    unit = rng.random(count)
    if distribution == "log-uniform":
        return np.asarray(low * (high / low) ** unit, dtype=np.float64)
    return low + (high - low) * unit
