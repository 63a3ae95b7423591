"""The paper's loop: gradient descent from one start, with a learning rate of its own for every hypothesis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.problem.factor import Evaluation, Objective
from diffdope.solve.first_order import Adam, FirstOrder, GradientDescent
from diffdope.solve.quaternion_parameters import Parameters
from diffdope.solve.schedules import exponential_decay, sample_learning_rates
from diffdope.search.recorder import Recorder
from diffdope.pipelines.settings import DescentSettings

F64 = NDArray[np.float64]
Progress = Callable[[int, int, float], None]


def descend(
    objective: Objective,
    pose: Pose,
    settings: DescentSettings,
    *,
    length_m: float,
    seed: int,
    progress: Progress | None = None,
) -> tuple[Recorder, F64]:
    """Runs all hypotheses; returns every iterate, and the rate multipliers (B,).

    Args:
        objective: of the crop.
        pose: where all hypotheses start.
        settings: of the descent.
        length_m: the object's diameter.
        seed: of the rates.
        progress: called as progress(iteration, iterations, lowest cost).
    """
    count = settings.hypotheses
    rng = np.random.default_rng(seed)
    rates = sample_learning_rates(
        count,
        low=settings.rate_low,
        high=settings.rate_high,
        distribution=settings.rate_distribution,
        rng=rng,
    )
    R, t = np.repeat(pose.R_m2c[None], count, 0), np.repeat(pose.t_m2c[None], count, 0)
    parameters = Parameters(R, t, settings.translation_unit * length_m)
    optimizer = make_optimizer(settings)
    recorder = Recorder(settings.iterations + 1, count, len(objective.modalities))
    stall = StallCheck(settings, count)
    for iteration in range(settings.iterations + 1):
        evaluation: Evaluation = objective(parameters.R_m2c, parameters.t_m2c)
        each = evaluation.modality_costs[:, objective.active]
        recorder.record(parameters.R_m2c, parameters.t_m2c, evaluation.cost, each)
        if progress is not None:
            progress(iteration, settings.iterations, recorder.lowest)
        if iteration == settings.iterations or stall.stalled(evaluation.cost):
            break
        factor = exponential_decay(iteration, iterations=settings.iterations, decay=settings.decay)
        optimizer.step(parameters, evaluation.gradient, settings.learning_rate * factor * rates)
    return recorder, rates


class StallCheck:
    """Says when a descent may stop."""

    def __init__(self, settings: DescentSettings, count: int) -> None:
        self._settings = settings
        self._best = np.full(count, np.inf)
        self._waited = 0

    def stalled(self, costs: F64) -> bool:
        """Takes the costs (B,) of one iteration; whether no hypothesis has improved for `patience` of them."""
        improved = costs < self._best * (1.0 - self._settings.tolerance)
        self._best = np.where(improved, costs, self._best)
        self._waited = 0 if improved.any() else self._waited + 1
        return self._waited >= self._settings.patience


def at_rest(costs: F64, settings: DescentSettings) -> bool:
    """Whether the lowest cost fell by less than the settled share over the last `patience` iterations.

    Args:
        costs: (K+1, B).
        settings: of the descent.
    """
    lowest = np.minimum.accumulate(costs.min(axis=1))
    if len(lowest) <= settings.patience:
        return False
    return bool(lowest[-1] >= lowest[-1 - settings.patience] * (1.0 - settings.settled))


def make_optimizer(settings: DescentSettings) -> FirstOrder:
    """The optimiser that the settings name."""
    return Adam() if settings.method == "adam" else GradientDescent()
