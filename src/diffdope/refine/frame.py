"""One hypothesis from a start close by, without a search around it: a frame of a tracked object, or a good start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import CropWindow, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.objective.layout import Painted, canvas
from diffdope.objective.objective import Evaluation
from diffdope.optimize.levenberg_marquardt import Solution, minimise
from diffdope.refine.confidence import confidence_of
from diffdope.refine.details import Details
from diffdope.refine.evidence import Drawing, weigh_in_light
from diffdope.refine.light import NEUTRAL, Light
from diffdope.refine.outcome import Outcome
from diffdope.refine.polish import Polished, polish_of
from diffdope.refine.problem import Problem, prepare, prepare_followed
from diffdope.refine.recorder import Recorder
from diffdope.refine.region import box_of
from diffdope.refine.result import Status
from diffdope.refine.settings import Preset, SearchSettings
from diffdope.scene.extent import hull_corners
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
Refused = tuple[Status, CropWindow | None]
Progress = Callable[[int, int, float], None]
_ONLY = np.zeros(1, np.intp)
_FLATTER = 0.2  # without depth the cost is flatter along the line of sight: gains count down to this share of others


class FrameSolver:
    """Levenberg-Marquardt of one pose, level by level.

    It differs from `Search` with one hypothesis in what it leaves out: what speaks for the result is read off its last
    evaluation instead of another rendering, and in a followed frame the crop is around the start alone, wherever else
    the mask may be.

    Args:
        details: of the mesh.
        preset: its objective, crop, and near search are used.
    """

    def __init__(self, details: Details, preset: Preset) -> None:
        self._details, self._preset = details, preset
        self._length_m = details.mesh.diameter
        # Seen from outside, an object's box is that of its convex hull, which has far fewer corners.
        self._corners_m = hull_corners(details.mesh.vertices_m)
        self._light: Light | None = None
        step = preset.search.step
        self._step = step
        self._patient_step = replace(step, negligible=_FLATTER * step.negligible, tolerance=_FLATTER * step.tolerance)

    @staticmethod
    def fits(search: SearchSettings) -> bool:
        """Whether a search has one hypothesis throughout, and nothing around it."""
        near, outline = search.near, search.outline
        around = near.angle_deg, near.distance, search.doubt, outline.weight, outline.weight_with_depth
        return set(near.hypotheses) == {1} and not any(around) and not search.other_sides

    def solve(
        self, observation: Observation, start: Pose, *, followed: bool = False, progress: Progress | None = None
    ) -> Outcome | Refused:
        """The best pose close to a start, or why nothing could be compared.

        Args:
            observation: the whole frame.
            start: where the object is expected.
            followed: whether it was found in the frame before and is expected there to a few pixels: then the last
                level will do, in the light of that frame.
            progress: called as progress(iteration, iterations, lowest cost).
        """
        near, pose = self._preset.search.near, start
        levels = list(zip(near.sizes, near.faces, near.iterations, strict=True))
        recorder: Recorder | None = None
        problem: Problem | None = None
        for level in levels[-1:] if followed else levels:
            size, faces, iterations = level
            final = level is levels[-1]
            prepared = self._prepare(observation, pose, size, faces, followed=followed, final=final)
            if not isinstance(prepared, Problem):  # later, it is not the start that has left the picture
                return prepared if recorder is None else (Status.FAILED, prepared[1])
            problem = prepared
            if recorder is None:
                recorder = Recorder(sum(near.iterations) + len(near.iterations), 1, len(problem.modalities))
            solution, drawing = self._descend(problem, pose, iterations, recorder, progress)
            pose = Pose(solution.R_m2c[0], solution.t_m2c[0])
        assert recorder is not None and problem is not None
        return self._outcome(
            problem, start, pose, drawing, recorder, converged=bool(solution.converged[0]), anew=not followed
        )

    def _prepare(
        self, observation: Observation, pose: Pose, size: int, faces: int, *, followed: bool, final: bool
    ) -> Problem | Refused:
        box = box_of(pose.apply(self._corners_m), observation.camera)
        if isinstance(box, Status):
            return box, None
        boxes = [box] if followed or observation.mask_box is None else [box, observation.mask_box]
        window = choose_crop(boxes, observation.camera, margin=self._preset.crop.margin, max_size=size)
        buffers, objective = self._details.buffers(faces), self._preset.objective
        if followed and self._light is not None and "mask" not in observation.modalities:
            return prepare_followed(buffers, observation, window, objective, length_m=self._length_m, light=self._light)
        problem = prepare(
            buffers, observation, pose, window, objective,
            length_m=self._length_m, with_normal=True, light=self._preset.search.light,
            mask_error_px=self._preset.search.mask_error_px if final else 0.0,
        )  # fmt: skip
        return problem if problem.start_overlap > 0.0 else (Status.NO_OVERLAP, window)

    def _descend(
        self, problem: Problem, pose: Pose, iterations: int, recorder: Recorder, progress: Progress | None
    ) -> tuple[Solution, Drawing]:
        """Newton steps of one level, recorded, and the images of the best pose."""
        width, height = problem.window.size
        best, spare = canvas(width * height), canvas(width * height)
        seen: list[Evaluation] = []

        def evaluate(R: F64, t: F64) -> Evaluation:
            seen[:] = [problem.objective(R, t, spare)]
            return seen[0]

        def watch(R: F64, t: F64, better: NDArray[np.bool_]) -> None:
            nonlocal best, spare
            recorder.record(R, t, seen[0].cost, seen[0].modality_costs[:, problem.objective.active])
            if better[0]:
                best, spare = spare, best
            else:
                recorder.keep(_ONLY)
            if progress is not None:
                progress(recorder.last, recorder.capacity - 1, float(seen[0].cost[0]))

        solution = minimise(
            evaluate, pose.R_m2c[None], pose.t_m2c[None], length_m=0.5 * self._length_m, iterations=iterations,
            settings=self._patient_step if problem.raw.depth is None else self._step, watch=watch,
        )  # fmt: skip
        return solution, drawn(best, width, height)

    def _outcome(
        self, problem: Problem, start: Pose, pose: Pose, drawing: Drawing, recorder: Recorder, *,
        converged: bool, anew: bool,
    ) -> Outcome:  # fmt: skip
        """What speaks for a result, and how far off it may be."""
        last, search = recorder.last, self._preset.search
        evidence, light = weigh_in_light(drawing, problem.raw, problem.care, self._length_m)
        confidence = confidence_of(evidence)
        self._light = self._known(light) if confidence >= self._preset.tracking.doubt else None
        status = Status.CONVERGED if converged else Status.ITERATION_LIMIT
        polished = Polished(pose)
        if not search.polish.idle:
            polished = polish_of(problem, pose, search, self._details)(pose, start)
        history = recorder.history(np.ones(1))
        costs, each = history.costs[[0, -1], 0], history.modality_costs[[0, -1], 0]
        if anew or polished.moved:  # the first cost is of another level, or the last one of another pose
            costs, each = problem.costs(start, polished.pose)
        if polished.moved:
            recorder.amend(last, 0, polished.pose, float(costs[1]), each[1])
        return Outcome(
            problem=problem, pose=polished.pose,
            status=status if confidence >= search.least_confidence else Status.FAILED,
            cost=float(costs[1]), modality_costs=each[1],
            initial_cost=float(costs[0]), initial_modality_costs=each[0],
            history=history, winner=0, winner_iteration=last, evidence=evidence, confidence=confidence,
            covariance=polished.covariance, unobserved=polished.unobserved, notes=polished.notes,
        )  # fmt: skip

    def _known(self, light: Light | None) -> Light | None:
        """What the next frame may take for its light without looking at it first."""
        model = self._preset.search.light
        return NEUTRAL if model == "as-is" else (light if model == "gain-bias" else None)


def drawn(images: Painted, width: int, height: int) -> Drawing:
    """Flat images in their shape."""
    return Drawing(
        images.rgb.reshape(height, width, 3), images.depth.reshape(height, width),
        images.coverage.reshape(height, width),
    )  # fmt: skip
