"""Whether the object might be the other way round: poses from which it looks alike but for what is painted on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.refine.confidence import log_odds_of
from diffdope.refine.evidence import Drawing, weigh
from diffdope.refine.problem import Problem
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer

F64 = NDArray[np.float64]


def odds_of(R: F64, t: F64, problem: Problem, buffers: Buffers, length_m: float) -> F64:
    """Log odds (B,) of poses (B, 3, 3) and (B, 3), compared on the same pixels.

    Each is seen in the light that suits it; costs are in the light of the pose at which the problem was prepared.

    Args:
        R: rotations.
        t: translations, metres.
        problem: the crop.
        buffers: to draw with.
        length_m: the object's diameter.
    """
    images = Renderer(buffers.mesh, problem.raw.camera, buffers=buffers).render(R, t)
    drawings = map(Drawing, images.rgb, images.depth, images.coverage)
    return np.array([log_odds_of(weigh(drawing, problem.raw, problem.care, length_m)) for drawing in drawings])


def other_sides(pose: Pose, lookalikes: Symmetries, problem: Problem, buffers: Buffers, length_m: float) -> list[Pose]:
    """Turned poses that the photograph explains better than this one before they are refined; the best comes first.

    For the arguments see `odds_of`.
    """
    if len(lookalikes) < 2:
        return []
    R, t = pose.R_m2c @ lookalikes.R, pose.t_m2c + lookalikes.t_m @ pose.R_m2c.T
    odds = odds_of(R, t, problem, buffers, length_m)
    better = np.flatnonzero(odds > odds[0])
    return [Pose(R[k], t[k]) for k in better[np.argsort(-odds[better], kind="stable")]]
