"""Where several instances of one object lie in a picture that no mask divides: a bin of parts, or a table with some.

What lies on top is looked for first. Wherever depth shows something that is on no large plane, templates are laid over
that point, all that cover it, and judged by the pixels that they explain. What has been found claims its pixels: it
hides what is looked for next.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.render.arrays import pinhole_of
from diffdope.render.renderer import pose_batch
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_masks import Guess, mask_of, reached
from diffdope.search.proposals.box_proposals import BoxSettings, explained, penalties
from diffdope.search.proposals.depth_segments import reduced_points
from diffdope.search.proposals.large_planes import off_large_planes
from diffdope.search.proposals.local_search import Score
from diffdope.search.proposals.place_queue import REACH, ImagePlace, Occupancy, explaining, seen_around
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.settings import SearchSettings

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

_APART = 0.2  # of the diameter: points over which templates are laid
_FEWEST = 3  # pixels of the reduced image in which a place is told from a stray one


def places(observation: Observation, length_m: float, search: SearchSettings, seed: int) -> tuple[F64, Mask]:
    """Pixels (N, 2), column and row, that may show the object; and planes (H, W).

    Args:
        observation: with depth.
        length_m: the object's diameter.
        search: of the search.
        seed: of the draws.
    """
    from scipy.ndimage import label

    whole, (height, width) = observation.depth, (observation.camera.height, observation.camera.width)
    assert whole is not None
    flat = np.zeros((height, width), np.bool_)
    if not (whole > 0.0).any():
        return np.zeros((0, 2)), flat
    depth, points, k = reduced_points(whole, observation.camera, length_m, search.pieces)
    left = off_large_planes(points, depth > 0.0, length_m, search.pieces.near_plane, np.random.default_rng(seed))
    parts, _ = label(left, np.ones((3, 3)))
    pixel_m2 = (k / observation.camera.fx * depth) ** 2  # specks at borders are no objects
    area = np.bincount(parts.ravel(), weights=pixel_m2.ravel())
    area[0] = 0.0
    rows, columns = np.nonzero(area[parts] >= search.pieces.least_area * length_m**2)
    cells = np.floor(points[rows, columns, :2] / (_APART * length_m)).astype(np.int64)
    z = points[rows, columns, 2]
    order = np.lexsort((z, cells[:, 1], cells[:, 0]))
    rows, columns, cells, z = rows[order], columns[order], cells[order], z[order]
    # Of each cell the pixel in the middle of its depths, which is no stray one.
    _, start, count = np.unique(cells, axis=0, return_index=True, return_counts=True)
    middle = (start + count // 2)[count >= _FEWEST]
    large = np.repeat(np.repeat((depth > 0.0) & ~left, k, axis=0), k, axis=1)[:height, :width]
    flat[: large.shape[0], : large.shape[1]] = large
    return np.stack([columns[middle], rows[middle]], axis=1) * float(k) + k // 2, flat


def instance_at(
    inputs: SearchInputs, place: ImagePlace, scene: Occupancy, seed: int
) -> tuple[Guess, Box] | Failure:  # fmt: skip
    """The mask of what covers a place, with the poses that it may have, the likeliest first, and the box of that mask.

    Args:
        inputs: of the search, of an observation with depth and without a mask.
        place: over which proposals are laid.
        scene: what was found so far.
        seed: of the draws.
    """
    meshes, observation, settings = inputs.meshes, inputs.observation, explaining(inputs.settings)
    assert place.proposals is not None
    scored = partial(_score, meshes, observation, place.box, scene, settings)
    kept = reached(inputs, place.proposals, scored, settings, seed)
    if isinstance(kept, Failure):
        return kept
    poses = tuple(Pose(*one) for one in zip(kept.R, kept.t, strict=True))
    mask = mask_of(meshes, observation, poses[0], place.box, inputs.settings)
    if mask is None or not (mask & ~scene.claimed).any():
        return Failure(Status.FAILED)
    mask = mask & ~scene.claimed
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Guess(mask, poses), (float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1]))


def _score(
    meshes: MeshLevels, observation: Observation, box: Box, scene: Occupancy, settings: BoxSettings, *,
    size: int, faces: int, depth_range: float,
) -> Score:  # fmt: skip
    """As `box_score`, in a crop in which an object is as many pixels wide as there, less what is claimed."""
    crop, _, seen = seen_around(observation, box, scene, meshes.length_m, round(2.0 * REACH * size))
    buffers, view = meshes.buffers(faces), pinhole_of(crop.camera)
    pay = penalties(meshes, seen, settings, depth_range)
    return lambda R, t: explained(buffers, view, seen, pay, *pose_batch(R, t))
