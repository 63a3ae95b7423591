"""Rounds of steps at one level, and the terms that are linearised anew before each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.pose_evidence import pose_terms
from diffdope.render.buffers import Buffers
from diffdope.search.edge_factors import along_outline
from diffdope.search.search_inputs import SearchInputs
from diffdope.terms.base import Rendering
from diffdope.terms.matched_points import MatchedPoints
from diffdope.terms.pose_prior import PosePrior
from diffdope.terms.quadratic_factor import QuadraticFactor


class Rounds(NamedTuple):
    """Rounds of steps at a level: one for each reach.

    Attributes:
        reaches: how far to both sides of the outline edges are looked for, or rims, pixels.
        iterations: steps of each round at most.
        going_on: how many hypotheses make all of them, the others fewer; None for all.
        inner: whether creases are looked for, too.
        printed: where the object's print leads, if it was asked.
    """

    reaches: Sequence[float]
    iterations: int
    going_on: int | None = None
    inner: bool = False
    printed: QuadraticFactor | None = None


class LinearisedTerms(NamedTuple):
    """What is linearised anew before a round: the outline, if edges are compared, and all terms, that one included."""

    contour: QuadraticFactor | None
    every: tuple[QuadraticFactor, ...]


class AtLevel(NamedTuple):
    """A level, with what all rounds that are made there have in common.

    Attributes:
        inputs: of the search.
        level: made ready.
        prior: of the poses; None for none.
        buffers: to draw with.
        matched: points that hold poses as well; None for none.
        final: whether it is the last level.
    """

    inputs: SearchInputs
    level: LevelProblem
    prior: PosePrior | None
    buffers: Buffers
    matched: MatchedPoints | None
    final: bool

    def linearised(self, rounds: Rounds, reach_px: float, pose: Pose, drawn: Rendering | None) -> LinearisedTerms:
        """The terms that are linearised at a pose.

        Args:
            rounds: that are made.
            reach_px: of the next one.
            pose: the best so far.
            drawn: its images; None where it was not drawn.
        """
        level, inputs = self.level, self.inputs
        if drawn is None and (level.contour_active or level.rims is not None):
            drawn = Rendering.of(level.drawn(self.buffers, pose))
        keyframe = inputs.keyframe(pose)
        contour, learned = along_outline(level, pose, drawn, reach_px, inputs.meshes, keyframe, inner=rounds.inner)
        matched = None if self.matched is None else self.matched.factor(pose)
        rims = None if level.rims is None or drawn is None else level.rims.factor(drawn, pose, reach_px)
        held = tuple(factor for factor in (matched, rims, rounds.printed) if factor is not None)
        quadratics = (*learned, *held, *pose_terms(inputs.meshes.corners_m, pose, inputs.objective))
        return LinearisedTerms(contour, quadratics if contour is None else (contour, *quadratics))
