"""Where the errors of photographs alone come in: `python -m benchmarks.drawn_photographs`.

Objects are drawn anew into their photographs, in their true poses, where they are seen, and refined in pictures that
become the photograph step by step:

- `drawn`: as the mesh has it, with noise, on the photograph's background; model and picture agree;
- `its light`: the same, brightened and darkened in each place, roughly, as the photograph is;
- `its inside`: the same, but within the outline it is the photograph;
- `its outline`: the photograph in a band about the outline, and drawn in its light within;
- `photograph`.

Where a row is worse than the one that it was made from, what came in with it is a cause. Errors of what the images
alone say are by direction: along the view (above 0: too far), across it, and of the turn. The bound is that of colours
within the outline, with what is left of them in the true pose for noise; see `benchmarks.photograph_errors`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from benchmarks.photograph_errors import bound_of, errors_of
from benchmarks.report import table
from benchmarks.shared_data import HOPE3, LEVELS, SETS, Case, CaseSet, evaluation_points, load_mesh
from diffdope import Observation, Refiner
from diffdope.problem.region import choose_window, projected_box
from diffdope.render.renderer import Renderer

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

HOPE35 = replace(HOPE3, scenes=("000003", "000005"), images=(0, 2), textured_only=True)
HERE: dict[str, CaseSet] = {"hope-3-5": HOPE35, "sim": SETS["sim"], "ycbv": SETS["ycbv"]}
PICTURES = ("drawn", "its light", "its inside", "its outline", "photograph")
FINE = 3  # samples a pixel and axis
NOISE = 0.01  # deviation of a colour
BAND_PX = 3.0  # to both sides of the outline: more than truth and photograph are apart
SMOOTH = 0.06  # of the object's width: deviation over which its light is compared; prints are smaller
DARK = 0.02  # added to colours of which a ratio is taken


def drawn_at_truth(case: Case, margin: float) -> tuple[F64, F64, slice, slice]:
    """Colours (h, w, 3) times coverage and the coverage (h, w) of a part of the picture, and its rows and columns."""
    mesh, camera = load_mesh(case.mesh_path), case.observation.camera
    box = projected_box(mesh.vertices_m, case.truth, camera)
    assert isinstance(box, tuple)
    window = choose_window(box, case.observation.without_mask(), size=max(camera.width, camera.height), margin=margin)
    part = camera.crop(window.x0, window.y0, window.width, window.height)
    images = Renderer(mesh, part.resize(FINE * part.width, FINE * part.height)).render(
        case.truth.R_m2c, case.truth.t_m2c
    )
    shape = part.height, FINE, part.width, FINE
    coverage = np.clip(np.asarray(images.coverage[0], np.float64).reshape(shape).mean(axis=(1, 3)), 0.0, 1.0)
    colours = np.asarray(images.rgb[0], np.float64).reshape(*shape, 3).mean(axis=(1, 3))
    rows = slice(window.y0, window.y0 + window.height)
    return colours, coverage, rows, slice(window.x0, window.x0 + window.width)


def smoothed(image: F64, weight: F64, width: float) -> F64:
    """The mean of an image (h, w, 3) around each place, of pixels of a weight (h, w)."""
    over = [gaussian_filter(image[..., c] * weight, width) for c in range(3)]
    return np.asarray(np.stack(over, axis=-1) / (gaussian_filter(weight, width) + 1e-6)[..., None])


def pictures_of(case: Case, rng: np.random.Generator) -> dict[str, Case]:
    """The case in each of the pictures."""
    seen = case.observation
    assert seen.rgb is not None and seen.mask is not None
    photograph = np.array(seen.rgb, np.float64)
    photograph = photograph / 255.0 if photograph.max() > 1.0 else photograph
    drawn, coverage, rows, columns = drawn_at_truth(case, 0.5)
    there, mask = photograph[rows, columns], np.asarray(seen.mask)[rows, columns] > 0.5
    covered = coverage > 0.5
    hidden = covered & ~mask
    away = distance_transform_edt(~covered)
    inside = distance_transform_edt(covered)
    width = SMOOTH * max(np.ptp(np.nonzero(covered)[0]), np.ptp(np.nonzero(covered)[1]))
    whole = np.where(covered & mask, coverage, 0.0)
    light = (smoothed(there, whole, width) + DARK) / (smoothed(drawn, whole, width) + DARK)
    # Beside the outline lie what the photograph has of the object, and mixed pixels: what is beyond goes on.
    beside = (away <= BAND_PX) & ~hidden
    _, nearest = distance_transform_edt(beside, return_indices=True)
    around = there[tuple(nearest)]
    noise = NOISE * rng.standard_normal(there.shape)

    def composed(colours: F64) -> F64:
        one = np.clip(colours + (1.0 - coverage)[..., None] * around + noise, 0.0, 1.0)
        one = np.where((away > BAND_PX)[..., None], there, one)
        return np.where(hidden[..., None], there, one)

    lit = composed(drawn * light)
    deep = covered & (inside > BAND_PX)
    patches = {
        "drawn": composed(drawn), "its light": lit, "its inside": np.where(deep[..., None], there, lit),
        "its outline": np.where(deep[..., None], lit, there), "photograph": there,
    }  # fmt: skip
    found = {}
    for name, patch in patches.items():
        picture = photograph.copy()
        picture[rows, columns] = patch
        found[name] = replace(
            case, observation=Observation(seen.camera, rgb=picture.astype(np.float32), mask=seen.mask)
        )
    return found


def rows_of(name: str, level: str, every: int, first: int, preset: str) -> list[list[str]]:
    """A row for each picture."""
    refiners: dict[object, Refiner] = {}
    found: dict[str, list[list[float]]] = {picture: [] for picture in PICTURES}
    rng = np.random.default_rng(0)
    for case in HERE[name].cases(level, first=first, every=every):
        mesh, points = load_mesh(case.mesh_path), evaluation_points(case.mesh_path)
        if not mesh.has_pattern:
            continue
        refiner = refiners.setdefault(case.mesh_path, Refiner(mesh, preset=preset, threads=1))
        ray = case.truth.apply(mesh.center_m)
        ray = ray / np.linalg.norm(ray)
        for picture, one in pictures_of(case, rng).items():
            given, best = one.given("rgb"), bound_of(one, mesh)
            assert given is not None
            alone = refiner.refine(given.observation, case.start, start_counts=False).pose
            result = refiner.refine(given.observation, case.start).pose
            errors = errors_of(alone, case.truth, mesh.center_m, points)
            along = 1e3 * float((alone.apply(mesh.center_m) - case.truth.apply(mesh.center_m)) @ ray)
            bound: tuple[float, ...] = (np.nan,) * 3 if best is None else best[:3]
            found[picture].append(
                [along, *errors, *bound, errors_of(result, case.truth, mesh.center_m, points).add]
            )  # fmt: skip
    rows: list[list[str]] = []
    for picture, each in found.items():
        if not each:
            continue
        values = np.array(each)
        median = np.nanmedian(values, axis=0)
        told = [f"{value:.2f}".replace("nan", "-") for value in median]
        below = f"{100.0 * np.mean(values[:, -1] < 5.0):.0f}"
        rows.append([
            name, f"{level} deg", picture, str(len(values)), f"{median[0]:+.2f}", *told[1:5], ", ".join(told[5:8]),
            told[8], below,
        ])  # fmt: skip
    return rows


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["hope-3-5", "sim"], choices=sorted(HERE))
    parser.add_argument("--levels", nargs="+", default=["10"], choices=sorted(LEVELS))
    parser.add_argument("--every", type=int, default=1, help="take every N-th object")
    parser.add_argument("--first", type=int, default=0, help="and begin with that")
    parser.add_argument("--preset", default="default")
    arguments = parser.parse_args()
    rows = [
        row for name in arguments.sets for level in arguments.levels
        for row in rows_of(name, level, arguments.every, arguments.first, arguments.preset)
    ]  # fmt: skip
    head = [
        "set", "start", "picture", "n", "images alone: bias along, mm", "along, mm", "across, mm", "turn, deg",
        "ADD, mm", "bound: along, across, turn", "result: ADD, mm", "< 5 mm, %",
    ]  # fmt: skip
    table(head, rows)


if __name__ == "__main__":
    main()
