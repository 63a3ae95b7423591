"""Fits the weights of `diffdope.estimate.confidence` and says how well confidences tell right from wrong.

    python -m benchmarks.confidence [--every 4] [--workers 2]
    python -m benchmarks.confidence --every 16 --first 5 --workers 1 --no-fit --record confidence.jsonl

Refinements of all sets below, from near and far starts, by the near search alone (which often fails from afar) and by
the default preset. First the confidences as users get them, of the default preset: how often results are right whose
confidence is p, where right is what the confidence is about (the surface is off by less than 3 % of the diameter,
modulo symmetry), and by ADD-S. Then the weights of the fit, a logistic regression on ADD-S below 3 % of the diameter,
and the area under the ROC curve of weights that were fitted to the other data sets only. `--no-fit`: only the first.
With `--record`, each result is written to a file as it is found, and a run that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, astuple, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.locate import errors_mm
from benchmarks.recorded import Recorded
from benchmarks.shared_data import KINDS, Case, cases_of_kind, load_mesh
from diffdope.bop.reliability import Reliability, reliability
from diffdope.estimate.confidence import NAMES, Weights, confidence_of, features
from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.pose import difference
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import preset

F64 = NDArray[np.float64]
LEVELS = ("10", "40", "20")


class Row(NamedTuple):
    """One refinement."""

    set_name: str
    level: str
    search: str
    quality: FitQuality
    error_mm: float
    add_s_mm: float
    diameter_m: float
    confidence: float
    ok: bool

    @property
    def right(self) -> bool:
        return self.add_s_mm < 30.0 * self.diameter_m

    @property
    def within(self) -> bool:
        return self.error_mm < 30.0 * self.diameter_m


def rows_of(part: int, *, parts: int, every: int, first: int, fit: bool, record: Path | None) -> list[Row]:
    """Every `parts`-th of the cases; refiners live for one set."""
    default = preset("default")
    near = {"near": replace(default, search=replace(default.search, fallback_confidence=0.0))} if fit else {}
    presets = {**near, "default": default}
    recorded = Recorded(record and record.with_suffix(f".{part}of{parts}{record.suffix}"))
    rows: list[Row] = []
    for set_name in KINDS:
        refiners: dict[object, Refiner] = {}
        for level in LEVELS:
            if level == "20" and not set_name.startswith("sim"):
                continue
            for case in cases_of_kind(set_name, level, first=first + part * every, every=parts * every):
                for search, settings in presets.items():
                    if search == "near" and level == "10":
                        continue
                    about = (set_name, level, search, case.name)
                    if about not in recorded:
                        refiner = refiners.setdefault(case.mesh_path, Refiner(load_mesh(case.mesh_path), threads=1))
                        refiner.preset = settings
                        result = refiner.refine(case.observation, case.start)
                        if result.evidence is None:
                            continue
                        row = row_of(case, refiner, result, search, set_name, level)
                        recorded[about] = {**row._asdict(), "quality": asdict(row.quality)}
                    kept = recorded[about]
                    rows.append(Row(**{**kept, "quality": FitQuality(**kept["quality"])}))
    return rows


def row_of(case: Case, refiner: Refiner, result: RefinementResult, search: str, set_name: str, level: str) -> Row:
    """A refinement against the truth; ADD modulo listed symmetries, and modulo turns about an axis of revolution."""
    error_mm, add_s_mm = errors_mm(case, result.pose)
    frame, form = refiner.frame, refiner.meshes.displacement_form
    pose = frame.enter(result.pose)
    off = np.kron(np.eye(2), pose.R_m2c.T) @ difference(pose, frame.enter(case.truth))
    error_mm = min(error_mm, 1e3 * float(np.sqrt(max(off @ form @ off, 0.0))))
    assert result.evidence is not None
    sure = result.confidence or 0.0
    return Row(set_name, level, search, result.evidence, error_mm, add_s_mm, refiner.mesh.diameter, sure, result.ok)


def fitted(X: F64, right: NDArray[np.bool_], ridge: float = 0.02) -> F64:
    """Logistic regression; the first column is constant."""
    from scipy.optimize import minimize

    scale = np.maximum(X.std(axis=0), 0.05)

    def loss(w: F64) -> float:
        z = (X / scale) @ w
        return float(np.logaddexp(0.0, -z * (2.0 * right - 1.0)).mean() + ridge * (w[1:] ** 2).sum() / len(w))

    return np.asarray(minimize(loss, np.zeros(X.shape[1])).x / scale)


def auroc(score: F64, wrong: NDArray[np.bool_]) -> float:
    """Probability that a wrong one has a lower score than one that is not."""
    from scipy.stats import rankdata

    if wrong.all() or not wrong.any():
        return float("nan")
    ranks, n = rankdata(-score), int(wrong.sum())
    return float((ranks[wrong].sum() - n * (n + 1) / 2) / (n * (len(wrong) - n)))


def report(rows: list[Row]) -> None:
    """Weights, then what they are worth."""
    X = np.array([features(row.quality) for row in rows])
    right = np.array([row.right for row in rows])
    bad = np.array([row.add_s_mm > 10.0 for row in rows])
    weights = Weights(*np.round(fitted(X, right), 2))
    print("weights: " + ", ".join(f"{n} {w:g}" for n, w in zip(NAMES, astuple(weights), strict=True)))
    now, new = np.array([confidence_of(row.quality) for row in rows]), X @ np.array(astuple(weights))
    hard = np.array([row.search == "default" and row.level != "10" for row in rows])
    for what, among in (("the rest", hard), ("those that are right", hard & (bad | right))):
        values = ", ".join(f"{name} {auroc(s[among], bad[among]):.3f}" for name, s in (("shipped", now), ("new", new)))
        print(
            f"{bad[among].sum()} with ADD-S > 10 mm of {among.sum()} hard ones by default, from {what}: AUROC {values}"
        )
    print("\n| set | search | n | wrong | > 10 mm | AUROC | from other data | wrong, said fine | right, said failed |")
    print("|---|---|---|---|---|---|---|---|---|")
    families = np.array([row.set_name.split()[0] for row in rows])
    for set_name in KINDS:
        family = set_name.split()[0]
        others = X @ fitted(X[families != family], right[families != family])
        for search in ("near", "default"):
            here = np.array([row.set_name == set_name and row.search == search and row.level != "10" for row in rows])
            if not here.any():
                continue
            said = now[here] >= 0.5
            fine = f"{(said & ~right[here]).sum()} of {(~right[here]).sum()}"
            failed = f"{(~said & right[here]).sum()} of {right[here].sum()}"
            print(
                f"| {set_name} | {search} | {here.sum()} | {(~right[here]).sum()} | {bad[here].sum()} "
                f"| {auroc(now[here], bad[here]):.3f} | {auroc(others[here], bad[here]):.3f} | {fine} | {failed} |"
            )


def in_words(found: Reliability) -> str:
    """n, right, AUROC, ECE, wrong of those above 0.9."""
    sure = f"{found.sure_wrong} of {found.sure}"
    return f"{found.count} | {found.right} | {found.auroc:.3f} | {100 * found.ece:.1f} % | {sure}"


def report_reliability(rows: list[Row]) -> None:
    """Confidences of the default preset, set by set and all together."""
    rows = [row for row in rows if row.search == "default"]
    print("| set | n | right | AUROC | ECE | wrong > 0.9 | right, failed | > 5 % off at > 0.5 |")
    print("|---" * 8 + "|")
    for name in (*KINDS, "all"):
        here = [row for row in rows if name in ("all", row.set_name)]
        if not here:
            continue
        sure, right = np.array([row.confidence for row in here]), np.array([row.within for row in here])
        ok = np.array([row.ok for row in here])
        far = np.array([row.error_mm > 50.0 * row.diameter_m for row in here])
        found = in_words(reliability(sure, right))
        print(f"| {name} | {found} | {(right & ~ok).sum()} | {(far & (sure > 0.5)).sum()} |")
    sure, right = np.array([row.confidence for row in rows]), np.array([row.right for row in rows])
    print(f"| all, right by ADD-S | {in_words(reliability(sure, right))} | | |\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=4, help="take every n-th case of each set")
    parser.add_argument("--first", type=int, default=0, help="from this one on")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-fit", dest="fit", action="store_false", help="confidences alone, of the default preset")
    parser.add_argument("--record", type=Path, help="JSON lines: results that are there are taken, new ones added")
    arguments = parser.parse_args()
    work = partial(
        rows_of, parts=arguments.workers, every=arguments.every, first=arguments.first,
        fit=arguments.fit, record=arguments.record,
    )  # fmt: skip
    if arguments.workers == 1:
        rows = work(0)
    else:
        with ProcessPoolExecutor(arguments.workers) as executor:
            rows = [row for part in executor.map(work, range(arguments.workers)) for row in part]
    report_reliability(rows)
    if arguments.fit:
        report(rows)


if __name__ == "__main__":
    main()
