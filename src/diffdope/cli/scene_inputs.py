"""What `diffdope scene` is given of each object in each view: masks, start poses, boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from diffdope.cli.scene_objects import NONE, ObjectFlags
from diffdope.errors import DiffDopeError, expected, placed, some_of
from diffdope.geometry.pose import Pose
from diffdope.io.masks import MaskFile
from diffdope.io.poses import read_start_pose
from diffdope.scene.view import View

T = TypeVar("T")
Masks = dict[tuple[int, int], NDArray[Any]]


def of_views(name: str, values: tuple[T, ...], count: int, *, alone: bool = True) -> list[Any]:
    """One value a view; a single one is for all of them if it may be alone, and none is None."""
    if not values:
        return [None] * count
    if len(values) == 1 and (alone or count == 1):
        return [values[0]] * count
    if len(values) != count:
        wanted = "one, for there is one view" if count == 1 else f"one for each of {count} views"
        cure = "" if count == 1 else "the longest of --camera, --rgb, --depth, --mask and --image-id counts the views"
        raise expected(name, wanted, len(values), cure)
    return list(values)


def masks_of(
    objects: list[ObjectFlags], views: list[View], files: Sequence[Path], image_ids: Sequence[int],
    pictures: Sequence[Path],
) -> Masks:  # fmt: skip
    """{(view, object): mask}: of the object's own files, or its label in the masks that all objects share.

    Args:
        objects: as they were asked for.
        views: of the scene.
        files: masks that all objects share, one a view, - for a view without; or none.
        image_ids: one a view, one for all, or none.
        pictures: photographs, one a view or none, for masks that name theirs.
    """
    count = len(views)
    given = of_views("mask", tuple(files), count, alone=False)
    shared = [None if str(path) == NONE else path for path in given]
    ids = of_views("image-id", tuple(image_ids), count)
    masks: Masks = {}
    alone = len(objects) == 1 and not objects[0].masks and not objects[0].boxes
    if any(shared) and not alone and all(one.label is None for one in objects):
        cure = "as --object cup.ply,label=1; without it, the mask would say nothing of any of them"
        raise expected("object", "the label in --mask of at least one object", "none", cure)
    for number, one in enumerate(objects):
        own = of_views(f"masks of {one.mesh}", one.masks, count, alone=False)
        for view, path in enumerate(own):
            label = None
            if path is None and one.label is not None:
                if not any(shared):
                    raise expected(f"label of {one.mesh}", "--mask beside it", "none")
                path, label = shared[view], one.label
            elif path is None and alone:  # a mask of one object needs no label
                path = shared[view]
            if path is None:
                continue
            camera = views[view].observation.taken_by
            picture = pictures[view].name if pictures else None
            file = MaskFile(path, label, ids[view], None)
            with named(one):
                masks[view, number] = file.read(size=(camera.height, camera.width), picture=picture).pixels
        if one.label is not None and not any(mask.any() for (_, o), mask in masks.items() if o == number):
            known = sorted({n for path in shared if path is not None for n in MaskFile(path).labels()})
            wanted = f"one of {some_of(known, most=20)}" if known else "none, for --mask shows one object"
            raise expected(f"label of {one.mesh}", wanted, one.label)
    return masks


def starts_of(objects: list[ObjectFlags], count: int) -> dict[Any, Pose]:
    """Start poses, as `SceneRefiner.refine` takes them."""
    starts: dict[Any, Pose] = {}
    for number, one in enumerate(objects):
        if len(one.inits) == 1 and one.inits[0] is not None:
            with named(one):
                starts[(0, number) if count == 1 else number] = read_start_pose(one.inits[0], obj_id=one.obj_id)
            continue
        for view, path in enumerate(of_views(f"init of {one.mesh}", one.inits, count, alone=False)):
            if path is not None:
                with named(one):
                    starts[view, number] = read_start_pose(path, obj_id=one.obj_id)
    return starts


@contextmanager
def named(one: ObjectFlags) -> Iterator[None]:
    """Errors of an object's files name the object."""
    try:
        yield
    except DiffDopeError as error:
        told = placed(f"object {one.mesh}, ", error)
        told.argument = ""  # a key of --object, which no option of the same name means
        raise told from error


def boxes_of(objects: list[ObjectFlags], count: int) -> dict[tuple[int, int], Any]:
    """Boxes by view and object."""
    return {
        (view, number): np.array(box)
        for number, one in enumerate(objects)
        for view, box in enumerate(of_views(f"boxes of {one.mesh}", one.boxes, count, alone=False))
        if box is not None
    }
