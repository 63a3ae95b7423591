"""Refines poses: checks the start, lets a search work in the object's own frame, and makes the result."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import check_count, check_number, check_seed, check_threads, check_type, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose, PoseLike, as_pose
from diffdope.pipelines.diagnosis.failure_reasons import with_reasons
from diffdope.pipelines.diagnosis.implausible_inputs import with_hints
from diffdope.pipelines.given import check_given, check_searches
from diffdope.pipelines.locating.in_box import check_can_be_found, checked_box, notes_on_box
from diffdope.pipelines.locating.instances import OnInstance, check_shows_instances, instances
from diffdope.pipelines.locating.without_start import anywhere, turned
from diffdope.pipelines.object_frame import ObjectFrame
from diffdope.pipelines.result import RefinementResult, Status, seen_in
from diffdope.pipelines.result_confidence import believed
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import DEFAULT, Preset
from diffdope.pipelines.settings import preset as find_preset
from diffdope.pipelines.start import Start, best_of, poses_of
from diffdope.pipelines.tracking.drift import PoseDrift
from diffdope.pipelines.tracking.one_at_a_time import SingleCall, one_at_a_time
from diffdope.pipelines.tracking.tracker import Tracker
from diffdope.pipelines.tracking.tracker_of_preset import tracker_of
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.vertex_colors import averaged_colors
from diffdope.search.alternatives.canonical import nearest_alike
from diffdope.search.descent import Progress
from diffdope.search.mesh_levels import MeshLevels

F64 = NDArray[np.float64]


class Refiner:
    """Refines poses of one mesh. Keep it: mesh tables, buffers and compiled kernels stay warm.

    Any number of threads may call `refine` at a time, with the same results as one after the other, to the bit. `track`
    is one video, frame after frame: a call during another's is refused. A forked child, and a pickle's copy, make
    threads of their own. Fork while no other thread refines, or spawn: a lock of numpy's may hold a child for ever.

    Args:
        mesh: the object.
        camera: if given, observations by any other camera are refused: a guard for loops over one camera.
        preset: name or `Preset`.
        seed: of the hypotheses, a whole number from 0 on. Same seed, same result to the bit, whatever the number of
            threads.
        threads: None for the library setting (all cores unless `set_threads` said otherwise).
        explain: whether other kinds of input (a mirrored mesh, channels swapped) are tried on a result that failed, to
            say why. It changes no pose and no confidence, and takes up to twice as long as refining.

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
        explain: bool = True,
    ) -> None:
        check_type("explain", explain, bool)
        self.explain = explain
        self.preset = find_preset(preset)
        check_type("mesh", mesh, Mesh, cure="Mesh.load reads a file")
        if camera is not None:
            check_type("camera", camera, Camera)
        self.mesh = mesh
        self.camera = None if camera is None else camera.rectified
        self.seed = check_seed("seed", seed)
        threads = check_threads(threads)
        search = self.preset.resolved_search
        self._frame = ObjectFrame.of(mesh)
        faces = (*search.near.faces, *search.far.faces)
        seen = averaged_colors(self._frame.mesh, 1.0 / max(*search.near.sizes, *search.far.sizes))
        self._meshes = MeshLevels(seen, faces, threads=threads)
        self._tracker: Tracker | None = None
        self._drift: PoseDrift | None = None
        self._bends, self._one = False, SingleCall()

    def __repr__(self) -> str:
        return f"Refiner({self.mesh!r}, preset={self.preset.name!r}, seed={self.seed})"

    @property
    def frame(self) -> ObjectFrame:
        """The object's own frame, in which it is searched."""
        return self._frame

    @one_at_a_time
    def bend(self, mesh: Mesh) -> None:
        """Goes on with the object in another shape, in a film of a `Robot`: see `RobotTracker`.

        Args:
            mesh: its parts moved, each rigidly.

        Raises:
            DiffDopeError: if it has colours, or other triangles.
        """
        check_type("mesh", mesh, Mesh)
        if mesh.has_color or len(mesh.faces) != len(self.mesh.faces):
            raise expected("mesh", f"{len(self.mesh.faces)} triangles without colours", mesh)
        self._bends, self.mesh, self._frame = True, mesh, self._frame.bent(mesh)
        self._meshes.bend(self._frame.mesh)
        if self._tracker is not None:
            self._tracker.mesh = self._tracker.film.mesh = self._frame.mesh

    def _searcher(self, observation: Observation) -> MeshSearcher:
        """With the preset and the seed of this moment: experiments change them between refinements.

        A grey photograph is compared with the mesh in grey.
        """
        meshes = self._meshes.in_grey if observation.is_grey else self._meshes
        return MeshSearcher(meshes, self.camera, self.preset, self.seed)

    @property
    def meshes(self) -> MeshLevels:
        """What is kept of the mesh, in the own frame."""
        return self._meshes

    def refine(
        self,
        observation: Observation,
        pose: Start | None = None,
        *,
        start_counts: bool = True,
        progress: Progress | None = None,
    ) -> RefinementResult:
        """Finds the pose near `pose` whose rendering agrees best with the observation.

        Args:
            observation: the calibrated image.
            pose: rough start: a `Pose`, a matrix (4, 4) in metres, the path of a pose file, or a list of these, of
                which the best result is returned, and says in its notes which start it was. Without one, `locate`.
            start_counts: whether the start is weighed against the images in the end, as good as they find it to be.
                Not where results from one start are put together, such as those of several views.
            progress: called as progress(iteration, iterations, lowest cost), after every round of steps. A level is a
                round, or a few; all iterations of `paper` are one.

        Raises:
            DiffDopeError: if the observation has nothing that this mesh can be compared with, or comes from another
                camera than the one that the refiner was made for, or `start_counts` is no truth value.
        """
        check_given(observation, progress)
        starts, notes = poses_of(pose)
        check_type("start_counts", start_counts, bool)
        if len(starts) > 1:
            results = [self.refine(observation, one, start_counts=start_counts, progress=progress) for one in starts]
            return seen_in(best_of(results), self.mesh, observation)
        pose = starts[0]
        enter = self._frame.enter(pose)
        searcher = self._searcher(observation)
        attempt = searcher.attempt(self.preset, observation, enter, progress=progress, start_counts=start_counts)
        attempt = searcher.with_right_images(attempt, observation, enter, start_counts=start_counts)
        left = self._left(self._with_reasons(attempt.result, observation, enter), pose, observation)
        result = with_hints(left, self.mesh, observation, pose)
        result = replace(result, notes=(*notes, *result.notes)) if notes else result
        return seen_in(result, self.mesh, observation)

    def locate(
        self,
        observation: Observation, *, box: ArrayLike | None = None, near: PoseLike | None = None,
        progress: Progress | None = None,
    ) -> RefinementResult:  # fmt: skip
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
                of a symmetric object do not jump between images. It is no start: it changes nothing else. A `Pose`, or
                a matrix (4, 4), metres.
            progress: as `refine`.

        Raises:
            DiffDopeError: if there is neither mask, box nor depth, and nothing by which a photograph alone would show
                the object; if there is a box and a mask, or the box has no pixel in the image, or there is no depth
                beside it and OpenCV is not installed; if the preset's solver does not search (`descent`), or for what
                `refine` refuses.
        """
        check_given(observation, progress)
        check_searches(self.preset)
        corners = None if box is None else checked_box(box, observation)
        if corners is None:
            check_can_be_found(observation, self.mesh)
        near = None if near is None else as_pose("near", near)
        searcher = self._searcher(observation)
        result = anywhere(searcher, self.preset, observation, box=corners, progress=progress).result
        if box is not None:
            result = replace(result, notes=(*result.notes, *notes_on_box(box, observation, found=result.ok)))
        return self._located(result, searcher, observation, near)

    def _located(
        self, result: RefinementResult, searcher: MeshSearcher, observation: Observation, near: Pose | None
    ) -> RefinementResult:
        """A located result as a user gets it, of those that look the same that which is turned least from `near`."""
        if near is not None and result.answers:
            alike = nearest_alike(result.pose, self._frame.enter(near), self._meshes.unnoticed)
            result = turned(searcher, self.preset, result, observation, alike)
        start = self._frame.leave(result.initial_pose)
        found = self._left(self._with_reasons(result, observation, None), start, observation)
        return seen_in(with_hints(found, self.mesh, observation, None), self.mesh, observation)

    def locate_all(
        self, observation: Observation, *, most: int = 20, near: PoseLike | None = None,
        progress: Progress | None = None, on_instance: OnInstance | None = None,
    ) -> list[RefinementResult]:  # fmt: skip
        """Finds every instance of the object that a depth image shows, with no start: parts in a bin.

        Args:
            observation: the calibrated image, with depth; a mask, if any, shows where they are looked for.
            most: how many instances are looked for.
            near: as `locate`, for each.
            progress: called with how many were found, `most`, and the cost of the last one.
            on_instance: called with each that is sure, once it is found; what it returns, if true, ends the search.

        Returns:
            those that have not failed, the surest first.

        Raises:
            DiffDopeError: without depth, if a unit is rather wrong, `most` is below 1, or for what `locate` refuses.
        """
        check_shows_instances(observation, progress, on_instance)
        check_searches(self.preset)
        most, near = check_count("most", most), None if near is None else as_pose("near", near)
        told = partial(
            self._located, searcher=(searcher := self._searcher(observation)), observation=observation, near=near
        )
        return instances(searcher, self.preset, observation, most, told, progress, on_instance)

    @one_at_a_time
    def track(
        self, observation: Observation, pose: PoseLike | None = None, *, time_s: float | None = None
    ) -> RefinementResult:
        """Finds the pose in the next frame of a video: continues from the frames before, with a motion model.

        A frame in which the object is not found has the status `LOST`, a message, and a pose that is only predicted;
        the following ones look for it, also with the wider search. See `diffdope.pipelines.tracking.tracker`.

        Args:
            observation: the frame.
            pose: (re)starts there; a `Pose`, or a matrix (4, 4), metres. Without one in the first frame, the object is
                located in its mask; until it is found, frames are `LOST`.
            time_s: of the frame, seconds, where frames do not come evenly; later than that of the frame before.

        Raises:
            DiffDopeError: if the first frame comes without a pose and without a mask, if times do not increase, if
                another thread's frame is being tracked, if the preset's solver has no confidence (`descent`), or for
                what `refine` refuses.
        """
        check_given(observation)
        pose = None if pose is None else as_pose("pose", pose)
        time_s = None if time_s is None else check_number("time_s", time_s, "a time in seconds or None")
        if self._tracker is None:
            searcher, settings = self._searcher(observation), self.preset.tracking
            form, length_m = self._meshes.displacement_form, self._meshes.length_m
            self._drift = PoseDrift(form, length_m, settings.memory_s)
            searcher.ended = self._drift.ended
            self._tracker = tracker_of(searcher, self.preset, self._frame.mesh, bends=self._bends)
        start = None if pose is None else self._frame.enter(pose)
        result = self._tracker.track(observation, start, time_s=time_s)
        tolerance_m = self.preset.resolved_search.confidence.tolerance_of(self._meshes.length_m)
        assert self._drift is not None
        clock_s, given = self._tracker.clock_s, pose is not None
        result = self._drift.weighed(result, tolerance_m, given=given, clock_s=clock_s)
        start = self._frame.leave(result.initial_pose) if pose is None else pose
        tracked = self._left(result, start, observation, followed=True)
        if pose is not None and tracked.status is Status.LOST:
            tracked = with_hints(tracked, self.mesh, observation, pose)
        return seen_in(tracked, self.mesh, observation)

    def _with_reasons(self, result: RefinementResult, observation: Observation, start: Pose | None) -> RefinementResult:
        """A failed result with what its evidence says of the cause; `start` in the own frame."""
        if self.preset.solver != "newton":
            return result
        settings, meshes = self.preset.resolved_search, self._searcher(observation).meshes
        return with_reasons(result, meshes, observation, start, explain=self.explain, settings=settings)

    def _left(
        self, result: RefinementResult, start: Pose, observation: Observation, *, followed: bool = False
    ) -> RefinementResult:
        """A result of a search as a user gets it: in the file's frame, with the confidence that was asked for."""
        search, deviation = self.preset.resolved_search, observation.camera.focal_deviation
        known = believed(result, self._meshes, search, followed=followed, focal_deviation=deviation)
        return self._frame.result(known, start)
