"""Reading camera files, and the depth scale that they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from diffdope.geometry.distortion import check_undistorted
from diffdope.io.camera_entries import camera_of, holds_camera, size_of
from diffdope.io.camera_info import DEPTH_MM, is_camera_info
from diffdope.io.camera_pairs import of_pair
from diffdope.io.camera_texts import read_names

ROUNDED = 0.01  # by which the factors of width and height differ, where sizes were rounded to whole pixels
_SAME_SHAPE = 0.06  # real principal points are within a few per cent of the centre
_RESIZED = 1.25  # pictures are resized by more than that, and no principal point is so far off
_FACTORS = (1 / 4, 1 / 3, 3 / 8, 1 / 2, 2 / 3, 3 / 4, 4 / 3, 3 / 2, 2.0, 8 / 3, 3.0, 4.0)
_DEEPEST = 3  # objects within objects in which a camera is looked for
_DIGITS = re.compile(r"\d+")


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
        where the file does not say.

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
    own = _size_of_K(stated, (width, height), camera_size)
    if own is None:
        check_scale(entry, width, height)
        own = (width, height)
    camera = camera_of(entry, width=own[0], height=own[1], rectified=rectified)
    if camera_size is not None:
        _check_same_shape(own, (width, height))
    return camera if own == (width, height) else camera.resize(width, height)


def _size_of_K(
    stated: tuple[int, int] | None, picture: tuple[int, int], camera_size: tuple[int, int] | None
) -> tuple[int, int] | None:
    """The size of the pictures that K is for; None where nobody says.

    Raises:
        DiffDopeError: if it is not that of the picture, and nobody said that K is to be converted.
    """
    if camera_size is not None:
        size = _checked_camera_size(camera_size)
        if stated is not None and size not in (stated, picture):
            wanted = f"{stated[0]}x{stated[1]} as in the camera file"
            cure = (
                f"the pictures are {picture[0]}x{picture[1]}, {_factor(stated, picture)} as large: give --camera-size "
                f"{stated[0]}x{stated[1]} (camera_size=), which converts K, or correct the file"
            )
            raise expected("camera_size", wanted, f"{size[0]}x{size[1]}", cure)
        return stated or size
    if stated is None or stated == picture:
        return stated
    raise _other_size(stated, picture)


def _factor(own: tuple[int, int], picture: tuple[int, int]) -> str:
    """How many times as large a picture is, across and down where that differs."""
    sx, sy = picture[0] / own[0], picture[1] / own[1]
    return f"{sx:.4g} times" if abs(sx / sy - 1.0) <= ROUNDED else f"{sx:.4g} times across and {sy:.4g} down"


def _check_same_shape(own: tuple[int, int], picture: tuple[int, int]) -> None:
    """Refuses a K that would have to be converted by one factor across and by another down."""
    sx, sy = picture[0] / own[0], picture[1] / own[1]
    rounded = any(abs(n * s - m) <= 1.0 for n, s, m in zip(own, (sy, sx), picture, strict=True))  # to whole pixels
    if abs(sx / sy - 1.0) > ROUNDED and not rounded:
        cure = (
            f"they differ by {sx:.4g} across and by {sy:.4g} down: give the size of the pictures that K is for, before "
            "they were resized; of a crop, subtract its top-left pixel from cx and cy"
        )
        wanted = f"the shape of the {picture[0]}x{picture[1]} picture"
        raise expected("camera_size", wanted, f"{own[0]}x{own[1]}", cure)


def _checked_camera_size(size: Any) -> tuple[int, int]:
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise expected("camera_size", "(width, height)", repr(size))
    width, height = (check_count("camera_size", part, expectation="two positive whole numbers") for part in size)
    return width, height


def _other_size(stated: tuple[int, int], picture: tuple[int, int]) -> DiffDopeError:
    """The error that names the factor, or what else may have happened to the pictures."""
    sx, sy = picture[0] / stated[0], picture[1] / stated[1]
    name, k = ("width", 0) if picture[0] != stated[0] else ("height", 1)
    if abs(sx / sy - 1.0) <= ROUNDED:
        cure = (
            f"the pictures were resized by {sx:.4g}: give --camera-size {stated[0]}x{stated[1]} (camera_size=), which "
            "converts K, or pictures of that size"
        )
    elif picture == stated[::-1]:
        cure = "the camera file is for another image size, or width and height are swapped"
    else:
        dx, dy = (stated[0] - picture[0]) / 2, (stated[1] - picture[1]) / 2
        cure = (
            f"no single factor ({sx:.4g} across, {sy:.4g} down): the pictures were cropped or squeezed; of a crop "
            f"whose top-left pixel was (x0, y0), subtract it from cx and cy: ({dx:g}, {dy:g}) if the middle was kept"
        )
    return expected(name, f"{stated[k]} as in the camera file", picture[k], cure)


def check_scale(entry: Mapping[str, Any], width: int, height: int) -> None:
    """Refuses a K whose principal point is in the middle of a picture of the same shape, but of another size.

    Raises:
        DiffDopeError: naming the factor.
    """
    camera = camera_of(entry, width=width, height=height, check=False)
    sx, sy = (2 * camera.cx + 1) / width, (2 * camera.cy + 1) / height
    if not (sx > 0 and sy > 0) or abs(sx / sy - 1.0) > _SAME_SHAPE or 1 / _RESIZED < np.sqrt(sx * sy) < _RESIZED:
        return
    factor = min(_FACTORS, key=lambda one: abs(np.log(one / np.sqrt(sx * sy))))
    if abs(np.log(factor / np.sqrt(sx * sy))) > _SAME_SHAPE:
        factor = float(np.sqrt(sx * sy))
    own = f"{round(width * factor)}x{round(height * factor)}"
    cure = (
        f"give --camera-size {own} (camera_size=), which converts K, or --camera-size {width}x{height} if it is right"
    )
    point = f"({camera.cx:g}, {camera.cy:g}), as of pictures {factor:.3g} times as large"
    raise expected("K", f"a principal point near the centre of the {width} x {height} picture", point, cure)


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
    data = read_names(path)
    pair = of_pair(data)
    if holds_camera(data) and not pair:
        return data
    try:
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


def _cameras_in(data: Mapping[str, Any], above: str = "", depth: int = 0) -> dict[str, Mapping[str, Any]]:
    """The objects within that hold a camera, by the names that lead to them."""
    found: dict[str, Mapping[str, Any]] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            name = f"{above}{key}"
            if holds_camera(value):
                found[name] = value
            elif depth < _DEEPEST:
                found |= _cameras_in(value, f"{name}.", depth + 1)
    return found


def _chosen(
    data: Mapping[str, Any], cameras: Mapping[str, Mapping[str, Any]], image_id: int | None, camera_id: int | None
) -> Mapping[str, Any]:
    if not cameras:
        raise expected("camera", "cam_K, or fx, fy, cx and cy", f"keys {', '.join(map(str, data)) or 'none'}")
    name, number = ("image_id", image_id) if image_id is not None or camera_id is None else ("camera_id", camera_id)
    if number is not None:
        number = check_count(name, number, least=0)
    numbered = {int(digits[-1]): entry for key, entry in cameras.items() if (digits := _DIGITS.findall(key))}
    if number is not None and number in numbered:
        return numbered[number]
    several = all(key.isdecimal() for key in cameras)
    cure = "give --image-id (image_id=), or a file with its entry alone" if several else "give --camera-id (camera_id=)"
    listed = f"one of the {len(cameras)} of the file ({some_of(cameras)})"
    got = "none chosen" if number is None else number
    raise expected(name if several or number is not None else "camera_id", listed, got, cure)
