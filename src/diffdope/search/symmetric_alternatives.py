"""Whether the object might be the other way round: poses from which it looks alike but for what is painted on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.estimate.confidence import log_odds_of
from diffdope.estimate.fit_quality import Drawing, detail, weigh
from diffdope.problem.prepare import Problem
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer

F64 = NDArray[np.float64]

# A turned pose does not fit yet: its details are off by some pixels, its outline and depth by more.
_BLURRED = 0.05  # correlation of details by which it may be worse ...
_BETTER = 0.03  # ... or else that of all colours by which it must be better
_WORSE = 1.5  # log odds of all but colours by which it may be worse
_WORTH = 6.0  # log odds that a correlation of 1 is worth, of details and of all colours
_FIRST = 1.0  # log odds that the first pose has ahead: the start speaks for it, and without paint chance would decide


@dataclass(frozen=True)
class Sides:
    """What speaks for B poses that differ by a turn, compared on the same pixels.

    odds (B,): log odds without the colours, or with them where these say nothing; texture and detail (B,): correlations
    of colours, see `evidence`.
    """

    odds: F64
    texture: F64 | None = None
    detail: F64 | None = None

    @property
    def total(self) -> F64:
        """Log odds (B,) that count details as much as colours."""
        if self.detail is None or self.texture is None:
            return self.odds
        return self.odds + _WORTH * (self.detail + self.texture)

    def promising(self) -> NDArray[np.intp]:
        """Those that may explain the photograph better than the first, once they are refined; the best come first."""
        if self.detail is None or self.texture is None:
            score, found = self.odds, self.odds > self.odds[0]
        else:
            score = self.detail + self.texture
            found = (self.detail > self.detail[0] - _BLURRED) | (self.texture > self.texture[0] + _BETTER)
            found &= self.odds > self.odds[0] - _WORSE
            found[0] = False
        places = np.flatnonzero(found)
        return places[np.argsort(-score[places], kind="stable")]


def compared(R: F64, t: F64, problem: Problem, buffers: Buffers, length_m: float) -> Sides:
    """What speaks for poses (B, 3, 3) and (B, 3).

    Each is seen in the light that suits it; costs are in the light of the pose at which the problem was prepared.

    Args:
        R: rotations.
        t: translations, metres.
        problem: the crop.
        buffers: to draw with.
        length_m: the object's diameter.
    """
    images = Renderer(buffers.mesh, problem.raw.camera, buffers=buffers).render(R, t)
    drawings = list(map(Drawing, images.rgb, images.depth, images.coverage))
    evidence = [weigh(drawing, problem.raw, problem.care, length_m) for drawing in drawings]
    details = [detail(drawing, problem.raw, problem.care, length_m) for drawing in drawings]
    texture = [one.texture for one in evidence]
    if None in texture or None in details:
        return Sides(np.array([log_odds_of(one) for one in evidence]))
    plain = [log_odds_of(replace(one, texture=None)) for one in evidence]
    return Sides(np.array(plain), np.array(texture, np.float64), np.array(details, np.float64))


def odds_of(poses: list[Pose], problem: Problem, buffers: Buffers, length_m: float) -> F64:
    """Log odds (B,) of poses, the first of which is preferred if nothing much speaks for another; see `compared`."""
    R, t = np.stack([pose.R_m2c for pose in poses]), np.stack([pose.t_m2c for pose in poses])
    sides = compared(R, t, problem, buffers, length_m)
    odds = sides.total.copy()
    odds[0] += _FIRST
    return odds


def other_sides(pose: Pose, lookalikes: Symmetries, problem: Problem, buffers: Buffers, length_m: float) -> list[Pose]:
    """Turned poses that may explain the photograph better than this one, once they are refined; the best come first.

    Where there are colours to go by, the most alike; where not, those for which more speaks as they are. For the
    arguments see `compared`.
    """
    if len(lookalikes) < 2:
        return []
    R, t = pose.R_m2c @ lookalikes.R, pose.t_m2c + lookalikes.t_m @ pose.R_m2c.T
    return [Pose(R[k], t[k]) for k in compared(R, t, problem, buffers, length_m).promising()]
