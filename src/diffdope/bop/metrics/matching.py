"""Which estimate belongs to which true instance, as BOP defines it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import as_floats, check_shape, expected

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

MIN_VISIBLE = 0.1
"""An instance of which less is seen is no target (BOP)."""
MAX_PER_IMAGE = 100
"""Estimates of an image that BOP's detection task looks at."""


@dataclass(frozen=True, eq=False)
class Pairing:
    """Every estimate that counts beside every instance that it may be matched with: same image, same object.

    Attributes:
        estimate: index of the estimate (C,), of the M given.
        instance: index of the instance (C,), of the G given.
        rank: place of the estimate among those of its image and object (C,), 0 for the highest score.
        considered: (M,) which estimates count.
        targets: (G,) which instances are to be found.
    """

    estimate: I64
    instance: I64
    rank: I64
    considered: Bools
    targets: Bools

    def __len__(self) -> int:
        return len(self.estimate)


def pair_up(
    estimate_keys: ArrayLike,
    scores: ArrayLike,
    instance_keys: ArrayLike,
    visible: ArrayLike | None = None,
    *,
    target_keys: ArrayLike | None = None,
    target_counts: ArrayLike | None = None,
) -> Pairing:
    """BOP19's localisation task: for each image and object, as many estimates as there are targets.

    With n = inst_count of the target, the n highest scores count (of equal ones the earlier row), and the n most
    visible instances are to be found (of equally visible ones the earlier row).

    Args:
        estimate_keys: (M, 3) scene, image and object of each estimate.
        scores: (M,) confidence.
        instance_keys: (G, 3) scene, image and object of each true instance.
        visible: (G,) visible share; None if unknown: then all are fully visible.
        target_keys: (K, 3) scene, image and object of the targets file; None: everything of which at least 10 % is
            visible is a target, which is how BOP makes its files.
        target_counts: (K,) inst_count.

    Raises:
        DiffDopeError: if the lengths do not fit, or a score is NaN.
    """
    estimates, instances = _keys("estimate_keys", estimate_keys), _keys("instance_keys", instance_keys)
    seen = _visible(visible, len(instances))
    wanted = _keys("target_keys", target_keys if target_keys is not None else np.zeros((0, 3)))
    of_estimate, of_instance, of_target, n_groups = _groups(estimates, instances, wanted)
    if target_keys is None:
        count = np.bincount(of_instance[seen >= MIN_VISIBLE], minlength=n_groups)
    else:
        given = as_floats("target_counts", target_counts if target_counts is not None else np.ones(len(wanted)))
        check_shape("target_counts", given, (len(wanted),))
        count = np.zeros(n_groups, np.int64)
        np.maximum.at(count, of_target, given.astype(np.int64))
    rank = _rank(of_estimate, _scores(scores, len(estimates)))
    considered = rank < count[of_estimate]
    targets = _rank(of_instance, seen) < count[of_instance]
    return _joined(of_estimate, of_instance, rank, considered, allowed=targets, targets=targets)


def pair_up_detections(
    estimate_keys: ArrayLike,
    scores: ArrayLike,
    instance_keys: ArrayLike,
    visible: ArrayLike | None = None,
) -> Pairing:
    """BOP24's detection task: all instances, all objects, the 100 highest scores of an image.

    Estimates of an object in an image where it has no instance do not count, neither for nor against: so the toolkit.

    Args:
        estimate_keys: (M, 3) scene, image and object of each estimate.
        scores: (M,) confidence.
        instance_keys: (G, 3) scene, image and object of each true instance.
        visible: (G,) visible share; those below 10 % are matched, but are no targets. None: all are fully visible.

    Raises:
        DiffDopeError: if the lengths do not fit, or a score is NaN.
    """
    estimates, instances = _keys("estimate_keys", estimate_keys), _keys("instance_keys", instance_keys)
    seen = _visible(visible, len(instances))
    of_estimate, of_instance, _, n_groups = _groups(estimates, instances, np.zeros((0, 3), np.int64))
    score = _scores(scores, len(estimates))
    images = np.unique(estimates[:, :2], axis=0, return_inverse=True)[1].reshape(-1)
    there = np.bincount(of_instance, minlength=n_groups) > 0
    considered = (_rank(images, score) < MAX_PER_IMAGE) & there[of_estimate]
    every = np.ones(len(instances), np.bool_)
    rank = _rank(of_estimate, score)
    return _joined(of_estimate, of_instance, rank, considered, allowed=every, targets=seen >= MIN_VISIBLE)


def match(pairing: Pairing, errors: ArrayLike, thresholds: ArrayLike) -> I64:
    """The instance that each estimate is matched with at each threshold, (M, T); -1 for none.

    In the order of the scores each estimate takes, among the instances not taken yet, the one with the lowest error,
    if that is below the threshold. All thresholds at once, and all images and objects.

    Args:
        pairing: C pairs.
        errors: of the pairs (C,), or (C, T) if every threshold has its own (VSD); infinity where there is none.
        thresholds: (T,).

    Raises:
        DiffDopeError: if the shapes do not fit or an error is NaN.
    """
    limits = np.atleast_1d(as_floats("thresholds", thresholds))
    values = as_floats("errors", errors)
    values = np.broadcast_to(values[:, None], (len(values), len(limits))) if values.ndim == 1 else values
    check_shape("errors", values, (len(pairing), len(limits)))
    if np.isnan(values).any():
        raise expected("errors", "numbers, infinity for a hopeless pair", "NaN")
    found = np.full((len(pairing.considered), len(limits)), -1, np.int64)
    taken = np.zeros((len(pairing.targets), len(limits)), np.bool_)
    order = np.lexsort((pairing.instance, pairing.estimate, pairing.rank))
    for rows in np.split(order, np.flatnonzero(np.diff(pairing.rank[order])) + 1):
        if len(rows):  # estimates of one rank are of different groups, so they cannot take each other's instance
            _match_rank(pairing, rows, values, limits, found, taken)
    return found


def _match_rank(pairing: Pairing, rows: I64, errors: F64, limits: F64, found: I64, taken: Bools) -> None:
    instance, estimate = pairing.instance[rows], pairing.estimate[rows]
    free = np.where((errors[rows] < limits) & ~taken[instance], errors[rows], np.inf)
    starts = np.flatnonzero(np.diff(estimate, prepend=-1))
    segment = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(rows)))
    least = np.minimum.reduceat(free, starts, axis=0)
    # The first of equally good instances, as the toolkit has it.
    place = np.where(free == least[segment], np.arange(len(rows))[:, None], len(rows))
    first = np.minimum.reduceat(place, starts, axis=0)
    which, threshold = np.nonzero(np.isfinite(least))
    chosen = instance[first[which, threshold]]
    found[estimate[starts][which], threshold] = chosen
    taken[chosen, threshold] = True


def found_instances(matched: I64, instances: int) -> Bools:
    """Which instances some estimate was matched with: (M, T) of `match` to (G, T)."""
    found = np.zeros((instances, matched.shape[1]), np.bool_)
    estimate, threshold = np.nonzero(matched >= 0)
    found[matched[estimate, threshold], threshold] = True
    return found


def _joined(
    of_estimate: I64, of_instance: I64, rank: I64, considered: Bools, *, allowed: Bools, targets: Bools
) -> Pairing:
    """All pairs of considered estimates and allowed instances of the same group."""
    rows = np.flatnonzero(allowed)
    rows = rows[np.argsort(of_instance[rows], kind="stable")]
    estimates = np.flatnonzero(considered)
    first = np.searchsorted(of_instance[rows], of_estimate[estimates], side="left")
    count = np.searchsorted(of_instance[rows], of_estimate[estimates], side="right") - first
    estimate = np.repeat(estimates, count)
    within = np.arange(len(estimate)) - np.repeat(np.cumsum(count) - count, count)
    instance = rows[np.repeat(first, count) + within]
    return Pairing(estimate, instance, rank[estimate], considered, targets)


def _rank(group: I64, value: F64) -> I64:
    """Place of each row within its group by descending value, earlier rows first among equals: (M,)."""
    order = np.lexsort((-value, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(starts, np.diff(starts, append=len(group)))
    return rank


def _groups(*keys: I64) -> tuple[I64, I64, I64, int]:
    """A number for each image and object, the same in all three lists."""
    unique, group = np.unique(np.concatenate(keys), axis=0, return_inverse=True)
    first, second = len(keys[0]), len(keys[0]) + len(keys[1])
    group = group.reshape(-1)
    return group[:first], group[first:second], group[second:], len(unique)


def _keys(name: str, keys: ArrayLike) -> I64:
    array = np.asarray(keys, np.int64)
    array = array.reshape(0, 3) if array.size == 0 else array
    check_shape(name, array, (None, 3), cure="scene, image and object of each")
    return array


def _scores(scores: ArrayLike, count: int) -> F64:
    values = as_floats("scores", scores)
    check_shape("scores", values, (count,))
    if np.isnan(values).any():
        raise expected("scores", "numbers", "NaN")
    return values


def _visible(visible: ArrayLike | None, count: int) -> F64:
    values = np.ones(count) if visible is None else as_floats("visible", visible)
    check_shape("visible", values, (count,))
    return np.where(np.isnan(values), 1.0, values)
