"""Reading camera files, and the depth scale that they hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_count, check_number, check_path, check_positive, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.distortion import check_undistorted
from diffdope.io.json_files import read_object


def load_camera(
    path: str | Path, *, width: int | None = None, height: int | None = None, image_id: int | None = None
) -> tuple[Camera, float | None]:
    """Reads a camera from JSON: a BOP scene_camera entry, a whole scene_camera.json, or a BOP camera.json.

    Args:
        path: the file.
        width: columns of the image; needed where the file does not say.
        height: rows of the image.
        image_id: which entry of a scene_camera.json; may be left out if it has only one.

    Returns:
        The camera, and depth_scale in MILLIMETRES per stored unit (BOP's), None where the file does not say.

    Raises:
        DiffDopeError: if the file cannot be read or its content is refused; if it states lens distortion, too.
    """
    check_path("path", path)
    entry = _entry_in(Path(path), image_id)
    try:
        camera = Camera.from_bop(entry, width=width, height=height)
    except DiffDopeError as error:
        raise DiffDopeError(f"camera file {path}: {error}") from error
    scale = entry.get("depth_scale")
    if scale is None:
        return camera, None
    check_positive("depth_scale", scale)
    return camera, check_number("depth_scale", scale)


def load_camera_of_image(
    path: str | Path, shape: tuple[int, ...], *, image_id: int | None = None
) -> tuple[Camera, float | None]:
    """Like `load_camera`; where the file holds no size, it is that of an image at hand.

    Args:
        path: the file.
        shape: (H, W, ...) of the image.
        image_id: which entry of a scene_camera.json.
    """
    entry = _entry_in(Path(path), image_id)
    sizes = {"height": shape[0], "width": shape[1]}
    missing = {name: size for name, size in sizes.items() if entry.get(name) is None}
    return load_camera(path, image_id=image_id, **missing)


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


def _entry_in(path: Path, image_id: int | None) -> Mapping[str, Any]:
    """The entry of an image in a camera file, which may be nothing but that entry."""
    data = read_object(path, "camera")
    if any(key in data for key in ("cam_K", "fx", "fy")):
        return data
    try:
        check_undistorted({key: value for key, value in data.items() if not key.isdigit()})
        return _numbered_entry(data, image_id)
    except DiffDopeError as error:
        raise DiffDopeError(f"camera file {path}: {error}") from error


def _numbered_entry(data: dict[str, Any], image_id: int | None) -> Mapping[str, Any]:
    entries = {int(key): value for key, value in data.items() if isinstance(value, dict) and key.isdecimal()}
    if not entries:
        raise expected("camera", "cam_K, or fx, fy, cx and cy", f"keys {', '.join(data) or 'none'}")
    if image_id is None and len(entries) == 1:
        (entry,) = entries.values()
        return entry
    if image_id is not None:
        image_id = check_count("image_id", image_id, least=0)
    if image_id not in entries:
        cure = "give the image's id, or a file with its entry alone"
        raise expected("image_id", f"one of the {len(entries)} of the file", image_id, cure)
    return entries[image_id]
