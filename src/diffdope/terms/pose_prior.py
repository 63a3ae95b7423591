"""What is known of a pose beforehand: how much a hypothesis pays for being far from where it is expected."""

from __future__ import annotations

from dataclasses import dataclass

from diffdope.geometry.pose import Pose


@dataclass(frozen=True)
class PosePrior:
    """weight * (4 sin^2(theta / 2) / angle^2 + |rho|^2 / distance^2) for a pose turned by theta and shifted by rho.

    4 sin^2(theta / 2) = tr(I - R R_prior^T), the squared chord, is theta^2 for what a search calls near, and needs no
    logarithm. `problem/evaluate.py` evaluates it.

    Attributes:
        pose: where it is expected.
        angle_rad: the search radius of turns.
        distance_m: the search radius of shifts, metres.
        weight: the cost at the search radius.
    """

    pose: Pose
    angle_rad: float
    distance_m: float
    weight: float

    @property
    def active(self) -> bool:
        """Whether it says anything."""
        return self.weight > 0.0 and self.angle_rad > 0.0 and self.distance_m > 0.0
