"""Refines poses: checks the start, lets a search work in the object's own frame, and makes the result."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import check_number, check_seed, check_threads, check_type, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.pipelines.attempt import Attempt, tracking_presets
from diffdope.pipelines.believed import believed
from diffdope.pipelines.compiled import compile_before
from diffdope.pipelines.in_box import (
    IN_A_PIECE,
    IN_THE_PICTURE,
    NO_PATTERN,
    NO_POSE_IN_BOX,
    NO_POSE_IN_PICTURE,
    box_of_mask,
    by_keypoints,
    check_can_be_found,
    checked_box,
    doubted,
    doubted_rectangle,
    notes_on_box,
    surest,
    with_note,
)
from diffdope.pipelines.notes import notes_on
from diffdope.pipelines.own_frame import OwnFrame
from diffdope.pipelines.plausible import with_hints
from diffdope.pipelines.reasons import with_reasons
from diffdope.pipelines.result import (
    MESSAGES,
    NOWHERE,
    RefinementResult,
    in_pose_of,
    message_of,
    nothing_compared,
    seen_in,
)
from diffdope.pipelines.settings import DEFAULT, Preset
from diffdope.pipelines.settings import preset as find_preset
from diffdope.pipelines.start import POSE_CURE, Start, best_of, poses_of
from diffdope.pipelines.tracker import Tracker
from diffdope.pipelines.wrong_depth import without_wrong_depth
from diffdope.problem.failure import Failure, Status
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.canonical import nearest_alike
from diffdope.search.descent import Progress
from diffdope.search.feature_boxes import feature_boxes
from diffdope.search.keyframes import Keyframes
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.outcome import Outcome
from diffdope.search.patch import PatchMatcher
from diffdope.search.search import Search
from diffdope.terms.photometric_gain import PhotometricGain

F64 = NDArray[np.float64]
NOTHING_THERE = "nothing could be compared in the mask: it shows too few pixels, or K, the mesh or its unit are wrong"
OBSERVATION_CURE = "Observation(camera, rgb=..., depth=..., mask=...) takes images"


class Refiner:
    """Refines poses of one mesh. Keep it: mesh tables, buffers and compiled kernels stay warm.

    Any number of threads may call `refine` at a time, with the same results as one after the other, to the bit. `track`
    is one video: frames come one after the other. A forked child, and a pickle's copy, make threads of their own.

    Args:
        mesh: the object.
        camera: if given, observations by any other camera are refused: a guard for loops over one camera.
        preset: name or `Preset`.
        seed: of the hypotheses, a whole number from 0 on. Same seed, same result to the bit, whatever the number of
            threads.
        threads: None for the library setting (all cores unless `set_threads` said otherwise).

    Raises:
        DiffDopeError: if there is no such preset, a number is out of range, or an argument is of another type.
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
        self.preset = find_preset(preset)
        check_type("mesh", mesh, Mesh, cure="Mesh.load reads a file")
        if camera is not None:
            check_type("camera", camera, Camera)
        self.mesh = mesh
        self.camera = None if camera is None else camera.rectified
        self.seed = check_seed("seed", seed)
        threads = check_threads(threads)
        search = self.preset.resolved_search
        self._frame = OwnFrame.of(mesh)
        faces = (*search.near.faces, *search.far.faces)
        self._meshes = MeshLevels(self._frame.mesh, faces, threads=threads)
        self._tracker: Tracker | None = None

    def __repr__(self) -> str:
        return f"Refiner({self.mesh!r}, preset={self.preset.name!r}, seed={self.seed})"

    @property
    def frame(self) -> OwnFrame:
        """The object's own frame, in which it is searched."""
        return self._frame

    @property
    def meshes(self) -> MeshLevels:
        """What is kept of the mesh, in the own frame."""
        return self._meshes

    def refine(
        self, observation: Observation, pose: Start, *, start_counts: bool = True, progress: Progress | None = None
    ) -> RefinementResult:
        """Finds the pose near `pose` whose rendering agrees best with the observation.

        Args:
            observation: the calibrated image.
            pose: rough start: a `Pose`, a matrix (4, 4) in metres, the path of a pose file, or a list of these, of
                which the best result is returned, and says in its notes which start it was.
            start_counts: whether the start is weighed against the images in the end, as good as they find it to be.
                Not where results from one start are put together, such as those of several views.
            progress: called as progress(iteration, iterations, lowest cost), after every round of steps. A level is a
                round, or a few; all iterations of `paper` are one.

        Raises:
            DiffDopeError: if the observation has nothing that this mesh can be compared with, or comes from another
                camera than the one that the refiner was made for, or `start_counts` is no truth value.
        """
        starts, notes = poses_of(pose)
        _check_given(observation, progress)
        check_type("start_counts", start_counts, bool)
        if len(starts) > 1:
            results = [self.refine(observation, one, start_counts=start_counts, progress=progress) for one in starts]
            return seen_in(best_of(results), self.mesh, observation)
        pose = starts[0]
        enter = self._frame.enter(pose)
        attempt = self._attempt(self.preset, observation, enter, progress=progress, start_counts=start_counts)
        attempt = self._with_right_depth(attempt, observation, enter, start_counts=start_counts)
        result = with_hints(
            self._left(self._with_reasons(attempt.result, observation, enter), pose),
            self.mesh,
            observation,
            pose,
        )
        result = replace(result, notes=(*notes, *result.notes)) if notes else result
        return seen_in(result, self.mesh, observation)

    def locate(
        self,
        observation: Observation,
        *,
        box: ArrayLike | None = None,
        near: Pose | None = None,
        progress: Progress | None = None,
    ) -> RefinementResult:
        """Finds the pose with no start: rotations all around are laid over the mask, and the best of them refined.

        Args:
            observation: the calibrated image, with a mask or a box; or with depth, and nothing that says where the
                object is. Then it is found if it stands out from tables and walls, apart from other things; or RGB
                alone, in which an object is found by what is painted on it (which needs OpenCV).
            box: (x, y, width, height) of the object's visible part, pixels, x and y of its top left corner: instead of
                a mask, of a detector that gives none. Without depth, the object is found by what is painted on it,
                which needs OpenCV. A mask that fills a rectangle is taken for a box; without depth, only where what is
                in a box could be found.
            near: of poses that look the same, the result is the one that is turned least from this one, so that those
                of a symmetric object do not jump between images. It is no start: it changes nothing else.
            progress: as `refine`.

        Raises:
            DiffDopeError: if there is neither mask, box nor depth, and nothing by which a photograph alone would show
                the object; if there is a box and a mask, or the box has no
                pixel in the image, or there is no depth beside it and OpenCV is not installed; if the preset's solver
                does not search (`descent`), or for what `refine` refuses.
        """
        _check_given(observation, progress)
        if self.preset.solver == "descent":
            raise expected("preset", "one whose solver searches", self.preset.name, "locate with default or fast")
        corners = None if box is None else checked_box(box, observation)
        if corners is None:
            check_can_be_found(observation, self.mesh)
        if near is not None:
            check_type("near", near, Pose, cure=POSE_CURE)
        result = self._anywhere(self.preset, observation, box=corners, progress=progress).result
        if near is not None and result.answers:
            same = self._meshes.unnoticed
            result = self._turned(result, observation, nearest_alike(result.pose, self._frame.enter(near), same))
        if box is not None:
            result = replace(result, notes=(*result.notes, *notes_on_box(box, observation, found=result.ok)))
        found = self._left(self._with_reasons(result, observation, None), self._frame.leave(result.initial_pose))
        return seen_in(with_hints(found, self.mesh, observation, None), self.mesh, observation)

    def _anywhere(
        self, preset: Preset, observation: Observation, *, box: Box | None = None, progress: Progress | None = None
    ) -> Attempt:
        """In the mask; or the surest in masks that a box leads to, or, without either, in pieces that stand out."""
        if box is None and observation.mask_box is None and "depth" not in observation.modalities:
            return self._in_whole_photograph(preset, observation, progress)
        box = box_of_mask(observation, self.mesh) if box is None else box
        if box is not None and "depth" not in observation.modalities:
            return self._in_photograph(preset, observation.without_mask(), box, progress)
        if box is None and observation.mask_box is not None:
            found = self._with_right_depth(
                self._attempt(preset, observation, None, progress=progress), observation, None
            )
            return doubted_rectangle(found, observation, self.mesh, preset.resolved_search)
        began, whole, settings = time.perf_counter(), observation.without_mask(), preset.resolved_search
        search = self._search(preset, whole, None)
        masks = search.pieces(self.seed) if box is None else search.masks_in_box(box)
        if isinstance(masks, Failure):
            return Attempt(self._refused(masks, None, began), None)

        def attempts() -> Iterator[Attempt]:
            for mask in masks:
                one = self._attempt(preset, whole.with_mask(mask), None, progress=progress)
                yield with_note(one, IN_A_PIECE) if box is None else doubted(one, self._meshes, whole, box, settings)

        best = surest(attempts(), settings.fallback_confidence)
        return best._replace(result=replace(best.result, elapsed_s=time.perf_counter() - began))

    def _in_whole_photograph(
        self, preset: Preset, observation: Observation, progress: Progress | None
    ) -> Attempt:  # fmt: skip
        """Without mask, box and depth: the surest in boxes of which most keypoints speak for the object."""
        began, settings = time.perf_counter(), preset.resolved_search
        boxes = feature_boxes(self._meshes, observation, settings.features)
        if not boxes:
            refused = self._refused(Failure(Status.FAILED), None, began)
            return Attempt(replace(refused, message=NO_POSE_IN_PICTURE), None)
        each = (self._in_photograph(preset, observation, box, progress) for box in boxes)
        best = surest(each, settings.fallback_confidence)
        notes = (*best.result.notes, IN_THE_PICTURE)
        return best._replace(result=replace(best.result, elapsed_s=time.perf_counter() - began, notes=notes))

    def _in_photograph(
        self, preset: Preset, observation: Observation, box: Box, progress: Progress | None
    ) -> Attempt:  # fmt: skip
        """In a box, without depth: by keypoints, which need a pattern."""
        attempt = self._attempt(preset, observation, None, progress=progress, box=box)
        if attempt.result.modalities:
            return by_keypoints(attempt)
        why = NO_POSE_IN_BOX if self.mesh.has_pattern else NO_PATTERN
        return attempt._replace(result=replace(attempt.result, message=why))

    def _turned(self, result: RefinementResult, observation: Observation, pose: Pose) -> RefinementResult:
        """A located result in a pose that looks the same; symmetries are found to some degrees, so it is refined."""
        if pose is result.pose:
            return result
        refined = self._attempt(tracking_presets(self.preset)[0], observation, pose).result
        return in_pose_of(refined, result) if refined.ok else result

    def track(
        self, observation: Observation, pose: Pose | None = None, *, time_s: float | None = None
    ) -> RefinementResult:
        """Finds the pose in the next frame of a video: continues from the frames before, with a motion model.

        A frame in which the object is not found has the status `LOST`, a message, and a pose that is only predicted;
        the following ones look for it, also with the wider search. See `diffdope.pipelines.tracker`.

        Args:
            observation: the frame.
            pose: (re)starts there. Without one in the first frame, the object is located in its mask; until it is
                found, frames are `LOST`.
            time_s: of the frame, seconds, where frames do not come evenly; later than that of the frame before.

        Raises:
            DiffDopeError: if the first frame comes without a pose and without a mask, if times do not increase, if the
                preset's solver has no confidence (`descent`), or for what `refine` refuses.
        """
        check_type("observation", observation, Observation, cure=OBSERVATION_CURE)
        if pose is not None:
            check_type("pose", pose, Pose, cure=POSE_CURE)
        time_s = None if time_s is None else check_number("time_s", time_s, "a time in seconds or None")
        if self._tracker is None:
            self._tracker = self._new_tracker()
        start = None if pose is None else self._frame.enter(pose)
        result = self._tracker.track(observation, start, time_s=time_s)
        tracked = self._left(result, self._frame.leave(result.initial_pose) if pose is None else pose)
        return seen_in(tracked, self.mesh, observation)

    def _with_right_depth(
        self, attempt: Attempt, observation: Observation, start: Pose | None, *, start_counts: bool = False
    ) -> Attempt:
        """The same, or without depth that is of something else; `start` in the own frame."""
        if not self.preset.resolved_search.contradictions:
            return attempt
        mesh = self._frame.mesh
        again = partial(self._attempt, self.preset, pose=start, start_counts=start_counts)
        return without_wrong_depth(attempt, mesh, observation, again)

    def _with_reasons(self, result: RefinementResult, observation: Observation, start: Pose | None) -> RefinementResult:
        """A failed result with what its evidence says of the cause; `start` in the own frame."""
        if self.preset.solver != "newton":
            return result
        search = self.preset.search.contradictions  # who is in a hurry gets none
        return with_reasons(result, self._meshes, observation, start, search=search)

    def _left(self, result: RefinementResult, start: Pose) -> RefinementResult:
        """A result of a search as a user gets it: in the file's frame, with the confidence that was asked for."""
        confidence = self.preset.resolved_search.confidence
        return self._frame.result(believed(result, self._meshes, confidence), start)

    def _new_tracker(self) -> Tracker:
        near, wide = tracking_presets(self.preset)
        keyframes = Keyframes(self._meshes)
        # No functions of this place, for they could not be pickled.
        refine, search = (partial(self._attempt, one, keyframes=keyframes) for one in (near, wide))
        quick = partial(self._follow, near, keyframes)
        # The wider search of a lost object runs in any case; locating has a second one where the first is in doubt.
        locating = replace(wide, search=replace(wide.search, fallback_confidence=self.preset.tracking.found))
        alone = set(near.search.near.hypotheses) == {1}
        return Tracker(
            self._frame.mesh, self.preset.tracking, refine, search, quick if alone else None, light=near.search.light,
            locate=partial(self._anywhere, locating), matcher=PatchMatcher(self._meshes), keyframes=keyframes,
        )  # fmt: skip

    def _follow(
        self, preset: Preset, keyframes: Keyframes, observation: Observation, pose: Pose, gain: PhotometricGain | None
    ) -> Attempt:
        """A frame of which the last level will do, in the light of the frame before."""
        return self._attempt(preset, observation, pose, keyframes=keyframes, near=True, followed=gain)

    def _attempt(
        self,
        preset: Preset,
        observation: Observation,
        pose: Pose | None,
        *,
        progress: Progress | None = None,
        keyframes: Keyframes | None = None,
        box: Box | None = None,
        **how: Any,
    ) -> Attempt:
        """One search, in the own frame."""
        began = time.perf_counter()
        outcome = self._search(preset, observation, pose, progress, keyframes, box).run(**how)
        if isinstance(outcome, Failure):
            return Attempt(self._refused(outcome, pose, began), None)
        return Attempt(self._result(outcome, observation, began, boxed=box is not None), outcome.gain)

    def _search(
        self, preset: Preset, observation: Observation, pose: Pose | None, progress: Progress | None = None,
        keyframes: Keyframes | None = None, box: Box | None = None,
    ) -> Search:  # fmt: skip
        if self.camera is not None and observation.camera != self.camera:
            raise expected("observation", f"the refiner's camera {self.camera}", observation.camera)
        compile_before(preset)
        return Search(
            self._meshes, observation, pose, preset.resolved_search, preset.objective,
            margin=preset.crop.margin, seed=self.seed,
            descent=preset.descent if preset.solver == "descent" else None, progress=progress, keyframes=keyframes,
            box=box,
        )  # fmt: skip

    def _refused(self, failure: Failure, pose: Pose | None, began: float) -> RefinementResult:
        return nothing_compared(
            pose or NOWHERE, failure.status, MESSAGES[failure.status] if pose is not None else NOTHING_THERE,
            seed=self.seed, elapsed_s=time.perf_counter() - began, window=failure.window,
        )  # fmt: skip

    def _result(self, outcome: Outcome, observation: Observation, began: float, *, boxed: bool) -> RefinementResult:
        names = outcome.level.modalities
        told = notes_on(self.mesh, observation, self.preset, names, boxed=boxed)
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


def _check_given(observation: Observation, progress: Progress | None) -> None:
    check_type("observation", observation, Observation, cure=OBSERVATION_CURE)
    if progress is not None and not callable(progress):
        raise expected("progress", "a function or None", repr(progress))
