"""The scores of the BOP Challenge: average recall of 2019 and average precision of 2024."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.bop.metrics.matching import Pairing, found_instances, match
from diffdope.errors import as_floats, check_shape

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

BOP19_SHARES = tuple(0.05 * k for k in range(1, 11))
"""Thresholds of VSD itself, and of MSSD in diameters."""
BOP19_MSPD_PX = tuple(5.0 * k for k in range(1, 11))
"""Thresholds of MSPD in an image of 640 columns."""
BOP24_MSSD_M = tuple(2e-3 * k for k in range(1, 11))
"""Absolute thresholds of MSSD, metres."""
MSPD_WIDTH = 640  # pixels: MSPD's thresholds are those of a picture of this width


def mspd_scale(width: int) -> float:
    """By what MSPD of an image of that many columns is multiplied before BOP's thresholds."""
    return MSPD_WIDTH / width


class AverageRecall(NamedTuple):
    """BOP19's average recalls, in [0, 1]; NaN where there is nothing to find.

    vsd is None without depth; ar is then the mean of the other two, and not comparable with the benchmark's.
    """

    vsd: float | None
    mssd: float
    mspd: float
    ar: float


@dataclass(frozen=True, eq=False)
class Bop19:
    """Which of G instances were found, at every threshold; from it the scores of any selection of instances.

    Attributes:
        targets: (G,) which instances are to be found.
        mssd: (G, 10) found at `BOP19_SHARES` of the diameter.
        mspd: (G, 10) found at `BOP19_MSPD_PX`.
        vsd: (G, T, 10) found for every tolerance tau at `BOP19_SHARES`; None without depth.
    """

    targets: Bools
    mssd: Bools
    mspd: Bools
    vsd: Bools | None

    def average_recall(self, select: Bools | None = None) -> AverageRecall:
        """Mean over thresholds (and tolerances) of the share of targets found.

        Args:
            select: (G,) which instances to look at: those of one object or one scene; None for all.
        """
        rows = self.targets if select is None else self.targets & select
        if not rows.any():
            return AverageRecall(None if self.vsd is None else np.nan, np.nan, np.nan, np.nan)
        # Every threshold has the same targets, so the mean of the recalls is the mean of all entries.
        vsd = None if self.vsd is None else float(self.vsd[rows].mean())
        mssd, mspd = float(self.mssd[rows].mean()), float(self.mspd[rows].mean())
        ar = float(np.mean([value for value in (vsd, mssd, mspd) if value is not None]))
        return AverageRecall(vsd, mssd, mspd, ar)


def bop19(pairing: Pairing, mssd: ArrayLike, mspd: ArrayLike, vsd: ArrayLike | None) -> Bop19:
    """Matches estimates with instances at all thresholds of BOP19, anew for each threshold as BOP does.

    Args:
        pairing: C pairs, of `pair_up`.
        mssd: (C,) in diameters of the object.
        mspd: (C,) pixels times `mspd_scale(width)`.
        vsd: (C, T) for the tolerances `VSD_TAUS`; None without depth.

    Raises:
        DiffDopeError: if a shape does not fit or an error is NaN.
    """
    seen = None
    if vsd is not None:
        errors = as_floats("vsd", vsd)
        check_shape("vsd", errors, (len(pairing), None))
        seen = np.stack([found(pairing, column, BOP19_SHARES) for column in errors.T], axis=1)
    return Bop19(
        pairing.targets, found(pairing, mssd, BOP19_SHARES), found(pairing, mspd, BOP19_MSPD_PX), seen
    )  # fmt: skip


def found(pairing: Pairing, errors: ArrayLike, thresholds: ArrayLike) -> Bools:
    """Which instances are found at each threshold: (G, T); their share of the targets is the recall.

    With MSSD in metres and `BOP24_MSSD_M` that is the recall at BOP24's absolute thresholds.
    """
    return found_instances(match(pairing, errors, thresholds), len(pairing.targets))


def recall(found: Bools, targets: Bools) -> F64:
    """Share of the targets that were found, at each threshold (T,); NaN where there is nothing to find."""
    if not targets.any():
        return np.full(found.shape[1], np.nan)
    return np.asarray(found[targets].mean(axis=0))


def average_precision(
    pairing: Pairing, scores: ArrayLike, instance_objects: ArrayLike, errors: ArrayLike, thresholds: ArrayLike
) -> dict[int, F64]:
    """BOP24's AP of each object at each threshold: {object: (T,)}; objects without a target are left out.

    The benchmark's figure is the mean over thresholds and objects; BOP24 takes the mean of MSSD's (in diameters,
    `BOP19_SHARES`) and MSPD's, BOP25 MSSD's alone. Precision is interpolated at 101 recalls as in COCO. An estimate
    matched with an instance of which less than 10 % is visible counts neither for nor against.

    Args:
        pairing: C pairs, of `pair_up_detections`.
        scores: (M,) of the estimates.
        instance_objects: (G,) object of each instance.
        errors: (C,).
        thresholds: (T,).
    """
    score, objects = as_floats("scores", scores), np.asarray(instance_objects)
    check_shape("scores", score, (len(pairing.considered),))
    check_shape("instance_objects", objects, (len(pairing.targets),))
    matched = match(pairing, errors, thresholds)
    of_estimate = np.full(len(score), -1)
    of_estimate[pairing.estimate] = objects[pairing.instance]
    result = {}
    for obj in np.unique(objects[pairing.targets]):
        rows = np.flatnonzero(pairing.considered & (of_estimate == obj))
        rows = rows[np.argsort(-score[rows], kind="stable")]
        count = int(np.count_nonzero(pairing.targets & (objects == obj)))
        result[int(obj)] = np.array([_precision(column, pairing.targets, count) for column in matched[rows].T])
    return result


def _precision(matched: I64, targets: Bools, count: int) -> float:
    """COCO's interpolated average precision of the estimates of one object, by descending score."""
    counted = matched[(matched < 0) | targets[matched]]
    hits = np.cumsum(counted >= 0)
    reached, precision = hits / count, hits / np.arange(1, len(counted) + 1)
    # The best precision at this recall or any higher one.
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(envelope[np.searchsorted(reached, np.linspace(0.0, 1.0, 101))].mean())
