"""Single searches of one mesh: each is run in the object's own frame, and its outcome made a result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.compilation.compile_ahead import compile_before
from diffdope.pipelines.diagnosis.modality_rejection import RejectionTrial
from diffdope.pipelines.diagnosis.wrong_colors import without_wrong_colors
from diffdope.pipelines.diagnosis.wrong_depth import without_wrong_depth
from diffdope.pipelines.diagnosis.wrong_mask import without_shifted_mask, without_wrong_mask
from diffdope.pipelines.notes import notes_on
from diffdope.pipelines.result import MESSAGES, NOWHERE, RefinementResult, message_of, nothing_compared
from diffdope.pipelines.settings import Preset
from diffdope.problem.failure import Failure
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.descent import Progress
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.outcome import Outcome
from diffdope.search.search import Search
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.tracking.keyframes import Keyframes
from diffdope.terms.photometric_gain import PhotometricGain

F64 = NDArray[np.float64]

NOTHING_THERE = "nothing could be compared in the mask: it shows too few pixels, or K, the mesh or its unit are wrong"


class MeshSearcher:
    """Runs searches with the tables and buffers of one mesh.

    Args:
        meshes: what is kept of it, in its own frame.
        camera: if given, observations by any other camera are refused.
        preset: of the refiner; searches may have others.
        seed: of the hypotheses.

    Attributes:
        ended: called with where each search ended, the curvature of the cost there, and how far the print alone would
            lead from there, metres; None for not at all.
    """

    def __init__(self, meshes: MeshLevels, camera: Camera | None, preset: Preset, seed: int) -> None:
        self.meshes = meshes
        self._camera, self._preset, self.seed = camera, preset, seed
        self.ended: Callable[[Pose, F64, float], None] | None = None

    @property
    def mesh(self) -> Mesh:
        """The object, in its own frame."""
        return self.meshes.mesh

    def attempt(
        self,
        preset: Preset,
        observation: Observation,
        pose: Pose | None,
        *,
        progress: Progress | None = None,
        keyframes: Keyframes | None = None,
        box: Box | None = None,
        guesses: Sequence[Pose] = (),
        **how: Any,
    ) -> Attempt:
        """One search: a result in the own frame.

        Args:
            preset: of the search.
            observation: the image.
            pose: the start; None to look everywhere.
            progress: as `Refiner.refine` has it.
            keyframes: what a film has shown of the object so far.
            box: see `Search`.
            guesses: see `Search`.
            how: see `Search.run`.
        """
        began = time.perf_counter()
        inputs = self.inputs(preset, observation, keyframes)
        descent = preset.descent if preset.solver == "descent" else None
        search = Search(inputs, pose, seed=self.seed, descent=descent, progress=progress, box=box, guesses=guesses)
        outcome = search.run(**how)
        if isinstance(outcome, Failure):
            return Attempt(self.refused(outcome, pose, began), None)
        if self.ended is not None and outcome.curvature is not None:
            self.ended(outcome.pose, outcome.curvature, outcome.apart_m)
        return Attempt(self._result(outcome, observation, began, boxed=box is not None), outcome.gain)

    def inputs(self, preset: Preset, observation: Observation, keyframes: Keyframes | None = None) -> SearchInputs:
        """What a search is given, once its kernels are compiled; for the arguments see `attempt`.

        Raises:
            DiffDopeError: if the observation is of another camera.
        """
        if self._camera is not None and observation.camera != self._camera:
            raise expected("observation", f"the refiner's camera {self._camera}", observation.camera)
        compile_before(preset)
        settings, margin = preset.resolved_search, preset.crop.margin
        return SearchInputs(self.meshes, observation, settings, preset.objective, margin, keyframes)

    def refused(self, failure: Failure, pose: Pose | None, began: float) -> RefinementResult:
        """The result of a search in which nothing could be compared.

        Args:
            failure: why.
            pose: the start; None if there was none.
            began: by `time.perf_counter`.
        """
        return nothing_compared(
            pose or NOWHERE, failure.status, MESSAGES[failure.status] if pose is not None else NOTHING_THERE,
            seed=self.seed, elapsed_s=time.perf_counter() - began, window=failure.window,
        )  # fmt: skip

    def _result(self, outcome: Outcome, observation: Observation, began: float, *, boxed: bool) -> RefinementResult:
        names = outcome.level.modalities
        told = notes_on(self.mesh, observation, self._preset, names, boxed=boxed)
        return RefinementResult(
            pose=outcome.pose,
            initial_pose=outcome.start,
            cost=outcome.cost,
            initial_cost=outcome.initial_cost,
            cost_per_modality=dict(zip(names, outcome.modality_costs.tolist(), strict=True)),
            initial_cost_per_modality=dict(zip(names, outcome.initial_modality_costs.tolist(), strict=True)),
            status=outcome.status, message=message_of(outcome.status, outcome.why, located=outcome.answers is not None),
            winner=outcome.winner, winner_iteration=outcome.winner_iteration,
            iterations=len(outcome.history.costs) - 1, history=outcome.history, modalities=names,
            notes=(*told, *outcome.notes),
            seed=self.seed, elapsed_s=time.perf_counter() - began, window=outcome.level.window,
            covariance=outcome.covariance, unobserved=outcome.unobserved,
            confidence=outcome.confidence, evidence=outcome.quality,
            answers=() if outcome.answers is None else outcome.answers.ranked,
            none_of_these=None if outcome.answers is None else outcome.answers.none,
        )  # fmt: skip

    def with_right_images(
        self, attempt: Attempt, observation: Observation, start: Pose | None, *, start_counts: bool = False
    ) -> Attempt:
        """The same, or without an image that is of something else, or of more; `start` in the own frame."""
        if not self._preset.resolved_search.contradictions:
            return attempt
        again = partial(self.attempt, self._preset, pose=start, start_counts=start_counts)
        trial = RejectionTrial(attempt, self.meshes, observation, again, start, self._preset.resolved_search)
        for without_wrong in (without_shifted_mask, without_wrong_depth, without_wrong_colors, without_wrong_mask):
            trial = trial._replace(attempt=without_wrong(trial))
        return trial.attempt

    def follow(
        self,
        preset: Preset,
        keyframes: Keyframes | None,
        observation: Observation,
        pose: Pose,
        gain: PhotometricGain | None,
    ) -> Attempt:
        """A frame of which the last level will do, in the light of the frame before."""
        return self.attempt(preset, observation, pose, keyframes=keyframes, near=True, followed=gain)
