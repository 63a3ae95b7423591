"""What was found, refined as well as another way round that has more to speak for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.levels import PyramidSettings

F64 = NDArray[np.float64]


class Way(NamedTuple):
    """Another way round: where its refinement has ended, and where it began, at the result turned."""

    ended: Candidates
    began: Pose


def as_well_refined(
    choice: list[Candidates], ways: Sequence[Way], odds_of: Callable[[list[Candidates]], F64], descent: Descent,
    again: PyramidSettings,
) -> tuple[list[Candidates], F64]:  # fmt: skip
    """All that may be right and their log odds, once the first has made the steps of the way round that would win.

    A descent that stopped a little beside its minimum is held against poses that have made the steps of one more: they
    cost less for these steps, and not for their way round. So the winner is turned back and refined once more, and it
    stands for the first if it wins then.

    Args:
        choice: all that may be right, what was found first.
        ways: those of them that are the first, turned.
        odds_of: log odds of a choice, of which differences count.
        descent: as all of them were refined.
        again: levels of one pose.
    """
    odds = odds_of(choice)
    found, best = choice[0], choice[int(np.argmax(odds))]
    won = next((way for way in ways if way.ended is best), None)
    if won is None:
        return choice, odds
    start = won.ended.pose @ won.began.inverse() @ found.pose
    back = descent.run(again, Hypotheses.of(start, found.winner), found.start)
    if isinstance(back, Failure):
        return choice, odds
    others = [found.doubt_of(back.agreeing(found.quality.agreement)), *choice[1:]]
    theirs = odds_of(others)
    return (others, theirs) if np.argmax(theirs) == 0 else (choice, odds)
