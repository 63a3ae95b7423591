"""ROS camera_info YAML: the pinhole of rectified or undistorted pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.io.cameras import load_camera_of_image
from diffdope.io.json_files import read_text


def load_any_camera(path: Path, shape: tuple[int, ...]) -> tuple[Camera, float | None]:
    """A camera of ROS's YAML, or of one of the JSON files that `load_camera` reads.

    Args:
        path: the file.
        shape: (H, W, ...) of the images.

    Returns:
        The camera, and depth_scale in MILLIMETRES per stored unit, None where the file does not say.

    Raises:
        DiffDopeError: if the file cannot be read, states lens distortion, or is of another size than the images.
    """
    if path.suffix.lower() not in (".yaml", ".yml"):
        return load_camera_of_image(path, shape)
    entry = _entry(path)
    K = entry.get("k", entry.get("K", entry.get("camera_matrix")))
    K = K.get("data") if isinstance(K, dict) else K
    if K is None:
        raise expected(f"camera file {path}", "k or camera_matrix", f"keys {', '.join(map(str, entry)) or 'none'}")
    size = {
        "width": entry.get("width", entry.get("image_width")),
        "height": entry.get("height", entry.get("image_height")),
    }
    for name, wanted in zip(("height", "width"), shape[:2], strict=True):
        size[name] = wanted if size[name] is None else size[name]
        if size[name] != wanted:
            raise expected(f"camera file {path}", f"{name} {wanted}, as the images have", size[name])
    stated = {key: value for key, value in entry.items() if key.lower() in ("d", "distortion_coefficients")}
    model = {"distortion_model": entry["distortion_model"]} if entry.get("distortion_model") else {}
    return Camera.from_bop({"cam_K": K, **stated, **model}, **size), None


def _entry(path: Path) -> dict[str, Any]:
    import yaml

    try:
        entry = yaml.safe_load(read_text(path, "camera"))
    except yaml.YAMLError as error:
        raise expected(f"camera file {path}", "YAML", str(error)) from error
    if not isinstance(entry, dict):
        raise expected(f"camera file {path}", "a mapping with k, width and height", type(entry).__name__)
    return entry


def optical_frame_of(path: Path) -> str:
    """The name of the optical frame that a camera_info file states; camera_optical_frame where it states none."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        return "camera_optical_frame"
    entry = _entry(path)
    header = entry.get("header")
    stated = entry.get("frame_id") or (header.get("frame_id") if isinstance(header, dict) else None)
    return stated if isinstance(stated, str) and stated else "camera_optical_frame"
