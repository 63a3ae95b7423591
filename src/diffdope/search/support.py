"""Whether a pose has its object reach through what it lies on.

A measured surface that is nearer than what is drawn hides it, and then nothing speaks against a pose. But a table does
not hide what lies on it: where the surface that hides a part of the object is the plane that goes on around its other
part, the object would have to reach through that plane. What is in front of an object lies before all of it, or is
another surface than what surrounds the part that is seen.
"""

from __future__ import annotations

import numpy as np

from diffdope.geometry.plane import plane_of_most
from diffdope.note_codes import Note, NoteCode
from diffdope.render.renderer import RenderedImages
from diffdope.scene.observation import Observation
from diffdope.search.contradictions import NONE, Doubt, softened

_DEEPER = 0.04  # of the diameter: what is drawn so far behind a surface is hidden by it; less is a pose that is off
_FLAT = 0.03  # of the diameter, to both sides of a plane: depth is noisy
_AROUND = 0.1  # of the crop: how far around what is seen of the object its support is looked for
_FEWEST = 12  # pixels of which a plane, or a part of the object, is told
_SAMPLE = 600  # points to which the plane is fitted
_MOST = 0.5  # of what is around, that the plane must hold
_BEFORE = 0.7  # of what is seen of the object, that must not be behind the plane
_SLIGHT, _CLEAR = 0.1, 0.3
"""Share of the drawn pixels that go through the support which says nothing, and which contradicts. At the truth of 128
objects (HOPE, `sim`, `parts`, YCB-Video) one has 0.08, whose depth is misregistered, and none of the others has any; of
a spoon that was drawn 150 mm into its table, 0.57."""


def of_support(crop: Observation, images: RenderedImages, length_m: float) -> Doubt:
    """Whether the object would reach through the plane that it lies on.

    Args:
        crop: what was observed.
        images: the result, drawn there.
        length_m: the object's diameter.
    """
    share = share_through_support(crop, images, length_m)
    if share <= _SLIGHT:
        return NONE
    text = (
        f"support: {100.0 * share:.0f} % of what is drawn would lie behind the plane that the object lies on: if it is "
        "not sunk in there, the pose reaches through its support"
    )
    return Doubt(softened((_CLEAR - share) / (_CLEAR - _SLIGHT)), Note(NoteCode.THROUGH_SUPPORT, text))


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
    hidden = drawn & known & (away < -_DEEPER * length_m)
    seen = drawn & known & (np.abs(away) <= _DEEPER * length_m)
    compared = np.count_nonzero(drawn & known)
    if np.count_nonzero(hidden) <= _SLIGHT * compared or np.count_nonzero(seen) < _FEWEST:
        return 0.0
    from scipy.ndimage import distance_transform_cdt

    near = distance_transform_cdt(~seen, metric="chessboard") <= max(2.0, _AROUND * max(seen.shape))
    points_c = crop.camera.back_project(crop.depth)
    around = points_c[near & ~drawn & known]
    if len(around) < _FEWEST:
        return 0.0
    rng = np.random.default_rng(0)
    sample = around[rng.choice(len(around), min(len(around), _SAMPLE), replace=False)]
    flat_m = _FLAT * length_m
    normal, origin = plane_of_most(sample, flat_m, rng)
    normal = -normal if normal @ origin > 0.0 else normal  # towards the camera
    if np.mean(np.abs((around - origin) @ normal) < flat_m) < _MOST:
        return 0.0
    if np.mean((points_c[seen] - origin) @ normal > -flat_m) < _BEFORE:
        return 0.0
    measured = np.abs((points_c[hidden] - origin) @ normal) < flat_m
    below = (crop.camera.back_project(z)[hidden] - origin) @ normal < -_DEEPER * length_m
    return float(np.count_nonzero(measured & below)) / compared
