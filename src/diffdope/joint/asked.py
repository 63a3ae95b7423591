"""What is asked of each object in each view: from a start, or located in a mask or box."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from diffdope.errors import expected
from diffdope.geometry.pose import Pose, PoseLike, as_pose
from diffdope.joint.each_view import ObjectQuery
from diffdope.joint.normal_equations import Where
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.scene import Scene

Starts = Sequence[PoseLike | None] | Mapping[int | str | tuple[int, int], PoseLike]
_CURE = "starts={(view, object): pose in that camera} or {object: pose in the world}"


def without_empty(masks: Any) -> tuple[Any, frozenset[Where]]:
    """The masks that are not empty, and where the others say that an object is not seen."""
    if not isinstance(masks, Mapping):
        return masks, frozenset()
    empty = {key for key, mask in masks.items() if isinstance(mask, np.ndarray) and mask.ndim == 2 and not mask.any()}
    return {key: mask for key, mask in masks.items() if key not in empty}, frozenset(empty)


def starts_of(starts: Any, scene: Scene) -> dict[Where, Pose]:
    """T_m2c by view and object.

    Args:
        starts: as `SceneRefiner.refine` takes them.
        scene: which views and objects there are.

    Raises:
        DiffDopeError: if they are something else, or name a view or object that does not exist.
    """
    if starts is None:
        return {}
    if not isinstance(starts, Mapping):
        starts = _by_number(starts, scene)
    in_world: dict[Where, Pose] = {}
    in_camera: dict[Where, Pose] = {}
    for key, pose in starts.items():
        pose = as_pose(f"starts[{key!r}]", pose)
        if isinstance(key, tuple):
            in_camera[_checked_where("starts", key, scene)] = pose
            continue
        obj = _number_of(key, scene)
        for view in sorted(set(range(len(scene.views))) - scene.unplaced) or [0]:
            in_world[view, obj] = scene.views[view].T_w2c @ pose
    return in_world | in_camera


def asked_of(
    scene: Scene, refiners: Sequence[Refiner], starts: Mapping[Where, Pose], boxes: Mapping[Any, ArrayLike | None],
    unseen: Container[Where] = (),
) -> dict[Where, ObjectQuery]:  # fmt: skip
    """What is asked, by view and object; what nothing says anything about is missing.

    Args:
        scene: which views and objects there are.
        refiners: of the objects.
        starts: T_m2c by view and object.
        boxes: by view and object.
        unseen: where an object is not seen.

    Raises:
        DiffDopeError: if that is an object in all views, or a box is given beside a mask or for a view that there is
            not.
    """
    if not isinstance(boxes, Mapping):
        raise expected("boxes", "{(view, object): (x, y, width, height)}", type(boxes).__name__)
    checked = {_checked_where("boxes", key, scene): box for key, box in boxes.items()}
    checked = {where: box for where, box in checked.items() if box is not None}
    asked: dict[Where, ObjectQuery] = {}
    alone = len(scene.views) == 1
    for obj, refiner in enumerate(refiners):
        masked = any(_has_mask(scene, view, obj) for view in range(len(scene.views)))
        for view in range(len(scene.views)):
            where = view, obj
            observation, name = scene.observation(view, obj), scene.objects[obj].name
            if where in unseen:
                continue
            if where in starts:
                asked[where] = ObjectQuery(refiner, observation, starts[where], name=name, start_counts=alone)
            elif where in checked:
                asked[where] = ObjectQuery(refiner, observation, box=np.asarray(checked[where], np.float64), name=name)
            elif observation.mask_box is not None or (not masked and "depth" in observation.modalities):
                asked[where] = ObjectQuery(refiner, observation, name=name)
        if not any(o == obj for _, o in asked):
            name = f"object {obj} ({scene.objects[obj].name})"
            cure = f"masks={{(view, object): mask}}, or {_CURE}"
            raise expected(name, "a mask that is not empty, a box, depth or a start in at least one view", "none", cure)
    return asked


def _has_mask(scene: Scene, view: int, obj: int) -> bool:
    return "mask" in scene.observation(view, obj).modalities


def _by_number(starts: Any, scene: Scene) -> dict[int, Any]:
    wanted = f"a Pose or None for each of {len(scene.objects)} objects"
    if isinstance(starts, Pose):
        raise expected("starts", wanted, "a Pose", "put it into a list")
    if not isinstance(starts, Sequence | np.ndarray) or isinstance(starts, str):
        raise expected("starts", f"{wanted}, or a mapping", type(starts).__name__, _CURE)
    if len(starts) != len(scene.objects):
        raise expected("starts", wanted, f"{len(starts)}", _CURE)
    return {number: pose for number, pose in enumerate(starts) if pose is not None}


def _number_of(key: Any, scene: Scene) -> int:
    names = [one.name for one in scene.objects]
    if isinstance(key, str):
        if key not in names:
            raise expected("starts", f"names of objects ({', '.join(names)})", repr(key))
        return names.index(key)
    if isinstance(key, int | np.integer) and not isinstance(key, bool) and 0 <= key < len(names):
        return int(key)
    raise expected("starts", f"numbers of objects from 0 to {len(names) - 1}, names or (view, object)", repr(key))


def _checked_where(name: str, key: Any, scene: Scene) -> Where:
    most = len(scene.views) - 1, len(scene.objects) - 1
    whole = isinstance(key, tuple) and len(key) == 2 and all(isinstance(one, int | np.integer) for one in key)
    if not whole or not all(0 <= one <= last for one, last in zip(key, most, strict=True)):
        raise expected(name, f"keys (view, object) from (0, 0) to {most}", repr(key))
    return int(key[0]), int(key[1])
