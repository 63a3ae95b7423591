"""The work of one process of a run over groups of views: one pose an object from all images of a group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.masks import mask_source
from diffdope.bop.multiview_record import record_of
from diffdope.bop.multiview_starts import GroupTask, Sighting, Thing, mask_of_sensor
from diffdope.bop.refine_work import Bool, Photograph, Refinery, RefineWork
from diffdope.bop.same_thing import Sighted, one_thing_each
from diffdope.bop.scene import Instance
from diffdope.bop.view_groups import SensorSets
from diffdope.errors import expected
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose
from diffdope.io.images import LUMA
from diffdope.jobs.task import described
from diffdope.joint.result import SceneResult
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.pipelines.compilation.compile_ahead import compile_apart
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.mesh import Mesh
from diffdope.scene.scene import SceneObject
from diffdope.scene.view import View

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class MultiviewWork:
    """What a worker process is told.

    Attributes:
        each: as of a run over single images.
        sensors: names, the first one first.
        sigma: (metres, degrees) by which all cameras but the first of a group may be off; None if they are exact.
        perturb: (radians, metres) by which start poses, if they are the truth, are turned and moved in the first view.
    """

    each: RefineWork
    sensors: tuple[str, ...]
    sigma: tuple[float, float] | None = None
    perturb: tuple[float, float] = (0.0, 0.0)

    def __call__(self) -> Callable[[GroupTask], dict[str, Any]]:
        """Opens the data set and returns the function that refines one group."""
        compile_apart(self.each.preset)
        each = self.each
        sets = SensorSets.open(each.root, each.split, self.sensors, models=each.models)
        return GroupRefinery(self, sets).record


class GroupRefinery:
    """Refines groups one after another."""

    def __init__(self, work: MultiviewWork, sets: SensorSets) -> None:
        self._work, self._sets = work, sets
        self._masked = {}
        self._refineries = {}
        for number, sensor in enumerate(sets.names):
            name = mask_of_sensor(work.each.mask, sensor, first=number == 0)
            masks = self._masked[sensor] = mask_source(sets[sensor], name)
            self._refineries[sensor] = Refinery(work.each, sets[sensor], masks)

    def record(self, task: GroupTask) -> dict[str, Any]:
        """The record of one group; what went wrong is in "error", beside what is known of it."""
        try:
            return self.refine(task)
        except Exception as error:
            return {**task.described(), "error": described(error)}

    def refine(self, task: GroupTask) -> dict[str, Any]:
        """The same, if all goes well.

        Raises:
            DiffDopeError: if something of the data set is missing or broken; file and key are named.
        """
        group, places = task.group, self._sets.places(task.group)
        photographs = [self._refineries[one.sensor].photograph(group.scene_id, one.im_id) for one in group.images]
        photographs = _in_one_colour(photographs)
        grey = any(one.grey for one in photographs)
        things = self._things(task, places, photographs, grey)
        if not things:
            raise expected(f"scene {group.scene_id}, target {group.number}", "a mask of an object in a view", "none")
        result = self._refined(task, places, photographs, grey, things)
        return record_of(task, self._work.each.score, photographs, self._meshes(things, grey), things, result)

    def _refined(
        self, task: GroupTask, places: Sequence[Pose], photographs: Sequence[Photograph], grey: bool,
        things: Sequence[Thing],
    ) -> SceneResult:  # fmt: skip
        sigma = self._work.sigma
        views = [
            View(shot.observation, place, sigma=None if v == 0 else sigma, name=image.name)
            for v, (shot, place, image) in enumerate(zip(photographs, places, task.group.images, strict=True))
        ]
        refiners = [self._refiner(one.obj_id, grey) for one in things]
        objects = [SceneObject(one.mesh, name=f"object {t.obj_id}") for one, t in zip(refiners, things, strict=True)]
        masks: dict[tuple[int, int], Bool] = {}
        starts: dict[Any, Pose] = {}
        for number, thing in enumerate(things):
            for view, shot in enumerate(photographs):
                mask = thing.masks.get(view)
                if mask is None and self._numbered_as_truth(task, view):  # then no mask means: not seen
                    mask = np.zeros((shot.observation.taken_by.height, shot.observation.taken_by.width), np.bool_)
                if mask is not None:
                    masks[view, number] = mask
            starts |= self._starts(places, number, thing)
        refiner = SceneRefiner.of(objects, refiners, threads=self._work.each.threads)
        return refiner.refine(views, masks, starts=starts or None)

    def _starts(self, places: Sequence[Pose], number: int, thing: Thing) -> dict[Any, Pose]:
        """As `SceneRefiner.refine` takes them: the best one in the world for all views, and each in its own."""
        known = [(one.view, one.start) for one in thing.sightings if one.start.pose is not None]
        if not known:
            return {}
        view, first = max(known, key=lambda one: (one[1].score or 0.0, -one[0]))
        assert first.pose is not None
        angle_rad, distance_m = self._work.perturb
        if angle_rad or distance_m:
            rng = np.random.default_rng([self._work.each.seed, first.scene_id, first.im_id, first.index])
            pose = perturb(first.pose, angle_rad=angle_rad, distance_m=distance_m, rng=rng)
            return {number: places[view].inverse() @ pose}
        own = {(v, number): start.pose for v, start in known if start.pose is not None}
        return {number: places[view].inverse() @ first.pose, **own}

    def _things(
        self, task: GroupTask, places: Sequence[Pose], photographs: Sequence[Photograph], grey: bool
    ) -> list[Thing]:  # fmt: skip
        by_object: dict[int, list[Sighting]] = defaultdict(list)
        masks: dict[tuple[int, int], Bool] = {}
        for one in task.sightings:
            mask = self._mask(task, one, photographs[one.view], self._refiner(one.start.obj_id, grey).mesh)
            if mask is not None and mask.any():
                masks[one.where] = mask
            if one.where in masks or (one.start.pose is not None and self._masks(task, one.view) is None):
                by_object[one.start.obj_id].append(one)
        things = []
        for obj_id, some in sorted(by_object.items()):
            for numbers in self._same(places, photographs, self._refiner(obj_id, grey), some, masks):
                own = tuple(some[n] for n in numbers)
                shown = {one.view: masks[one.where] for one in own if one.where in masks}
                truth = {one.view: i for one in own if (i := _instance(one, photographs[one.view])) is not None}
                things.append(Thing(obj_id, own, shown, truth))
        return things

    def _same(
        self, places: Sequence[Pose], photographs: Sequence[Photograph], refiner: Refiner,
        some: Sequence[Sighting], masks: dict[tuple[int, int], Bool],
    ) -> list[list[int]]:  # fmt: skip
        """Which sightings of one kind of object are of one thing; without places, if each view has one at most, all."""
        views = [one.view for one in some]
        known = all(one.start.pose is not None or _instance(one, photographs[one.view]) is not None for one in some)
        if not known and len(set(views)) == len(views):
            return [list(range(len(some)))]
        sighted = []
        for one in some:
            truth = _instance(one, photographs[one.view])
            pose = truth.pose if truth is not None else one.start.pose
            if pose is None:
                pose = refiner.locate(photographs[one.view].observation.with_mask(masks[one.where])).pose
            back = places[one.view].inverse()
            spread_m = 0.0
            if self._work.sigma is not None and one.view > 0:
                metres, degrees = self._work.sigma
                spread_m = metres + np.radians(degrees) * float(np.linalg.norm(pose.t_m2c))
            middle_w = back.apply(pose.apply(refiner.mesh.center_m))
            sighted.append(Sighted(one.view, np.asarray(middle_w, np.float64), back.t_m2c, spread_m))
        return one_thing_each(sighted, refiner.mesh.diameter)

    def _mask(self, task: GroupTask, one: Sighting, shot: Photograph, mesh: Mesh) -> Bool | None:
        refinery, masks = self._refineries[task.group.images[one.view].sensor], self._masks(task, one.view)
        if one.start.pose is not None:
            return refinery.mask_of(one.start, one.start.pose, shot, mesh)[1]
        if masks is None:
            return None
        candidates = masks.candidates(one.start.scene_id, one.start.im_id, one.start.obj_id)
        return next((c.mask for c in candidates if c.number == one.start.index), None)

    def _masks(self, task: GroupTask, view: int) -> Any:
        return self._masked[task.group.images[view].sensor]

    def _numbered_as_truth(self, task: GroupTask, view: int) -> bool:
        masks = self._masks(task, view)
        return masks is not None and bool(masks.indexed_by_truth)

    def _refiner(self, obj_id: int, grey: bool) -> Refiner:
        return self._refineries[self._sets.names[0]].refiner(obj_id, grey)

    def _meshes(self, things: Sequence[Thing], grey: bool) -> list[Mesh]:
        return [self._refiner(one.obj_id, grey).mesh for one in things]


def _in_one_colour(photographs: Sequence[Photograph]) -> list[Photograph]:
    """All in grey if one of them is: an object has one mesh for all views."""
    if not any(one.grey for one in photographs):
        return list(photographs)
    found = []
    for one in photographs:
        rgb = one.observation.rgb
        if not one.grey and rgb is not None:
            luma = np.repeat((rgb @ np.array(LUMA, np.float32))[..., None], 3, axis=2)
            one = replace(one, observation=one.observation.with_rgb(np.ascontiguousarray(luma, np.float32)), grey=True)
        found.append(one)
    return found


def _instance(one: Sighting, photograph: Photograph) -> Instance | None:
    """The true instance of a sighting, where its source says which it is."""
    return next((i for i in photograph.truth if i.gt_id == one.start.gt_id), None)
