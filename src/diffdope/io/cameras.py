"""Reading camera files, and the depth scale that they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from numpy.typing import NDArray

from diffdope.error_kinds import unknown_keys
from diffdope.errors import (
    DiffDopeError,
    check_count,
    check_number,
    check_path,
    check_positive,
    check_type,
    expected,
    some_of,
)
from diffdope.geometry.camera import Camera
from diffdope.geometry.distortion import check_undistorted, plain_word
from diffdope.io.camera_dialects import plainly
from diffdope.io.camera_entries import camera_of, holds_camera, size_of
from diffdope.io.camera_info import DEPTH_MM, is_camera_info
from diffdope.io.camera_pairs import of_pair
from diffdope.io.camera_phones import frames_of
from diffdope.io.camera_sizes import check_same_shape, check_scale, size_of_K
from diffdope.io.camera_texts import read_names
from diffdope.io.numbers import DIGITS

_DEEPEST = 3  # objects within objects in which a camera is looked for
_DIGITS = re.compile(DIGITS)
_LENS = re.compile(r"(?<!un)distort(ion|ions)?(coeffs?|coefficients?|params?|parameters?)?$")
_NUMBERS = re.compile(r"(cameramatrix|intrinsics?|matrix|camera|k)$")


def load_camera(
    path: str | Path,
    *,
    width: int | None = None,
    height: int | None = None,
    image_id: int | None = None,
    camera_id: int | None = None,
    camera_size: tuple[int, int] | None = None,
    rectified: bool = False,
) -> tuple[Camera, float | None]:
    """Reads a camera file of BOP, ROS, OpenCV, COLMAP, Kalibr, RealSense and others; see docs/files.md.

    Lens distortion becomes a part of the camera, and `Observation` removes it from images.

    Args:
        path: the file.
        width: columns of the image; needed where the file does not say.
        height: rows of the image.
        image_id: which entry of a scene_camera.json; may be left out if it has only one.
        camera_id: which camera of a file that holds several: COLMAP's number, 0 for Kalibr's cam0.
        camera_size: (width, height) of the pictures that K is for, where these were resized; K is converted.
        rectified: whether the images were rectified already: the pinhole is ROS's P, or K, and distortion is no more.

    Returns:
        The camera, and depth_scale in MILLIMETRES per stored unit (BOP's), 1 for ROS's camera_info (REP 118), None
        where the file does not say. `Observation.load` takes the file itself, and both from it.

    Raises:
        DiffDopeError: if the file cannot be read or its content is refused, if its lens is of a kind that is not
            understood, or if its K is for pictures of another size.
    """
    check_path("path", path)
    check_type("rectified", rectified, bool)
    given = _checked_size(width, height)
    entry = entry_in(Path(path), image_id, camera_id)
    try:
        camera = _sized(entry, given, camera_size, rectified)
    except DiffDopeError as error:
        raise DiffDopeError(f"camera file {path}: {error}") from error
    scale = entry.get("depth_scale")
    if scale is None:
        return camera, DEPTH_MM if is_camera_info(entry) else None
    check_positive("depth_scale", scale)
    return camera, check_number("depth_scale", scale)


def load_camera_of_image(path: str | Path, shape: tuple[int, ...], **how: Any) -> tuple[Camera, float | None]:
    """Like `load_camera`, for an image at hand.

    Args:
        path: the file.
        shape: (H, W, ...) of the image.
        how: image_id and the like: see `load_camera`.
    """
    return load_camera(path, width=shape[1], height=shape[0], **how)


def camera_of_entry(
    entry: Mapping[str, Any],
    size: tuple[int, int],
    *,
    camera_size: tuple[int, int] | None = None,
    rectified: bool = False,
) -> Camera:
    """The camera of names and values that come from elsewhere than a file, for pictures of a size.

    Args:
        entry: what a camera file may hold.
        size: (width, height) of the pictures.
        camera_size: see `load_camera`.
        rectified: see `load_camera`.

    Raises:
        DiffDopeError: for what `load_camera` refuses.
    """
    return _sized(entry, size, camera_size, rectified)


def camera_of_picture(entry: Mapping[str, Any], width: int, height: int) -> Camera:
    """The camera of an entry of a data set, whose pictures may be crops; its size is the picture's."""
    own = {key: value for key, value in entry.items() if key not in ("width", "height")}
    return camera_of(own, width=width, height=height)


def _checked_size(width: int | None, height: int | None) -> tuple[int | None, int | None]:
    sizes = {"width": width, "height": height}
    wanted = "a positive whole number of pixels"
    checked = [None if size is None else check_count(name, size, expectation=wanted) for name, size in sizes.items()]
    return checked[0], checked[1]


def _sized(
    entry: Mapping[str, Any], given: tuple[int | None, int | None], camera_size: tuple[int, int] | None, rectified: bool
) -> Camera:
    """The camera of an entry for pictures of the given size, whatever size its K is for."""
    stated = size_of(entry)
    picture = tuple(one if one is not None else stated and stated[k] for k, one in enumerate(given))
    for name, size in zip(("width", "height"), picture, strict=True):
        if not size:
            cure = "this camera entry holds no size: pass width and height"
            raise expected(name, "the image's size in pixels", "none", cure)
    width, height = int(picture[0]), int(picture[1])  # type: ignore[arg-type]
    own = size_of_K(stated, (width, height), camera_size)
    if own is None:
        check_scale(entry, width, height)
        own = (width, height)
    camera = camera_of(entry, width=own[0], height=own[1], rectified=rectified)
    if camera_size is not None:
        check_same_shape(own, (width, height))
    return camera if own == (width, height) else camera.resize(width, height)


def depth_scale_m(
    given_mm: float | None, file_mm: float | None, camera: str | Path, *, depth: NDArray[Any] | None
) -> float | None:
    """Metres per unit of a depth image; None for float metres.

    Args:
        given_mm: millimetres per unit, as the user says; it wins.
        file_mm: the same, as the camera's file says; it speaks of integers only.
        camera: that file, for the error.
        depth: the image, if there is one.

    Raises:
        DiffDopeError: if the image holds integers and nobody says what they are, or the scale is not positive.
    """
    if given_mm is not None:
        check_positive("depth-scale", given_mm)
    integers = depth is not None and depth.dtype.kind in "iu"
    scale_mm = file_mm if given_mm is None and integers else given_mm
    if integers and scale_mm is None:
        cure = "give --depth-scale (1 for millimetres, 0.1 for tenths, 1000 for metres)"
        raise expected("depth", f"a depth_scale in {camera} or --depth-scale", "neither", cure)
    return None if scale_mm is None else scale_mm * 1e-3


def entry_in(path: Path, image_id: int | None = None, camera_id: int | None = None) -> Mapping[str, Any]:
    """The entry of an image or a camera in a camera file, which may be nothing but that entry.

    Raises:
        DiffDopeError: if the file cannot be read, holds no camera, or several and none was chosen.
    """
    names = read_names(path)
    try:
        data = plainly(names)
        frames = frames_of(data)
        if frames and (not holds_camera(data) or image_id in list(frames)):  # what is no number is refused below
            return _of_frames(data, frames, image_id, camera_id)
        pair = of_pair(data)
        if holds_camera(data) and not pair:
            return data
        if pair:
            return _chosen(data, {f"camera {number}": entry for number, entry in pair.items()}, None, camera_id)
        check_undistorted({key: value for key, value in data.items() if not isinstance(value, dict)})
        cameras = _cameras_in(data)
        if len(cameras) == 1 and image_id is None and camera_id is None:
            (only,) = cameras.values()
            return {**{key: value for key, value in data.items() if not isinstance(value, dict)}, **only}
        return _chosen(data, cameras, image_id, camera_id)
    except DiffDopeError as error:
        raise DiffDopeError(f"camera file {path}: {error}") from error


def _of_frames(
    data: Mapping[str, Any], frames: Mapping[int, tuple[str, Mapping[str, Any]]], image_id: int | None,
    camera_id: int | None,
) -> Mapping[str, Any]:  # fmt: skip
    """The camera of one image; without a number, that of all, if it is one."""
    entries = [entry for _, entry in frames.values()]
    if image_id is None and camera_id is None and all(entry == entries[0] for entry in entries):
        return entries[0]
    listed = {f"{file}, image {number}": entry for number, (file, entry) in frames.items()}
    if image_id is None:
        cure = "give --image-id (image_id=), the number in the name of the image's file"
        raise expected("image_id", f"one of the {len(frames)} images of the file ({some_of(listed)})", "none", cure)
    return _chosen(data, listed, image_id, None)


def image_in(path: str | Path, picture: str) -> int | None:
    """The number of the image of that file name in a file with a camera for each; None where there is none, or several.

    Args:
        path: the camera file.
        picture: name of the photograph's file.
    """
    path = Path(path)
    if path.suffix.lower() != ".json":
        return None
    files = {number: file for number, (file, _) in frames_of(plainly(read_names(path))).items()}
    found = [number for number, file in files.items() if PurePosixPath(file).name == PurePosixPath(picture).name]
    return found[0] if len(found) == 1 else None


def _cameras_in(data: Mapping[str, Any], above: str = "", depth: int = 0) -> dict[str, Mapping[str, Any]]:
    """The objects within that hold a camera, by the names that lead to them."""
    found: dict[str, Mapping[str, Any]] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            name = f"{above}{key}"
            if holds_camera(value):
                found[name] = {**value, **_lens_beside(data, key)}
            elif depth < _DEEPEST:
                found |= _cameras_in(value, f"{name}.", depth + 1)
    return found


def _lens_beside(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The lens of a camera's numbers that stands beside them: Zivid's Distortion, Orbbec's rgbDistortion.

    Args:
        data: the object that holds both.
        key: of the numbers.

    Raises:
        DiffDopeError: if of several cameras nobody knows which has a lens.
    """
    cameras = [other for other, value in data.items() if isinstance(value, Mapping) and holds_camera(value)]
    lenses = {str(other): value for other, value in data.items() if _LENS.search(plain_word(str(other)))}
    if len(cameras) == 1:
        return lenses
    owners = {_NUMBERS.sub("", plain_word(str(other))) for other in cameras}
    whose = {other: _LENS.sub("", plain_word(other)) for other in lenses}
    check_undistorted({other: value for other, value in lenses.items() if whose[other] not in owners})
    own = _NUMBERS.sub("", plain_word(key))
    return {other: value for other, value in lenses.items() if whose[other] == own}


def _chosen(
    data: Mapping[str, Any], cameras: Mapping[str, Mapping[str, Any]], image_id: int | None, camera_id: int | None
) -> Mapping[str, Any]:
    if not cameras:
        raise unknown_keys("camera", "cam_K, or fx, fy, cx and cy", data)
    name, number = ("image_id", image_id) if image_id is not None or camera_id is None else ("camera_id", camera_id)
    if number is not None:
        number = check_count(name, number, least=0)
    numbered = {int(digits[-1]): entry for key, entry in cameras.items() if (digits := _DIGITS.findall(key))}
    named = not numbered and (number is None or name == "camera_id")
    if named:  # color and depth: counted as the file has them
        numbered = dict(enumerate(cameras.values()))
    if number is not None and number in numbered:
        return numbered[number]
    several = all(key.isdecimal() for key in cameras)
    cure = "give --image-id (image_id=), or a file with its entry alone" if several else "give --camera-id (camera_id=)"
    if named:
        cure += ": " + ", ".join(f"{place} for {key}" for place, key in enumerate(cameras))
    listed = f"one of the {len(cameras)} of the file ({some_of(cameras)})"
    got = "none chosen" if number is None else number
    raise expected(name if several or number is not None else "camera_id", listed, got, cure)
