"""Refines all objects of a scene from all its views: one pose an object, and the places of cameras where asked."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from numpy.typing import ArrayLike

from diffdope.errors import DiffDopeError, check_threads, check_type, expected, placed
from diffdope.joint.asked import Starts, asked_of, starts_of, without_empty
from diffdope.joint.contact import ContactSettings, with_contact
from diffdope.joint.depth_scale import at_common_scale
from diffdope.joint.each_view import ObjectQuery, found_in_view
from diffdope.joint.merge import singles_of
from diffdope.joint.normal_equations import CameraPrior, Where
from diffdope.joint.places import places_of_views
from diffdope.joint.places_told import told_of_places
from diffdope.joint.report import from_one_view, from_together
from diffdope.joint.result import SceneResult
from diffdope.joint.settle import settled_result
from diffdope.joint.together import JointTask, solve_together
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import DEFAULT, Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.scene import Scene, SceneObject
from diffdope.scene.view import View


class SceneRefiner:
    """Refines the poses of several objects from one view or several. Keep it: what it prepares of meshes stays warm.

    Objects of one view are refined on their own first, then knowing where the others hide them. Several views are
    merged: the pose that most of them support, then Gauss-Newton over all images, in which cameras that are not exact
    take part. A view that contradicts the others is left out and named.

    Attributes:
        objects: with names of their own.
        refiners: one an object; objects of one mesh share it.

    Args:
        objects: what is looked for; a `Mesh` will do. Several may share one mesh.
        preset: name or `Preset`; one whose solver searches.
        seed: same seed, same result.
        threads: None for the library setting.

    Raises:
        DiffDopeError: if there is no object, one is of another type, two have one name, or for what `Refiner` refuses.
    """

    def __init__(
        self,
        objects: Iterable[SceneObject | Mesh],
        *,
        preset: str | Preset = DEFAULT,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        self.objects = _checked_objects(objects)
        made: dict[int, Refiner] = {}
        for one in self.objects:
            if id(one.mesh) not in made:
                made[id(one.mesh)] = Refiner(one.mesh, preset=preset, seed=seed, threads=threads)
        self.refiners = tuple(made[id(one.mesh)] for one in self.objects)
        self._threads = threads
        _check_searching(self.refiners)

    @classmethod
    def of(cls, objects: Iterable[SceneObject], refiners: Iterable[Refiner], *, threads: int | None = None) -> Self:
        """One that shares refiners which are there already, and stay warm.

        Args:
            objects: what is looked for.
            refiners: one an object, of its mesh; each keeps its own preset and seed.
            threads: None for the library setting.

        Raises:
            DiffDopeError: if they do not belong together, or as the constructor.
        """
        made = object.__new__(cls)
        made.objects, made.refiners = _checked_objects(objects), _checked_refiners(refiners)
        made._threads = check_threads(threads)
        if [id(one.mesh) for one in made.objects] != [id(one.mesh) for one in made.refiners]:
            raise expected("refiners", f"one of the mesh of each of {len(made.objects)} objects", "others")
        _check_searching(made.refiners)
        return made

    def refine(
        self,
        views: Iterable[View] | View,
        masks: Mapping[tuple[int, int], ArrayLike | None] | None = None,
        *,
        starts: Starts | None = None,
        boxes: Mapping[tuple[int, int], ArrayLike | None] | None = None,
        contact: ContactSettings | None = None,
        find_places: bool = False,
    ) -> SceneResult:
        """Finds one pose an object.

        Args:
            views: images, and where their cameras stand; one view needs no place. `View.sigma` says how far off that
                may be, and then it is refined.
            masks: {(view, object): mask}, as `Scene` takes them. An empty mask says that the object is not seen there,
                None says nothing.
            starts: a pose an object in the world (None for those that are to be located); or a mapping, from an
                object's number or name to its pose in the world, and from (view, object) to its pose in that camera.
                Poses are `Pose`s or matrices (4, 4), metres.
            boxes: {(view, object): (x, y, width, height)}, as `Refiner.locate` takes them; None says nothing.
            contact: what is known of objects that touch; None for nothing.
            find_places: whether views without a T_w2c have their places found from the objects that they and others
                see. Where no view has one, the first that shows an object is the world.

        Raises:
            DiffDopeError: if nothing says where an object is in any view, or for what `Scene`, `Refiner.refine` and
                `Refiner.locate` refuse.
        """
        began = time.perf_counter()
        check_type("find_places", find_places, bool)
        if contact is not None:
            check_type("contact", contact, ContactSettings)
        shown, unseen = without_empty(masks)
        scene = Scene([views] if isinstance(views, View) else views, self.objects, shown, places_open=find_places)
        given = starts_of(starts, scene)
        asked = asked_of(scene, self.refiners, given, {} if boxes is None else boxes, unseen)
        found = {
            (view, obj): result
            for view in range(len(scene.views))
            for obj, result in enumerate(self._found(asked, view))
            if result is not None
        }
        for (_, obj), one in asked.items():
            if not any(other == obj for _, other in found):
                one.first()  # no view can compare anything: says why
        places = places_of_views(scene, found, self.refiners) if scene.unplaced else None
        if places is not None:
            scene = scene.with_places({view: (one.T_w2c, one.sigma) for view, one in places.found.items()})
            out = frozenset((view, obj) for view in places.open for obj in range(len(self.objects)))
            unseen, found = unseen | out, {where: one for where, one in found.items() if where not in out}
        result = self._one_view(scene, found) if len(scene.views) == 1 else self._views(scene, unseen, found)
        if places is not None:
            result = told_of_places(result, places, scene)
        result = settled_result(result, scene, self.refiners)
        if contact is not None:
            result = with_contact(result, scene, self.refiners, contact)
        return replace(result, elapsed_s=time.perf_counter() - began)

    def _found(self, asked: Mapping[Where, ObjectQuery], view: int) -> list[RefinementResult | None]:
        every = [asked.get((view, obj)) for obj in range(len(self.objects))]
        try:
            return found_in_view(every, others=any(other != view for other, _ in asked))
        except DiffDopeError as error:
            raise placed(f"view {view}: ", error) from error

    def _one_view(self, scene: Scene, found: Mapping[Where, RefinementResult]) -> SceneResult:
        every, notes = at_common_scale([found.get((0, obj)) for obj in range(len(self.objects))], self.refiners)
        result = from_one_view(scene, every)
        return replace(result, notes=(*result.notes, *notes))

    def _views(
        self, scene: Scene, unseen: Container[Where], found: Mapping[Where, RefinementResult]
    ) -> SceneResult:  # fmt: skip
        singles = singles_of(found, self.refiners)
        kept = [obj for obj in range(len(self.objects)) if any(o == obj for _, o in singles)]
        if not kept:
            return from_together(scene, self.refiners, None, [], found)
        number = {obj: n for n, obj in enumerate(kept)}
        seen = {(v, o): scene.observation(v, o) for v in range(len(scene.views)) for o in kept if (v, o) not in unseen}
        priors = {
            v: CameraPrior(view.T_w2c, view.sigma) for v, view in enumerate(scene.views) if view.sigma is not None
        }
        task = JointTask(
            [self.refiners[obj] for obj in kept],
            {(v, number[o]): observation for (v, o), observation in seen.items()},
            {(v, number[o]): single for (v, o), single in singles.items()},
            tuple(view.T_w2c for view in scene.views), priors, self._threads,
        )  # fmt: skip
        return from_together(scene, self.refiners, solve_together(task), kept, found, task)


def refine_scene(
    objects: Iterable[SceneObject | Mesh],
    views: Iterable[View] | View,
    masks: Mapping[tuple[int, int], ArrayLike | None] | None = None,
    *,
    starts: Starts | None = None,
    boxes: Mapping[tuple[int, int], ArrayLike | None] | None = None,
    contact: ContactSettings | None = None,
    find_places: bool = False,
    preset: str | Preset = DEFAULT,
    seed: int = 0,
    threads: int | None = None,
) -> SceneResult:
    """Refines one scene; see `SceneRefiner`, which is faster for more than one.

    Args:
        objects: what is looked for.
        views: as `SceneRefiner.refine`.
        masks: as `SceneRefiner.refine`.
        starts: as `SceneRefiner.refine`.
        boxes: as `SceneRefiner.refine`.
        contact: as `SceneRefiner.refine`.
        find_places: as `SceneRefiner.refine`.
        preset: name or `Preset`.
        seed: same seed, same result.
        threads: None for the library setting.

    Raises:
        DiffDopeError: for what `SceneRefiner` and its `refine` refuse.
    """
    refiner = SceneRefiner(objects, preset=preset, seed=seed, threads=threads)
    return refiner.refine(views, masks, starts=starts, boxes=boxes, contact=contact, find_places=find_places)


def _checked_refiners(refiners: Any) -> tuple[Refiner, ...]:
    check_type("refiners", refiners, Iterable)
    made = tuple(refiners)
    for number, one in enumerate(made):
        check_type(f"refiners[{number}]", one, Refiner)
    return made


def _check_searching(refiners: Iterable[Refiner]) -> None:
    for one in refiners:
        if one.preset.solver == "descent":
            raise expected("preset", "one whose solver searches", one.preset.name, "use default or fast")


def _checked_objects(objects: Any) -> tuple[SceneObject, ...]:
    if isinstance(objects, SceneObject | Mesh):
        raise expected("objects", "several, each a SceneObject or a Mesh", "one", "put it into a list")
    check_type("objects", objects, Iterable)
    members: Sequence[Any] = list(objects)
    made = [SceneObject(one) if isinstance(one, Mesh) else one for one in members]
    for number, one in enumerate(made):
        if not isinstance(one, SceneObject):
            raise expected(f"objects[{number}]", "a SceneObject or a Mesh", type(one).__name__)
    if not made:
        raise expected("objects", "at least one", "none")
    return _named(made)


def _named(objects: list[SceneObject]) -> tuple[SceneObject, ...]:
    """Each with a name of its own: that of its mesh, with a number where several have the same."""
    names = [one.name or f"object {number}" for number, one in enumerate(objects)]
    counted: dict[str, int] = {}
    named = []
    for one, name in zip(objects, names, strict=True):
        counted[name] = counted.get(name, 0) + 1
        own = f"{name} {counted[name]}" if names.count(name) > 1 else name
        named.append(SceneObject(one.mesh, one.symmetries, name=own))
    return tuple(named)
