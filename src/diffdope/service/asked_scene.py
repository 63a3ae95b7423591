"""The JSON part of /scene: several objects in one view or several, with the keys of the other paths for each of them.

Pictures are named by the view: rgb.0, depth.0, and mask.0 with a label for each object; mask.0.2 is the mask of
object 2 alone. Of a single view, rgb, depth and mask will do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from diffdope.errors import (
    DiffDopeError,
    as_floats,
    check_choice,
    check_positive,
    check_shape,
    check_type,
    expected,
    placed,
)
from diffdope.geometry.pose import Pose
from diffdope.service.asked import READERS, Asked, read_keys

PICTURES = ("rgb", "depth", "mask")
# The same in all views, or in each.
_OF_PICTURES = ("camera", "depth_scale", "depth_kind", "camera_size", "rectified", "depth_rectified")
_OF_VIEW = (*_OF_PICTURES, "T_w2c", "cam_R_w2c", "cam_t_w2c", "sigma", "name")
_OF_OBJECT = ("mesh", "name", "id", "mask_id", "mask_inverted", "box", "start")
_PART = re.compile(r"(rgb|depth|mask)(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?")
_LONGEST_NAME = 64  # characters: it becomes a part of messages

Part = tuple[str, int, int | None]
"""Kind, view and object of a picture; the object is None where the picture is of all of them."""


@dataclass(frozen=True, kw_only=True)
class AskedView:
    """What a client says about a view.

    Attributes:
        pictures: camera and how its pictures are read.
        T_w2c: world to camera; None where nobody said.
        sigma: how far off that may be, metres and degrees; None if it is exact.
        name: for messages; may be empty.
    """

    pictures: Asked
    T_w2c: Pose | None = None
    sigma: tuple[float, float] | None = None
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class AskedObject:
    """What a client says about an object.

    Attributes:
        mesh: id of the mesh, of POST /meshes.
        name: for messages; empty for that of its place.
        id: number in the answer; None for its place, counted from 1.
        mask_id: its label in the masks of the views.
        mask_inverted: whether its own masks are black on it.
        box: x, y, width, height, by view.
        start: poses by view, in that camera.
        start_in_world: one pose for all views, in the world; of a single view, in its camera.
    """

    mesh: str
    name: str = ""
    id: int | None = None
    mask_id: int | None = None
    mask_inverted: bool | None = None
    box: Mapping[int, tuple[float, ...]]
    start: Mapping[int, Pose]
    start_in_world: Pose | None = None


@dataclass(frozen=True, kw_only=True)
class AskedScene:
    """All of it.

    Attributes:
        views: at least one.
        objects: at least one.
        find_places: whether places of cameras that nobody states are found from the objects.
    """

    views: tuple[AskedView, ...]
    objects: tuple[AskedObject, ...]
    find_places: bool = False


def scene_of(given: Mapping[str, Any], *, most_searches: int) -> AskedScene:
    """Reads the JSON part, or the JSON body without its pictures.

    Args:
        given: the object.
        most_searches: objects times views, at most.

    Raises:
        DiffDopeError: naming the key that is missing, not known, or broken, or if there is too much to look for.
    """
    for key in given:
        check_choice("request, key", key, ("objects", "views", "find_places", *_OF_VIEW))
    objects = _entries("objects", given.get("objects"))
    views = _entries("views", given.get("views", [{}]))
    if len(objects) * len(views) > most_searches:
        got = f"{len(objects)} objects in {len(views)} views"
        raise expected("objects times views", f"at most {most_searches}", got, "ask for some of them at a time")
    find_places = given.get("find_places", False)
    check_type("find_places", find_places, bool)
    if find_places and len(views) == 1:
        raise expected("find_places", "several views", "one", "leave it out: a single camera is the world")
    shared = {key: value for key, value in given.items() if key in _OF_PICTURES}
    if "views" in given:
        for key in given:
            check_choice("request, key beside views", key, ("objects", "views", "find_places", *_OF_PICTURES))
    else:
        views = [{key: value for key, value in given.items() if key in _OF_VIEW}]
    return AskedScene(
        views=tuple(_named(f"views[{k}]", partial(_view, {**shared, **one})) for k, one in enumerate(views)),
        objects=tuple(_named(f"objects[{k}]", partial(_object, one, len(views))) for k, one in enumerate(objects)),
        find_places=find_places,
    )


def is_picture_of_scene(name: str) -> bool:
    """Whether a part of a request is a picture, or is meant to be one."""
    return name.split(".")[0] in PICTURES


def part_of(name: str) -> Part:
    """What a picture's name says.

    Raises:
        DiffDopeError: if it is no name of a picture.
    """
    match = _PART.fullmatch(name)
    if match is None or (match[3] is not None and match[1] != "mask"):
        raise expected("part", "rgb.VIEW, depth.VIEW, mask.VIEW or mask.VIEW.OBJECT, counted from 0", repr(name[:40]))
    return match[1], int(match[2] or 0), None if match[3] is None else int(match[3])


def check_parts(asked: AskedScene, names: Iterable[str]) -> None:
    """Refuses pictures of views and objects that there are not, and the same one twice.

    Raises:
        DiffDopeError: naming the part.
    """
    seen: dict[Part, str] = {}
    for name in names:
        key = kind, view, number = part_of(name)
        if view >= len(asked.views):
            raise expected(name, f"views from 0 to {len(asked.views) - 1}", view, "views is a list in the request")
        if number is not None and number >= len(asked.objects):
            raise expected(name, f"objects from 0 to {len(asked.objects) - 1}", number)
        if key in seen:
            raise expected(name, f"one {kind} of view {view}", f"{seen[key]} too")
        seen[key] = name


def _entries(name: str, value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not value:
        raise expected(name, "a list of at least one object of JSON", "none" if value is None else repr(value)[:40])
    for k, one in enumerate(value):
        if not isinstance(one, dict):
            raise expected(f"{name}[{k}]", "an object of JSON", type(one).__name__)
    return value


def _named(where: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except DiffDopeError as error:
        raise placed(f"{where}, ", error) from error


def _view(entry: Mapping[str, Any]) -> AskedView:
    for key in entry:
        check_choice("key", key, _OF_VIEW)
    if "camera" not in entry:
        raise expected("camera", "K, or an object with cam_K", "none", "in the view, or beside views for all of them")
    pictures = read_keys({key: value for key, value in entry.items() if key in _OF_PICTURES})
    place = _place(entry, pictures["camera"])
    sigma = None if entry.get("sigma") is None else _sigma(entry["sigma"])
    if sigma is not None and place is None:
        raise expected("sigma", "T_w2c beside it", "none", "it says how far off that is")
    return AskedView(pictures=Asked(**pictures), T_w2c=place, sigma=sigma, name=_name(entry))


def _place(entry: Mapping[str, Any], camera: Mapping[str, Any]) -> Pose | None:
    """T_w2c of the view, or as BOP has it, in the view or in its camera."""
    if entry.get("T_w2c") is not None:
        matrix = as_floats("T_w2c", entry["T_w2c"])
        check_shape("T_w2c", matrix, (4, 4), cure="world to camera, a matrix in metres; or cam_R_w2c and cam_t_w2c")
        return _named("T_w2c", lambda: Pose.from_matrix(matrix))  # type: ignore[no-any-return]
    for one in (entry, camera):
        if "cam_R_w2c" in one or "cam_t_w2c" in one:
            for key in ("cam_R_w2c", "cam_t_w2c"):
                if one.get(key) is None:
                    raise expected(key, "numbers, beside the other of both", "none")
            return Pose.from_bop(as_floats("cam_R_w2c", one["cam_R_w2c"]), as_floats("cam_t_w2c", one["cam_t_w2c"]))
    return None


def _sigma(value: Any) -> tuple[float, float]:
    sigma = as_floats("sigma", value)
    check_shape("sigma", sigma, (2,), cure="[millimetres, degrees] by which the camera may be off")
    for part in sigma.tolist():
        check_positive("sigma", part)
    return 1e-3 * float(sigma[0]), float(sigma[1])


def _name(entry: Mapping[str, Any]) -> str:
    name = "" if entry.get("name") is None else entry["name"]
    check_type("name", name, str)
    if len(name) > _LONGEST_NAME:
        raise expected("name", f"at most {_LONGEST_NAME} characters", len(name))
    return str(name)


def _object(entry: Mapping[str, Any], views: int) -> AskedObject:
    for key in entry:
        check_choice("key", key, _OF_OBJECT)
    if entry.get("mesh") is None:
        raise expected("mesh", "the id that POST /meshes answered", "none")
    several = {"box": _by_view(entry, "box", views), "start": _by_view(entry, "start", views)}
    alone: Pose | None = None
    if None in several["start"]:
        alone = READERS["near"](several["start"].pop(None), "start")
    given = {key: entry[key] for key in ("mesh", "mask_id", "mask_inverted") if entry.get(key) is not None}
    number = None if entry.get("id") is None else READERS["mask_id"](entry["id"], "id")
    return AskedObject(
        **read_keys(given), name=_name(entry), id=number,
        box={view: READERS["box"](box) for view, box in several["box"].items()},
        start={view: READERS["near"](pose, f"start[{view}]") for view, pose in several["start"].items()},
        start_in_world=alone,
    )  # fmt: skip


def _by_view(entry: Mapping[str, Any], key: str, views: int) -> dict[Any, Any]:
    """The values by view; under None what holds for all of them."""
    value = entry.get(key)
    if value is None:
        return {}
    if not _is_listed(value, key):
        if key == "box" and views > 1:
            raise expected(key, f"a list of one a view, null where there is none ({views} views)", "one box")
        return {0 if key == "box" else None: value}
    if len(value) != views:
        raise expected(key, f"one for each of {views} views, null where there is none", len(value))
    return {view: one for view, one in enumerate(value) if one is not None}


def _is_listed(value: Any, key: str) -> bool:
    """Whether it is one a view: a box is four numbers, a pose four rows or an object."""
    if not isinstance(value, list) or not value:
        return False
    deeper = next((one for one in value if one is not None), None)
    if key == "box" or isinstance(deeper, dict) or deeper is None:
        return deeper is None or isinstance(deeper, list | dict)
    return isinstance(deeper, list) and bool(deeper) and isinstance(deeper[0], list)
