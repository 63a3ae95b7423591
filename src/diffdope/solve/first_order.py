"""Gradient descent on the paper's parameters: SGD (the paper's) and Adam."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import numpy as np
from numpy.typing import NDArray

from diffdope.solve.quaternion_parameters import Parameters

F64 = NDArray[np.float64]


class FirstOrder(ABC):
    """Moves B poses down their gradients. Hypotheses do not interact."""

    @abstractmethod
    def step(self, parameters: Parameters, tangent_gradient: F64, rates: F64) -> None:
        """Moves the parameters in place; `tangent_gradient` (B, 6) in (rho, phi), `rates` (B,)."""


@final
class GradientDescent(FirstOrder):
    """Plain descent: the step is the rate times the gradient."""

    def step(self, parameters: Parameters, tangent_gradient: F64, rates: F64) -> None:
        """See `FirstOrder`."""
        parameters.move(-rates[:, None] * parameters.gradient(tangent_gradient))


@final
class Adam(FirstOrder):
    """Adam (arXiv 1412.6980) on the seven parameters."""

    def __init__(self, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        self._beta1, self._beta2, self._epsilon = beta1, beta2, epsilon
        self._count = 0
        self._mean: F64 | None = None
        self._square: F64 | None = None

    def step(self, parameters: Parameters, tangent_gradient: F64, rates: F64) -> None:
        """See `FirstOrder`."""
        gradient = parameters.gradient(tangent_gradient)
        if self._mean is None or self._square is None:
            self._mean, self._square = np.zeros_like(gradient), np.zeros_like(gradient)
        self._count += 1
        self._mean += (1.0 - self._beta1) * (gradient - self._mean)
        self._square += (1.0 - self._beta2) * (gradient**2 - self._square)
        mean = self._mean / (1.0 - self._beta1**self._count)
        square = self._square / (1.0 - self._beta2**self._count)
        parameters.move(-rates[:, None] * mean / (np.sqrt(square) + self._epsilon))
