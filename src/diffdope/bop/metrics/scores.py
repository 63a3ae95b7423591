"""From errors to shares: accuracy at thresholds, the accuracy-threshold curve and the area under it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import as_floats, check_positive, expected

F64 = NDArray[np.float64]


def accuracy(errors: ArrayLike, thresholds: ArrayLike) -> F64:
    """Share of errors strictly below each threshold, (T,).

    Args:
        errors: (M,), of any unit; infinity for an object that was not found, so that it counts as wrong.
        thresholds: (T,), of the same unit.

    Raises:
        DiffDopeError: if there are no errors, or one is negative or NaN.
    """
    ordered = np.sort(_checked(errors))
    return np.asarray(np.searchsorted(ordered, np.atleast_1d(as_floats("thresholds", thresholds))) / len(ordered))


def accuracy_curve(errors: ArrayLike, maximum: float, *, points: int = 201) -> tuple[F64, F64]:
    """Evenly spaced thresholds (points,) from 0 to `maximum`, and the share of errors below each.

    Args:
        errors: (M,), infinity for what was not found.
        maximum: the last threshold, in the errors' unit.
        points: how many.
    """
    check_positive("maximum", maximum)
    thresholds = np.linspace(0.0, maximum, points)
    return thresholds, accuracy(errors, thresholds)


def auc(errors: ArrayLike, maximum: float) -> float:
    """Area under the accuracy-threshold curve from 0 to `maximum`, as a share of the whole: in [0, 1].

    Exact, not sampled: an error e is below a share 1 - e / maximum of the thresholds, and the area is their mean.

    Args:
        errors: (M,), infinity for what was not found.
        maximum: of the thresholds, in the errors' unit; 0.1 m in YCB-Video.

    Raises:
        DiffDopeError: if there are no errors, or one is negative or NaN.
    """
    check_positive("maximum", maximum)
    return float(np.maximum(0.0, 1.0 - _checked(errors) / maximum).mean())


def auc_ycb_video(errors: ArrayLike, maximum: float = 0.1) -> float:
    """The same area as the YCB-Video toolbox computes it: a little larger.

    The toolbox takes, between two errors, the accuracy that is reached at the larger one. That adds
    e_max / (M * maximum), where e_max is the largest error not above the maximum: at most 1 / M.
    """
    values = _checked(errors)
    counted = values[values <= maximum]
    return auc(values, maximum) + float(counted.max(initial=0.0)) / (len(values) * maximum)


def _checked(errors: ArrayLike) -> F64:
    values = as_floats("errors", errors).ravel()
    if len(values) == 0:
        raise expected("errors", "at least one", "none")
    if np.isnan(values).any() or (values < 0).any():
        raise expected("errors", "numbers >= 0, infinity for what was not found", "negative numbers or NaN")
    return values
