"""Steps that are shortened until a cost falls: what is left where whole ones go astray."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.gauss_newton import Parts
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]

_SHARES = (1.0, 0.5, 0.25)  # shorter ones gain no more than what the next step is worth
_SETTLED = 1e-4  # share of its cost that a step takes off a pose at rest, at most


class CostedPose(NamedTuple):
    """A pose, the normal equations there, and the robust cost."""

    pose: Pose
    parts: Parts
    cost: float


def shortened_steps(
    start: CostedPose, step_from: Callable[[Pose, Parts], F64], at: Callable[[Pose], CostedPose | None], most: int
) -> CostedPose:
    """Where steps lead each of which is halved, and halved again, until the cost is lower than before it.

    They end where no share of a step lowers it, or hardly.

    Args:
        start: where they begin, and end if the first of them finds nothing lower.
        step_from: the whole step (6,) from a pose, in (rho [m], phi [rad]).
        at: what is found at a pose; None where it is not to be trusted.
        most: how many.
    """
    here = start
    for _ in range(most):
        step = step_from(here.pose, here.parts)
        tried = (at(here.pose.retract(share * step)) for share in _SHARES)
        lower = next((one for one in tried if one is not None and one.cost < here.cost), None)
        if lower is None:
            break
        gained, here = here.cost - lower.cost, lower
        if gained < _SETTLED * lower.cost:
            break
    return here
