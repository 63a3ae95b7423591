"""What a prior or a quadratic factor adds to a problem, without the images that every problem has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.problem.factor import ImageFactor
from diffdope.problem.problem import Evaluation, Problem
from diffdope.problem.variables import Variables
from tests.oracle.kernels import factor_of, settings
from tests.oracle.scenes import random_scene

Array = NDArray[np.float64]


@cache
def some_factor() -> ImageFactor:
    """Of a small picture."""
    scene = random_scene(0)
    return factor_of(scene, settings((0.7, 1.0, 1.0, 0.0), scene.length).fused, with_normal=True)


def states(poses: Sequence[Pose]) -> tuple[Array, Array]:
    """(B, 3, 3) and (B, 3)."""
    return np.stack([pose.R_m2c for pose in poses]), np.stack([pose.t_m2c for pose in poses])


def added_by(poses: Sequence[Pose], **known: Any) -> Evaluation:
    """Cost and derivatives at poses of what is known beside the images: priors=..., quadratics=...."""
    variables = Variables.one_object(0.05)
    without, with_it = (
        Problem(variables, [some_factor()], **beside).evaluate(*states(poses)) for beside in ({}, known)
    )
    return Evaluation(*(b - a for a, b in zip(without, with_it, strict=True)))


def central_gradient(cost: Callable[..., Array], here: Pose, step: float) -> Array:
    """(6,) central differences of cost(*poses) -> (B,)."""
    ahead = [here.retract(step * row) for row in np.eye(6)]
    behind = [here.retract(-step * row) for row in np.eye(6)]
    both = cost(*ahead, *behind)
    return np.asarray((both[:6] - both[6:]) / (2.0 * step))
