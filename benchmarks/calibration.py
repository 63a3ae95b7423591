"""How often the truth lies within 1, 2, 3 sigma of the refined pose, on photographs.

    python -m benchmarks.calibration [--every 3] [--level 10]

Of results that are in the right minimum with a probability of at least 0.5, of objects without symmetries: squared
Mahalanobis distance (6 degrees of freedom), single coordinates, and the RMS displacement of the surface over the one
that the covariance foretells, against a Gaussian. The ground truth of HOPE and YCB-Video is itself off
by one or two millimetres, which counts as an error here. `odd` and `even` objects apart show whether a number that was
chosen on some holds on others.
"""

from __future__ import annotations

import argparse
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from benchmarks.shared_data import DATA, KINDS, LEVELS, SETS, cases_of_kind, load_mesh
from diffdope.estimate.tolerance import displacement
from diffdope.geometry.pose import Pose, difference
from diffdope.pipelines.refiner import Refiner

F64 = NDArray[np.float64]
CHOSEN = (
    "sim rgb-d", "sim rgb-d noisy mask", "sim rgb noisy mask", "parts rgb-d", "hope rgb-d", "hope rgb", "ycbv rgb-d",
    "sim rgb-d no mask", "hope rgb-d no mask", "sim rgb no mask", "hope rgb no mask",
)  # fmt: skip


class Row(NamedTuple):
    """One refinement: error (6,) in (rho [m], phi [rad]), its covariance (6, 6)."""

    set_name: str
    obj_id: int
    error: F64
    covariance: F64
    right_minimum: float
    unobserved: int
    displaced: float
    """RMS displacement of the surface, over the one that the covariance foretells."""

    @property
    def squares(self) -> float:
        return float(self.error @ np.linalg.solve(self.covariance, self.error))

    @property
    def own(self) -> F64:
        return np.asarray(np.abs(self.error) / np.sqrt(np.diag(self.covariance)))


@cache
def symmetric(mesh_path: Path) -> bool:
    """Whether the data set says that an object has symmetries: the truth is then one of several."""
    entry = json.loads((mesh_path.parent / "models_info.json").read_text())[str(int(mesh_path.stem[4:]))]
    return "symmetries_discrete" in entry or "symmetries_continuous" in entry


def rows_of(level: str, every: int) -> list[Row]:
    """Refinements of every n-th case; refiners live for one set."""
    rows: list[Row] = []
    for set_name in CHOSEN:
        if not SETS[KINDS[set_name][0]].there:
            print(f"{set_name}: skipped, {DATA} has no such data")
            continue
        refiners: dict[Path, Refiner] = {}
        for case in cases_of_kind(set_name, level, every=every):
            if symmetric(case.mesh_path):
                continue
            if case.mesh_path not in refiners:
                refiners[case.mesh_path] = Refiner(load_mesh(case.mesh_path), threads=1)
            result = refiners[case.mesh_path].refine(case.observation, case.start)
            if result.covariance is None or result.unobserved is None:
                continue
            sure, hidden = result.right_minimum or 0.0, len(result.unobserved)
            error, covariance = in_own_frame(refiners[case.mesh_path], result.pose, case.truth, result.covariance)
            off = displaced(refiners[case.mesh_path], result.pose, error, covariance)
            rows.append(Row(set_name, case.obj_id, error, covariance, sure, hidden, off))
    return rows


def in_own_frame(refiner: Refiner, pose: Pose, truth: Pose, covariance: F64) -> tuple[F64, F64]:
    """Error (6,) and covariance (6, 6) about the object's middle."""
    frame = refiner.frame
    back = np.linalg.inv(frame.motion(pose))
    return difference(frame.enter(pose), frame.enter(truth)), np.asarray(back @ covariance @ back.T)


def displaced(refiner: Refiner, pose: Pose, error: F64, covariance: F64) -> float:
    """RMS displacement of the surface, over the one that a covariance foretells."""
    form = refiner.meshes.displacement_form
    off = np.kron(np.eye(2), pose.R_m2c.T) @ error
    return float(np.sqrt(max(off @ form @ off, 0.0)) / max(displacement(covariance, form, pose.R_m2c), 1e-12))


def shares(rows: list[Row]) -> str:
    """Within 1, 2, 3 sigma: of all six coordinates together, and of single ones."""
    limits = [chi2.ppf(chi2.cdf(k * k, 1), 6) for k in (1, 2, 3)]
    squares, own = np.array([row.squares for row in rows]), np.concatenate([row.own for row in rows])
    jointly = " / ".join(f"{100 * np.mean(squares < limit):.0f}" for limit in limits)
    single = " / ".join(f"{100 * np.mean(own < k):.0f}" for k in (1, 2, 3))
    moved = " / ".join(f"{100 * np.mean([row.displaced < k for row in rows]):.0f}" for k in (1, 2, 3))
    return f"{jointly} | {single} | {moved} | {np.sqrt(np.median(squares) / chi2.median(6)):.2f}"


def report(rows: list[Row]) -> None:
    """A row for each set."""
    print("| | n | unobserved | six in 1, 2, 3 sigma, % | single, % | displacement, % | error/sigma | mm | deg |")
    print("|---" * 9 + "|")
    print("| a Gaussian | | | 68 / 95 / 100 | 68 / 95 / 100 | 68 / 95 / 100 | 1 | | |")
    sure = [row for row in rows if row.right_minimum >= 0.5]
    for set_name in dict.fromkeys(row.set_name for row in sure):
        own = [row for row in sure if row.set_name == set_name]
        sigma = np.median([np.sqrt(np.diag(row.covariance)) for row in own], axis=0)
        size = f"{1e3 * np.sqrt((sigma[:3] ** 2).sum()):.2f} | {np.degrees(np.sqrt((sigma[3:] ** 2).sum())):.2f}"
        print(f"| {set_name} | {len(own)} | {sum(row.unobserved > 0 for row in own)} | {shares(own)} | {size} |")
    for name, rest in (("odd", 1), ("even", 0)):
        own = [row for row in sure if row.obj_id % 2 == rest]
        if own:
            print(
                f"| all, {name} objects | {len(own)} | {sum(row.unobserved > 0 for row in own)} | {shares(own)} | | |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=3, help="take every n-th case of each set")
    parser.add_argument("--level", choices=tuple(LEVELS), default="10", help="start: degrees")
    arguments = parser.parse_args()
    report(rows_of(arguments.level, arguments.every))


if __name__ == "__main__":
    main()
