"""Figures of many instances: medians, shares, areas under curves, recalls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.evaluation import Row
from diffdope.bop.metrics.scores import auc

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """Of one group of instances. Lengths in millimetres; medians are infinite if half of the estimates are missing.

    Attributes:
        instances: how many count.
        missing: how many of them have no estimate; each is an infinite error.
        add_median: of ADD.
        add_p90: nine tenths have an ADD of at most this.
        add_below_5mm: share.
        add_below_tenth: share with an ADD below a tenth of the diameter.
        add_auc: area under the accuracy-threshold curve of ADD up to 0.1 m, as a share.
        add_auc_other: the same up to the other maximum.
        adds_median: of ADD-S, and so on as for ADD.
        adds_p90: of ADD-S.
        adds_below_5mm: of ADD-S.
        adds_auc: of ADD-S.
        adds_auc_other: of ADD-S.
        rotation_median_deg: degrees, modulo symmetry.
        translation_median: millimetres.
        ar_vsd: BOP19's average recall of VSD over the instances with depth; None if there are none.
        ar_vsd_instances: how many have depth.
        ar_mssd: of MSSD.
        ar_mspd: of MSPD.
        ar: mean of the three, of the last two if not all instances have depth.
        ar_absolute: average recall of MSSD at 2, 4, ..., 20 mm (BOP24).
        seconds_median: of an object where a run's records say so, else of an image; None if unknown.
    """

    instances: int
    missing: int
    add_median: float
    add_p90: float
    add_below_5mm: float
    add_below_tenth: float
    add_auc: float
    add_auc_other: float
    adds_median: float
    adds_p90: float
    adds_below_5mm: float
    adds_auc: float
    adds_auc_other: float
    rotation_median_deg: float
    translation_median: float
    ar_vsd: float | None
    ar_vsd_instances: int
    ar_mssd: float
    ar_mspd: float
    ar: float
    ar_absolute: float
    seconds_median: float | None

    @property
    def ar_complete(self) -> bool:
        """Whether AR holds VSD too."""
        return self.ar_vsd_instances == self.instances

    def as_json(self) -> dict[str, Any]:
        """With None for what is infinite."""
        return {
            name: None if isinstance(value, float) and not np.isfinite(value) else value
            for name, value in asdict(self).items()
        }


def summarise(rows: Sequence[Row], *, other_max_m: float, seconds: Mapping[int, float] | None = None) -> Summary:
    """The figures of some rows.

    Args:
        rows: at least one.
        other_max_m: a second maximum for the areas under the curves, metres.
        seconds: by position of the estimate; None takes the times of the estimates, which are those of whole images.
    """
    add, adds = errors_m(rows, "add"), errors_m(rows, "add_s")
    deep = [row.recall_vsd for row in rows if row.recall_vsd is not None]
    mssd, mspd = _mean(row.recall_mssd for row in rows), _mean(row.recall_mspd for row in rows)
    complete = len(deep) == len(rows)
    return Summary(
        instances=len(rows),
        missing=sum(row.estimate is None for row in rows),
        add_median=1e3 * quantile(add, 0.5), add_p90=1e3 * quantile(add, 0.9),
        add_below_5mm=_mean(add < 0.005),
        add_below_tenth=_mean(row.errors.add < 0.1 * row.diameter_m for row in rows),
        add_auc=auc(add, 0.1), add_auc_other=auc(add, other_max_m),
        adds_median=1e3 * quantile(adds, 0.5), adds_p90=1e3 * quantile(adds, 0.9),
        adds_below_5mm=_mean(adds < 0.005),
        adds_auc=auc(adds, 0.1), adds_auc_other=auc(adds, other_max_m),
        rotation_median_deg=float(np.degrees(quantile(errors_m(rows, "rotation"), 0.5))),
        translation_median=1e3 * quantile(errors_m(rows, "translation"), 0.5),
        ar_vsd=_mean(deep) if deep else None, ar_vsd_instances=len(deep), ar_mssd=mssd, ar_mspd=mspd,
        ar=float(np.mean([mssd, mspd, _mean(deep)])) if complete else (mssd + mspd) / 2,
        ar_absolute=_mean(row.recall_absolute for row in rows),
        seconds_median=_seconds(rows, seconds),
    )  # fmt: skip


def by(rows: Iterable[Row], key: Callable[[Row], int]) -> dict[int, list[Row]]:
    """Rows by object or scene, ascending."""
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return dict(sorted(groups.items()))


def errors_m(rows: Sequence[Row], name: str) -> F64:
    """One error of every row; infinite where there is no estimate."""
    return np.array([getattr(row.errors, name) for row in rows], np.float64)


def quantile(errors: F64, share: float) -> float:
    """A quantile by linear interpolation, infinite as soon as an infinite error takes part."""
    position = share * (len(errors) - 1)
    ordered = np.sort(errors)
    low, high = ordered[int(np.floor(position))], ordered[int(np.ceil(position))]
    rest = position - np.floor(position)
    return float(low if rest == 0 else low + rest * (high - low) if np.isfinite(high) else np.inf)


def _mean(values: Iterable[float] | F64) -> float:
    return float(np.mean(np.fromiter(values, np.float64)))


def _seconds(rows: Sequence[Row], seconds: Mapping[int, float] | None) -> float | None:
    if seconds is not None:
        known = [seconds[row.number] for row in rows if row.number is not None and row.number in seconds]
    else:
        images = {(r.scene_id, r.im_id): r.estimate.time for r in rows if r.estimate is not None}
        known = [time for time in images.values() if time >= 0]
    return float(np.median(known)) if known else None
