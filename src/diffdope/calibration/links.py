"""Which links do not fit: a joint's zero or sign, a length or a mesh that is wrong shows from one link on.

The camera's place follows most of the robot. Where a link's zero is wrong, what is beyond it turns the camera with it,
and fits; what is before it then does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from diffdope.calibration.outline import crossing, outline_of
from diffdope.calibration.result import PictureResidual
from diffdope.calibration.rows import INNER_PX, SUPPORT_REACH_PX, SUPPORT_SIZE, ShotCrop
from diffdope.calibration.shots import ArmShot
from diffdope.calibration.solution import SCALE, Solution
from diffdope.geometry.pose import Pose
from diffdope.pipelines.tracking.link_agreement import share_by_link
from diffdope.render.renderer import RenderedImages

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_DEPTH = 0.005  # of the distance: depths that are farther off, or three deviations, are of something else
_OUTLINE, _DEPTHS = 0.85, 0.95  # shares below which a link does not fit; right ones, medians: 0.95 and 0.97 at least
_MASKED = 0.5  # of a link's pixels: masks that have less lack it


class LinkFit(NamedTuple):
    """How L links fit one picture, NaN where too little of one is seen.

    outline (L,): share of the drawn outline beside which the mask ends; masked (L,): share of the pixels that the mask
    has; depth (L,): share of the depths that are where they are drawn, of those that nothing nearer hides.
    """

    outline: F64
    masked: F64
    depth: F64


class Misfit(NamedTuple):
    """Links that do not fit most of the pictures, by number; of each, whether depths say so, too."""

    links: tuple[int, ...]
    by_depth: tuple[bool, ...]


def misfit_of(fits: Sequence[LinkFit]) -> Misfit:
    """Which links do not fit, by the medians over pictures.

    Outlines alone cannot tell a link that is elsewhere from one of which masks lack a part.

    Args:
        fits: of the pictures that took part.
    """
    outline, masked, depth = (_middle([getattr(one, name) for one in fits]) for name in LinkFit._fields)
    off = depth < _DEPTHS
    unmet = (outline < _OUTLINE) & (masked > _MASKED)
    found = np.flatnonzero(unmet | (off & np.isnan(outline)))
    return Misfit(tuple(found.tolist()), tuple(off[found].tolist()))


def misfit_at(arms: Sequence[ArmShot], solution: Solution, pictures: Sequence[PictureResidual]) -> Misfit:
    """Links that do not fit the pictures that took part.

    Args:
        arms: the shots.
        solution: of the estimate.
        pictures: what each says.
    """
    spread = [one.depth_spread_mm for one in pictures if one.used and one.depth_spread_mm is not None]
    spread_m = 1e-3 * float(np.median(spread)) if spread else 0.0
    count, scale = arms[0].screws.axis.shape[1], float(solution.shared[SCALE])
    used = [arm for arm, takes_part in zip(arms, solution.counted, strict=True) if takes_part]
    fits = [fit_of_links(arm, solution.pose, count, scale, spread_m) for arm in used]
    seen = [one for one in fits if one is not None]
    return misfit_of(seen) if seen else Misfit((), ())


def fit_of_links(arm: ArmShot, pose: Pose, count: int, scale: float, spread_m: float) -> LinkFit | None:
    """Of one picture; None where the robot is out of it.

    Args:
        arm: the shot.
        pose: of the base in the camera.
        count: of the links.
        scale: share by which depths read too far.
        spread_m: deviation of depths.
    """
    seen = ShotCrop.around(arm, pose, SUPPORT_SIZE)
    if seen is None:
        return None
    drawn = seen.drawn(pose)
    inside = drawn.triangle_id >= 0
    link = seen.links(drawn)
    nothing = np.full(count, np.nan)
    outline = masked = depth = nothing
    if seen.crop.mask is not None:
        masked = share_by_link(link[inside], seen.crop.mask[inside] > 0.5, count)
        outline = _outline(seen, drawn, link, count)
    if seen.crop.depth is not None:
        away = seen.crop.depth / (1.0 + scale) - drawn.depth
        most = np.maximum(3.0 * spread_m, _DEPTH * drawn.depth)
        there = binary_erosion(inside, iterations=INNER_PX, border_value=1) & (seen.crop.depth > 0.0) & (away > -most)
        depth = share_by_link(link[there], (away < most)[there], count)
    return LinkFit(outline, masked, depth)


def _outline(seen: ShotCrop, drawn: RenderedImages, link: NDArray[np.int64], count: int) -> F64:
    place, mask = outline_of(drawn), seen.crop.mask
    if place is None or mask is None:
        return np.full(count, np.nan)
    _, found = crossing(mask, place.point, place.normal, SUPPORT_REACH_PX)
    of = link[place.row, place.column]
    return share_by_link(of[place.clear], found[place.clear], count)


def _middle(shares: Sequence[F64]) -> F64:
    """(L,) medians over pictures, NaN for links that none shows."""
    seen = np.array(shares).reshape(len(shares), -1)
    middle = np.full(seen.shape[1], np.nan)
    shown = ~np.isnan(seen).all(axis=0)
    middle[shown] = np.nanmedian(seen[:, shown], axis=0)
    return middle
