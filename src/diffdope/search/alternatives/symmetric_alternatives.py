"""Symmetric alternatives: poses from which an object looks alike but for what is painted on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.estimate.confidence import log_odds_of
from diffdope.estimate.fit_quality import FitQuality, assess
from diffdope.geometry.pose import Pose, solved_pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.problem import Evaluation
from diffdope.problem.variables import Variables
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import RenderedImages, Renderer
from diffdope.terms.base import Comparison, Rendering
from diffdope.terms.layout import EDGE, RGB
from diffdope.terms.photometric import appearance, local_correlation
from diffdope.terms.shading import explained

F64 = NDArray[np.float64]

# A turned pose does not fit yet: its details are off by some pixels, its outline and depth by more.
_BLURRED = 0.05  # correlation of details by which it may be worse ...
_BETTER = 0.03  # ... or else that of all colours by which it must be better
_TOLD = 1.0  # both correlations: a print that agrees by a half on average is no plain side
_WORSE = 1.5  # log odds of all but colours by which it may be worse
_WORTH = 6.0  # log odds that a correlation of 1 is worth, of details and of all colours
INDEPENDENT = 10.0
"""Errors of an image, of all that its pixels have in common; 10 to 40 rank about as well."""
_LEAST_ERROR = 0.005  # of a cost: two poses that both fit perfectly differ by how far they have come to rest
FIRST = 1.0  # log odds that the first pose has ahead: the start speaks for it, and without paint chance would decide


@dataclass(frozen=True)
class AlternativeScores:
    """What speaks for B poses that differ by a turn, compared on the same pixels.

    odds (B,): log odds without the colours, or with them where these say nothing; texture and local (B,): how much
    colours agree, over all of the object and within tiles.
    """

    odds: F64
    texture: F64 | None = None
    local: F64 | None = None

    @property
    def total(self) -> F64:
        """Log odds (B,) that count details as much as colours."""
        if self.local is None or self.texture is None:
            return self.odds
        return self.odds + _WORTH * (self.local + self.texture)

    @property
    def by_details(self) -> F64:
        """The same, of what is within tiles alone, which know no light."""
        return self.odds if self.local is None else self.odds + 2.0 * _WORTH * self.local

    def promising(self, explained: AlternativeScores | None = None) -> NDArray[np.intp]:
        """Those that may explain the photograph better than the first, once they are refined; the best come first.

        Args:
            explained: the same poses by what they explain in a shaded light: a plain side correlates with nothing.
        """
        if self.local is None or self.texture is None:
            score, found = self.odds, self.odds > self.odds[0]
        else:
            score = self.local + self.texture
            found = (self.local > self.local[0] - _BLURRED) | (self.texture > self.texture[0] + _BETTER)
            if explained is not None and explained.local is not None and explained.texture is not None:
                there = explained.local + explained.texture
                score = np.maximum(score - score[0], there - there[0])
                found |= there > there[0] + _BETTER
            found &= self.odds > self.odds[0] - _WORSE
            found[0] = False
        places = np.flatnonzero(found)
        return places[np.argsort(-score[places], kind="stable")]


_Colours = tuple[float, float] | None  # how much they agree over all of the object and within tiles; nothing to compare


class _SeenPose(NamedTuple):
    """A pose, its drawing beside the photograph, and how well it fits."""

    pose: Pose
    images: RenderedImages
    beside: Comparison
    quality: FitQuality


def _seen_at(
    R: F64, t: F64, level: LevelProblem, buffers: Buffers, length_m: float, first: Pose | None, *, colours: bool = True
) -> list[_SeenPose]:  # fmt: skip
    """Poses, each in the light that suits it; see `scores_of`. Colours: whether it is asked how well these fit."""
    images = [] if first is None else [level.drawn(buffers, first)]
    left = slice(len(images), None)
    images.append(Renderer(buffers.mesh, level.crop.camera, buffers=buffers).render(R[left], t[left]))
    drawn = [
        RenderedImages(rgb[None], depth[None], coverage[None], triangles[None])
        for some in images
        for rgb, depth, coverage, triangles in zip(*some, strict=True)
    ]
    weights = level.responsibility.silhouette
    beside = [Comparison(Rendering.of(one), level.crop, weights, length_m) for one in drawn]
    poses = [solved_pose(*one) for one in zip(R, t, strict=True)]
    return [_SeenPose(*one, assess(one[-1], colours=colours)) for one in zip(poses, drawn, beside, strict=True)]


def _that_may_win(seen: Sequence[_SeenPose]) -> list[_SeenPose]:
    """The first pose, and those that are not much worse but for colours, with all that is asked of their fit.

    For colours outweigh no more than that, and to compare them takes as long as all else.

    Args:
        seen: poses of which it was not asked how well their colours fit.
    """
    least, left = log_odds_of(seen[0].quality) - _WORSE, list[_SeenPose]()
    for one in seen:
        if one is seen[0] or log_odds_of(one.quality) > least:
            colours: dict[str, Any] = appearance(one.beside)[0]
            left.append(one._replace(quality=replace(one.quality, **colours)))
    return left


def _scores(seen: Sequence[_SeenPose], colours: Sequence[_Colours]) -> AlternativeScores:
    """Of poses whose colours agree so much."""
    told = [one for one in colours if one is not None]
    if len(told) < len(seen) or all(one.quality.texture is None for one in seen):
        return AlternativeScores(np.array([log_odds_of(one.quality) for one in seen]))
    plain = [log_odds_of(replace(one.quality, texture=None)) for one in seen]
    return AlternativeScores(np.array(plain), *np.array(told, np.float64).T)


def _correlated(one: _SeenPose) -> _Colours:
    """Correlations, which forgive prints that do not lie on each other yet, and overexposure; 0 of a plain side."""
    if one.quality.contrast is None:
        return None
    return one.quality.texture or 0.0, local_correlation(one.beside) or 0.0


def _explained(one: _SeenPose, buffers: Buffers) -> _Colours:
    """What colours explain in a shaded light, which knows plain sides from printed ones."""
    return explained(one.images, buffers.arrays.shape, one.pose, one.beside)


def _both(seen: Sequence[_SeenPose], buffers: Buffers) -> AlternativeScores:
    """The mean of both: each is wrong where it does not hold what it takes for granted."""
    means: list[_Colours] = []
    for one in seen:
        correlated, shaded = _correlated(one), _explained(one, buffers)
        if correlated is None or shaded is None:
            means.append(None)
        else:
            means.append((0.5 * (correlated[0] + shaded[0]), 0.5 * (correlated[1] + shaded[1])))
    return _scores(seen, means)


def scores_of(
    R: F64, t: F64, level: LevelProblem, buffers: Buffers, length_m: float, first: Pose | None = None
) -> AlternativeScores:  # fmt: skip
    """What speaks for poses (B, 3, 3) and (B, 3) that have made their steps.

    Each is seen in the light that suits it; costs are in the light of the pose at which the level was prepared.

    Args:
        R: rotations.
        t: translations, metres.
        level: the crop.
        buffers: to draw with.
        length_m: the object's diameter.
        first: the first of these poses, if the level may have it drawn already.
    """
    return _both(_seen_at(R, t, level, buffers, length_m, first), buffers)


def is_grey(level: LevelProblem, buffers: Buffers) -> bool:
    """Whether neither the photograph nor the mesh has more than brightness."""
    return level.crop.is_grey and buffers.mesh.is_grey


def odds_of(
    poses: Sequence[Pose], level: LevelProblem, buffers: Buffers, length_m: float, *, ahead: float = FIRST
) -> F64:  # fmt: skip
    """Log odds (B,) of poses, the first of which has some ahead; for other arguments see `scores_of`."""
    R, t = np.stack([pose.R_m2c for pose in poses]), np.stack([pose.t_m2c for pose in poses])
    odds = scores_of(R, t, level, buffers, length_m).total.copy()
    odds[0] += ahead
    return odds


def odds_with_costs(
    poses: Sequence[Pose], level: LevelProblem, buffers: Buffers, length_m: float, *, ahead: F64 | float = 0.0,
    levels: Sequence[LevelProblem] = (),
) -> F64:  # fmt: skip
    """Log odds (B,) of poses that count what they cost as well; for other arguments see `odds_of`.

    Args:
        poses: the first is that at which the level was prepared.
        level: the crop, in the light of the first.
        buffers: to draw with.
        length_m: the object's diameter.
        ahead: log odds (B,) that poses have ahead.
        levels: those of all poses, the first included; empty where they have none of their own.
    """
    R, t = np.stack([pose.R_m2c for pose in poses]), np.stack([pose.t_m2c for pose in poses])
    seen = _seen_at(R, t, level, buffers, length_m, None)
    scores = _scores(seen, [_correlated(one) for one in seen])
    by_costs, by_shape = _in_both_lights(poses, level, levels, length_m)
    odds = np.asarray(scores.total + ahead + by_costs)
    # A face in the shade looks like one in a darker paint, and where there is nothing but brightness, very much so.
    # Details and shape do not, but there is less of them: what either believes is no worse than that.
    if is_grey(level, buffers):
        details = scores.by_details + ahead + by_shape
    else:
        details = _scores(seen, [_explained(one, buffers) for one in seen]).total + ahead + by_shape
        if np.argmax(details) == np.argmax(odds):
            return odds
    return np.asarray(np.maximum(odds - odds.max(), details - details.max()))


def _in_both_lights(
    poses: Sequence[Pose], level: LevelProblem, levels: Sequence[LevelProblem], length_m: float
) -> tuple[F64, F64]:  # fmt: skip
    """Log likelihoods (B,) of poses by what they cost, and by what they cost but for colours; differences count.

    A level has the light of its pose. A wrong face has one in which the right one looks wrong, so a pose that has a
    level of its own is compared with the first in both: half of the log of each ratio of costs. Without depth, so is
    what hides the object: a pose that reaches beyond the mask elsewhere than the first pays for it on the first's. In
    depth alone what hides it is measured, and the second level changes no answer.
    """
    here = _by_costs(poses, level, length_m)
    for k, own in enumerate(levels if level.colored or "depth" not in level.modalities else ()):
        if k > 0 and own is not level:
            there = _by_costs([poses[0], poses[k]], own, length_m)
            here[:, k] = 0.5 * (here[:, k] + here[:, 0] + there[:, 1] - there[:, 0])
    return here[0], here[1]


def _by_costs(poses: Sequence[Pose], level: LevelProblem, length_m: float) -> F64:
    """Log likelihoods (2, B): by all costs, and but for colours."""
    found = _evaluated(poses, level, length_m)
    colours = found.each[:, [RGB, EDGE]] @ level.factor.weights[[RGB, EDGE]]
    return np.stack([of_cost(found.cost), of_cost(np.maximum(found.cost - colours, 0.0))])


def log_likelihoods(poses: Sequence[Pose], level: LevelProblem, length_m: float) -> F64:
    """Log likelihoods (B,) of poses by what they cost on the same pixels, of which differences count.

    A cost is a mean of absolute errors, so it is the scale of their Laplace distribution, which nobody knows before:
    n independent ones have the likelihood scale^-n. Fit qualities count what is off by more than a right pose may be;
    shapes that are nearly alike differ by less.

    Args:
        poses: B of them.
        level: the pixels.
        length_m: the object's diameter.
    """
    return of_cost(_evaluated(poses, level, length_m).cost)


def of_cost(cost: ArrayLike) -> F64:
    """Log likelihoods of poses that cost so much (...), of which differences count; see `log_likelihoods`."""
    return np.asarray(-INDEPENDENT * np.log(np.asarray(cost) + _LEAST_ERROR))


def _evaluated(poses: Sequence[Pose], level: LevelProblem, length_m: float) -> Evaluation:
    R, t = np.stack([pose.R_m2c for pose in poses]), np.stack([pose.t_m2c for pose in poses])
    return level.problem(Variables.one_object(0.5 * length_m)).evaluate(R, t, with_normal=False)


def symmetric_alternatives(
    pose: Pose, symmetries: Symmetries, level: LevelProblem, buffers: Buffers, length_m: float
) -> list[Pose]:
    """Turned poses that may explain the photograph better than this one, once they are refined; the best come first.

    Where there are colours to go by, the most alike; where not, those for which more speaks as they are. `symmetries`
    are approximate; for the other arguments see `scores_of`.
    """
    if len(symmetries) < 2:
        return []
    R, t = pose.R_m2c @ symmetries.R, pose.t_m2c + symmetries.t_m @ pose.R_m2c.T
    seen = _that_may_win(_seen_at(R, t, level, buffers, length_m, pose, colours=False))
    if len(seen) < 2:
        return []
    alike = _scores(seen, [_correlated(one) for one in seen])
    told = alike.local is None or alike.texture is None or alike.local[0] + alike.texture[0] > _TOLD
    shaded = None if told else _scores(seen, [_explained(one, buffers) for one in seen])
    return [seen[k].pose for k in alike.promising(shaded)]
