"""Whether a pose has its object reach through what it lies on, or lie in it.

A measured surface that is nearer than what is drawn hides it, and then nothing speaks against a pose. But a table does
not hide what lies on it: where the surface that hides a part of the object is the plane that goes on around its other
part, the object would have to reach through that plane. What is in front of an object lies before all of it, or is
another surface than what surrounds the part that is seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.plane import plane_of_most
from diffdope.note_codes import NoteCode
from diffdope.render.renderer import RenderedImages
from diffdope.scene.observation import Observation
from diffdope.search.checks.contradictions import ShareOfPixels
from diffdope.solve.robust import GAUSSIAN

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

DEEPER = 0.04  # of the diameter: what is drawn so far behind a surface is hidden by it; less is a pose that is off
FLAT = 0.03  # of the diameter, to both sides of a plane: depth is noisy
_AROUND = 0.1  # of the crop: how far around what is seen of the object its support is looked for
FEWEST = 12  # pixels of which a plane, or a part of the object, is told
_SAMPLE = 600  # points to which the plane is fitted
_MOST = 0.5  # of what is around, that the plane must hold
_BEFORE = 0.7  # of what is seen of the object, that must not be behind the plane
_NOISES = 3.0  # deviations of a plane's depth within which another surface cannot be told from it
_THIRD, _MOSTLY = 1.0 / 3.0, 2.0 / 3.0
"""Shares of what depth confirms that may be the plane around, and that leave too little which speaks for the object. At
the truth of 36 objects (`sim`, `parts`, HOPE) the most is 0.09; of results that lie in a table, it is 0.53 and more."""
_SLIGHT, _CLEAR = 0.1, 0.3
"""Share of the drawn pixels that go through the support which says nothing, and which contradicts. At the truth of 128
objects (HOPE, `sim`, `parts`, YCB-Video) one has 0.08, whose depth is misregistered, and none of the others has any; of
a spoon that was drawn 150 mm into its table, 0.57."""


class SurroundingPlane(NamedTuple):
    """A plane that most of what is around an object lies in.

    Attributes:
        normal: (3,) of unit length, towards the camera.
        origin: (3,) a point of it, metres.
        noise_m: how far off depth is there, a deviation.
        below: share of what is around that lies below it.
    """

    normal: F64
    origin: F64
    noise_m: float
    below: float

    def height_m(self, points_c: F64) -> F64:
        """(...) heights of points (..., 3) above it."""
        return np.asarray((points_c - self.origin) @ self.normal)


def share_through_support(crop: Observation, images: RenderedImages, length_m: float) -> float:
    """Share of the drawn pixels, of which depth is measured, that are hidden by the plane around those that are seen.

    Args:
        crop: what was observed.
        images: a pose, drawn there.
        length_m: the object's diameter.
    """
    if crop.depth is None:
        return 0.0
    drawn, z = images.coverage[0] > 0.5, images.depth[0]
    known = crop.depth > 0.0
    away = crop.depth - z
    hidden = drawn & known & (away < -DEEPER * length_m)
    seen = drawn & known & (np.abs(away) <= DEEPER * length_m)
    compared = np.count_nonzero(drawn & known)
    if np.count_nonzero(hidden) <= _SLIGHT * compared or np.count_nonzero(seen) < FEWEST:
        return 0.0
    plane = plane_around(crop, drawn, seen, length_m)
    if plane is None:
        return 0.0
    points_c, flat_m = crop.camera.back_project(crop.depth), FLAT * length_m
    if np.mean(plane.height_m(points_c[seen]) > -flat_m) < _BEFORE:
        return 0.0
    measured = np.abs(plane.height_m(points_c[hidden])) < flat_m
    below = plane.height_m(crop.camera.back_project(z)[hidden]) < -DEEPER * length_m
    return float(np.count_nonzero(measured & below)) / compared


def share_in_plane(crop: Observation, images: RenderedImages, length_m: float) -> float:
    """Share of the drawn pixels that depth confirms, at which it measured the plane around them.

    Args:
        crop: what was observed.
        images: a pose, drawn there.
        length_m: the object's diameter.
    """
    if crop.depth is None:
        return 0.0
    drawn = images.coverage[0] > 0.5
    seen = drawn & (crop.depth > 0.0) & (np.abs(crop.depth - images.depth[0]) <= DEEPER * length_m)
    if np.count_nonzero(seen) < FEWEST:
        return 0.0
    plane = plane_around(crop, drawn, seen, length_m)
    if plane is None:
        return 0.0
    off = np.abs(plane.height_m(crop.camera.back_project(crop.depth)[seen]))
    return float(np.mean(off <= min(_NOISES * plane.noise_m, FLAT * length_m)))


def plane_around(crop: Observation, drawn: Bool, seen: Bool, length_m: float) -> SurroundingPlane | None:
    """The plane that most of what is around the seen pixels lies in; None if there is none.

    Args:
        crop: what was observed, with depth.
        drawn: (H, W) where the object is drawn.
        seen: (H, W) which pixels of it depth confirms.
        length_m: the object's diameter.
    """
    from scipy.ndimage import distance_transform_cdt

    assert crop.depth is not None
    near = distance_transform_cdt(~seen, metric="chessboard") <= max(2.0, _AROUND * max(seen.shape))
    around = crop.camera.back_project(crop.depth)[near & ~drawn & (crop.depth > 0.0)]
    if len(around) < FEWEST:
        return None
    rng = np.random.default_rng(0)
    sample = around[rng.choice(len(around), min(len(around), _SAMPLE), replace=False)]
    flat_m = FLAT * length_m
    normal, origin = plane_of_most(sample, flat_m, rng)
    normal = -normal if normal @ origin > 0.0 else normal
    height = (around - origin) @ normal
    off = np.abs(height)
    if np.mean(off < flat_m) < _MOST:
        return None
    noise_m = GAUSSIAN * float(np.median(off[off < flat_m]))
    return SurroundingPlane(normal, origin, noise_m, float(np.mean(height < -flat_m)))


of_support = ShareOfPixels(
    share_through_support, _SLIGHT, _CLEAR, NoteCode.THROUGH_SUPPORT,
    "support: {:.0f} % of what is drawn would lie behind the plane that the object lies on: if it is not sunk in "
    "there, the pose reaches through its support",
)  # fmt: skip
"""Whether the object would reach through the plane that it lies on."""
of_plane = ShareOfPixels(
    share_in_plane, _THIRD, _MOSTLY, NoteCode.OUTLINE_UNSEEN,
    "outline: {:.0f} % of what depth confirms is the plane that goes on around the result, which would be there "
    "without the object, too: does it lie in a table? A mask or a photograph can tell",
)  # fmt: skip
"""Whether what depth confirms of the object is the plane around it."""
