"""What a photograph without depth and mask tells, by direction: `python -m benchmarks.photograph_errors`.

Errors along the view, across it and of the turn: of the start, of what the images alone say
(`Refiner.refine(..., start_counts=False)`), and of the result; and how well colours within the exact outline could tell
the pose at best (the Cramer-Rao bound, if what the drawing in the true pose does not explain of them were independent
noise, and the light known).
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import table
from benchmarks.shared_data import LEVELS, SETS, Case, evaluation_points, load_mesh
from diffdope import Pose, Refiner
from diffdope.bop.metrics import add
from diffdope.estimate.bound import fisher_information
from diffdope.problem.region import choose_window, projected_box
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.solve import robust
from diffdope.terms.photometric_gain import fit_gain

F64 = NDArray[np.float64]

NAMES = ("sim", "hope-rgb-all", "ycbv", "parts")
SIZE, MARGIN = 160, 0.2  # of the crop, as of a search's last level
INSIDE = 0.99  # coverage from which on a pixel is the object's alone
LEAST_NOISE = 0.5 / 255.0  # of a colour: it was rounded


class Errors(NamedTuple):
    """Along the view and across it, mm; of the turn, degrees; and ADD, mm."""

    along: float
    across: float
    turn: float
    add: float


def errors_of(pose: Pose, truth: Pose, middle: F64, points: F64) -> Errors:
    """Of a pose; middle (3,) of the object in its own frame, about which it is shifted and turned."""
    there = truth.apply(middle)
    away, ray = pose.apply(middle) - there, there / np.linalg.norm(there)
    along = float(away @ ray)
    across = float(np.linalg.norm(away - along * ray))
    return Errors(1e3 * abs(along), 1e3 * across, np.degrees(pose.angle_to(truth)), 1e3 * add(pose, truth, points))


def bound_of(case: Case, mesh: Mesh) -> Errors | None:
    """Deviations at best, medians of a normal error; None without colours. Its ADD is not known (nan)."""
    if not mesh.has_pattern:
        return None
    own, truth = mesh.moved(-mesh.center_m), case.truth
    centred = Pose(truth.R_m2c, truth.t_m2c + truth.R_m2c @ mesh.center_m)
    box = projected_box(own.vertices_m, centred, case.observation.camera)
    if not isinstance(box, tuple):
        return None
    crop = case.observation.crop(choose_window(box, case.observation.without_mask(), size=SIZE, margin=MARGIN))
    assert crop.rgb is not None and crop.mask is not None
    images = Renderer(own, crop.camera).render(centred.R_m2c, centred.t_m2c)
    inside = (images.coverage[0] > INSIDE) & (np.asarray(crop.mask) > 0.5)
    if inside.sum() < SIZE:
        return None
    drawn, seen = images.rgb[0][inside], np.asarray(crop.rgb)[inside]
    gain = fit_gain(np.asarray(drawn, np.float64), np.asarray(seen, np.float64), with_bias=True)
    residual = gain.removed(seen) - drawn
    noise = robust.scale(residual, LEAST_NOISE)
    covariance = np.linalg.pinv(fisher_information(own, crop, centred, {"rgb": noise}))
    ray = centred.t_m2c / np.linalg.norm(centred.t_m2c)
    along = float(ray @ covariance[:3, :3] @ ray)
    across, turn = np.trace(covariance[:3, :3]) - along, np.trace(covariance[3:, 3:])
    return Errors(1e3 * 0.67 * np.sqrt(along), 1e3 * np.sqrt(across), np.degrees(np.sqrt(turn)), np.nan)


def rows_of(name: str, level: str, every: int, preset: str) -> list[list[str]]:
    """A row each for start, images, result and bound."""
    refiners: dict[object, Refiner] = {}
    found: dict[str, list[Errors]] = {"start": [], "images alone": [], "result": [], "bound (colours)": []}
    for case in SETS[name].cases(level, every=every):
        mesh, points = load_mesh(case.mesh_path), evaluation_points(case.mesh_path)
        refiner = refiners.setdefault(case.mesh_path, Refiner(mesh, preset=preset, threads=1))
        alone = case.given("rgb")
        assert alone is not None
        poses = {"start": case.start}
        for counts, what in ((False, "images alone"), (True, "result")):
            poses[what] = refiner.refine(alone.observation, case.start, start_counts=counts).pose
        for what, pose in poses.items():
            found[what].append(errors_of(pose, case.truth, mesh.center_m, points))
        best = bound_of(case, mesh)
        if best is not None:
            found["bound (colours)"].append(best)
    start = np.array([one.add for one in found["start"]])
    rows = []
    for what, each in found.items():
        if not each:
            continue
        values = np.array(each)
        last = ["-", "-"]
        if not np.isnan(values).any():
            last = [f"{100.0 * np.mean(values[:, 3] < 5.0):.0f}", f"{100.0 * np.mean(values[:, 3] > start):.0f}"]
        median = [f"{value:.2f}".replace("nan", "-") for value in np.median(values, axis=0)]
        rows.append([name, f"{level} deg", what, str(len(each)), *median, *last])
    return rows


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(NAMES), choices=sorted(SETS))
    parser.add_argument("--levels", nargs="+", default=["1", "10"], choices=sorted(LEVELS))
    parser.add_argument("--every", type=int, default=1, help="take every N-th object")
    parser.add_argument("--preset", default="default")
    arguments = parser.parse_args()
    head = ["set", "start", "of", "n", "along the view, mm", "across, mm", "turn, deg", "ADD, mm", "< 5 mm, %"]
    rows = [
        row for name in arguments.sets for level in arguments.levels
        for row in rows_of(name, level, arguments.every, arguments.preset)
    ]  # fmt: skip
    table([*head, "worse than the start, %"], rows)


if __name__ == "__main__":
    main()
