"""The objects of one view as drawn at their poses: which one is in front where, and who claims which pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Status
from diffdope.problem.region import projected_box
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels

F32 = NDArray[np.float32]

_SIZE = 640  # pixels: longest side of a drawing; larger ones are drawn reduced, as a search's levels are far smaller
_MARGIN = 0.02  # share of an object's box by which its drawing is larger


class Drawing(NamedTuple):
    """One object where it is seen: depth (h, w) metres, 0 where it is not, of the full image's rows and columns."""

    rows: slice
    columns: slice
    depth: F32


def drawing_of(meshes: MeshLevels, pose: Pose, camera: Camera) -> Drawing | None:
    """An object as drawn by a camera, in full resolution; None where it is out of the picture.

    Args:
        meshes: the object, about its own middle.
        pose: of that in the camera.
        camera: a pinhole.
    """
    box = projected_box(meshes.corners_m, pose, camera)
    if isinstance(box, Status):
        return None
    window = choose_crop([box], camera, margin=_MARGIN, max_size=_SIZE)
    drawn = Renderer(meshes.mesh, window.camera(camera), buffers=meshes.buffers()).render(pose.R_m2c, pose.t_m2c)
    return Drawing(*_part(window), _enlarged(drawn.depth[0], window.reduction))


def depth_of_others(drawings: list[Drawing | None], one: int, camera: Camera) -> F32 | None:
    """Depth (H, W) of the nearest of all objects but one, metres, 0 for none; None where no other is drawn at all."""
    beside = [drawing for n, drawing in enumerate(drawings) if n != one and drawing is not None]
    if not beside:
        return None
    depth = np.zeros((camera.height, camera.width), np.float32)
    for rows, columns, drawn in beside:
        there = depth[rows, columns]
        np.copyto(there, drawn, where=(drawn > 0.0) & ((there <= 0.0) | (drawn < there)))
    return depth


def knowing(observation: Observation, depth_m: F32 | None) -> Observation:
    """An observation that knows of these other objects as well as of those that it knew.

    Args:
        observation: in which others may be known.
        depth_m: (H, W) metres, of others as drawn, 0 for none; None for no others.
    """
    if depth_m is None:
        return observation
    before = observation.others
    if before is not None:
        depth_m = np.where((before > 0.0) & ((depth_m <= 0.0) | (before < depth_m)), before, depth_m)
    return observation.with_others(depth_m)


def _part(window: CropWindow) -> tuple[slice, slice]:
    return slice(window.y0, window.y0 + window.height), slice(window.x0, window.x0 + window.width)


def _enlarged(image: F32, factor: int) -> F32:
    return image if factor == 1 else np.repeat(np.repeat(image, factor, axis=0), factor, axis=1)
