"""How well the truth of a data set agrees with its photographs: `python -m benchmarks.truth_outlines`.

Along the normals of each object's outline, drawn in its true pose, the photograph's colours go from those just inside
to those just outside; where they are half way is the outline that is seen (after Hanek and Beetz, The contracting curve
density algorithm, IJCV 2004). How far the seen outline is from the drawn one, and how far along the view the object has
to be moved, in several rounds, until both meet, is told for each set. It limits what a photograph without depth can be
worth on a set: who follows the photograph is that far from the truth.

Points next to an occluder, by the mask, and those of little contrast do not count.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from benchmarks.report import table
from benchmarks.shared_data import SETS, Case, evaluation_points, load_mesh
from diffdope.problem.region import choose_window, projected_box
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.terms.contour_points import ContourPoints

F64 = NDArray[np.float64]

NAMES = ("sim", "parts", "hope-rgb-all", "hope-scenes", "ycbv")
SIZE, MARGIN = 160, 0.2  # of the crop, as of a search's last level
STEP, NEAR, FAR = 0.25, 1.25, 3.0  # pixels: between samples; where the outline may be; where colours are taken
NOISE, FLOOR = 4.0, 0.02  # of the two colours against their difference; squares
TOLERANCE_PX, ROUNDS, LEAST = 1.5, 6, 20  # of Cauchy's weights; steps along the view; points of an outline


class Seen(NamedTuple):
    """Of one object: offset of its outline in pixels of the crop, outwards; shift along the view, mm, and per cent."""

    offset_px: float
    shift_mm: float
    shift_percent: float


def offsets(photograph: F64, points: ContourPoints) -> tuple[F64, F64]:
    """How far outwards the seen outline lies from each point (N,), pixels, and how clearly (N,), at most 1."""
    s = np.arange(-FAR, FAR + 0.5 * STEP, STEP)
    (x, y), (nx, ny) = points.place.T[:, :, None], points.normal.T[:, :, None]
    at = np.stack([y + ny * s, x + nx * s])
    colours = np.stack([map_coordinates(photograph[..., c], at, order=1, mode="nearest") for c in range(3)], axis=-1)
    inside, outside = colours[:, s <= -NEAR], colours[:, s >= NEAR]
    difference = inside.mean(axis=1) - outside.mean(axis=1)
    square = (difference**2).sum(axis=1)
    share = ((colours - outside.mean(axis=1)[:, None]) * difference[:, None]).sum(axis=-1)
    share = np.clip(share / np.maximum(square, 1e-4)[:, None], 0.0, 1.0)[:, np.abs(s) < NEAR]
    spread = inside.var(axis=1).sum(axis=1) + outside.var(axis=1).sum(axis=1)
    clear = square / (square + NOISE * spread + FLOOR)
    return share.sum(axis=1) * STEP - 0.5 * STEP * share.shape[1], clear**2


def seen_of(case: Case, mesh: Mesh) -> Seen | None:
    """See `Seen`; None for an object that hardly shows an outline."""
    truth, camera = case.truth, case.observation.camera
    box = projected_box(mesh.vertices_m, truth, camera)
    if not isinstance(box, tuple):
        return None
    crop = case.observation.crop(choose_window(box, case.observation.without_mask(), size=SIZE, margin=MARGIN))
    assert crop.rgb is not None and crop.mask is not None
    photograph, mask = np.asarray(crop.rgb, np.float64), np.asarray(crop.mask, np.float64)
    middle = truth.apply(evaluation_points(case.mesh_path)).mean(axis=0)
    distance_m = float(np.linalg.norm(middle))
    ray, renderer = middle / distance_m, Renderer(mesh, crop.camera)
    first, shift_m = 0.0, 0.0
    for number in range(ROUNDS):
        t = truth.t_m2c + shift_m * ray
        images = renderer.render(truth.R_m2c, t)
        points = ContourPoints(images.coverage[0], images.depth[0], crop.camera)
        if len(points) < LEAST:
            return None
        within = points.place - 2.0 * points.normal
        shown = map_coordinates(mask, within.T[::-1], order=1, mode="nearest") > 0.5
        offset, clear = offsets(photograph, points)
        weight = clear * shown / (1.0 + (offset / TOLERANCE_PX) ** 2)
        along = points.jacobian(crop.camera, t)[:, :3] @ ray  # pixels per metre
        shift_m += float((weight * along * offset).sum() / max((weight * along * along).sum(), 1e-12))
        if number == 0:
            first = float(np.average(offset, weights=clear * shown + 1e-9))
    return Seen(first, 1e3 * shift_m, 100.0 * shift_m / distance_m)


def main() -> None:
    """Prints a row a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(NAMES), choices=sorted(SETS))
    parser.add_argument("--every", type=int, default=1, help="take every N-th object")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.sets:
        cases = replace(SETS[name], starts_of=None).cases("1", "rgb+mask", every=arguments.every)
        found = [seen_of(case, load_mesh(case.mesh_path)) for case in cases]
        every = np.array([one for one in found if one is not None])
        if not len(every):
            rows.append([name, "0", "-", "-", "-", "-"])
            continue
        offset, shift, percent = every.T
        rows.append([
            name, str(len(every)), f"{np.median(offset):+.2f}", f"{np.median(shift):+.1f}",
            "{:+.1f} to {:+.1f}".format(*np.percentile(shift, (10, 90))), f"{np.median(percent):+.2f}",
        ])  # fmt: skip
    head = ["set", "n", "outline outwards, px", "shift along the view, mm", "10 to 90 %", "of the distance, %"]
    table(head, rows)


if __name__ == "__main__":
    main()
