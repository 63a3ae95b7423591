"""Presets: every number of a refinement, as small frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from diffdope.errors import DiffDopeError, check_choice
from diffdope.objective.settings import ObjectiveSettings
from diffdope.optimize.schedules import Distribution


@dataclass(frozen=True)
class CropSettings:
    """The part of the image that is compared."""

    size: int = 160
    """Longest side of the crop in pixels; larger ones are reduced by an integer factor."""
    margin: float = 0.15
    """Free space around mask and start pose, as a share of the longer side."""

    def __post_init__(self) -> None:
        """Refuses crops without pixels."""
        if self.size < 8:
            raise DiffDopeError(f"crop.size: expected at least 8 pixels, got {self.size}")
        if not 0.0 <= self.margin <= 10.0:
            raise DiffDopeError(f"crop.margin: expected a share between 0 and 10, got {self.margin}")


@dataclass(frozen=True)
class DescentSettings:
    """How the hypotheses move."""

    method: Literal["sgd", "adam"] = "sgd"
    iterations: int = 60
    learning_rate: float = 0.04
    """Step, in translation units and quaternion units, for a gradient of one and a multiplier of one."""
    translation_unit: float = 0.5
    """Share of the object's diameter by which translations are divided, so that one rate fits both."""
    decay: float = 0.1
    """Factor on the rate at the last iteration."""
    rate_low: float = 0.1
    rate_high: float = 4.0
    """Each hypothesis multiplies the rate by a draw between these."""
    rate_distribution: Distribution = "uniform"
    patience: int = 15
    """Iterations without improvement of any hypothesis after which the descent has converged."""
    tolerance: float = 1e-4
    """Share of its cost by which a hypothesis must improve to count as improving."""
    settled: float = 0.02
    """The result is `converged` if the lowest cost fell by less than this share over the last `patience` iterations."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no descent."""
        check_choice("method", self.method, ("sgd", "adam"))
        check_choice("rate_distribution", self.rate_distribution, ("uniform", "log-uniform"))
        if self.iterations < 1:
            raise DiffDopeError(f"iterations: expected at least 1, got {self.iterations}")
        if self.patience < 1:
            raise DiffDopeError(f"patience: expected at least 1, got {self.patience}")
        for name in ("learning_rate", "decay", "translation_unit"):
            if not getattr(self, name) > 0.0:
                raise DiffDopeError(f"{name}: expected a number > 0, got {getattr(self, name)}")
        if not 0.0 < self.rate_low <= self.rate_high:
            raise DiffDopeError(
                f"rate_low, rate_high: expected 0 < low <= high, got {self.rate_low} and {self.rate_high}"
            )


@dataclass(frozen=True)
class Preset:
    """One complete way to refine."""

    name: str = "paper"
    hypotheses: int = 8
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    descent: DescentSettings = field(default_factory=DescentSettings)
    crop: CropSettings = field(default_factory=CropSettings)

    def __post_init__(self) -> None:
        """Refuses an empty batch."""
        if self.hypotheses < 1:
            raise DiffDopeError(f"hypotheses: expected at least 1, got {self.hypotheses}")


PRESETS: dict[str, Preset] = {"paper": Preset()}


def preset(name: str | Preset) -> Preset:
    """A preset by name; a preset passes through.

    Raises:
        DiffDopeError: if there is none of that name.
    """
    if isinstance(name, Preset):
        return name
    check_choice("preset", name, tuple(PRESETS))
    return PRESETS[name]
