"""What a surface's material and roughness do to errors, by images: `python -m benchmarks.surfaces`.

The parts of `parts` were path traced with rough aluminium, dark and light plastic, each with a roughness of its own
(GGX; the smaller, the shinier). For each way of giving images, the errors modulo symmetry (ADD-S) are grouped by
material, and their rank correlation with the roughness within each material is told.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import spearmanr

from benchmarks.report import table
from benchmarks.shared_data import DATA, MODES, SETS, Case, evaluation_points, load_mesh
from diffdope import Refiner
from diffdope.geometry.pose import Pose

PARTS = replace(SETS["parts"], modes=tuple(MODES))
FEWEST = 6  # of a material, for a correlation


def adds_mm(pose: Pose, case: Case) -> float:
    """Mean distance to the nearest point of the truth, millimetres."""
    points = evaluation_points(case.mesh_path)
    return float(1e3 * cKDTree(pose.apply(points)).query(case.truth.apply(points))[0].mean())


def surface_of(case: Case) -> tuple[str, float]:
    """Material and roughness."""
    entries = json.loads((DATA / "parts" / "dev" / case.scene / "scene_materials.json").read_text())
    number = int(case.name.split("/")[2].split()[0])
    one = entries[str(case.image)][number]
    return str(one["material"]), float(one["roughness"])


def main() -> None:
    """Prints a row for each way of giving images and each material."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", default="10", choices=("1", "10", "40"))
    parser.add_argument("--every", type=int, default=1, help="take every N-th object")
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=list(MODES))
    parser.add_argument("--preset", default="default")
    arguments = parser.parse_args()
    rows = []
    for mode in arguments.modes:
        found: dict[str, list[tuple[float, float, float]]] = {}
        for case in PARTS.cases(arguments.level, mode, every=arguments.every):
            material, roughness = surface_of(case)
            result = Refiner(load_mesh(case.mesh_path), preset=arguments.preset, threads=1).refine(
                case.observation, case.start
            )
            found.setdefault(material, []).append((adds_mm(result.pose, case), adds_mm(case.start, case), roughness))
        for material, numbers in sorted(found.items()):
            error, start, roughness = np.array(numbers).T
            trend = f"{spearmanr(roughness, error).statistic:+.2f}" if len(error) >= FEWEST else "-"
            rows.append([
                mode, material, str(len(error)), f"{roughness.min():.2f} to {roughness.max():.2f}",
                f"{np.median(start):.2f}", f"{np.median(error):.2f}", f"{np.percentile(error, 90):.2f}",
                f"{100 * np.mean(error < 5.0):.0f}", trend,
            ])  # fmt: skip
    head = [
        "images", "material", "n", "roughness", "start, mm", "ADD-S median, mm", "p90", "< 5 mm, %",
        "rank correlation with roughness",
    ]  # fmt: skip
    table(head, rows)


if __name__ == "__main__":
    main()
