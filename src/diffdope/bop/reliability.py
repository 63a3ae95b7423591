"""Whether confidences say how often results are right, and a map that makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

BINS = 10  # of confidence, in a reliability diagram
_SURE = 0.9  # confidence from which on a result is sure
_LARGEST = 1.0 - 1e-9  # probability of which log odds are taken
_OFFSET, _SLOPE = 2.0, 0.5  # deviations from no map at all that are taken for likely, before any data
_STEEPEST, _FLATTEST = 10.0, 0.05  # slopes of the map of log odds
_FOLDS, _DRAWS = 5, 200  # of a cross-validation by scenes; of a bootstrap


class Bin(NamedTuple):
    """Results whose confidences lie between two bounds."""

    low: float
    high: float
    results: int
    confidence: float
    right: float


@dataclass(frozen=True)
class Reliability:
    """How far confidences can be relied on.

    Attributes:
        count: results.
        right: of them.
        auroc: probability that a wrong result has a lower confidence than a right one; NaN without either.
        ece: expected calibration error: mean difference of confidence and share that is right, over `bins`.
        sure: results of a confidence above 0.9.
        sure_wrong: of these.
        bins: those that are not empty.
    """

    count: int
    right: int
    auroc: float
    ece: float
    sure: int
    sure_wrong: int
    bins: tuple[Bin, ...]


class ConfidenceMap(NamedTuple):
    """log odds -> offset + slope * log odds."""

    offset: float
    slope: float

    def __call__(self, confidence: F64) -> F64:
        """Mapped confidences."""
        return _sigmoid(self.offset + self.slope * _log_odds(confidence))


def reliability(confidence: F64, right: Bools) -> Reliability:
    """Of results (N,)."""
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, np.bool_)
    place = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    bins = tuple(
        Bin(k / BINS, (k + 1) / BINS, int(here.sum()), float(confidence[here].mean()), float(right[here].mean()))
        for k in range(BINS) if (here := place == k).any()
    )  # fmt: skip
    ece = sum(one.results * abs(one.confidence - one.right) for one in bins) / max(len(right), 1)
    sure = confidence > _SURE
    return Reliability(
        len(right), int(right.sum()), auroc(confidence, right), ece, int(sure.sum()), int((sure & ~right).sum()), bins
    )  # fmt: skip


def auroc(score: F64, right: Bools) -> float:
    """Area under the ROC curve: probability that a right one scores higher than a wrong one; ties count half."""
    from scipy.stats import rankdata

    wrong = ~np.asarray(right, np.bool_)
    if wrong.all() or not wrong.any():
        return float("nan")
    ranks, n = rankdata(-np.asarray(score)), int(wrong.sum())
    return float((ranks[wrong].sum() - n * (n + 1) / 2) / (n * (len(wrong) - n)))


def fitted_map(confidence: F64, right: Bools) -> ConfidenceMap:
    """The most probable map (Platt, 1999), given the results and that large corrections are rare.

    Args:
        confidence: (N,) as results have them.
        right: (N,).

    Raises:
        DiffDopeError: if all results are right, or all wrong: then nothing tells what a confidence is worth.
    """
    from scipy.optimize import minimize

    right = np.asarray(right, np.bool_)
    if right.all() or not right.any():
        good = bool(len(right) and right.all())
        got = f"{len(right)} that are all {'right' if good else 'wrong'}"
        how = f"start {'farther off' if good else 'nearer'} (bop refine --init gt --perturb-deg, --perturb-mm)"
        cure = f"{how}, or take {'harder' if good else 'easier'} images"
        raise expected("results", "some that are right and some that are wrong", got, cure)
    x, sign = _log_odds(confidence), np.where(right, 1.0, -1.0)

    def loss(w: F64) -> float:
        fit = np.logaddexp(0.0, -sign * (w[0] + w[1] * x)).sum()
        return float(fit + 0.5 * (w[0] / _OFFSET) ** 2 + 0.5 * (np.log(w[1]) / _SLOPE) ** 2)

    found = minimize(loss, np.array([0.0, 1.0]), bounds=[(None, None), (_FLATTEST, _STEEPEST)]).x
    return ConfidenceMap(float(found[0]), float(found[1]))


def left_out(confidence: F64, right: Bools, groups: Sequence[object]) -> F64:
    """Mapped confidences (N,), each by a map that was fitted to other groups: those of no map where that is impossible.

    Args:
        confidence: (N,) as results have them.
        right: (N,).
        groups: (N) images, say: results of one are not independent.
    """
    names = list(dict.fromkeys(groups))
    fold_of = {name: k % _FOLDS for k, name in enumerate(np.random.default_rng(0).permutation(len(names)))}
    fold = np.array([fold_of[names.index(group)] for group in groups])
    mapped = np.array(confidence, np.float64)
    for k in range(_FOLDS):
        rest = fold != k
        if right[rest].any() and not right[rest].all():
            mapped[~rest] = fitted_map(confidence[rest], right[rest])(confidence[~rest])
    return mapped


def interval(confidence: F64, right: Bools, groups: Sequence[object]) -> tuple[ConfidenceMap, ConfidenceMap]:
    """Maps whose numbers are the 5 % and 95 % quantiles over draws of the groups (bootstrap)."""
    rng = np.random.default_rng(0)
    rows: dict[object, list[int]] = {}
    for k, group in enumerate(groups):
        rows.setdefault(group, []).append(k)
    each = [np.array(one) for one in rows.values()]
    found = []
    for _ in range(_DRAWS):
        taken = np.concatenate([each[k] for k in rng.integers(len(each), size=len(each))])
        if right[taken].any() and not right[taken].all():
            found.append(fitted_map(confidence[taken], right[taken]))
    low, high = np.quantile(np.array(found or [fitted_map(confidence, right)]), [0.05, 0.95], axis=0)
    return ConfidenceMap(*map(float, low)), ConfidenceMap(*map(float, high))


def _log_odds(confidence: F64) -> F64:
    p = np.clip(np.asarray(confidence, np.float64), 1.0 - _LARGEST, _LARGEST)
    return np.asarray(np.log(p / (1.0 - p)))


def _sigmoid(x: F64) -> F64:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -50.0, 50.0))))
