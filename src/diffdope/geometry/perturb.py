"""Start poses for experiments: the truth, off by a stated angle and a stated length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose


def perturb(pose: Pose, *, angle_rad: float, distance_m: float, rng: np.random.Generator) -> Pose:
    """A pose turned by exactly `angle_rad` about a random axis and moved by exactly `distance_m` in a random direction.

    Axis and direction are uniform over the sphere. The object turns about its own origin, so that angle and distance
    are what `Pose.angle_to` and `Pose.distance_to` say. The same number of draws is taken whatever the two sizes are:
    with equally seeded generators, a larger error has the same axis and the same direction.

    Args:
        pose: the true pose.
        angle_rad: radians in [0, pi].
        distance_m: metres, >= 0.
        rng: source of the randomness.

    Raises:
        DiffDopeError: if the angle or the distance is out of range.
    """
    if not 0.0 <= angle_rad <= np.pi:
        raise expected("angle_rad", "an angle between 0 and pi", angle_rad)
    if not (np.isfinite(distance_m) and distance_m >= 0.0):
        raise expected("distance_m", "a finite length >= 0", distance_m)
    axis, direction = random_unit(rng), random_unit(rng)
    return pose.retract(np.concatenate([distance_m * direction, angle_rad * axis]))


def random_unit(rng: np.random.Generator) -> NDArray[np.float64]:
    """A unit vector (3,), uniform over the sphere."""
    while True:
        vector = rng.normal(size=3)
        length = np.linalg.norm(vector)
        if length > 1e-9:  # practically always
            return np.asarray(vector / length)


def random_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    """A rotation matrix (3, 3), uniform over all rotations: a normalised Gaussian quaternion."""
    return so3.matrix_from_wxyz(rng.normal(size=4))
