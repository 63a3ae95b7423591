"""The files of an observation: its images, and the camera where a file holds it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from diffdope.errors import check_path, expected
from diffdope.geometry.camera import CAMERA_CURE, Camera
from diffdope.io.cameras import load_camera_of_image
from diffdope.io.exif_turns import check_upright, notes_on_turn, orientation_of
from diffdope.io.images import read_depth, read_rgb
from diffdope.io.masks import read_mask
from diffdope.note_codes import Note


def images_of(
    camera: Camera | str | Path,
    rgb: str | Path | None,
    depth: str | Path | None,
    mask: str | Path | None,
    *,
    depth_scale: float | None,
    image_id: int | None,
) -> tuple[Camera, dict[str, Any]]:
    """The camera, and what `Observation` takes by name; for the arguments see `Observation.load`."""
    if not isinstance(camera, Camera | str | os.PathLike):
        raise expected("camera", "a Camera or the path of its file", type(camera).__name__, CAMERA_CURE)
    for name, path in (("rgb", rgb), ("depth", depth), ("mask", mask)):
        if path is not None:
            check_path(name, path)
    images: dict[str, Any] = {}
    if rgb is not None:
        images["rgb"] = read_rgb(rgb)
    if depth is not None:
        images["depth"] = read_depth(depth)
    if mask is not None:
        # Polygons hold no size.
        shapes = [image.shape[:2] for image in images.values()]
        own = (camera.height, camera.width) if isinstance(camera, Camera) else next(iter(shapes), None)
        images["mask"] = read_mask(mask, size=own, image_id=image_id)
    notes: tuple[Note, ...] = ()
    if rgb is not None:
        turn, beside = orientation_of(rgb), [name for name in ("mask", "depth") if name in images]
        for name in beside:
            check_upright(name, images[name], images["rgb"], turn)
        notes = notes_on_turn(images["rgb"], turn, beside)
    if not images:
        raise expected("observation", "at least one of rgb, depth and mask", "none")
    if isinstance(camera, Camera):
        return camera, {**images, "depth_scale": depth_scale, "notes": notes}
    camera, file_mm = load_camera_of_image(camera, next(iter(images.values())).shape, image_id=image_id)
    # The file's scale speaks of integers: floats are metres.
    if depth_scale is None and file_mm is not None and "depth" in images and images["depth"].dtype.kind in "iu":
        depth_scale = 1e-3 * file_mm
    return camera, {**images, "depth_scale": depth_scale, "notes": notes}
