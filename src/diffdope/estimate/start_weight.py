"""What a start is worth beside the images: it is taken to be as good as they find it to be.

How far off a start is, nobody says; but along directions that the images tell well (across the view, turns) they show
it, and errors of starts are alike in all directions. So the deviation of a start's error is unknown by a factor, which
is integrated out (empirical Bayes, a scale mixture of normals), and a pose that the images know badly along some
direction, such as along the view, stays near a start that has proved to be good. Sources: James and Stein 1961;
Morris, JASA 1983 (parametric empirical Bayes).

But a start that comes from a picture itself (a network's, the frame before, one that was put in place by hand) is as
good as pixels are: one of the outline is worth Z / f across the view, and Z / r of that along it, for an object of
radius r at the distance Z. Such starts are as likely beforehand as those that err alike in all directions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose, difference

F64 = NDArray[np.float64]

SCALES = 2.0 ** np.arange(-4.0, 4.5, 0.5)
"""Deviations of the start's error, in units of the radius within which starts are searched: from less than any estimate
of the images is good for, to an object that is the other way round. All are as likely beforehand."""


# What the whole image may have wrong, of one kind or the other, as likely beforehand: a size of object, camera or truth
# by so much, and so many times the deviations that residuals tell. Of pictures that were drawn, a thousandth and once;
# real photographs with poses from depth show objects 0 to 2.5 % smaller (HOPE, YCB-Video), and a pixel or two aside.
_SYSTEMATIC = ((0.001, 1.0), (0.02, 4.0))


class WeighedPose(NamedTuple):
    """Pose, its covariance (6, 6), and how far off the start is taken to be, as a share of the radius."""

    pose: Pose
    covariance: F64
    scale: float


class _Between(NamedTuple):
    """Log likelihood of a covariance by the way to the start, the step (6,) to make, its covariance, and log scale."""

    likely: float
    step: F64
    covariance: F64
    scale: float


def systematic(pose: Pose, covariance: F64) -> F64:
    """Covariances (K, 6, 6) of which one is right, if one (6, 6) is what the residuals tell: an error of size moves an
    object along its ray, whatever they say.
    """
    ray = np.concatenate([pose.t_m2c, np.zeros(3)])
    return np.array([factor**2 * covariance + np.outer(size * ray, size * ray) for size, factor in _SYSTEMATIC])


def weighed(
    pose: Pose, covariance: F64, start: Pose, *, angle_rad: float, distance_m: float, elongation: float = 1.0,
    share: float = 1.0,
) -> WeighedPose:  # fmt: skip
    """The pose, given what the images say and a start whose error has an unknown scale.

    With the start's error N(0, s^2 P), P = diag(d^2 / 3, .., a^2 / 3, ..), and the images' N(0, C), the way z from the
    pose to the start is N(0, C + s^2 P), which says how likely each s is, each C if there are several, and whether the
    start is one from a picture, whose P is `elongation`^2 times as large along the view. The pose is the mean for the
    likelier kind of start, for what lies between two is near neither; its covariance holds both.

    Args:
        pose: that the images know.
        covariance: (6, 6) C of it, in (rho [m], phi [rad]), without what the start says; or (K, 6, 6), one of which is
            right.
        start: where the search began.
        angle_rad: root mean square of a start's turn, if s is 1.
        distance_m: the same of its shift.
        elongation: how many times a start from a picture errs along the view what it errs across: distance over radius.
        share: how much of the step towards the start is made, from 0 to 1.
    """
    ray = pose.t_m2c / np.linalg.norm(pose.t_m2c)
    roots = []
    for along in (1.0, max(elongation, 1.0)):
        root = np.diag(np.repeat([distance_m, angle_rad], 3) / np.sqrt(3.0))
        root[:3, :3] += (along - 1.0) * root[0, 0] * np.outer(ray, ray)
        roots.append(root)
    way, covariances = difference(start, pose), np.reshape(covariance, (-1, 6, 6))
    every = [_between(way, one, root) for root in roots for one in covariances]
    likely = np.exp(np.array([one.likely for one in every]) - max(one.likely for one in every))
    likely /= likely.sum()
    steps = np.array([one.step for one in every])
    of_kind = np.split(np.arange(len(every)), len(roots))
    kind = max(of_kind, key=lambda some: float(likely[some].sum()))
    step = likely[kind] @ steps[kind] / likely[kind].sum()
    within = np.tensordot(likely, np.array([one.covariance for one in every]), axes=1)
    both = within + (likely[:, None] * (steps - step)).T @ (steps - step)
    scale = float(np.exp(likely @ np.array([one.scale for one in every])))
    left = (1.0 - share) * covariances.mean(axis=0)
    return WeighedPose(pose.retract(share * step), share * both + left, scale)


def _between(way: F64, covariance: F64, root: F64) -> _Between:
    """Of one covariance; way (6,) to the start, whose error is the root (6, 6) times a normal one of the scale s."""
    inverse = np.linalg.inv(root)
    variance, basis = np.linalg.eigh(inverse @ covariance @ inverse.T)
    variance = np.maximum(variance, 0.0)
    z = basis.T @ (inverse @ way)
    total = variance + SCALES[:, None] ** 2
    log_likely = -0.5 * (z**2 / total + np.log(total)).sum(axis=1) - np.log(np.linalg.det(root))
    highest = log_likely.max()
    likely = np.exp(log_likely - highest)
    every = likely.sum()
    likely /= every
    steps = variance / total * z
    mean = likely @ steps
    within = likely @ (variance * SCALES[:, None] ** 2 / total)
    between = (likely[:, None] * (steps - mean)).T @ (steps - mean)
    back = root @ basis
    scale = float(likely @ np.log(SCALES))
    return _Between(float(highest + np.log(every)), back @ mean, back @ (np.diag(within) + between) @ back.T, scale)
