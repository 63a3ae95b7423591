"""Places of a picture at which an object may be, and the templates that are laid over them, the best place first."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import Box, CropWindow, choose_crop
from diffdope.problem.box_screening_kernel import BoxSeen
from diffdope.problem.screening_kernel import Placements
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_proposals import BoxSettings, scored, seen_in
from diffdope.search.proposals.template_placement import Proposals, proposals_of, spots
from diffdope.search.settings import SearchSettings

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

_AT = 0.08  # of the diameter, to both sides of a point: what a template must cover
REACH = 1.1  # diameters, to both sides of a point: what covers it reaches no farther, nearer to the camera
_CROP_PX = 48  # side of the crop in which templates are compared
_COARSE_PX, _EVERY = 24, 2
"""Of a crop, and of the templates one in so many, by which places are compared before all templates are laid over the
best, in a fifth of the time. In two bins it gave 1.1 and 1.3 times as much in the median, a half to three times at the
ends."""
_AS_MUCH = 0.8  # of what a place seems to explain by that: who explains as much by all templates is next
_INSIDE = 0.25  # of the diameter, from a surface to the middle of the object
_HIDES_M = 1e-3  # depth of what is claimed: nearer than any object
_NOWHERE = 10.0  # diameters behind a plane, where its pixels explain nothing that is drawn


class ImagePlace(NamedTuple):
    """A pixel that may show the object, with what is laid over it.

    Attributes:
        pixel: (2,) column and row.
        z_m: depth there, metres.
        box: first and last column and row (x0, y0, x1, y1) of what an object that covers it may reach.
        explained: the area that the best pose around it explains, in squared diameters, at most.
        laid: whether templates were laid over it since something was claimed near by.
        proposals: the poses that explain most, the best first, once all templates were laid.
        later: whether something that is not sure was found there: it is asked again once nothing else is left.
    """

    pixel: F64
    z_m: float
    box: Box
    explained: float = np.inf
    laid: bool = False
    proposals: Proposals | None = None
    later: bool = False


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
            self._places.sort(key=lambda one: (one.later, -one.explained))
            first = self._places[0]
            # What is claimed explains less than before, so that places which explained less need not be asked.
            if not first.laid:
                first = self._places[0] = self._laid(first, scene, _COARSE_PX, _EVERY)
                if first.explained <= 0.0:
                    del self._places[0]
                continue
            ready = next((one for one in self._places if one.proposals is not None), first)
            enough = ready.later == first.later and ready.explained >= _AS_MUCH * first.explained
            if ready.proposals is not None and enough:
                return ready
            first = self._places[0] = self._laid(first, scene, _CROP_PX, 1)
            if first.explained <= 0.0:
                del self._places[0]
        return None

    def postpone(self, shown: Mask) -> None:
        """Leaves for the end the places at which something is seen (H, W) that is not sure."""
        self._places = [
            one._replace(later=True) if shown[int(one.pixel[1]), int(one.pixel[0])] else one for one in self._places
        ]

    def leave_out_shown(self, shown: Mask) -> int:
        """Leaves out the places at which something is seen (H, W), and returns how many they were."""
        before = len(self._places)
        self._places = [one for one in self._places if not shown[int(one.pixel[1]), int(one.pixel[0])]]
        return before - len(self._places)

    def leave_out(self, place: ImagePlace, share: float) -> None:
        """Leaves out a place, and those nearer to it than this share of the diameter."""
        self._places = [one for one in self._places if one is not place and self._away(one, place) > share]

    def again_around(self, place: ImagePlace) -> None:
        """What is laid over places that an object may share with this one is to be laid anew."""
        near = 2.0 * REACH
        for k, one in enumerate(self._places):
            if self._away(one, place) < near:
                self._places[k] = one._replace(laid=False, proposals=None)

    def _away(self, one: ImagePlace, other: ImagePlace) -> float:
        """Of two places in the picture, in diameters."""
        camera = self._observation.camera
        aside = (one.pixel - other.pixel) / [camera.fx, camera.fy] * other.z_m
        return float(np.linalg.norm(aside)) / self._meshes.length_m

    def _laid(self, place: ImagePlace, scene: Occupancy, size: int, every: int) -> ImagePlace:
        """With templates laid over it, one of so many, in a crop of so many pixels."""
        given = self._meshes, self._observation, place, scene, self._search
        proposals, pixel_m = _laid(*given, size=size, every=every)
        explained = float(proposals.explained[0]) * (pixel_m / self._meshes.length_m) ** 2
        return place._replace(explained=explained, laid=True, proposals=proposals if every == 1 else None)


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


def _around(observation: Observation, pixel: F64, length_m: float) -> ImagePlace | None:
    """The place at a pixel; None where no depth was measured."""
    camera, depth = observation.camera, observation.depth
    u, v = (int(one) for one in pixel)
    assert depth is not None
    near = depth[max(v - 2, 0) : v + 3, max(u - 2, 0) : u + 3]
    if not (near > 0.0).any():
        return None
    z_m = float(np.median(near[near > 0.0]))
    du, dv = (REACH * length_m * f / z_m for f in (camera.fx, camera.fy))
    x1, y1 = min(u + du, camera.width - 1.0), min(v + dv, camera.height - 1.0)
    return ImagePlace(pixel, z_m, (max(u - du, 0.0), max(v - dv, 0.0), x1, y1))


def explaining(search: SearchSettings) -> BoxSettings:
    """Of what explains a place: no box says where it ends."""
    return replace(search.box, outside=0.0, edge=0.0)


def seen_around(
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
    meshes: MeshLevels, observation: Observation, place: ImagePlace, scene: Occupancy, search: SearchSettings, *,
    size: int, every: int,
) -> tuple[Proposals, float]:  # fmt: skip
    """Templates that cover a place, in several places, at the distance at which most of their pixels agree.

    Args:
        meshes: the object, about its own middle.
        observation: with depth, without a mask.
        place: the place.
        scene: what was found so far.
        search: of the search.
        size: longest side of the crop, pixels.
        every: of so many templates one is laid.

    Returns:
        the best, and how wide a pixel of the crop is there, metres.
    """
    sphere, length_m, settings = search.view_sphere, meshes.length_m, explaining(search)
    crop, window, seen = seen_around(observation, place.box, scene, length_m, size)
    middle = place.z_m + _INSIDE * length_m
    templates = meshes.templates(sphere.rotations, sphere.faces, middle / length_m)
    scale = crop.camera.fx / templates.focal * templates.distance_m / middle
    here = (place.pixel - [window.x0, window.y0] + 0.5) / window.reduction - 0.5
    half = _AT * length_m / place.z_m * np.array([crop.camera.fx, crop.camera.fy])
    boxes = templates.boxes * (scale * np.array([1.0, float(seen.aspect)] * 2))
    number, x, y = spots(boxes[::every], np.concatenate([here - half, here + half]))
    number = number * every
    placements = Placements(
        number, np.full(len(number), scale, np.float32), x.astype(np.float32), y.astype(np.float32),
        np.full(len(number), middle, np.float32),
    )  # fmt: skip
    score, z_m = scored(meshes, templates.templates, placements, seen, settings, settings.depth_range, follow=True)
    count = settings.pyramid.levels[0].hypotheses
    pixel_m = place.z_m / float(np.sqrt(crop.camera.fx * crop.camera.fy))
    return proposals_of(templates, placements, score, z_m, crop.camera, count), pixel_m
