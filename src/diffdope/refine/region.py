"""Where to look: the crop around mask and start pose, and which of its pixels count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.refine.result import Status
from diffdope.refine.settings import CropSettings
from diffdope.scene.extent import hull_corners
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F32 = NDArray[np.float32]
Box = tuple[float, float, float, float]
NEAR_M = 1e-3
_HARDLY = 0.3  # share of a mask
_RIM = 1.5  # pixels: of a small silhouette, what is less deep is its border, drawn half a pixel wider than it is
_LEAST_BITE = 0.03  # of the silhouette's extent: as much, poses and masks that are called good are off
_BITE = 2.0  # of the error of the mask's border


def projected_box(mesh: Mesh, pose: Pose, camera: Camera) -> Box | Status:
    """Pixel box (x0, y0, x1, y1) of the object under a pose, or why there is none."""
    return box_of(pose.apply(mesh.vertices_m), camera)


def box_of(x_c: NDArray[np.float64], camera: Camera) -> Box | Status:
    """Pixel box of points (N, 3) in the camera's frame, metres, or why there is none."""
    ahead = x_c[:, 2] > NEAR_M
    if not ahead.any():
        return Status.BEHIND_CAMERA
    crosses = not ahead.all()
    u, v = camera.project(_in_front(x_c) if crosses else x_c)
    box = (float(u.min()), float(v.min()), float(u.max()), float(v.max()))
    right, bottom = camera.width - 1, camera.height - 1
    if box[2] < 0 or box[3] < 0 or box[0] > right or box[1] > bottom:
        return Status.OUT_OF_VIEW
    # What comes up to the camera is seen as wide as one likes: beyond the border its size says nothing.
    return (max(box[0], 0.0), max(box[1], 0.0), min(box[2], right), min(box[3], bottom)) if crosses else box


def _in_front(x_c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points with the convex hull of the part of that of (N, 3) that lies before the near plane, metres."""
    corners = hull_corners(x_c)  # fewer: every one in front is joined with every one behind
    ahead = corners[:, 2] > NEAR_M
    front, behind = corners[ahead], corners[~ahead]
    share = (NEAR_M - behind[:, None, 2]) / (front[None, :, 2] - behind[:, None, 2])
    cuts = behind[:, None] + share[..., None] * (front[None] - behind[:, None])
    return np.concatenate([front, cuts.reshape(-1, 3)])


def choose_window(start_box: Box, observation: Observation, settings: CropSettings) -> CropWindow:
    """The crop that holds the start pose and the mask."""
    boxes = [start_box]
    if observation.mask_box is not None:
        boxes.append(observation.mask_box)
    return choose_crop(boxes, observation.camera, margin=settings.margin, max_size=settings.size)


def dilate(coverage: F32, pixels: int) -> F32:
    """Grows a coverage image by a square of `pixels` on each side."""
    from scipy.ndimage import maximum_filter

    return np.asarray(maximum_filter(coverage, size=2 * pixels + 1), dtype=np.float32)


def within(mask: NDArray[np.floating]) -> NDArray[np.floating]:
    """The mask (H, W) without its outermost pixels, or as it is if hardly anything were left.

    Those pixels are partly the background's. What they pay if they are not covered draws the outline outwards.
    """
    from scipy.ndimage import minimum_filter

    inner = np.asarray(minimum_filter(mask, size=3), dtype=np.float32)
    return inner if inner.sum() > _HARDLY * mask.sum() else mask


def mask_care(start_depth: F32, observation: Observation, *, share: float, diameter_m: float) -> F32:
    """How much each pixel counts for the mask: 0 where something in front may hide the object.

    There, outside of the visible mask, nobody knows whether the object goes on; counting it as background would push
    the pose out from behind its occluder.

    Args:
        start_depth: rendered depth of the start pose (H, W), metres, 0 where it covers nothing.
        observation: the crop.
        share: of the object's size by which a surface must be nearer, or a gap in the mask deeper, to count as an
            occluder: the start pose is not exact.
        diameter_m: of the object.
    """
    care = np.ones_like(start_depth)
    if observation.mask is None or not start_depth.any():
        return care
    if observation.depth is not None:
        hidden = _nearer(start_depth, observation.depth, share * diameter_m)
    else:
        hidden = _deep_gaps(start_depth > 0.0, observation.mask, share)
    care[hidden & (observation.mask < 0.5)] = 0.0
    return care


def _nearer(start_depth: F32, observed: F32, margin_m: float) -> NDArray[np.bool_]:
    """Where the observed surface is nearer than the object, whose depth is continued beyond its outline."""
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(start_depth <= 0.0, return_distances=False, return_indices=True)
    return np.asarray((observed > 0.0) & (observed < start_depth[rows, columns] - margin_m))


def _deep_gaps(start: NDArray[np.bool_], mask: F32, share: float) -> NDArray[np.bool_]:
    """Without depth: parts of the start's silhouette that the mask lacks, and that reach far into it.

    A pose that is a little off lacks a rim; an occluder takes a bite. The bite is widened, since the true silhouette
    behind the occluder may stick out of the start's.
    """
    from scipy.ndimage import binary_dilation, distance_transform_edt, label

    rows, columns = np.nonzero(start)
    reach = max(share * float(max(np.ptp(rows), np.ptp(columns)) + 1), _RIM)
    depth_inside = distance_transform_edt(start)
    pieces, count = label(start & (mask < 0.5))
    bites = [k for k in range(1, count + 1) if depth_inside[pieces == k].max() > reach]
    gaps = np.isin(pieces, bites)
    return np.asarray(binary_dilation(gaps, iterations=max(1, round(reach))) if bites else gaps)


def least_bite(coverage: F32, mask: F32, share: float) -> float:
    """How deep a bite into a silhouette that is known well must be to be an occluder's, as a share of its extent.

    A mask that is off lacks more of a silhouette than its rim, so that bites must be deeper than its border is off.

    Args:
        coverage: of the rendering (H, W).
        mask: (H, W).
        share: for a silhouette that is not known well; the result is at most this.
    """
    rows, columns = np.nonzero(coverage > 0.5)
    if len(rows) == 0:
        return share
    extent = float(max(np.ptp(rows), np.ptp(columns)) + 1)
    return min(share, max(_LEAST_BITE, _BITE * border_error(coverage, mask, np.ones_like(mask)) / extent))


def border_error(coverage: F32, mask: F32, care: F32) -> float:
    """How far a mask's border is from a rendered outline, pixels: the area between the two by the border's length.

    Args:
        coverage: of the rendering (H, W).
        mask: (H, W).
        care: (H, W), 0 where the mask says nothing.
    """
    inside = mask > 0.5
    across = np.count_nonzero((inside[:, 1:] != inside[:, :-1]) & (care[:, 1:] > 0.5))
    along = np.count_nonzero((inside[1:] != inside[:-1]) & (care[1:] > 0.5))
    # Steps of a slanted border are counted in both directions: pi / 4 on average over all slants.
    length = max(0.25 * np.pi * (across + along), 1.0)
    return float(np.sum(care * np.abs(coverage - mask)) / length)
