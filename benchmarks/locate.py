"""Poses with no start pose, on the shared data: `python -m benchmarks.locate --help`.

    python -m benchmarks.locate                         every set, the default search
    python -m benchmarks.locate --sets hope2 sim --list        each case that is off
    python -m benchmarks.locate --rotations 144 576 1152       recall against time

ADD is modulo the symmetries that the data set lists. Times are of the processor, one thread, warm.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np

import diffdope as dd
from benchmarks.shared_data import DATA, Case, CaseSet, evaluation_points, load_mesh
from diffdope.bop.metrics import add, add_s
from diffdope.geometry.symmetry import Symmetries
from diffdope.pipelines.settings import Preset, preset

LIMIT_MM = 5.0
_HOPE2 = CaseSet("hope", "val", ("000002",), images=(0,))
_HOPE3 = CaseSet("hope", "val", ("000003",))
_SIM, _PARTS = CaseSet("sim", "dev", ("000001",)), CaseSet("parts", "dev", ("000001",))
_NOISY = "mask_noisy"
# Name of a row: the cases, and which images are given.
ROWS: dict[str, tuple[CaseSet, tuple[str, ...]]] = {
    "hope2 rgb-d": (_HOPE2, ("rgb", "depth", "mask")),
    "hope2 depth": (_HOPE2, ("depth", "mask")),
    "sim rgb-d": (_SIM, ("rgb", "depth", "mask")),
    "sim rgb-d noisy": (replace(_SIM, mask=_NOISY), ("rgb", "depth", "mask")),
    "sim depth": (_SIM, ("depth", "mask")),
    "sim rgb": (_SIM, ("rgb", "mask")),
    "ycbv rgb-d": (CaseSet("ycbv_frames", "val", ("000001",)), ("rgb", "depth", "mask")),
    "parts rgb-d": (_PARTS, ("rgb", "depth", "mask")),
    "parts rgb-d noisy": (replace(_PARTS, mask=_NOISY), ("rgb", "depth", "mask")),
    "parts rgb": (_PARTS, ("rgb", "mask")),
    "hope3 rgb": (_HOPE3, ("rgb", "mask")),
}


@dataclass(frozen=True)
class Found:
    """One case: errors in millimetres, confidence, and milliseconds of the processor."""

    name: str
    add: float
    add_s: float
    confidence: float
    ok: bool
    ms: float
    among: bool
    """Whether one of the answers, or a pose that looks the same as one, is right."""
    status: str

    @property
    def wrong(self) -> bool:
        """Whether it is off by more than the limit, however symmetric the object."""
        return self.add_s > LIMIT_MM


@cache
def symmetries_of(mesh_path: Path) -> Symmetries:
    """As the data set lists them."""
    path = mesh_path.parent / "models_info.json"
    info = json.loads(path.read_text()) if path.exists() else {}
    return Symmetries.from_bop(info.get(str(int(mesh_path.stem.split("_")[1])), {}))


def errors_mm(case: Case, pose: dd.Pose) -> tuple[float, float]:
    """ADD modulo listed symmetries, and ADD-S."""
    points, symmetries = evaluation_points(case.mesh_path), symmetries_of(case.mesh_path)
    truths = [
        dd.Pose(case.truth.R_m2c @ R, case.truth.t_m2c + case.truth.R_m2c @ t)
        for R, t in zip(symmetries.R, symmetries.t_m, strict=True)
    ]
    least = min(add(pose, truth, points) for truth in truths)
    return 1e3 * least, 1e3 * add_s(pose, case.truth, points)


def located(row: str, how: Preset, *, every: int = 1, most: int | None = None) -> Iterator[Found]:
    """Every n-th case of a row."""
    cases, images = ROWS[row]
    refiners: dict[Path, dd.Refiner] = {}
    for case in islice(cases.cases("10"), 0, most, every):
        given = {name: getattr(case.observation, name) for name in images}
        observation = dd.Observation(case.observation.camera, **given)
        if case.mesh_path not in refiners:
            refiners[case.mesh_path] = dd.Refiner(load_mesh(case.mesh_path), preset=how, threads=1)
            refiners[case.mesh_path].locate(observation)
        began = time.process_time()
        result = refiners[case.mesh_path].locate(observation)
        ms = 1e3 * (time.process_time() - began)
        poses = [pose for answer in result.answers for pose in (answer.pose, *answer.alternatives)]
        among = any(errors_mm(case, pose)[0] < LIMIT_MM for pose in poses)
        add_mm, add_s_mm = errors_mm(case, result.pose)
        yield Found(case.name, add_mm, add_s_mm, result.confidence or 0.0, result.ok, ms, among, str(result.status))


def summary(row: str, found: list[Found]) -> str:
    """A row of the table."""
    add_mm = np.array([one.add for one in found])
    sure = np.array([one.confidence for one in found])
    wrong = np.array([one.wrong for one in found])
    return (
        f"| {row} | {len(found)} | {np.median(add_mm):.2f} | {100 * np.mean(add_mm < LIMIT_MM):.0f} % "
        f"| {100 * np.mean([one.among for one in found]):.0f} % "
        f"| {100 * np.mean(~wrong):.0f} % | {np.sum(wrong & (sure > 0.5))}, {np.sum(wrong & (sure > 0.9))} "
        f"| {np.sum(~wrong & ~np.array([one.ok for one in found]))} | {np.median([one.ms for one in found]):.0f} |"
    )


def main(argv: list[str] | None = None) -> int:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(ROWS), metavar="NAME", help="rows, or how their names begin")
    parser.add_argument("--every", type=int, default=1, help="take every n-th case")
    parser.add_argument("--most", type=int, help="stop after so many cases")
    parser.add_argument("--rotations", type=int, nargs="+", default=[0], help="numbers of rotations, 0 for the default")
    parser.add_argument("--hypotheses", type=int, nargs="+", help="how many at each level, in place of the default's")
    parser.add_argument("--list", action="store_true", help="print each case that is off or not sure")
    options = parser.parse_args(argv)
    if not DATA.is_dir():
        print(f"the shared data are not at {DATA.name}: nothing to measure", file=sys.stderr)
        return 1
    print(
        "| set | cases | ADD median, mm | ADD < 5 mm | an answer | ADD-S < 5 mm "
        "| wrong > 0.5, > 0.9 | right, failed | ms |"
    )
    print("|---" * 9 + "|")
    for rotations in options.rotations:
        how = preset("default")
        if rotations:
            sphere = replace(how.search.view_sphere, rotations=rotations)
            how = replace(how, search=replace(how.search, view_sphere=sphere))
        if options.hypotheses:
            everywhere = how.search.everywhere.with_lists(hypotheses=options.hypotheses)
            how = replace(how, search=replace(how.search, everywhere=everywhere))
        for row in (name for name in ROWS if name.startswith(tuple(options.sets))):
            found = list(located(row, how, every=options.every, most=options.most))
            print(summary(f"{row}, {rotations} rotations" if rotations else row, found), flush=True)
            for one in found:
                if options.list and (one.add > LIMIT_MM or not one.ok):
                    print(
                        f"    {one.name:40s} ADD {one.add:.1f} ADD-S {one.add_s:.1f} mm at {one.confidence:.2f} "
                        f"{one.status}{', among the answers' if one.among else ''}"
                    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
