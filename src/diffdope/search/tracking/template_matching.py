"""Where an object went since the frame before: its picture there, laid over the new frame (template matching).

The picture is small, about 16 pixels, and moved by whole ones of its pixels, and along the optical axis by what depth
says. The turn stays. That reaches several times the object's size in a millisecond, where a descent reaches a few
percent of it; and as the picture is of the object as it was seen, not as it is drawn, a mesh needs no colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import Box, CropWindow
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Status
from diffdope.problem.patch_kernel import PatchPenalties, PatchPixels, Searched, match_patch
from diffdope.problem.region import projected_box
from diffdope.render.renderer import draw
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Int = NDArray[np.int64]

_SIZE = 16  # pixels of the longer side: a place is then known to 3 % of the object's size, where a descent takes over
_FARTHEST = 48  # pixels that a patch is moved by at most, three times its size: the time grows with the square
_FEWEST = 12  # pixels that a patch needs
_COLOR_RANGE = 0.5  # sum over the channels, of the difference that pays in full: shading changes by half of that
_DEPTH_RANGE = 0.1  # share of the diameter, of a difference of depth that pays in full: a turn by 10 degrees makes it
_PRIOR = 0.1  # what a place at the end of the reach pays, in units of what a pixel pays for one kind of image


@dataclass(frozen=True)
class Patch:
    """A small picture of an object at a pose: window of the full image, and the reduced crop of it."""

    pose: Pose
    window: CropWindow
    crop: Observation


class TemplateMatcher:
    """Takes pictures of an object, and finds them in other frames.

    Args:
        meshes: the object, about its own middle.
    """

    def __init__(self, meshes: MeshLevels) -> None:
        self._meshes = meshes

    def picture(self, observation: Observation, pose: Pose) -> Patch | None:
        """Of the object at a pose in a frame; None if nothing of it is in the picture."""
        box = projected_box(self._meshes.corners_m, pose, observation.camera)
        if isinstance(box, Status):
            return None
        k = max(1, round(max(box[2] - box[0], box[3] - box[1]) / _SIZE))
        window = on_lattice(box, observation.camera, k)
        return None if window is None else Patch(pose, window, observation.crop(window))

    def moved(self, patch: Patch, observation: Observation, expected: Pose, reach_m: float) -> Pose | None:
        """The place at which the object's picture agrees best with a new frame, with the turn that is expected.

        Args:
            patch: the object in a frame before.
            observation: the new frame.
            expected: where the object would be if it moved on as before. What agrees equally well is rather there.
            reach_m: how far from there it may be, metres.

        Returns:
            None if the images have nothing in common with the patch, or too little of the object is seen.
        """
        pixels = self._pixels(patch)
        colored = patch.crop.rgb is not None and "rgb" in observation.modalities
        measured = patch.crop.depth is not None and "depth" in observation.modalities
        if pixels is None or not (colored or measured) or expected.t_m2c[2] <= 0.0:
            return None
        camera, k = observation.camera, patch.window.reduction
        here, size = projected(camera, patch.pose.t_m2c), np.array(patch.window.size)
        focal = np.array([camera.fx, camera.fy])
        reach = np.minimum(np.ceil(reach_m * focal / expected.t_m2c[2] / k), _FARTHEST).astype(int)
        middle = np.round((projected(camera, expected.t_m2c) - here) / k).astype(int)
        first = np.array([patch.window.x0, patch.window.y0]) // k + middle - reach
        last = first + 2 * reach + size
        window = on_lattice((*(first * k), *(last * k - 1)), camera, k)
        if window is None:
            return None
        pay = PatchPenalties(
            np.float32(colored), np.float32(measured), np.float32(_COLOR_RANGE),
            np.float32(_DEPTH_RANGE * self._meshes.length_m), np.float32(reach_m),
        )  # fmt: skip
        place, moved_m = self._best(
            pixels, observation.crop(window), first - np.array([window.x0, window.y0]) // k, reach, pay
        )
        z = patch.pose.t_m2c[2] + moved_m
        u, v = here + (middle + place) * k
        ray = np.array([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0])
        return Pose(expected.R_m2c, z * ray) if z > 0.0 else None

    def _best(
        self, pixels: PatchPixels, crop: Observation, first: Int, reach: Int, pay: PatchPenalties
    ) -> tuple[Int, float]:
        """Columns and rows (2,) by which the best place is off the middle, and how much farther it is, metres."""
        seen = _searched(crop)
        cost = np.empty((2 * reach[1] + 1, 2 * reach[0] + 1), np.float32)
        moved_m = np.empty_like(cost)
        column, row = int(first[0]), int(first[1])

        def work(_: int, low: int, high: int) -> None:
            match_patch(pixels, seen, low, high, row, column, pay, cost, moved_m)

        self._meshes.buffers().pool.run(work, len(cost))
        y, x = np.unravel_index(int(np.argmin(cost + _far_off(reach))), cost.shape)
        return np.array([x, y]) - reach, float(moved_m[y, x])

    def _pixels(self, patch: Patch) -> PatchPixels | None:
        """Those that the object covers, without what hides it."""
        crop, buffers = patch.crop, self._meshes.buffers()
        images = draw(buffers, crop.camera, patch.pose)
        depth, own = images.depth[0], images.coverage[0] > 0.5
        if crop.depth is not None:
            own = own & ~((crop.depth > 0.0) & (np.abs(crop.depth - depth) > _DEPTH_RANGE * self._meshes.length_m))
        row, column = np.nonzero(own)
        if len(row) < _FEWEST:
            return None
        rgb = np.zeros((len(row), 3), np.float32) if crop.rgb is None else crop.rgb[row, column]
        return PatchPixels(row, column, np.array(rgb, np.float32, order="C"), np.array(depth[row, column], np.float32))


def on_lattice(box: Box, camera: Camera, k: int) -> CropWindow | None:
    """The blocks of k x k pixels, counted from the image's corner, that a box meets; None if there is none.

    Two windows of the same k then lie whole blocks apart.
    """
    ends = []
    for low, high, size in ((box[0], box[2], camera.width), (box[1], box[3], camera.height)):
        first, last = max(int(np.floor(low / k)), 0), min(int(np.floor(high / k)) + 1, size // k)
        if first >= last:
            return None
        ends.append((first * k, (last - first) * k))
    (x0, width), (y0, height) = ends
    return CropWindow(x0, y0, width, height, k)


def _searched(crop: Observation) -> Searched:
    # Copies, for numba takes arrays that cannot be written to for another type, and would compile everything once more.
    shape = (crop.camera.height, crop.camera.width)
    return Searched(
        np.zeros((*shape, 3), np.float32) if crop.rgb is None else np.array(crop.rgb, order="C"),
        np.zeros(shape, np.float32) if crop.depth is None else np.array(crop.depth, order="C"),
    )


def _far_off(reach: Int) -> F32:
    """What places pay (R, C) for being far from where the object is expected."""
    x, y = (np.arange(-one, one + 1.0) / max(one, 1.0) for one in reach)
    return np.asarray(_PRIOR * (y[:, None] ** 2 + x[None] ** 2), dtype=np.float32)


def projected(camera: Camera, t_m2c: F64) -> F64:
    """Column and row (2,) of a point, pixels."""
    return np.array([camera.fx * t_m2c[0] / t_m2c[2] + camera.cx, camera.fy * t_m2c[1] / t_m2c[2] + camera.cy])
