"""Which pixels speak for or against a pose, and how much: the responsibility of the object for each of them.

Computed once a level, at the pose where it begins, from the mask, the order of depths and what is known of occluders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.problem.pixel_kernels import count_border, fill_holes, hide_behind_nearer, sum_shared
from diffdope.render.arrays import readable
from diffdope.scene.observation import Observation

F32 = NDArray[np.float32]

_HARDLY = 0.3  # share of a mask, or of a silhouette
_RIM = 1.5  # pixels: of a small silhouette, what is less deep is its border, drawn half a pixel wider than it is
_LEAST_GAP = 0.03  # of the silhouette's extent: as much, poses and masks that are called good are off
_GAP = 2.0  # of the error of the mask's border
CONTACT = 0.02
"""Of the diameter: about as far, poses of objects that touch are off before they are settled."""
_AROUND = 0.05  # share of the crop by which the start's silhouette is widened where there is no mask


@dataclass(frozen=True, eq=False)
class Responsibility:
    """Weights of pixels in [0, 1].

    appearance (H, W): of colours, depth and gradients, the probability that the pixel shows the object; silhouette
    (H, W): of the mask, 0 where an occluder may hide the object and the mask says nothing; overlap: pixels that the
    start pose and the mask share.
    """

    appearance: F32
    silhouette: F32
    overlap: float

    @classmethod
    def everywhere(cls, width: int, height: int) -> Responsibility:
        """All pixels of a crop alike."""
        ones = np.ones((height, width), np.float32)
        return cls(ones, ones, float(ones.size))

    def eroded(self) -> Responsibility:
        """Without the outermost pixels of the appearance's."""
        return replace(self, appearance=eroded(self.appearance))


def responsibility_of(coverage: F32, crop: Observation, silhouette: F32) -> Responsibility:
    """The responsibility of an object whose rendering at the start has this coverage (H, W).

    Args:
        coverage: of the rendering.
        crop: what was observed.
        silhouette: weights of the mask's pixels; see `silhouette_weights`.
    """
    if crop.mask is not None:
        appearance: F32 = crop.mask
        total, overlap = sum_shared(readable(coverage), readable(crop.mask))
    else:
        appearance = dilate(coverage, max(1, round(_AROUND * max(coverage.shape)))) * silhouette
        total, overlap = float(appearance.sum()), float((coverage * silhouette).sum())
    if total <= 0.0 or overlap <= 0.0:
        return Responsibility(np.ones_like(coverage), silhouette, 0.0)
    return Responsibility(appearance, silhouette, overlap)


def dilate(coverage: F32, pixels: int) -> F32:
    """Grows a coverage image by a square of `pixels` on each side."""
    from scipy.ndimage import maximum_filter

    return np.asarray(maximum_filter(coverage, size=2 * pixels + 1), dtype=np.float32)


def eroded(mask: NDArray[np.floating]) -> NDArray[np.floating]:
    """The mask (H, W) without its outermost pixels, or as it is if hardly anything were left.

    Those pixels are partly the background's. What they pay if they are not covered draws the outline outwards.
    """
    from scipy.ndimage import minimum_filter

    inner = np.asarray(minimum_filter(mask, size=3), dtype=np.float32)
    return inner if inner.sum() > _HARDLY * mask.sum() else mask


def silhouette_weights(
    start_depth: F32, observation: Observation, *, share: float, diameter_m: float, unmasked: bool = True
) -> F32:  # fmt: skip
    """How much each pixel counts for the mask: 0 where something in front may hide the object.

    There, outside of the visible mask, nobody knows whether the object goes on; counting it as background would push
    the pose out from behind its occluder.

    Args:
        start_depth: rendered depth of the start pose (H, W), metres, 0 where it covers nothing.
        observation: the crop.
        share: of the object's size by which a surface must be nearer, or a gap in the mask deeper, to count as an
            occluder: the start pose is not exact.
        diameter_m: of the object.
        unmasked: whether what is nearer hides the object where there is no mask, too.
    """
    weights = np.ones_like(start_depth)
    if not start_depth.any():
        return weights
    known = behind_others(start_depth, observation, margin_m=CONTACT * diameter_m)
    if observation.mask is None:
        if observation.depth is not None and unmasked:
            _hide_behind_nearer(start_depth, observation, share * diameter_m, weights)
            drawn = start_depth > 0.0
            if weights[drawn].sum() < _HARDLY * np.count_nonzero(drawn):  # rather, the pose is too far away
                weights[:] = 1.0
        weights[known] = 0.0
        return weights
    if observation.depth is not None:
        _hide_behind_nearer(start_depth, observation, share * diameter_m, weights)
        hidden = known
    else:
        hidden = known | _deep_gaps((start_depth > 0.0) & ~known, observation.mask, share)
    if hidden.any():
        weights[hidden & (observation.mask < 0.5)] = 0.0
    return weights


def behind_others(start_depth: F32, crop: Observation, *, margin_m: float) -> NDArray[np.bool_]:
    """Where another object that is known is drawn in front of this one, whose depth is continued beyond its outline.

    Args:
        start_depth: rendered depth of the start pose (H, W), metres, 0 where it covers nothing; somewhere it does.
        crop: the crop.
        margin_m: by which another one may be farther, metres: where both touch, which is in front is not known.
    """
    if crop.others is None or not crop.others.any():
        return np.zeros(start_depth.shape, bool)
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(start_depth <= 0.0, return_distances=False, return_indices=True)
    return np.asarray((crop.others > 0.0) & (crop.others < start_depth[rows, columns] + margin_m))


def weights_of_mask(crop: Observation, *, margin_m: float) -> F32:
    """The same where no pose is known: measured depth tells what is in front of the object; without it, nobody knows.

    Then only the mask's surroundings count. A silhouette that sticks far out of it pays no more for being far, for it
    may be hidden there; what it pays close to the mask is for a border that is not its own.

    Args:
        crop: the crop.
        margin_m: by which a surface must be nearer to count as an occluder, metres.
    """
    if crop.mask is None:
        return np.ones((crop.camera.height, crop.camera.width), np.float32)
    weights = np.ones_like(crop.mask)
    inside = crop.mask > 0.5
    if not inside.any():
        return weights
    if crop.others is not None:
        weights[(crop.others > 0.0) & ~inside] = 0.0
    if crop.depth is not None:
        _hide_behind_nearer(np.where(inside, crop.depth, np.float32(0.0)), crop, margin_m, weights)
    else:
        from scipy.ndimage import distance_transform_edt

        weights[distance_transform_edt(~inside) > max(_RIM, _AROUND * max(inside.shape))] = 0.0
    return weights


def without_holes(depth: F32, mask: F32) -> F32:
    """Depth (H, W) whose holes outside of a mask (H, W) are filled from beside them, to tell what may hide an object.

    A pixel is as far as the farthest of what is next on its four sides: of two cameras, one misses what is behind.
    """
    filled = np.empty(depth.shape, np.float32)
    fill_holes(readable(depth), readable(mask), np.empty(depth.shape[1], np.float32), filled)
    return filled


def _hide_behind_nearer(start_depth: F32, crop: Observation, margin_m: float, weights: F32) -> None:
    """Sets weights to 0 outside of the mask where the observed surface is nearer than the object by a margin.

    So is what is missing between nearer surfaces: a mask that ends there ends at an occluder.
    """
    assert crop.depth is not None
    height, width = start_depth.shape
    mask, depth = np.zeros_like(start_depth) if crop.mask is None else crop.mask, crop.depth
    if crop.mask is not None:
        depth = without_holes(depth, mask)
    hide_behind_nearer(
        readable(start_depth), readable(depth), readable(mask), np.float32(margin_m),
        np.empty((height, width), np.int32), np.empty(width, np.int64), np.empty(width, np.int64), weights,
    )  # fmt: skip


def _deep_gaps(start: NDArray[np.bool_], mask: F32, share: float) -> NDArray[np.bool_]:
    """Without depth: parts of the start's silhouette that the mask lacks, and that reach far into it.

    What others that are known hide is no part of that silhouette. A pose that is a little off lacks a rim; an occluder
    leaves a deep gap. It is widened, since the true silhouette behind the occluder may stick out of the start's.
    """
    from scipy.ndimage import binary_dilation, distance_transform_edt, label

    rows, columns = np.nonzero(start)
    if len(rows) == 0:  # others that are known hide all of it
        return np.zeros_like(start)
    reach = max(share * float(max(np.ptp(rows), np.ptp(columns)) + 1), _RIM)
    depth_inside = distance_transform_edt(start)
    pieces, count = label(start & (mask < 0.5))
    gaps_found = [k for k in range(1, count + 1) if depth_inside[pieces == k].max() > reach]
    gaps = np.isin(pieces, gaps_found)
    return np.asarray(binary_dilation(gaps, iterations=max(1, round(reach))) if gaps_found else gaps)


def least_gap(coverage: F32, mask: F32, share: float) -> float:
    """How deep a gap in a silhouette that is known well must be to be an occluder's, as a share of its extent.

    A mask that is off lacks more of a silhouette than its rim: an occluder's gap must be deeper than its border is off.

    Args:
        coverage: of the rendering (H, W).
        mask: (H, W).
        share: for a silhouette that is not known well; the result is at most this.
    """
    rows, columns = np.nonzero(coverage > 0.5)
    if len(rows) == 0:
        return share
    extent = float(max(np.ptp(rows), np.ptp(columns)) + 1)
    return min(share, max(_LEAST_GAP, _GAP * border_error(coverage, mask, np.ones_like(mask)) / extent))


def border_error(coverage: F32, mask: F32, weights: F32) -> float:
    """How far a mask's border is from a rendered outline, pixels: the area between the two by the border's length.

    Args:
        coverage: of the rendering (H, W).
        mask: (H, W).
        weights: (H, W), 0 where the mask says nothing.
    """
    across, along = count_border(readable(mask), readable(weights))
    # Steps of a slanted border are counted in both directions: pi / 4 on average over all slants.
    length: float = max(0.25 * np.pi * (across + along), 1.0)
    return float(np.sum(weights * np.abs(coverage - mask))) / length
