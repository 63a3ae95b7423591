"""Accuracy on the shared data, every set in every mode at every level: `python -m benchmarks.accuracy --help`.

    python -m benchmarks.accuracy --json new.json
    OTHER_PYTHON -m benchmarks.accuracy --json old.json    (from here: measures the build that is installed there)
    python -m benchmarks.accuracy --json new.json --against old.json

`--against` lists where this run is worse by more than noise: a median of ADD or ADD-S by more than 5 %, a share (below
5 mm, or found) by more than a point. Both runs must have the same cases; `--load` compares without measuring.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import diffdope as dd
from benchmarks.shared_data import LEVELS, MODES, SETS, Case, evaluation_points, load_mesh
from diffdope.bop.metrics import add, add_s
from diffdope.scene.lookalikes import lookalikes

ALL = ("hope-all", "hope-rgb-all", "sim", "sim-noisy", "ycbv", "parts")
LIMIT_MM = 5.0
WORSE_MEDIAN, WORSE_SHARE = 1.05, 0.01
Key = tuple[str, str, str]  # set, mode, level


@dataclass(frozen=True)
class Row:
    """One refined case, millimetres and seconds of the processor."""

    name: str
    start_add: float
    add: float
    add_s: float
    seconds: float
    status: str
    ok: bool


class Refiners:
    """A warm refiner for each object."""

    def __init__(self, preset: str, threads: int | None) -> None:
        self._preset, self._threads = preset, threads
        self._made: dict[Path, dd.Refiner] = {}

    def of(self, case: Case) -> dd.Refiner:
        """That of a case's object."""
        if case.mesh_path not in self._made:
            mesh = load_mesh(case.mesh_path)
            self._made[case.mesh_path] = dd.Refiner(mesh, preset=self._preset, threads=self._threads)
        return self._made[case.mesh_path]


def run(case: Case, refiner: dd.Refiner) -> Row:
    """Refines one case; what cannot be compared at all keeps its start."""
    points = evaluation_points(case.mesh_path)
    pose, status, ok = case.start, "nothing to compare", False
    began = time.process_time()
    try:
        result = refiner.refine(case.observation, case.start)
        pose, status, ok = result.pose, str(result.status), bool(result.ok)
    except dd.DiffDopeError as error:
        print(f"{case.name}: {error}", file=sys.stderr)
    seconds = time.process_time() - began
    errors = (1e3 * add(case.start, case.truth, points), 1e3 * add(pose, case.truth, points))
    return Row(case.name, *errors, 1e3 * add_s(pose, case.truth, points), seconds, status, ok)


def other_way_round(case: Case, turns: Any, number: int) -> Case | None:
    """The case, its start turned by one of the turns after which the shape is nearly the same; None if there is none.

    Args:
        case: with its own start.
        turns: approximate symmetries of its mesh.
        number: of the case: the seed.
    """
    if len(turns) < 2:
        return None
    k = 1 + np.random.default_rng(number).integers(len(turns) - 1)
    R, t = case.start.R_m2c, case.start.t_m2c
    return replace(case, start=dd.Pose(R @ turns.R[k], t + R @ turns.t_m[k]))


def turned_cases(given: Iterable[Case]) -> Iterator[Case]:
    """Those cases that can be turned."""

    sides: dict[Path, Any] = {}
    for number, case in enumerate(given):
        if case.mesh_path not in sides:
            sides[case.mesh_path] = lookalikes(load_mesh(case.mesh_path))
        turned = other_way_round(case, sides[case.mesh_path], number)
        if turned is not None:
            yield turned


def measure(name: str, level: str, modes: tuple[str, ...], arguments: argparse.Namespace) -> dict[Key, list[Row]]:
    """All modes of a set at a level; the images are read once."""
    wanted = [mode for mode in modes if mode in SETS[name].modes]
    refiners = Refiners(arguments.preset, arguments.threads)
    rows: dict[Key, list[Row]] = {(name, mode, level): [] for mode in wanted}
    found = SETS[name].cases(level, every=arguments.sample)
    for full in turned_cases(found) if arguments.turned else found:
        for mode in wanted:
            case = full.given(mode)
            if case is not None:
                rows[name, mode, level].append(run(case, refiners.of(case)))
    return {key: own for key, own in rows.items() if own}


# ---------------------------------------------------------------- figures


@dataclass(frozen=True)
class Figures:
    """Of one set in one mode at one level: millimetres and shares."""

    n: int
    add_median: float
    add_p90: float
    add_below: float
    add_s_median: float
    add_s_p90: float
    add_s_below: float
    ok: float
    milliseconds: float

    @classmethod
    def of(cls, rows: list[Row]) -> Figures:
        """Medians, 90th percentiles and shares."""
        a, s = np.array([row.add for row in rows]), np.array([row.add_s for row in rows])
        shares = [float(np.mean(values < LIMIT_MM)) for values in (a, s)]
        return cls(
            len(rows), float(np.median(a)), float(np.percentile(a, 90)), shares[0],
            float(np.median(s)), float(np.percentile(s, 90)), shares[1],
            float(np.mean([row.ok for row in rows])), 1e3 * float(np.median([row.seconds for row in rows])),
        )  # fmt: skip

    def cells(self) -> str:
        """For the table."""
        return (
            f"{self.n} | {self.add_median:.2f} / {self.add_p90:.2f} | {self.add_below:.1%} | "
            f"{self.add_s_median:.2f} / {self.add_s_p90:.2f} | {self.add_s_below:.1%} | {self.ok:.1%} | "
            f"{self.milliseconds:.0f}"
        )


HEAD = "| set | mode | level | n | ADD median / p90, mm | < 5 mm | ADD-S median / p90, mm | < 5 mm | ok | CPU ms |"


def print_line(key: Key, rows: list[Row]) -> None:
    """One line of the table."""
    print(f"| {' | '.join(key)} | {Figures.of(rows).cells()} |", flush=True)


def violations(old: dict[Key, list[Row]], new: dict[Key, list[Row]]) -> Iterator[str]:
    """Where the new rows are worse than the rule allows; also where they cannot be compared."""
    for key in old:
        where = ", ".join(key)
        if key not in new:
            yield f"{where}: not measured"
            continue
        if [row.name for row in old[key]] != [row.name for row in new[key]]:
            yield f"{where}: other cases ({len(old[key])} and {len(new[key])}); give both runs the same --sample"
            continue
        before, after = Figures.of(old[key]), Figures.of(new[key])
        for name in ("add_median", "add_s_median"):
            was, now = getattr(before, name), getattr(after, name)
            if now > WORSE_MEDIAN * was:
                yield f"{where}: {name} {was:.3f} became {now:.3f} mm ({now / was - 1.0:+.0%})"
        for name in ("add_below", "add_s_below", "ok"):
            was, now = getattr(before, name), getattr(after, name)
            if now < was - WORSE_SHARE - 1e-9:
                yield f"{where}: {name} {was:.1%} became {now:.1%}"


# ---------------------------------------------------------------- files


def save(path: Path, rows: dict[Key, list[Row]], arguments: argparse.Namespace) -> None:
    """Every case, and which build it was."""
    about = {"diffdope": dd.__version__, "preset": arguments.preset, "sample": arguments.sample}
    table = [dict(zip(("set", "mode", "level"), key, strict=True)) | vars(Figures.of(own)) for key, own in rows.items()]
    cases = ["\t".join(key) for key in rows]
    entry = {"about": about, "table": table, "cases": {k: [vars(r) for r in rows[tuple(k.split("\t"))]] for k in cases}}  # type: ignore[index]
    path.write_text(json.dumps(entry, indent=0))


def load(path: Path) -> dict[Key, list[Row]]:
    """What `save` wrote."""
    entry = json.loads(path.read_text())
    found: dict[Key, list[Row]] = {}
    for key, rows in entry["cases"].items():
        name, mode, level = key.split("\t")
        found[name, mode, level] = [Row(**row) for row in rows]
    return found


def words(text: str, allowed: Iterable[str], flag: str) -> tuple[str, ...]:
    """A comma-separated list of known words."""
    found = tuple(text.split(","))
    unknown = [word for word in found if word not in allowed]
    if unknown:
        raise SystemExit(f"error: {flag}: expected some of {', '.join(allowed)}, got {', '.join(unknown)}")
    return found


def parser() -> argparse.ArgumentParser:
    """The flags."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--sets", default=",".join(ALL), help="of " + ", ".join(SETS))
    made.add_argument("--modes", default=",".join(MODES), help="of " + ", ".join(MODES))
    made.add_argument("--levels", default="1,10,40", help="of " + ", ".join(LEVELS) + ", or as their files are named")
    made.add_argument("--sample", type=int, default=1, metavar="N", help="take every N-th case of each set")
    made.add_argument("--preset", default="default")
    made.add_argument("--threads", type=int)
    made.add_argument("--turned", action="store_true", help="start the other way round: an estimator's mistake")
    made.add_argument("--cases", action="store_true", help="print every case")
    made.add_argument("--json", type=Path, metavar="FILE", help="write every case to this file")
    made.add_argument("--load", type=Path, metavar="FILE", help="take the cases of an earlier run; measure nothing")
    made.add_argument("--against", type=Path, metavar="FILE", help="list where an earlier run was better; ends with 1")
    return made


def all_rows(arguments: argparse.Namespace) -> dict[Key, list[Row]]:
    """Measures, printing each line as it is known."""
    short = {long: level for level, long in LEVELS.items()}
    given = ",".join(short.get(word, word) for word in arguments.levels.split(","))
    levels, modes = words(given, LEVELS, "--levels"), words(arguments.modes, MODES, "--modes")
    rows: dict[Key, list[Row]] = {}
    for name in words(arguments.sets, SETS, "--sets"):
        if not SETS[name].there:
            print(f"{name}: skipped, its data are not beside the project", file=sys.stderr)
            continue
        for level in levels:
            found = measure(name, level, modes, arguments)
            for key, own in found.items():
                print_line(key, own)
                for row in own if arguments.cases else ():
                    print(
                        f"  {row.name}: start {row.start_add:.1f} ADD {row.add:.2f} ADD-S {row.add_s:.2f} {row.status}"
                    )
            rows |= found
    return rows


def main() -> int:
    """Prints a table; 1 if an earlier run was better."""
    arguments = parser().parse_args()
    if arguments.sample < 1:
        raise SystemExit(f"error: --sample: expected at least 1, got {arguments.sample}")
    print(f"{HEAD}\n{'|---' * 10}|", flush=True)
    if arguments.load is not None:
        rows = load(arguments.load)
        for key, own in rows.items():
            print_line(key, own)
    else:
        rows = all_rows(arguments)
    if arguments.json is not None:
        save(arguments.json, rows, arguments)
    if arguments.against is None:
        return 0
    worse = list(violations(load(arguments.against), rows))
    print(
        f"\n{len(worse)} figures worse than in {arguments.against.name}, beyond 5 % of a median or a point of a share"
    )
    print("\n".join(worse))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
