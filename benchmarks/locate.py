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
from collections.abc import Iterable, Iterator
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
_YCBV = CaseSet("ycbv_frames", "val", ("000001",))
_NOISY = "mask_noisy"
BOX, LOOSE = "box", "loose box"  # of the exact mask; the same with edges that are off
# Name of a row: the cases, and which images are given.
ROWS: dict[str, tuple[CaseSet, tuple[str, ...]]] = {
    "hope2 rgb-d": (_HOPE2, ("rgb", "depth", "mask")),
    "hope2 depth": (_HOPE2, ("depth", "mask")),
    "sim rgb-d": (_SIM, ("rgb", "depth", "mask")),
    "sim rgb-d noisy": (replace(_SIM, mask=_NOISY), ("rgb", "depth", "mask")),
    "sim depth": (_SIM, ("depth", "mask")),
    "sim rgb": (_SIM, ("rgb", "mask")),
    "ycbv rgb-d": (_YCBV, ("rgb", "depth", "mask")),
    "parts rgb-d": (_PARTS, ("rgb", "depth", "mask")),
    "parts rgb-d noisy": (replace(_PARTS, mask=_NOISY), ("rgb", "depth", "mask")),
    "parts rgb": (_PARTS, ("rgb", "mask")),
    "hope3 rgb": (_HOPE3, ("rgb", "mask")),
    "hope2 box": (_HOPE2, ("rgb", "depth", BOX)),
    "sim box": (_SIM, ("rgb", "depth", BOX)),
    "ycbv box": (_YCBV, ("rgb", "depth", BOX)),
    "parts box": (_PARTS, ("rgb", "depth", BOX)),
    "hope2 loose box": (_HOPE2, ("rgb", "depth", LOOSE)),
    "sim loose box": (_SIM, ("rgb", "depth", LOOSE)),
    "ycbv loose box": (_YCBV, ("rgb", "depth", LOOSE)),
    "parts loose box": (_PARTS, ("rgb", "depth", LOOSE)),
    "hope3 rgb box": (_HOPE3, ("rgb", BOX)),
    "hope3 textured rgb box": (replace(_HOPE3, textured_only=True), ("rgb", BOX)),
    "hope15 textured rgb box": (replace(_HOPE3, scenes=("000001", "000005"), textured_only=True), ("rgb", BOX)),
    "sim rgb box": (_SIM, ("rgb", BOX)),
    "ycbv rgb box": (_YCBV, ("rgb", BOX)),
    "parts rgb box": (_PARTS, ("rgb", BOX)),
    "hope3 textured rgb loose box": (replace(_HOPE3, textured_only=True), ("rgb", LOOSE)),
    "sim rgb loose box": (_SIM, ("rgb", LOOSE)),
    "hope3 textured rgb neither": (replace(_HOPE3, textured_only=True), ("rgb",)),
    "sim rgb neither": (_SIM, ("rgb",)),
    "hope2 neither": (_HOPE2, ("rgb", "depth")),
    "sim neither": (_SIM, ("rgb", "depth")),
    "ycbv neither": (_YCBV, ("rgb", "depth")),
    "parts neither": (_PARTS, ("rgb", "depth")),
}
_OFF = 0.05  # share of a side by which the edges of a loose box are off at most


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


def located(
    row: str, how: Preset, *, every: int = 1, most: int | None = None, refiners: dict[Path, dd.Refiner] | None = None
) -> Iterator[Found]:
    """Every n-th case of a row. Where nothing says where the object is, any of its pieces in the image is right.

    Args:
        row: of the table.
        how: the preset.
        every: n.
        most: cases at most.
        refiners: of meshes, kept from row to row.
    """
    cases, images = ROWS[row]
    somewhere = not {"mask", BOX, LOOSE} & set(images)
    groups = _by_image(cases.cases("10")) if somewhere else ([case] for case in cases.cases("10"))
    refiners = {} if refiners is None else refiners
    warm: set[Path] = set()
    rng = np.random.default_rng(0)
    for group in islice(groups, 0, most, every):
        case = group[0]
        given = {name: getattr(case.observation, name) for name in images if name not in (BOX, LOOSE)}
        observation = dd.Observation(case.observation.camera, **given)
        box = _box(case.observation, _OFF * rng.uniform(-1.0, 1.0, 4) if LOOSE in images else np.zeros(4))
        where = {"box": box} if {BOX, LOOSE} & set(images) else {}
        if case.mesh_path not in refiners:
            refiners[case.mesh_path] = dd.Refiner(load_mesh(case.mesh_path), preset=how, threads=1)
        refiner = refiners[case.mesh_path]
        if case.mesh_path not in warm:
            warm.add(case.mesh_path)
            refiner.preset = how
            refiner.locate(observation, **where)
        began = time.process_time()
        result = refiner.locate(observation, **where)
        ms = 1e3 * (time.process_time() - began)
        poses = [pose for answer in result.answers for pose in (answer.pose, *answer.alternatives)]
        among = any(errors_mm(one, pose)[0] < LIMIT_MM for pose in poses for one in group)
        add_mm, add_s_mm = (min(errors) for errors in zip(*(errors_mm(one, result.pose) for one in group), strict=True))
        yield Found(case.name, add_mm, add_s_mm, result.confidence or 0.0, result.ok, ms, among, str(result.status))


def _by_image(cases: Iterable[Case]) -> Iterator[list[Case]]:
    """Cases of one object in one image."""
    groups: dict[tuple[str, int, Path], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.scene, case.image, case.mesh_path), []).append(case)
    yield from groups.values()


def _box(observation: dd.Observation, off: np.ndarray) -> tuple[float, float, float, float]:
    """(x, y, width, height) of a mask, its edges off by shares (4,) of the sides."""
    assert observation.mask_box is not None
    x0, y0, x1, y1 = observation.mask_box
    width, height = x1 - x0 + 1.0, y1 - y0 + 1.0
    left, right = x0 + off[0] * width, x0 + (1.0 + off[1]) * width
    top, bottom = y0 + off[2] * height, y0 + (1.0 + off[3]) * height
    return left, top, right - left, bottom - top


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


def rows_of(names: Iterable[str]) -> list[str]:
    """The rows of these names, in the order of the table; a name that is no row stands for all that begin with it.

    Raises:
        ValueError: if none does.
    """
    wanted: set[str] = set()
    for name in names:
        rows = [name] if name in ROWS else [row for row in ROWS if row.startswith(name)]
        if not rows:
            raise ValueError(
                f"--sets: expected rows, or how their names begin, got {name!r}; there are {', '.join(ROWS)}"
            )
        wanted.update(rows)
    return [row for row in ROWS if row in wanted]


def main(argv: list[str] | None = None) -> int:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sets", nargs="+", default=list(ROWS), metavar="NAME", help="rows; or how the names of several begin"
    )
    parser.add_argument("--every", type=int, default=1, help="take every n-th case")
    parser.add_argument("--most", type=int, help="stop after so many cases")
    parser.add_argument("--rotations", type=int, nargs="+", default=[0], help="numbers of rotations, 0 for the default")
    parser.add_argument("--hypotheses", type=int, nargs="+", help="how many at each level, in place of the default's")
    parser.add_argument("--list", action="store_true", help="print each case that is off or not sure")
    options = parser.parse_args(argv)
    try:
        rows = rows_of(options.sets)
    except ValueError as error:
        parser.error(str(error))
    if not DATA.is_dir():
        print(f"the shared data are not at {DATA.name}: nothing to measure", file=sys.stderr)
        return 1
    print(
        "| set | cases | ADD median, mm | ADD < 5 mm | an answer | ADD-S < 5 mm "
        "| wrong > 0.5, > 0.9 | right, failed | ms |"
    )
    print("|---" * 9 + "|")
    refiners: dict[Path, dd.Refiner] = {}
    for rotations in options.rotations:
        how = preset("default")
        if rotations:
            sphere = replace(how.search.view_sphere, rotations=rotations)
            how = replace(how, search=replace(how.search, view_sphere=sphere))
        if options.hypotheses:
            everywhere = how.search.everywhere.with_lists(hypotheses=options.hypotheses)
            how = replace(how, search=replace(how.search, everywhere=everywhere))
        for row in rows:
            found = list(located(row, how, every=options.every, most=options.most, refiners=refiners))
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
