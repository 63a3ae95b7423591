"""Where the cameras of a rig stand: world to camera, of one file for all of them or one a camera.

x_c = T_w2c x_w. BOP's scene_camera.json says so under cam_R_w2c and cam_t_w2c (millimetres). Other files hold 4 x 4
matrices in metres, of which a key says the direction (`io/camera_places.py`): T_w2c, T_camera_base, T_world_camera. So
do messages of ROS that name frames, and what `diffdope calibrate` writes. Where nothing does, `kind` does. Whether
cameras look along z, y down (OpenCV), or along -z, y up (OpenGL, Blender), says `kind` alone, but for BOP's, and for
those of COLMAP, nerfstudio and Polycam (`io/image_places.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from diffdope.errors import DiffDopeError, check_choice, expected
from diffdope.geometry.pose import Pose
from diffdope.io.camera_places import stated_place
from diffdope.io.image_places import ImagePlaces, places_of_colmap, places_of_frames
from diffdope.io.json_files import read_json
from diffdope.io.poses import read_extrinsics
from diffdope.io.scene_places import places_of_scene
from diffdope.io.yaml_files import read_yaml

Kind = Literal["w2c", "c2w", "w2c-opengl", "c2w-opengl"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_YAML = (".yaml", ".yml", ".calib")  # the last is easy_handeye2's
_BOP = ("cam_R_w2c", "cam_t_w2c")


def read_camera_places(
    paths: Sequence[str | Path], count: int, *, kind: Kind = "w2c", image_ids: Sequence[int | None] = (),
    pictures: Sequence[str | Path] = (),
) -> list[Pose]:  # fmt: skip
    """T_w2c of each view.

    Args:
        paths: one file for all views, or one a view.
        count: how many views there are.
        kind: direction of matrices whose file does not say it; with -opengl, of cameras that look along -z, y up.
        image_ids: of each view, in a scene_camera.json with more images than views; or one, of a camera file that
            serves all views, which says nothing of a file of several places.
        pictures: the pictures of the views, whose names tell images of COLMAP, nerfstudio and scene.json.

    Raises:
        DiffDopeError: if a file cannot be read, holds no rigid transform, or there are not as many as views.
    """
    check_choice("extrinsics-kind", kind, KINDS)
    if len(image_ids) != count:
        image_ids = [image_ids[0] if len(image_ids) == 1 and len(paths) == count else None] * count
    if len(paths) == count and count > 1:
        each = zip(paths, image_ids, strict=True)
        return [_one_of(_places(Path(path), kind), path, number) for path, number in each]
    if len(paths) != 1:
        raise expected("extrinsics", f"one file for all of {count} views, or one each", f"{len(paths)} files")
    images = _images(Path(paths[0]))
    if images is not None:
        return images.of_views(count, image_ids, pictures, f"extrinsics file {paths[0]}")
    places = _places(Path(paths[0]), kind)
    if count > 1 and len(places) == 1:
        raise expected(f"extrinsics file {paths[0]}", f"a transform for each of {count} views", "one")
    if any(number is not None for number in image_ids):
        return [_one_of(places, paths[0], number) for number in image_ids]
    if len(places) != count:
        cure = "choose with --image-id" if len(places) > count else ""
        raise expected(f"extrinsics file {paths[0]}", f"a transform for each of {count} views", len(places), cure)
    return list(places.values())


def has_places(path: str | Path) -> bool:
    """Whether a camera file is BOP's, and says where its cameras stand."""
    path = Path(path)
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        data = read_json(path)
    except DiffDopeError:
        return False
    entries = data.values() if isinstance(data, Mapping) else ()
    return any(isinstance(entry, Mapping) and _BOP[0] in entry for entry in [data, *entries])


def _images(path: Path) -> ImagePlaces | None:
    """Places of a file that names the images that stand there; None for another."""
    if path.suffix.lower() != ".json":
        return places_of_colmap(path, "extrinsics")
    try:
        data = read_json(path, "extrinsics")
        return places_of_frames(data) or places_of_scene(data)
    except DiffDopeError as error:
        raise DiffDopeError(f"extrinsics file {path}: {error}") from error


def _places(path: Path, kind: Kind) -> dict[str, Pose]:
    """All transforms of a file, by their keys or numbers."""
    if (images := _images(path)) is not None:
        return {str(number): pose for number, pose in images.T_w2c.items()}
    if path.suffix.lower() == ".json":
        data = read_json(path, "extrinsics")
    elif path.suffix.lower() in _YAML:
        data = read_yaml(path, "extrinsics")
    else:
        return {"0": _placed(read_extrinsics(path, name="extrinsics"), kind)}
    try:
        found = _found(data, kind)
    except DiffDopeError as error:
        text = str(error).replace("R_m2c", "rotation")  # of a camera, not of a model
        raise DiffDopeError(f"extrinsics file {path}: {text}") from error
    if not found:
        return {"0": _placed(read_extrinsics(path, name="extrinsics"), kind)}
    return found


def _found(data: Any, kind: Kind) -> dict[str, Pose]:
    if isinstance(data, Mapping):
        one = _of_keys(data, kind)
        if one is not None:
            return {"0": one}
        named = {str(key): _of_entry(value, kind) for key, value in data.items()}
        return {key: pose for key, pose in named.items() if pose is not None}
    if isinstance(data, list) and data and not _is_matrix(data):
        listed = {str(number): _of_entry(value, kind) for number, value in enumerate(data)}
        return {key: pose for key, pose in listed.items() if pose is not None}
    one = _of_entry(data, kind)
    return {} if one is None else {"0": one}


def _of_entry(entry: Any, kind: Kind) -> Pose | None:
    if isinstance(entry, Mapping):
        return _of_keys(entry, kind)
    if not _is_matrix(entry):
        return None
    return _placed(Pose.from_matrix(entry), kind)


def _placed(pose: Pose, kind: Kind, *, inverted: bool | None = None) -> Pose:
    """T_w2c of what a file holds; `inverted` is what the file says of its direction, None if nothing."""
    back = kind.startswith("c2w") if inverted is None else inverted
    T_w2c = pose.inverse() if back else pose
    return Pose.from_opengl(T_w2c.matrix) if kind.endswith("opengl") else T_w2c


def _of_keys(entry: Mapping[str, Any], kind: Kind) -> Pose | None:
    """Of keys that say the direction."""
    if all(key in entry for key in _BOP):
        return Pose.from_bop(entry[_BOP[0]], entry[_BOP[1]])
    stated = stated_place(entry, "camera's place")
    return None if stated is None else _placed(stated[0], kind, inverted=stated[1])


def _is_matrix(value: Any) -> bool:
    try:
        return np.shape(np.asarray(value, np.float64)) == (4, 4)
    except (TypeError, ValueError, OverflowError):
        return False


def _one_of(places: Mapping[str, Pose], path: str | Path, number: int | None) -> Pose:
    if number is not None and str(number) in places:
        return places[str(number)]
    if len(places) == 1:
        return next(iter(places.values()))
    known = ", ".join(list(places)[:12])
    got = f"{len(places)} of them ({known})" if number is None else f"none of image {number} among {known}"
    raise expected(f"extrinsics file {path}", "one transform", got, "choose with --image-id")
