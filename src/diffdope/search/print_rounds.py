"""Rounds with the print of a film's object after all the rest, and how far off it would have the pose in the end.

Beside depth there are three. In a photograph alone, the print is nearly all that knows the distance: what else holds
the object there (colours on both sides of its outline, mixtures at its rim) is off by fractions of a pixel, which are
percents of its diameter along the view. So it is asked before each round, and rounds end where it rests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from diffdope.estimate.confidence import TOLERANCE
from diffdope.problem.level_problem import LevelProblem
from diffdope.render.buffers import Buffers
from diffdope.search.candidates import Hypotheses, Round
from diffdope.search.edge_factors import print_of
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.base import Rendering
from diffdope.terms.print_in_light import step_of
from diffdope.terms.quadratic_factor import QuadraticFactor

MakeRound = Callable[[QuadraticFactor | None, Round, Hypotheses], tuple[Round, Hypotheses]]

ROUNDS = 3  # beside depth
MOST_ROUNDS = 8  # in a photograph alone
_RESTS = 0.15  # of a tolerance of 3 % of the diameter


class PrintedRounds(NamedTuple):
    """Where they ended, and how far from there the print alone would lead, metres; 0 where it was not asked."""

    ended: Round
    hypotheses: Hypotheses
    apart_m: float = 0.0


def is_compared(level: LevelProblem, meshes: MeshLevels) -> bool:
    """Whether a print is compared at the last level of a film's frame: where there is one, and no mask.

    Where depth holds all motions (`edge_gating`), it is asked for turns about an axis of revolution alone.
    """
    if not (meshes.mesh.has_pattern and level.colored) or level.crop.mask is not None:
        return False
    if level.crop.depth is None:
        return True
    return level.contours is not None and (level.contour_active or meshes.axis is not None)


def by_print(
    level: LevelProblem, meshes: MeshLevels, buffers: Buffers, ended: Round, hypotheses: Hypotheses, make: MakeRound
) -> PrintedRounds:
    """Rounds with the print, each in the light of where the last one led: in that of the first, starts show.

    Args:
        level: the last one.
        meshes: of the object.
        buffers: that draw it.
        ended: the round before.
        hypotheses: its poses.
        make: a round with what a print asks for.
    """
    alone = level.crop.depth is None
    tolerance_m, apart_m = TOLERANCE * meshes.length_m, 0.0
    for number in range(MOST_ROUNDS + 1 if alone else ROUNDS):
        drawn = ended.rendering or Rendering.of(level.drawn(buffers, ended.best))
        seen = print_of(level, ended.best, drawn, meshes.length_m)
        if seen is None:
            break
        asked = seen.factor(drawn, ended.best)
        if alone:
            apart_m = 0.0 if asked is None else step_of(asked, meshes.displacement_form, meshes.length_m, tolerance_m)
            if apart_m < _RESTS * tolerance_m or number == MOST_ROUNDS:
                break
        ended, hypotheses = make(asked, ended, hypotheses)
    return PrintedRounds(ended, hypotheses, apart_m)
