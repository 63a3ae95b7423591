"""Where several instances of one object lie in a picture that no mask divides: a bin of parts, or a table with some.

What lies on top is looked for first. Wherever depth shows something that is on no large plane, templates are laid over
that point, all that cover it, and judged by the pixels that they explain. What has been found claims its pixels: it
hides what is looked for next.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import Box, CropWindow, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.problem.box_screening_kernel import BoxSeen
from diffdope.problem.failure import Failure, Status
from diffdope.problem.screening_kernel import Placements
from diffdope.render.arrays import pinhole_of
from diffdope.render.renderer import pose_batch
from diffdope.scene.observation import Observation
from diffdope.search.descent import Descent
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_masks import Guess, mask_of, reached
from diffdope.search.proposals.box_proposals import BoxSettings, explained, penalties, scored, seen_in
from diffdope.search.proposals.depth_segments import reduced_points
from diffdope.search.proposals.large_planes import off_large_planes
from diffdope.search.proposals.local_search import Score
from diffdope.search.proposals.template_placement import Proposals, proposals_of, spots
from diffdope.search.settings import SearchSettings

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

_APART = 0.2  # of the diameter: points over which templates are laid
_AT = 0.08  # of the diameter, to both sides of a point: what a template must cover
_REACH = 1.1  # diameters, to both sides of a point: what covers it reaches no farther, nearer to the camera
_FEWEST = 3  # pixels of the reduced image in which a place is told from a stray one
_CROP_PX = 48
_INSIDE = 0.25  # of the diameter, from a surface to the middle of the object
_HIDES_M = 1e-3  # depth of what is claimed: nearer than any object
_NOWHERE = 10.0  # diameters behind a plane, where its pixels explain nothing that is drawn


class ImagePlace(NamedTuple):
    """A pixel that may show the object, with what is laid over it.

    Attributes:
        pixel: (2,) column and row.
        z_m: depth there, metres.
        box: first and last column and row (x0, y0, x1, y1) of what an object that covers it may reach.
        proposals: the poses that explain most around it, the best first; None before any were laid.
        laid: whether they were laid since something was claimed near by.
    """

    pixel: F64
    z_m: float
    box: Box
    proposals: Proposals | None = None
    laid: bool = False


class PlaceQueue:
    """Places, that which explains most first; what is claimed meanwhile explains nothing.

    Args:
        meshes: the object, about its own middle.
        observation: with depth, without a mask.
        pixels: (N, 2) of places, column and row.
        search: of the search.
    """

    def __init__(self, meshes: MeshLevels, observation: Observation, pixels: F64, search: SearchSettings) -> None:
        self._meshes, self._observation, self._search = meshes, observation, search
        self._places = [one for one in (_around(observation, pixel, meshes.length_m) for pixel in pixels) if one]

    def best(self, scene: Occupancy) -> ImagePlace | None:
        """The place whose best proposal explains most, of those that are not claimed; None where none explains any."""
        self._places = [one for one in self._places if not scene.claimed[int(one.pixel[1]), int(one.pixel[0])]]
        while self._places:
            first = max(range(len(self._places)), key=lambda k: _explained(self._places[k]))
            best = self._places[first]
            if best.laid or _explained(best) <= 0.0:
                return best if _explained(best) > 0.0 else None
            # What is claimed explains less than before, so that places which explained less need not be asked.
            self._places[first] = self._laid(best, scene)
        return None

    def leave_out(self, place: ImagePlace, share: float) -> None:
        """Leaves out a place, and those nearer to it than this share of the diameter."""
        self._places = [one for one in self._places if one is not place and self._away(one, place) > share]

    def again_around(self, place: ImagePlace) -> None:
        """What is laid over places that an object may share with this one is to be laid anew."""
        near = 2.0 * _REACH
        self._places = [one._replace(laid=False) if self._away(one, place) < near else one for one in self._places]

    def _away(self, one: ImagePlace, other: ImagePlace) -> float:
        """Of two places in the picture, in diameters."""
        camera = self._observation.camera
        aside = (one.pixel - other.pixel) / [camera.fx, camera.fy] * other.z_m
        return float(np.linalg.norm(aside)) / self._meshes.length_m

    def _laid(self, place: ImagePlace, scene: Occupancy) -> ImagePlace:
        given = self._meshes, self._observation, place, scene, self._search
        return place._replace(proposals=_laid(*given), laid=True)


def _explained(place: ImagePlace) -> float:
    """How much it explains at most: what was not asked yet may explain all."""
    return np.inf if place.proposals is None else float(place.proposals.explained[0])


class Occupancy(NamedTuple):
    """What is known of a picture (H, W) besides its images.

    Attributes:
        claimed: pixels of instances that were found: they lie before everything else.
        flat: pixels of planes that are larger than the object: nothing of it is there, nor behind.
    """

    claimed: Mask
    flat: Mask

    @classmethod
    def of(cls, flat: Mask) -> Occupancy:
        """Before anything was found."""
        return cls(np.zeros_like(flat), flat)


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
    descent: Descent, meshes: MeshLevels, observation: Observation, place: ImagePlace, scene: Occupancy,
    search: SearchSettings, seed: int,
) -> tuple[Guess, Box] | Failure:  # fmt: skip
    """The mask of what covers a place, with the poses that it may have, the likeliest first, and the box of that mask.

    Args:
        descent: takes poses through levels, of the observation without a mask.
        meshes: the object, about its own middle.
        observation: with depth, without a mask.
        place: over which proposals are laid.
        scene: what was found so far.
        search: of the search.
        seed: of the draws.
    """
    settings = _settings(search)
    assert place.proposals is not None
    kept = reached(
        descent, meshes, place.proposals, partial(_score, meshes, observation, place.box, scene, settings), settings,
        seed,
    )  # fmt: skip
    if isinstance(kept, Failure):
        return kept
    poses = tuple(Pose(*one) for one in zip(kept.R, kept.t, strict=True))
    mask = mask_of(meshes, observation, poses[0], place.box, search)
    if mask is None or not (mask & ~scene.claimed).any():
        return Failure(Status.FAILED)
    mask = mask & ~scene.claimed
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Guess(mask, poses), (float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1]))


def _settings(search: SearchSettings) -> BoxSettings:
    """Of what explains a place: no box says where it ends."""
    return replace(search.box, outside=0.0, edge=0.0)


def _around(observation: Observation, pixel: F64, length_m: float) -> ImagePlace | None:
    """The place at a pixel; None where no depth was measured."""
    camera, depth = observation.camera, observation.depth
    u, v = (int(one) for one in pixel)
    assert depth is not None
    near = depth[max(v - 2, 0) : v + 3, max(u - 2, 0) : u + 3]
    if not (near > 0.0).any():
        return None
    z_m = float(np.median(near[near > 0.0]))
    du, dv = (_REACH * length_m * f / z_m for f in (camera.fx, camera.fy))
    x1, y1 = min(u + du, camera.width - 1.0), min(v + dv, camera.height - 1.0)
    return ImagePlace(pixel, z_m, (max(u - du, 0.0), max(v - dv, 0.0), x1, y1))


def _seen(
    observation: Observation, box: Box, scene: Occupancy, length_m: float, size: int
) -> tuple[Observation, CropWindow, BoxSeen]:  # fmt: skip
    """A crop, in which what is claimed hides everything, and large planes contradict all that is drawn on them."""
    window = choose_crop([box], observation.camera, margin=0.0, max_size=size)
    crop, k = observation.crop(window), window.reduction
    ends = window.x0, window.y0, window.x0 + window.width - 1, window.y0 + window.height - 1
    seen = seen_in(crop, (float(ends[0]), float(ends[1]), float(ends[2]), float(ends[3])), window)
    rows, columns = slice(window.y0, window.y0 + window.height), slice(window.x0, window.x0 + window.width)
    blocks = crop.camera.height, k, crop.camera.width, k
    flat, claimed = (part[rows, columns].reshape(blocks).mean(axis=(1, 3)) for part in (scene.flat, scene.claimed))
    seen.depth[(flat > 0.5) & (seen.depth > 0.0)] += np.float32(_NOWHERE * length_m)
    seen.depth[claimed > 0.5] = _HIDES_M
    return crop, window, seen


def _laid(
    meshes: MeshLevels, observation: Observation, place: ImagePlace, scene: Occupancy, search: SearchSettings
) -> Proposals:  # fmt: skip
    """Every template that covers a place, in several places, at the distance at which most of its pixels agree."""
    sphere, length_m, settings = search.view_sphere, meshes.length_m, _settings(search)
    crop, window, seen = _seen(observation, place.box, scene, length_m, _CROP_PX)
    middle = place.z_m + _INSIDE * length_m
    templates = meshes.templates(sphere.rotations, sphere.faces, middle / length_m)
    scale = crop.camera.fx / templates.focal * templates.distance_m / middle
    here = (place.pixel - [window.x0, window.y0] + 0.5) / window.reduction - 0.5
    half = _AT * length_m / place.z_m * np.array([crop.camera.fx, crop.camera.fy])
    boxes = templates.boxes * (scale * np.array([1.0, float(seen.aspect)] * 2))
    number, x, y = spots(boxes, np.concatenate([here - half, here + half]))
    placements = Placements(
        number, np.full(len(number), scale, np.float32), x.astype(np.float32), y.astype(np.float32),
        np.full(len(number), middle, np.float32),
    )  # fmt: skip
    score, z_m = scored(meshes, templates.templates, placements, seen, settings, settings.depth_range, follow=True)
    return proposals_of(templates, placements, score, z_m, crop.camera, settings.pyramid.levels[0].hypotheses)


def _score(
    meshes: MeshLevels, observation: Observation, box: Box, scene: Occupancy, settings: BoxSettings, *,
    size: int, faces: int, depth_range: float,
) -> Score:  # fmt: skip
    """As `box_score`, in a crop in which an object is as many pixels wide as there, less what is claimed."""
    crop, _, seen = _seen(observation, box, scene, meshes.length_m, round(2.0 * _REACH * size))
    buffers, view = meshes.buffers(faces), pinhole_of(crop.camera)
    pay = penalties(meshes, seen, settings, depth_range)
    return lambda R, t: explained(buffers, view, seen, pay, *pose_batch(R, t))
