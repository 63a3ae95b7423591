"""The JSON part of a request: names, checked, in the words of the command line's options."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from diffdope.error_kinds import unknown_keys
from diffdope.errors import (
    DiffDopeError,
    as_floats,
    check_choice,
    check_count,
    check_number,
    check_positive,
    check_shape,
    check_type,
    expected,
)
from diffdope.geometry.pose import Pose
from diffdope.io.poses import pose_of

_MOST_STARTS = 16  # each costs a refinement, and a request shall not cost more than a few others
_MOST_INSTANCES = 100  # of a picture: each takes as long as a search


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a client says about pictures.

    Attributes:
        camera: K as 3 x 3 numbers, or an object with cam_K (BOP) or the names of another tool: see docs/files.md.
        mesh: id of the mesh, of POST /meshes.
        meshes: ids of several kinds, of which every instance is looked for.
        start: BOP's cam_R_m2c and cam_t_m2c (millimetres), a matrix 4 x 4 (metres), or a list of either; of a track,
            one, where it begins or begins again.
        near: the same, one: see `Refiner.locate`.
        box: x, y, width, height of the object's visible part, pixels.
        instances: how many to look for at most where no mask and no box tells several of one kind apart.
        depth_scale: MILLIMETRES per unit of depth, as BOP has it; wins over the camera's.
        depth_kind: "axis" or "ray".
        mask_id: label of the object in the mask.
        mask_inverted: whether the mask is black on the object.
        camera_size: width and height of the pictures that K is for, where these were resized.
        rectified: whether the pictures were rectified already.
        depth_rectified: whether depth was, while the others show the lens.
        time_s: of a track's frame, seconds.
    """

    camera: Mapping[str, Any]
    mesh: str | None = None
    meshes: tuple[str, ...] | None = None
    start: tuple[Pose, ...] = ()
    near: Pose | None = None
    box: tuple[float, ...] | None = None
    instances: int | None = None
    depth_scale: float | None = None
    depth_kind: str = "axis"
    mask_id: int | None = None
    mask_inverted: bool | None = None
    camera_size: tuple[int, int] | None = None
    rectified: bool = False
    depth_rectified: bool = False
    time_s: float | None = None


def asked_of(given: Mapping[str, Any]) -> Asked:
    """Reads the JSON part, or the JSON body without its pictures.

    Raises:
        DiffDopeError: naming the key that is missing, not known, or broken.
    """
    known = [field.name for field in fields(Asked)]
    for key in given:
        check_choice("request, key", key, known)
    if "camera" not in given:
        raise unknown_keys("request", "the key camera", given)
    return Asked(**read_keys(given))


def read_keys(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of keys of `Asked`; null is as good as none, but for the camera.

    Raises:
        DiffDopeError: naming the key that is broken.
    """
    return {key: READERS[key](value) for key, value in given.items() if value is not None or key == "camera"}


def object_of(text: str) -> dict[str, Any]:
    """The object of a JSON text, in which numbers are finite.

    Raises:
        DiffDopeError: if it is something else.
    """
    return checked(loaded(text))


def loaded(text: str) -> dict[str, Any]:
    """The object of a JSON text, which `checked` has not seen yet.

    Raises:
        DiffDopeError: if it is something else.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _no_object(error) from error
    if not isinstance(value, dict):
        raise expected("request", "a JSON object", type(value).__name__)
    return value


def checked(value: dict[str, Any]) -> dict[str, Any]:
    """The same object, in which numbers are finite and texts are text.

    Raises:
        DiffDopeError: if they are not: 1e999 is infinite, and half of a pair is no character.
    """
    try:
        json.dumps(value, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise _no_object(error) from error
    return value


def _no_object(error: Exception) -> DiffDopeError:
    got = f"a text that is no JSON ({error})" if isinstance(error, json.JSONDecodeError) else str(error)
    return expected("request", "a JSON object with finite numbers", got or "one that is too deep")


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _camera(value: Any) -> Mapping[str, Any]:
    if isinstance(value, list):
        K = as_floats("camera", value)
        check_shape("camera", K, (3, 3), cure="K as three rows of three numbers, or an object with cam_K")
        return {"cam_K": K.ravel().tolist()}
    if not isinstance(value, dict):
        raise expected("camera", "K, or an object with cam_K", type(value).__name__)
    return value


def _text(value: Any) -> str:
    check_type("mesh", value, str, cure="the id that POST /meshes answered")
    return str(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise expected("meshes", "a list of ids that POST /meshes answered", repr(value)[:60])
    if len(set(value)) < len(value):
        raise expected("meshes", "each id once", "one twice", "instances says how many are looked for of each")
    return tuple(value)


def _pose(value: Any, name: str) -> Pose:
    if isinstance(value, dict):
        return pose_of(value, name)
    matrix = as_floats(name, value)
    check_shape(name, matrix, (4, 4), cure="a matrix in metres, or cam_R_m2c and cam_t_m2c")
    try:
        return Pose.from_matrix(matrix)
    except DiffDopeError as error:
        raise DiffDopeError(f"{name}, {error}".replace("T_m2c: ", "")) from error


def _poses(value: Any) -> tuple[Pose, ...]:
    several = isinstance(value, list) and bool(value) and (isinstance(value[0], dict) or _is_list_of_lists(value[0]))
    if not several:
        return (_pose(value, "start"),)
    if len(value) > _MOST_STARTS:
        raise expected("start", f"at most {_MOST_STARTS} poses", len(value))
    return tuple(_pose(one, f"start[{k}]") for k, one in enumerate(value))


def _is_list_of_lists(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def _box(value: Any) -> tuple[float, ...]:
    box = as_floats("box", value)
    check_shape("box", box, (4,), cure="x, y, width, height in pixels")
    return tuple(box.tolist())


def _scale(value: Any) -> float:
    check_positive("depth_scale", value)
    return check_number("depth_scale", value)


def _flag(name: str, value: Any) -> bool:
    check_type(name, value, bool, cure="true or false")
    return bool(value)


def _size(value: Any) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise expected("camera_size", "[width, height]", repr(value))
    width, height = (check_count("camera_size", part) for part in value)
    return width, height


def _kind(value: Any) -> str:
    check_choice("depth_kind", value, ("axis", "ray"))
    return str(value)


READERS: dict[str, Any] = {
    "camera": _camera,
    "mesh": _text,
    "meshes": _texts,
    "start": _poses,
    "near": lambda value, name="near": _pose(value, name),
    "box": _box,
    "instances": lambda value: check_count("instances", value, most=_MOST_INSTANCES),
    "depth_scale": _scale,
    "depth_kind": _kind,
    "mask_id": lambda value, name="mask_id": check_count(name, value, least=0),
    "mask_inverted": lambda value: _flag("mask_inverted", value),
    "camera_size": _size,
    "rectified": lambda value: _flag("rectified", value),
    "depth_rectified": lambda value: _flag("depth_rectified", value),
    "time_s": lambda value: check_number("time_s", value, "a time in seconds"),
}
