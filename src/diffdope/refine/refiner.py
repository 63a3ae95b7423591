"""The loop: hypotheses, descent, selection."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.objective.layout import MODALITIES
from diffdope.objective.objective import Evaluation, Objective
from diffdope.objective.settings import ObjectiveSettings
from diffdope.optimize.first_order import Adam, FirstOrder, GradientDescent
from diffdope.optimize.parameters import Parameters
from diffdope.optimize.schedules import exponential_decay, sample_learning_rates
from diffdope.refine.recorder import Recorder
from diffdope.refine.region import choose_window, dilate, mask_care, projected_box
from diffdope.refine.result import MESSAGES, History, RefinementResult, Status
from diffdope.refine.settings import DescentSettings, Preset
from diffdope.refine.settings import preset as find_preset
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
Progress = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Problem:
    """One refinement, prepared."""

    window: CropWindow
    observation: Observation
    objective: Objective
    start_overlap: float


class Refiner:
    """Refines poses of one mesh. Keep it: mesh tables, buffers and compiled kernels stay warm.

    Args:
        mesh: the object.
        camera: if given, observations by any other camera are refused: a guard for loops over one camera.
        preset: name or `Preset`.
        seed: of the learning rates. Same seed, same result to the bit, whatever the number of threads.
        threads: None for the library setting (all cores unless `set_threads` said otherwise).

    Raises:
        DiffDopeError: if there is no such preset, or a number is out of range.
    """

    def __init__(
        self,
        mesh: Mesh,
        camera: Camera | None = None,
        *,
        preset: str | Preset = "paper",
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        self.mesh = mesh
        self.camera = camera
        self.preset = find_preset(preset)
        self.seed = seed
        self._buffers = Buffers(mesh, threads=threads)

    def refine(self, observation: Observation, pose: Pose, *, progress: Progress | None = None) -> RefinementResult:
        """Finds the pose near `pose` whose rendering agrees best with the observation.

        Args:
            observation: the calibrated image.
            pose: rough start.
            progress: called as progress(iteration, iterations, lowest cost).

        Raises:
            DiffDopeError: if the observation has nothing that this mesh can be compared with, or comes from another
                camera than the one that the refiner was made for.
        """
        began = time.perf_counter()
        if self.camera is not None and observation.camera != self.camera:
            raise expected("observation", f"the refiner's camera {self.camera}", observation.camera)
        box = projected_box(self.mesh, pose, observation.camera)
        if isinstance(box, Status):
            return self._refused(box, pose, None, began)
        problem = self._prepare(observation, pose, choose_window(box, observation, self.preset.crop))
        if problem.start_overlap <= 0.0:
            return self._refused(Status.NO_OVERLAP, pose, problem.window, began)
        recorder, rates = self._descend(problem, pose, progress)
        return self._result(problem, pose, recorder, rates, began)

    def _prepare(self, observation: Observation, pose: Pose, window: CropWindow) -> Problem:
        crop = observation.crop(window)
        images = Renderer(self.mesh, crop.camera, buffers=self._buffers).render(pose.R_m2c, pose.t_m2c)
        start = images.coverage[0]
        settings = self.preset.objective
        if crop.mask is not None:
            gate = crop.mask
            overlap = float((np.minimum(start, crop.mask)).sum())
        else:
            gate = dilate(start, max(1, round(0.05 * max(start.shape))))
            settings, overlap = without_mask(settings), float(start.sum())
        if gate.sum() <= 0.0 or overlap <= 0.0:
            overlap, gate = 0.0, np.ones_like(start)
        care = mask_care(images.depth[0], crop, share=settings.occlusion_margin, diameter_m=self.mesh.diameter)
        objective = Objective(self._buffers, crop, gate, settings, care=care, length_m=self.mesh.diameter)
        if not objective.modalities:
            raise DiffDopeError(nothing_to_compare(self.mesh, observation))
        return Problem(window, crop, objective, overlap)

    def _descend(self, problem: Problem, pose: Pose, progress: Progress | None) -> tuple[Recorder, F64]:
        settings, count = self.preset.descent, self.preset.hypotheses
        rng = np.random.default_rng(self.seed)
        rates = sample_learning_rates(
            count,
            low=settings.rate_low,
            high=settings.rate_high,
            distribution=settings.rate_distribution,
            rng=rng,
        )
        R, t = np.repeat(pose.R_m2c[None], count, 0), np.repeat(pose.t_m2c[None], count, 0)
        parameters = Parameters(R, t, settings.translation_unit * self.mesh.diameter)
        optimizer = make_optimizer(settings)
        recorder = Recorder(settings.iterations + 1, count, problem.objective.active)
        stall = StallCheck(settings, count)
        for iteration in range(settings.iterations + 1):
            evaluation: Evaluation = problem.objective(parameters.R_m2c, parameters.t_m2c)
            recorder.record(parameters.R_m2c, parameters.t_m2c, evaluation.cost, evaluation.modality_costs)
            if progress is not None:
                progress(iteration, settings.iterations, recorder.lowest)
            if iteration == settings.iterations or stall.stalled(evaluation.cost):
                break
            factor = exponential_decay(iteration, iterations=settings.iterations, decay=settings.decay)
            optimizer.step(parameters, evaluation.gradient, settings.learning_rate * factor * rates)
        return recorder, rates

    def _result(self, problem: Problem, pose: Pose, recorder: Recorder, rates: F64, began: float) -> RefinementResult:
        history = recorder.history(rates)
        iteration, winner = recorder.best
        names = problem.objective.modalities
        status = Status.CONVERGED if at_rest(history.costs, self.preset.descent) else Status.ITERATION_LIMIT
        if iteration == 0:
            status = Status.FAILED
        return RefinementResult(
            pose=Pose(history.R_m2c[iteration, winner], history.t_m2c[iteration, winner]),
            initial_pose=pose,
            cost=float(history.costs[iteration, winner]),
            initial_cost=float(history.costs[0, 0]),
            cost_per_modality=named(names, history.modality_costs[iteration, winner]),
            initial_cost_per_modality=named(names, history.modality_costs[0, 0]),
            status=status, message=MESSAGES[status],
            winner=winner, winner_iteration=iteration, iterations=len(history.costs) - 1,
            history=history, modalities=names,
            notes=notes_on(self.mesh, problem.observation, self.preset.objective),
            seed=self.seed, elapsed_s=time.perf_counter() - began, window=problem.window,
        )  # fmt: skip

    def _refused(self, status: Status, pose: Pose, window: CropWindow | None, began: float) -> RefinementResult:
        """The start pose unchanged, with the reason why nothing could be compared."""
        return RefinementResult(
            pose=pose, initial_pose=pose, cost=float("inf"), initial_cost=float("inf"),
            cost_per_modality={}, initial_cost_per_modality={}, status=status, message=MESSAGES[status],
            winner=0, winner_iteration=0, iterations=0,
            history=History(
                np.full((1, 1), np.inf), np.zeros((1, 1, 0)), pose.R_m2c[None, None], pose.t_m2c[None, None], np.ones(1)
            ),
            modalities=(), notes=(), seed=self.seed, elapsed_s=time.perf_counter() - began, window=window,
        )  # fmt: skip


class StallCheck:
    """Says when a descent may stop, and whether it has come to rest."""

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


def named(names: tuple[str, ...], values: F64) -> dict[str, float]:
    """Costs by name."""
    return {name: float(value) for name, value in zip(names, values, strict=True)}


def without_mask(settings: ObjectiveSettings) -> ObjectiveSettings:
    """Nobody says which pixels belong to the object: large residuals are other things, not errors."""
    return replace(settings, rgb_cap=min(settings.rgb_cap, 0.3), depth_cap=min(settings.depth_cap, 0.1), uncovered=0.5)


def nothing_to_compare(mesh: Mesh, observation: Observation) -> str:
    """Why no modality is left."""
    given = ", ".join(observation.modalities)
    colour = "has colours" if mesh.has_color else "has no colours, so RGB cannot be compared"
    return (
        f"observation: expected an image that can be compared with the mesh, got {given}; the mesh {colour}; "
        "give depth or a mask, or a weight > 0 for what there is"
    )


def notes_on(mesh: Mesh, observation: Observation, settings: ObjectiveSettings) -> tuple[str, ...]:
    """What was switched off, and why."""
    notes = list(mesh.warnings)
    weights = dict(zip(MODALITIES, (settings.rgb_weight, settings.depth_weight, settings.mask_weight), strict=False))
    if observation.rgb is not None and not mesh.has_color:
        notes.append("rgb is off: the mesh has no colours")
    for name, image in (("rgb", observation.rgb), ("depth", observation.depth), ("mask", observation.mask)):
        if image is None:
            notes.append(f"{name} is off: no {name} image was given")
        elif weights[name] == 0.0:
            notes.append(f"{name} is off: its weight is 0")
    if observation.mask is None:
        notes.append("without a mask, everything inside the projected start region counts")
    return tuple(notes)


def refine(
    mesh: Mesh,
    observation: Observation,
    pose: Pose,
    *,
    preset: str | Preset = "paper",
    seed: int = 0,
    threads: int | None = None,
) -> RefinementResult:
    """Refines one pose; see `Refiner`, which is faster for more than one."""
    return Refiner(mesh, preset=preset, seed=seed, threads=threads).refine(observation, pose)


__all__ = ["Refiner", "refine"]
