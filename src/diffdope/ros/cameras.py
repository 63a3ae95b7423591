"""sensor_msgs/CameraInfo of ROS 1 and 2 as our cameras."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.camera import Camera
from diffdope.io.cameras import camera_of_entry

UNNAMED = "camera_optical_frame"
"""Where a message names no frame."""


def entry_of(info: Any) -> dict[str, Any]:
    """A camera_info message as the entry of a camera file; ROS 1 says K where ROS 2 says k.

    Args:
        info: with the fields of sensor_msgs/CameraInfo.
    """
    entry: dict[str, Any] = {"width": int(info.width), "height": int(info.height)}
    for name in "KDRP":
        values = getattr(info, name if hasattr(info, name) else name.lower())
        entry[name] = np.asarray(values, float).tolist()
    entry["distortion_model"] = str(info.distortion_model)
    entry["binning_x"], entry["binning_y"] = int(info.binning_x), int(info.binning_y)
    entry["roi"] = {name: int(getattr(info.roi, name)) for name in ("x_offset", "y_offset", "width", "height")}
    return entry


def camera_of_info(
    info: Any,
    shape: tuple[int, ...],
    *,
    topic: str = "camera_info",
    camera_size: tuple[int, int] | None = None,
    rectified: bool = False,
) -> Camera:
    """The camera of an image (H, W, ...), from a camera_info message.

    Args:
        info: the message.
        shape: of the image.
        topic: to blame.
        camera_size: see `load_camera`.
        rectified: see `load_camera`.

    Raises:
        DiffDopeError: if the camera is not calibrated, or for what `load_camera` refuses.
    """
    entry = entry_of(info)
    if not entry["K"][0] > 0:
        cure = "the driver was not calibrated: give --camera FILE"
        raise expected(topic, "a calibrated camera", "K of zeros", cure)
    if not entry["P"][0] > 0:  # some drivers leave it out, and then R as well
        del entry["P"], entry["R"]
    try:
        return camera_of_entry(entry, (shape[1], shape[0]), camera_size=camera_size, rectified=rectified)
    except DiffDopeError as error:
        raise DiffDopeError(f"{topic}: {error}") from error


def frame_of(message: Any) -> str:
    """The frame that a message names, as ROS 2 writes it: without a leading slash; `UNNAMED` where it names none."""
    return str(message.header.frame_id).lstrip("/") or UNNAMED
