"""What only the start tells, and what a mask was off by that was left out, where nothing else has told the distance."""

from __future__ import annotations

import numpy as np

from diffdope.render.buffers import Buffers
from diffdope.search.candidates import Candidates
from diffdope.search.settings import SearchSettings


def left_to_the_start(found: Candidates, settings: SearchSettings) -> float:
    """How much only the start tells, from 0 to 1: nothing where depth or a good mask tell the distance.

    Edges and colours hardly change with the distance, and the prior holds it.

    Args:
        found: from a start.
        settings: of the search.
    """
    if "depth" in found.level.modalities:
        return 0.0
    if found.level.crop.mask is None:
        return 1.0
    good, refused = settings.mask_error_px, settings.mask_refused_px
    return float(np.clip((found.border_px - good) / max(refused - good, 1e-9), 0.0, 1.0))


def left_by_mask(found: Candidates, buffers: Buffers) -> float:
    """Deviation along the view that a mask leaves which was left out, metres; 0 for none.

    A border that is off by b pixels around an object of radius r makes it b / r of its distance nearer or farther, and
    edges hardly change that: they take the lines that lie there.

    Args:
        found: with no start.
        buffers: of the mesh.
    """
    off_px = found.level.mask_refused_px
    if off_px is None:
        return 0.0
    pixels = np.count_nonzero(found.level.drawn(buffers, found.pose).coverage > 0.5)
    return float(np.linalg.norm(found.pose.t_m2c)) * off_px / max(float(np.sqrt(pixels / np.pi)), 1.0)
