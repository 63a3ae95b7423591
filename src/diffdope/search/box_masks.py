"""From a box to masks: the poses that explain most of what it shows, and the pixels in which each would be seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import Box, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.box_proposals import box_proposals, box_scores
from diffdope.search.candidates import Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.selection import non_maximum_suppression
from diffdope.search.settings import SearchSettings

Mask = NDArray[np.bool_]

_SAME_RAD, _SAME = np.radians(4.0), 0.02  # of the diameter: poses that are closer come to the same end
_SCORED_PX = 48  # least crop in which poses are compared
_MASK_PX = 160
_FEWEST = 8  # pixels of that crop: a mask of fewer holds nothing


def masks_in_box(
    descent: Descent, meshes: MeshLevels, observation: Observation, box: Box, search: SearchSettings
) -> list[Mask] | Failure:
    """Masks (H, W) of the whole image in which the object may be, the likeliest first.

    Args:
        descent: takes poses through levels, of the observation without a mask.
        meshes: the object, about its own middle.
        observation: with depth, without a mask.
        box: first and last column and row (x0, y0, x1, y1) of the object's visible part, pixels.
        search: of the search.
    """
    settings = search.box
    proposals = box_proposals(meshes, observation, box, search.view_sphere, settings)
    if isinstance(proposals, Failure):
        return proposals
    levels = settings.pyramid.levels
    R, t = proposals.R, proposals.t
    for number, level in enumerate(levels):
        alone = settings.pyramid.of_level(number)
        start = Pose(R[0], t[0])
        found = descent.run(alone, Hypotheses(R, t, np.arange(len(t))), start)
        if isinstance(found, Failure):
            return found
        solution = found.ended.solution
        R, t = solution.R[:, 0], solution.t[:, 0]
        score = box_scores(
            meshes, observation, box, R, t, settings, size=max(level.size, _SCORED_PX), faces=level.faces
        )
        left = levels[number + 1].hypotheses if number + 1 < len(levels) else settings.masks
        kept = non_maximum_suppression(
            R, t, -score.astype(np.float64), left, angle_rad=_SAME_RAD, distance_m=_SAME * meshes.length_m
        )
        R, t = R[kept], t[kept]
    masks = (_mask(meshes, observation, Pose(*one), box, search) for one in zip(R, t, strict=True))
    return [mask for mask in masks if mask is not None] or Failure(Status.FAILED)


def _mask(
    meshes: MeshLevels, observation: Observation, pose: Pose, box: Box, search: SearchSettings
) -> Mask | None:  # fmt: skip
    """Pixels inside of a box in which the depth shows an object under a pose."""
    from scipy.ndimage import binary_dilation

    window = choose_crop([box], observation.camera, margin=0.1, max_size=_MASK_PX)
    crop = observation.crop(window)
    images = Renderer(meshes.mesh, crop.camera, buffers=meshes.buffers()).render(pose.R_m2c, pose.t_m2c)
    assert crop.depth is not None
    drawn = images.coverage[0] > 0.5
    away = np.where(crop.depth > 0.0, crop.depth - images.depth[0], 0.0)
    off = search.box.depth_range_fine * meshes.length_m
    agrees = drawn & (np.abs(away) < off)
    # At borders, depth is mixed of two surfaces: what is next to a pixel that agrees belongs to it.
    shown = agrees | (drawn & binary_dilation(agrees) & (away > -off))
    if np.count_nonzero(shown) < _FEWEST:
        return None
    whole = np.zeros((observation.camera.height, observation.camera.width), np.bool_)
    k = window.reduction
    area = whole[window.y0 : window.y0 + window.height, window.x0 : window.x0 + window.width]
    area[:] = np.repeat(np.repeat(shown, k, axis=0), k, axis=1)
    x0, y0, x1, y1 = (round(one) for one in box)
    kept = np.zeros_like(whole)
    kept[max(y0, 0) : y1 + 1, max(x0, 0) : x1 + 1] = True
    return np.asarray(whole & kept)
