"""What kind of error a start has, against the result without depth: `python -m benchmarks.starts`. Prints a table.

- `alike`: 10 degrees and 4 mm off, in any direction, as the data sets have it;
- `picture`: 5 degrees, a pixel and a half across the view, and along it by the distance over the object's radius as
  much, as poses are off that a network or a hand has placed in a photograph (at most 6 % of the distance);
- `along`: 2 degrees, a pixel and a half, and 1.5 % of the distance nearer or farther.

*Right* is an error (ADD) below 3 % of the diameter, *sure* a confidence above 0.5.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.report import table
from benchmarks.shared_data import SETS, Case, evaluation_points, load_mesh
from diffdope import Pose, Refiner
from diffdope.bop.metrics import add
from diffdope.geometry import so3
from diffdope.scene.mesh import Mesh

KINDS = ("alike", "picture", "along")
ROWS = (("hope-rgb-all", "rgb"), ("sim", "rgb"), ("sim-noisy", "rgb+mask"), ("parts-noisy", "rgb+mask"))
TURN_DEG = {"picture": 5.0, "along": 2.0}
ACROSS_PX = 1.5
ALONG, MOST_ALONG = 0.015, 0.06  # of the distance
RIGHT, SURE, VERY_SURE = 0.03, 0.5, 0.9


class Ended(NamedTuple):
    """Of one result: its error in metres and in diameters, and its confidence."""

    error_m: float
    share: float
    confidence: float


def start_of(case: Case, mesh: Mesh, kind: str, rng: np.random.Generator) -> Pose:
    """A start pose of a kind."""
    if kind == "alike":
        return case.start
    truth, camera = case.truth, case.observation.camera
    middle = truth.apply(mesh.center_m)
    away_m = float(np.linalg.norm(middle))
    ray = middle / away_m
    across_m = ACROSS_PX * away_m / float(camera.fx)
    shift = across_m * rng.standard_normal(3)
    shift -= (shift @ ray) * ray
    if kind == "picture":
        most = MOST_ALONG * away_m
        along_m = float(np.clip(across_m * away_m / (0.5 * mesh.diameter) * rng.standard_normal(), -most, most))
    else:
        along_m = ALONG * away_m * float(rng.choice([-1.0, 1.0]))
    turn = np.radians(TURN_DEG[kind]) / np.sqrt(3.0) * rng.standard_normal(3)
    R = so3.exp(turn) @ truth.R_m2c
    return Pose(R, middle + shift + along_m * ray - R @ mesh.center_m)


@cache
def refiner_of(path: Path, preset: str) -> Refiner:
    """Of one mesh, prepared once."""
    return Refiner(load_mesh(path), preset=preset, threads=1)


def ended(name: str, mode: str, kind: str, every: int, first: int, preset: str) -> list[Ended]:
    """Each case once."""
    found = []
    for number, case in enumerate(SETS[name].cases("10", mode, first=first, every=every)):
        mesh = load_mesh(case.mesh_path)
        start = start_of(case, mesh, kind, np.random.default_rng([number, KINDS.index(kind)]))
        result = refiner_of(case.mesh_path, preset).refine(case.observation, start)
        error_m = add(result.pose, case.truth, evaluation_points(case.mesh_path))
        found.append(Ended(error_m, error_m / mesh.diameter, result.confidence or 0.0))
    return found


def row_of(each: list[Ended]) -> list[str]:
    """Count, median error, and counts of what is right, right and sure, and wrong and sure."""
    error_m, share, confidence = np.array(each).T
    right = share < RIGHT
    return [
        str(len(each)), f"{1e3 * np.median(error_m):.2f}", str(int(right.sum())),
        str(int((right & (confidence > SURE)).sum())), str(int((~right & (confidence > SURE)).sum())),
        str(int((~right & (confidence > VERY_SURE)).sum())),
    ]  # fmt: skip


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=[name for name, _ in ROWS], choices=[name for name, _ in ROWS])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--every", type=int, default=1, help="take every N-th object")
    parser.add_argument("--first", type=int, default=0, help="number of the first object")
    parser.add_argument("--preset", default="default")
    given = parser.parse_args()
    head = ["set", "images", "start", "n", "ADD, mm", "right", "right, > 0.5", "wrong, > 0.5", "wrong, > 0.9"]
    rows = []
    for name, mode in ROWS:
        for kind in given.kinds if name in given.sets else ():
            each = ended(name, mode, kind, given.every, given.first, given.preset)
            rows.append([name, mode, kind, *row_of(each)])
    table(head, rows)


if __name__ == "__main__":
    main()
