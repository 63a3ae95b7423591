"""What each part of the default preset is worth: `python -m benchmarks.ablation [--level 10] [--every 4]`.

Every variant changes one thing. Medians of ADD in mm and the share below 5 mm (2 mm for `sim`), and the median time of
one thread; all variants of a set run in one go, case by case, so that their times compare.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks.shared_data import LEVELS, cases_of_kind, evaluation_points, load_mesh
from diffdope.bop.metrics import add
from diffdope.error_kinds import NothingToCompareError
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import Level, Preset, PyramidSettings, preset
from diffdope.terms.contour import ContourSettings

Row = tuple[str, str, float, float]
CHOSEN = [
    "hope rgb-d", "hope rgb-d no mask", "hope rgb", "hope rgb no mask", "sim rgb-d", "sim rgb-d noisy mask",
    "sim rgb-d no mask", "sim rgb", "ycbv rgb-d",
]  # fmt: skip


def changed(base: Preset, path: str, value: Any) -> Preset:
    """The preset with one number, named by its path, changed."""
    name, _, rest = path.partition(".")
    return replace(base, **{name: changed(getattr(base, name), rest, value) if rest else value})


def full_meshes(pyramid: PyramidSettings) -> PyramidSettings:
    """Without levels of detail."""
    return pyramid.with_lists(faces=(0,) * len(pyramid.levels))


def near_alone(base: Preset, near: PyramidSettings) -> Preset:
    """With another search near the start, and none after it."""
    return replace(base, search=replace(base.search, near=near, fallback_confidence=0.0))


def variants() -> dict[str, Preset]:
    """By name; the first is the preset as it is."""
    base = preset("default")
    near, far = base.search.near, base.search.far
    one_level = replace(near, levels=(Level(160, hypotheses=1, iterations=20),))
    return {
        "default": base,
        "near search only": near_alone(base, near),
        "always the wide search": near_alone(base, far),
        "one hypothesis": near_alone(base, near.with_lists(hypotheses=(1,) * len(near.levels))),
        "one hypothesis, finest level only": near_alone(base, one_level),
        "full meshes at all levels": replace(
            base, search=replace(base.search, near=full_meshes(near), far=full_meshes(far))
        ),
        "other sides not looked at": changed(base, "search.symmetric_alternatives", False),
        "light as it is": changed(base, "search.light", "as-is"),
        "light: gain": changed(base, "search.light", "gain"),
        "every mask believed": changed(base, "search.mask_error_px", 0.0),
        "no edges in place of a mask": replace(base, search=replace(base.search, outline=ContourSettings.off())),
        "no prior without a mask": changed(base, "search.prior_unmasked", 0.0),
        "weights of residuals to 0.001": changed(base, "objective.irls_floor", 0.001),
    }


def rows_of(part: int, *, parts: int, every: int, level: str) -> list[Row]:
    """(set, variant, ADD in mm, seconds) of every `parts`-th of the cases."""
    rows: list[Row] = []
    for set_name in CHOSEN:
        refiners: dict[object, Refiner] = {}
        for case in cases_of_kind(set_name, level, first=part * every, every=parts * every):
            refiner = refiners.get(case.mesh_path)
            if refiner is None:
                refiner = refiners[case.mesh_path] = Refiner(load_mesh(case.mesh_path), threads=1)
                refiner.refine(case.observation, case.start)  # makes its levels of detail
            for name, settings in variants().items():
                refiner.preset = settings
                pose, seconds = case.start, 0.0
                with suppress(NothingToCompareError):  # then the start is all there is
                    result = refiner.refine(case.observation, case.start)
                    pose, seconds = result.pose, result.elapsed_s
                rows.append((set_name, name, 1e3 * add(pose, case.truth, evaluation_points(case.mesh_path)), seconds))
    return rows


def report(rows: list[Row]) -> None:
    """A table of sets against variants."""
    print("| | " + " | ".join(CHOSEN) + " | ms |\n|" + "---|" * (len(CHOSEN) + 2))
    for name in variants():
        cells = []
        for set_name in CHOSEN:
            errors = np.array([row[2] for row in rows if row[:2] == (set_name, name)])
            limit = 2.0 if set_name.startswith("sim") else 5.0
            cells.append(f"{np.median(errors):.2f}, {np.mean(errors < limit):.0%}" if len(errors) else "")
        milliseconds = 1e3 * np.median([row[3] for row in rows if row[1] == name])
        print(f"| {name} | " + " | ".join(cells) + f" | {milliseconds:.0f} |")
    counts = [sum(row[:2] == (set_name, "default") for row in rows) for set_name in CHOSEN]
    print("| n | " + " | ".join(map(str, counts)) + " | |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", choices=LEVELS, default="10")
    parser.add_argument("--every", type=int, default=4, help="take every n-th case of each set")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    work = partial(rows_of, parts=arguments.workers, every=arguments.every, level=arguments.level)
    with ProcessPoolExecutor(arguments.workers) as executor:
        report([row for part in executor.map(work, range(arguments.workers)) for row in part])


if __name__ == "__main__":
    main()
