"""What is looked at, from where: several views, several objects, and which mask belongs to which object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from diffdope.errors import DiffDopeError, expected, placed
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.view import View


@dataclass(frozen=True, eq=False, init=False)
class SceneObject:
    """An object of a scene. Several objects may share one mesh.

    Attributes:
        mesh: its surface, in its model frame, metres.
        symmetries: the motions of the model that go unnoticed; None if nothing is known about them.
        name: what messages call the object; the mesh's name unless given.
    """

    mesh: Mesh
    symmetries: Symmetries | None
    name: str

    def __init__(self, mesh: Mesh, symmetries: Symmetries | None = None, *, name: str = "") -> None:
        """Checks the types.

        Args:
            mesh: the object's surface.
            symmetries: in the mesh's model frame, metres.
            name: for messages; empty for the mesh's.

        Raises:
            DiffDopeError: if an argument is of another type.
        """
        if not isinstance(mesh, Mesh):
            raise expected("mesh", "a Mesh", type(mesh).__name__, "Mesh.load reads a file")
        if symmetries is not None and not isinstance(symmetries, Symmetries):
            raise expected("symmetries", "Symmetries", type(symmetries).__name__, "see Symmetries.from_bop")
        if not isinstance(name, str):
            raise expected("name", "a text", type(name).__name__)
        for field, value in (("mesh", mesh), ("symmetries", symmetries), ("name", name or mesh.name)):
            object.__setattr__(self, field, value)


@dataclass(frozen=True, eq=False, init=False)
class Scene:
    """Views x objects. Every object may be in every view; nothing here says at which pose it stands.

    Attributes:
        views: at least one; with several, each says where its camera stands, in one common world.
        objects: at least one.
        unplaced: numbers of the views whose places are to be found; none where all are known.
    """

    views: tuple[View, ...]
    objects: tuple[SceneObject, ...]
    unplaced: frozenset[int]
    _observations: tuple[tuple[Observation, ...], ...]

    def __init__(
        self,
        views: Iterable[View],
        objects: Iterable[SceneObject],
        masks: Mapping[tuple[int, int], ArrayLike | None] | None = None,
        *,
        places_open: bool = False,
    ) -> None:
        """Checks that views, objects and masks fit together.

        Args:
            views: the images and the places of their cameras.
            objects: what is looked for.
            masks: {(view, object): mask (H, W)}, both counted from 0: the pixels of that view on which that object is
                visible, as `Observation` takes them. In a scene of one object, the mask of a view's own observation
                will do. Where there is none, nothing is known about which pixels the object has.
            places_open: whether several views may lack T_w2c, as places that are to be found.

        Raises:
            DiffDopeError: if there is no view or no object, if one of several views lacks T_w2c, if a key of `masks`
                is not a view and an object of the scene, if a view's own mask might be of any of several objects or
                is given twice, or for what `Observation` refuses of a mask.
        """
        seen_by = _checked_members("views", views, View)
        contents = _checked_members("objects", objects, SceneObject)
        unplaced = frozenset(n for n, view in enumerate(seen_by) if len(seen_by) > 1 and not view.placed)
        if not places_open:
            _check_places(seen_by)
        given = _checked_keys({} if masks is None else masks, len(seen_by), len(contents))
        _check_own_masks(seen_by, len(contents), given)
        observations = tuple(
            tuple(_observed(v, o, view.observation, given) for o in range(len(contents)))
            for v, view in enumerate(seen_by)
        )
        fields = {"views": seen_by, "objects": contents, "unplaced": unplaced, "_observations": observations}
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def observation(self, view: int, obj: int) -> Observation:
        """The images of one view with the mask of one object, or without a mask where there is none.

        The images are shared by all objects of a view, and every call returns the same observation.

        Args:
            view: number of the view, from 0.
            obj: number of the object, from 0.

        Raises:
            DiffDopeError: if there is no such view or object.
        """
        _check_number("view", view, len(self.views))
        _check_number("obj", obj, len(self.objects))
        return self._observations[view][obj]

    def with_places(self, places: Mapping[int, tuple[Pose, tuple[float, float]]]) -> Scene:
        """The same images with (T_w2c, sigma) of some views, by number, as `View` has them.

        Args:
            places: what was found of those that lacked it.
        """
        views = [
            View(view.observation, places[n][0], sigma=places[n][1], name=view.name) if n in places else view
            for n, view in enumerate(self.views)
        ]
        made = object.__new__(Scene)
        fields = {"views": tuple(views), "unplaced": self.unplaced - set(places)}
        for field, value in {**vars(self), **fields}.items():
            object.__setattr__(made, field, value)
        return made

    def __repr__(self) -> str:
        masks = sum("mask" in o.modalities for row in self._observations for o in row)
        return f"Scene({len(self.views)} views, {len(self.objects)} objects, {masks} masks)"


def _checked_members(name: str, values: Any, kind: type) -> tuple[Any, ...]:
    wanted = f"at least one {kind.__name__}"
    if isinstance(values, kind):
        raise expected(name, f"several, each a {kind.__name__}", f"a {kind.__name__}", "put it into a list")
    if not isinstance(values, Iterable):
        raise expected(name, wanted, type(values).__name__)
    members = tuple(values)
    if not members:
        raise expected(name, wanted, "none")
    for number, member in enumerate(members):
        if not isinstance(member, kind):
            raise expected(f"{name}[{number}]", f"a {kind.__name__}", type(member).__name__)
    return members


def _check_places(views: tuple[View, ...]) -> None:
    for number, view in enumerate(views):
        if len(views) > 1 and not view.placed:
            cure = (
                "if the world is this camera's frame, say so: Pose.identity(); or find_places=True finds it from the "
                "objects that several views see"
            )
            raise expected(f"views[{number}].T_w2c", f"a pose for each of {len(views)} views", None, cure)


def _checked_keys(
    masks: Mapping[Any, ArrayLike | None], views: int, objects: int
) -> Mapping[tuple[int, int], ArrayLike]:
    if not isinstance(masks, Mapping):
        raise expected("masks", "{(view, object): mask}", type(masks).__name__)
    for key in masks:
        if not (isinstance(key, tuple) and len(key) == 2):
            raise expected("masks", "keys (view, object)", repr(key))
        _check_number(f"masks[{key}], view", key[0], views)
        _check_number(f"masks[{key}], object", key[1], objects)
    return {key: mask for key, mask in masks.items() if mask is not None}


def _check_number(name: str, value: Any, count: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (whole and 0 <= value < count):
        raise expected(name, f"a whole number from 0 to {count - 1}", repr(value))


def _check_own_masks(views: tuple[View, ...], objects: int, masks: Mapping[tuple[int, int], ArrayLike]) -> None:
    for number, view in enumerate(views):
        if "mask" not in view.observation.modalities:
            continue
        name = f"views[{number}].observation.mask"
        if objects > 1:
            cure = f"make the view with observation.without_mask(), and give masks[{number}, object]"
            raise expected(name, f"none, because it might be of any of {objects} objects", "a mask", cure)
        if (number, 0) in masks:
            raise expected(name, f"none, because masks[{number}, 0] is given", "a mask", "leave one of them out")


def _observed(view: int, obj: int, observation: Observation, masks: Mapping[tuple[int, int], ArrayLike]) -> Observation:
    if (view, obj) not in masks:
        return observation
    try:
        return observation.with_mask(masks[view, obj])
    except DiffDopeError as error:
        raise placed(f"masks[{view}, {obj}]: ", error) from error
