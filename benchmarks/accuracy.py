"""Accuracy on the shared data: `python -m benchmarks.accuracy --help`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.shared_data import Case, cases, evaluation_points, load_mesh
from diffdope.bop.metrics import add, add_s
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.refine.refiner import Refiner
from diffdope.refine.settings import Preset, preset
from diffdope.scene.lookalikes import lookalikes

HOPE2 = dict(data_set="hope", split="val", scene="000002", images=[0], starts_of=[0, 1, 2, 3, 4])
SETS = {
    "hope": dict(HOPE2, textured_only=True),
    "hope-all": HOPE2,
    "hope-rgb": dict(data_set="hope", split="val", scene="000003", depth=False, textured_only=True),
    "hope-rgb-all": dict(data_set="hope", split="val", scene="000003", depth=False),
    "sim": dict(data_set="sim", split="dev", scene="000001"),
    "sim-noisy": dict(data_set="sim", split="dev", scene="000001", mask="mask_noisy"),
    "parts": dict(data_set="parts", split="dev", scene="000001"),
    "parts-noisy": dict(data_set="parts", split="dev", scene="000001", mask="mask_noisy"),
    "ycbv": dict(data_set="ycbv_frames", split="val", scene="000001"),
}


@dataclass(frozen=True)
class Row:
    """One refined case, millimetres and seconds."""

    name: str
    start_add: float
    add: float
    add_s: float
    seconds: float
    status: str


def run(case: Case, refiners: dict[str, Refiner], settings: Preset, threads: int | None) -> Row:
    """Refines one case."""
    mesh, points = load_mesh(case.mesh_path), evaluation_points(case.mesh_path)
    refiner = refiners.setdefault(str(case.mesh_path), Refiner(mesh, preset=settings, threads=threads))
    began = time.perf_counter()
    result = refiner.refine(case.observation, case.start)
    seconds = time.perf_counter() - began
    errors = (1e3 * add(case.start, case.truth, points), 1e3 * add(result.pose, case.truth, points))
    return Row(case.name, *errors, 1e3 * add_s(result.pose, case.truth, points), seconds, result.status)


def other_way_round(case: Case, lookalikes: Symmetries, number: int) -> Case | None:
    """The case, its start turned by one of the turns after which the shape is nearly the same; None if there is none.

    Args:
        case: with its own start.
        lookalikes: of its mesh.
        number: of the case: the seed.
    """
    if len(lookalikes) < 2:
        return None
    k = 1 + np.random.default_rng(number).integers(len(lookalikes) - 1)
    R, t = case.start.R_m2c, case.start.t_m2c
    return replace(case, start=Pose(R @ lookalikes.R[k], t + R @ lookalikes.t_m[k]))


def turned_cases(given: Iterable[Case]) -> Iterator[Case]:
    """Those cases that can be turned."""
    sides: dict[Path, Symmetries] = {}
    for number, case in enumerate(given):
        if case.mesh_path not in sides:
            sides[case.mesh_path] = lookalikes(load_mesh(case.mesh_path))
        turned = other_way_round(case, sides[case.mesh_path], number)
        if turned is not None:
            yield turned


def summary(rows: list[Row]) -> str:
    """One line: medians, 90th percentiles and shares."""
    a, s = np.array([r.add for r in rows]), np.array([r.add_s for r in rows])
    seconds = np.median([r.seconds for r in rows])
    return (
        f"n {len(rows)}  ADD median {np.median(a):.2f} p90 {np.percentile(a, 90):.2f} mm, "
        f"{np.mean(a < 5):.1%} < 5 mm;  "
        f"ADD-S median {np.median(s):.2f} p90 {np.percentile(s, 90):.2f} mm, {np.mean(s < 5):.1%} < 5 mm;  "
        f"start {np.median([r.start_add for r in rows]):.2f} mm;  {seconds:.3f} s an object"
    )


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="hope,sim,sim-noisy")
    parser.add_argument("--levels", default="010_trans_004")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--turned", action="store_true", help="start the other way round: an estimator's mistake")
    parser.add_argument("--cases", action="store_true", help="print every case")
    arguments = parser.parse_args()
    for name in arguments.sets.split(","):
        for level in arguments.levels.split(","):
            refiners: dict[str, Refiner] = {}
            settings = preset(arguments.preset)
            given = cases(level=level, **SETS[name])
            chosen = turned_cases(given) if arguments.turned else given
            rows = [run(case, refiners, settings, arguments.threads) for case in chosen]
            if arguments.cases:
                for row in rows:
                    print(
                        f"  {row.name}: start {row.start_add:.1f} ADD {row.add:.2f} ADD-S {row.add_s:.2f} {row.status}"
                    )
            print(f"{name:10s} {level}: {summary(rows)}", flush=True)


if __name__ == "__main__":
    main()
