"""Where annotated objects are seen in a picture: masks, and the entries of scene_gt_info.json."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.viz.windows import window_of

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

_BEHIND_M = 0.015  # as BOP: a surface that is measured so much nearer hides the object
_NO_BOX = [-1, -1, -1, -1]  # as BOP has it


class WholeOutline(NamedTuple):
    """How many pixels an object would take if nothing hid it, and its box, which may leave the picture."""

    pixels: int
    box: list[int]


class Silhouettes:
    """Where objects are in an image, and where nothing hides them.

    Attributes:
        whole: (H, W) each: where the object would be seen if it were alone.
        visible: (H, W) each: of that, where no other object and nothing measured is before it.
        outlines: of each, with what lies outside of the picture.
    """

    def __init__(self, whole: list[Bools], visible: list[Bools], outlines: list[WholeOutline]) -> None:
        self.whole, self.visible, self.outlines = whole, visible, outlines

    def info(self, depth: NDArray[np.float32] | None) -> list[dict[str, Any]]:
        """Entries of scene_gt_info.json."""
        entries = []
        for whole, visible, outline in zip(self.whole, self.visible, self.outlines, strict=True):
            all_px, seen = outline.pixels, int(visible.sum())
            valid = int((whole if depth is None else whole & (depth > 0)).sum())
            entries.append({
                "bbox_obj": outline.box if seen else _NO_BOX, "bbox_visib": bbox_of(visible), "px_count_all": all_px,
                "px_count_valid": valid, "px_count_visib": seen, "visib_fract": seen / all_px if all_px else 0.0,
            })  # fmt: skip
        return entries


def silhouettes_of(
    placed: list[tuple[Mesh, Pose]], camera: Camera, measured: NDArray[np.float32] | None
) -> Silhouettes:  # fmt: skip
    """Draws all objects of an image, and compares their depths with each other and with what was measured.

    Args:
        placed: meshes and poses.
        camera: of the image.
        measured: depth (H, W), metres, 0 where missing; None without.
    """
    size = (camera.height, camera.width)
    depths = [_depth(mesh, pose, camera) for mesh, pose in placed]
    nearest = np.full(size, np.inf)
    for depth in depths:
        nearest = np.where(depth > 0.0, np.minimum(nearest, depth), nearest)
    if measured is not None:
        before = np.where(measured > 0, measured + _BEHIND_M, np.inf)
        nearest = np.minimum(nearest, before)
    whole = [depth > 0.0 for depth in depths]
    visible = [(depth > 0.0) & (depth <= nearest) for depth in depths]
    outlines = [outline_of(mesh, pose, camera, mask) for (mesh, pose), mask in zip(placed, whole, strict=True)]
    return Silhouettes(whole, visible, outlines)


def outline_of(mesh: Mesh, pose: Pose, camera: Camera, inside: Bools) -> WholeOutline:
    """Pixels and box of a whole object; as BOP counts them, with what lies up to a picture's size outside of it.

    Args:
        mesh: the object.
        pose: of it.
        camera: of the image.
        inside: (H, W) where it is in the picture.
    """
    if not inside.any() or not any(edge.any() for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1])):
        return WholeOutline(int(inside.sum()), bbox_of(inside))
    width, height = camera.width, camera.height
    canvas = camera.crop(-width, -height, 3 * width, 3 * height)
    # What is larger than the picture is drawn in coarser pixels: nine pictures' worth would be much memory.
    window = window_of(mesh, canvas, [pose], margin=0.02, max_size=max(width, height))
    assert window is not None  # it is in the picture
    k, images = window.reduction, Renderer(mesh, window.camera(canvas)).render(pose.R_m2c, pose.t_m2c)
    drawn = images.coverage[0] >= 0.5
    x, y, across, down = bbox_of(drawn)
    box = [window.x0 - width + k * x, window.y0 - height + k * y, k * across, k * down]
    return WholeOutline(max(k * k * int(drawn.sum()), int(inside.sum())), box)


def bbox_of(mask: Bools) -> list[int]:
    """x, y, width and height of what is not 0; -1 each where nothing is, as BOP has it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return list(_NO_BOX)
    x, y = int(columns[0]), int(rows[0])
    return [x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1]


def _depth(mesh: Mesh, pose: Pose, camera: Camera) -> F64:
    """Depth (H, W) of one object, 0 beside it; only its part of the image is drawn."""
    depth = np.zeros((camera.height, camera.width))
    window = window_of(mesh, camera, [pose], margin=0.02)
    if window is None:
        return depth
    part = window.camera(camera)
    images = Renderer(mesh, part).render(pose.R_m2c, pose.t_m2c)
    drawn = np.where(images.coverage[0] >= 0.5, images.depth[0], 0.0)
    depth[window.y0 : window.y0 + part.height, window.x0 : window.x0 + part.width] = drawn
    return depth
