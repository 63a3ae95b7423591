"""Units that are off by a factor, and starts of another kind: how often they are named, and how often right inputs are.

    python -m benchmarks.wrong_units

No search is made: what `pipelines/diagnosis/implausible_inputs.py` would say of a result that failed is asked of every
object, with all images and without one of them, with its start (10 degrees and 4 mm off) and without.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import diffdope as dd
from benchmarks import shared_data
from benchmarks.shared_data import DATA, load_mesh
from diffdope.pipelines.diagnosis.implausible_inputs import of_kind, of_units
from diffdope.pipelines.result import Status

SETS = ("hope", "sim", "parts", "ycbv")
Start = Callable[[dd.Pose], dd.Pose]


@dataclass(frozen=True)
class Situation:
    """What is wrong: factors of mesh and depth, what becomes of the start, and whether only a start shows it."""

    mesh: float = 1.0
    depth: float = 1.0
    start: Start = lambda pose: pose
    needs_start: bool = False


def scaled(factor: float) -> Start:
    return lambda pose: dd.Pose(pose.R_m2c, factor * pose.t_m2c)


SITUATIONS = {
    "nothing": Situation(),
    "mesh x 10": Situation(mesh=10.0), "mesh / 10": Situation(mesh=0.1),
    "mesh / 25.4": Situation(mesh=1 / 25.4), "depth x 10": Situation(depth=10.0), "depth / 10": Situation(depth=0.1),
    "start / 10": Situation(start=scaled(0.1), needs_start=True),
    "start inverted": Situation(start=lambda pose: pose.inverse(), needs_start=True),
}  # fmt: skip
DROPPED = {"all": (), "RGB, depth": ("mask",), "RGB, mask": ("depth",)}


def observed(seen: dd.Observation, dropped: tuple[str, ...], depth: float) -> dd.Observation:
    """With fewer images, and depth of another scale."""
    images = {name: getattr(seen, name) for name in seen.modalities if name not in dropped}
    if "depth" in images:
        images["depth"] = depth * images["depth"]
    return dd.Observation(seen.camera, **images)


def named(situation: Situation, dropped: tuple[str, ...], with_start: bool) -> Iterator[bool]:
    """Of each object, whether anything is said."""
    for name in SETS:
        for case in shared_data.SETS[name].cases("10"):
            mesh = load_mesh(case.mesh_path).scaled(situation.mesh)
            seen = observed(case.observation, dropped, situation.depth)
            start = situation.start(case.start) if with_start else None
            yield any([*of_units(mesh, seen, start), *of_kind(mesh, seen, start, Status.FAILED)])


def share(name: str, images: str, with_start: bool) -> str:
    """A cell of the table."""
    situation, dropped = SITUATIONS[name], DROPPED[images]
    if (situation.depth != 1.0 and "depth" in dropped) or (situation.needs_start and not with_start):
        return ""
    try:
        said = list(named(situation, dropped, with_start))
    except dd.DiffDopeError as error:  # a mesh of less than a millimetre is refused at the door
        return f"refused ({str(error).split(':')[0]})"
    return f"{sum(said)} of {len(said)}"


def main() -> int:
    """Prints a table in Markdown."""
    if not DATA.is_dir():
        print(f"the shared data are not at {DATA.name}: nothing to measure", file=sys.stderr)
        return 1
    columns = [(images, with_start) for with_start in (True, False) for images in DROPPED]
    print("| wrong |" + "".join(f" {images}{', start' * start} |" for images, start in columns))
    print("|---" * (1 + len(columns)) + "|")
    for name in SITUATIONS:
        print(f"| {name} |" + "".join(f" {share(name, *column)} |" for column in columns), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
