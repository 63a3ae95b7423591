"""Refines poses: checks the start, lets the preset's solver work, and makes the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.solve.gradient_descent import Progress, at_rest, descend
from diffdope.search.mesh_levels import Details
from diffdope.search.frame import FrameSolver
from diffdope.search.outcome import Outcome
from diffdope.problem.prepare import named, notes_on, prepare
from diffdope.problem.region import choose_window, projected_box
from diffdope.pipelines.result import MESSAGES, History, RefinementResult, Status
from diffdope.search.search import Search
from diffdope.pipelines.settings import DEFAULT, Preset
from diffdope.pipelines.settings import preset as find_preset
from diffdope.pipelines.tracker import Tracker, tracking_presets
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
Refused = tuple[Status, CropWindow | None]
Solve = Callable[[Observation, Pose], Outcome | Refused]


class Refiner:
    """Refines poses of one mesh. Keep it: mesh tables, buffers and compiled kernels stay warm.

    Args:
        mesh: the object.
        camera: if given, observations by any other camera are refused: a guard for loops over one camera.
        preset: name or `Preset`.
        seed: of the hypotheses. Same seed, same result to the bit, whatever the number of threads.
        threads: None for the library setting (all cores unless `set_threads` said otherwise).

    Raises:
        DiffDopeError: if there is no such preset, or a number is out of range.
    """

    def __init__(
        self,
        mesh: Mesh,
        camera: Camera | None = None,
        *,
        preset: str | Preset = DEFAULT,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        self.mesh = mesh
        self.camera = camera
        self.preset = find_preset(preset)
        self.seed = seed
        search = self.preset.search
        self._details = Details(mesh, (*search.near.faces, *search.far.faces), threads=threads)
        self._tracker: Tracker | None = None

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
        if self.preset.solver == "newton" and FrameSolver.fits(self.preset.search):
            return self._refine(observation, pose, partial(self._close_by.solve, progress=progress))
        solve = self._search if self.preset.solver == "newton" else self._descend
        return self._refine(observation, pose, partial(solve, self.preset, progress=progress))

    @cached_property
    def _close_by(self) -> FrameSolver:
        """Of a preset without a search around the start."""
        return FrameSolver(self._details, self.preset)

    def track(
        self, observation: Observation, pose: Pose | None = None, *, time_s: float | None = None
    ) -> RefinementResult:
        """Finds the pose in the next frame of a video: continues from the frames before, with a motion model.

        A frame in which the object is not found has the status `LOST`, a message, and a pose that is only predicted;
        the following ones look for it, also with the wider search. See `diffdope.pipelines.tracker`.

        Args:
            observation: the frame.
            pose: (re)starts there; needed for the first frame.
            time_s: of the frame, seconds, where frames do not come evenly; later than that of the frame before.

        Raises:
            DiffDopeError: if the first frame comes without a pose, if times do not increase, if the preset's solver
                has no confidence (`descent`), or for what `refine` refuses.
        """
        if self._tracker is None:
            self._tracker = self._new_tracker()
        return self._tracker.track(observation, pose, time_s=time_s)

    def _new_tracker(self) -> Tracker:
        near, wide = tracking_presets(self.preset)
        solvers: dict[str, Solve] = {"refine": partial(self._search, near), "search": partial(self._search, wide)}
        if FrameSolver.fits(near.search):
            frames = FrameSolver(self._details, near)
            solvers |= {"refine": frames.solve, "quick": partial(frames.solve, followed=True)}

        def refined(observation: Observation, pose: Pose, *, solve: Solve) -> RefinementResult:
            return self._refine(observation, pose, solve)

        return Tracker(
            self.mesh, self.preset.tracking, **{name: partial(refined, solve=solve) for name, solve in solvers.items()}
        )

    def _refine(self, observation: Observation, pose: Pose, solve: Solve) -> RefinementResult:
        began = time.perf_counter()
        if self.camera is not None and observation.camera != self.camera:
            raise expected("observation", f"the refiner's camera {self.camera}", observation.camera)
        outcome = solve(observation, pose)
        if isinstance(outcome, Outcome):
            return self._result(outcome, observation, pose, began)
        return self._refused(*outcome, pose, began)

    def _search(
        self, preset: Preset, observation: Observation, pose: Pose, progress: Progress | None = None
    ) -> Outcome | Refused:
        return Search(self._details, observation, pose, preset, seed=self.seed, progress=progress).run()

    def _descend(
        self, preset: Preset, observation: Observation, pose: Pose, progress: Progress | None = None
    ) -> Outcome | Refused:
        box = projected_box(self.mesh, pose, observation.camera)
        if isinstance(box, Status):
            return box, None
        problem = prepare(
            self._details.buffers(), observation, pose, choose_window(box, observation, preset.crop), preset.objective,
            length_m=self.mesh.diameter,
        )  # fmt: skip
        if problem.start_overlap <= 0.0:
            return Status.NO_OVERLAP, problem.window
        recorder, rates = descend(
            problem.objective, pose, preset.descent,
            length_m=self.mesh.diameter, seed=self.seed, progress=progress,
        )  # fmt: skip
        history = recorder.history(rates)
        iteration, winner = recorder.best
        status = Status.CONVERGED if at_rest(history.costs, preset.descent) else Status.ITERATION_LIMIT
        return Outcome(
            problem=problem,
            pose=Pose(history.R_m2c[iteration, winner], history.t_m2c[iteration, winner]),
            status=Status.FAILED if iteration == 0 else status,
            cost=float(history.costs[iteration, winner]),
            modality_costs=history.modality_costs[iteration, winner],
            initial_cost=float(history.costs[0, 0]),
            initial_modality_costs=history.modality_costs[0, 0],
            history=history, winner=winner, winner_iteration=iteration,
        )  # fmt: skip

    def _result(self, outcome: Outcome, observation: Observation, pose: Pose, began: float) -> RefinementResult:
        names = outcome.problem.modalities
        return RefinementResult(
            pose=outcome.pose,
            initial_pose=pose,
            cost=outcome.cost,
            initial_cost=outcome.initial_cost,
            cost_per_modality=named(names, outcome.modality_costs),
            initial_cost_per_modality=named(names, outcome.initial_modality_costs),
            status=outcome.status, message=MESSAGES[outcome.status],
            winner=outcome.winner, winner_iteration=outcome.winner_iteration,
            iterations=len(outcome.history.costs) - 1, history=outcome.history, modalities=names,
            notes=(*notes_on(self.mesh, observation, self.preset.objective, names), *outcome.notes),
            seed=self.seed, elapsed_s=time.perf_counter() - began, window=outcome.problem.window,
            covariance=outcome.covariance, unobserved=outcome.unobserved,
            confidence=outcome.confidence, evidence=outcome.evidence,
        )  # fmt: skip

    def _refused(self, status: Status, window: CropWindow | None, pose: Pose, began: float) -> RefinementResult:
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


def refine(
    mesh: Mesh,
    observation: Observation,
    pose: Pose,
    *,
    preset: str | Preset = DEFAULT,
    seed: int = 0,
    threads: int | None = None,
) -> RefinementResult:
    """Refines one pose; see `Refiner`, which is faster for more than one."""
    return Refiner(mesh, preset=preset, seed=seed, threads=threads).refine(observation, pose)


__all__ = ["Refiner", "refine"]
