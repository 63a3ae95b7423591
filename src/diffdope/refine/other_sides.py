"""Whether the object might be the other way round: poses from which it looks alike but for what is painted on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.refine.confidence import log_odds_of
from diffdope.refine.evidence import Drawing, Evidence, weigh
from diffdope.refine.problem import Problem
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer

F64 = NDArray[np.float64]

_BETTER = 0.03  # correlation of colours by which a turned pose must be better, unrefined ...
_WORSE = 1.5  # ... and log odds by which it may be worse: its outline and depth do not fit yet


def evidence_of(R: F64, t: F64, problem: Problem, buffers: Buffers, length_m: float) -> list[Evidence]:
    """What speaks for poses (B, 3, 3) and (B, 3), compared on the same pixels.

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
    return [weigh(drawing, problem.raw, problem.care, length_m) for drawing in drawings]


def odds_of(poses: list[Pose], problem: Problem, buffers: Buffers, length_m: float) -> F64:
    """Log odds (B,) of poses; see `evidence_of`."""
    R, t = np.stack([pose.R_m2c for pose in poses]), np.stack([pose.t_m2c for pose in poses])
    return np.array([log_odds_of(evidence) for evidence in evidence_of(R, t, problem, buffers, length_m)])


def other_sides(pose: Pose, lookalikes: Symmetries, problem: Problem, buffers: Buffers, length_m: float) -> list[Pose]:
    """Turned poses that may explain the photograph better than this one, once they are refined; the best come first.

    Where there are colours to go by, the most alike; where not, those for which more speaks as they are. For the
    arguments see `evidence_of`.
    """
    if len(lookalikes) < 2:
        return []
    R, t = pose.R_m2c @ lookalikes.R, pose.t_m2c + lookalikes.t_m @ pose.R_m2c.T
    evidence = evidence_of(R, t, problem, buffers, length_m)
    score = odds = np.array([log_odds_of(one) for one in evidence])
    least = odds[0]
    if all(one.texture is not None for one in evidence):
        score = np.array([one.texture for one in evidence], np.float64)
        least = score[0] + _BETTER
    better = np.flatnonzero((score > least) & (odds > odds[0] - _WORSE))
    return [Pose(R[k], t[k]) for k in better[np.argsort(-score[better], kind="stable")]]
