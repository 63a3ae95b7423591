"""Speed and memory of this checkout against another installed build: `python -m benchmarks.against OLD_PYTHON`.

Each build runs in a process of its own that stays warm (`benchmarks/against_worker.py`), and they take turns: one
measurement of one, then the same of the other. Both see the same inputs, drawn once by this checkout. A ratio is the
median of this checkout over the median of the other build. What is measured once in a process (empty caches,
the command, preparation, memory) runs in fresh processes, in turn as well.

Memory depends on the other packages that are installed: `--new OLD_PYTHON` runs this checkout's source with those of
the other build. Goals are in `FIGURES`; `--gate` ends with 1 if one is missed. On a busy machine look at processor time
(`--by cpu`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.against_inputs import write_inputs
from benchmarks.report import processor, table

ROOT = Path(__file__).resolve().parents[1]
WORKER = Path(__file__).with_name("against_worker.py")
BUILDS = ("old", "new")
# Without bytecode on disk, Python compiles this checkout's source in each process, and not what is installed.
_NOT_PASSED_ON = ("PYTHONPATH", "NUMBA_CACHE_DIR", "PYTHONDONTWRITEBYTECODE")
Samples = dict[tuple[str, int, str], list[dict[str, float]]]  # by case, threads, build


class Case(NamedTuple):
    """What is measured: arguments of a class of the worker (`warm`), or the name of something done once a process."""

    arguments: tuple[Any, ...]
    how: str = "warm"
    needs_hope: bool = False
    threads: tuple[int, ...] = (1, 2)


def _refine(preset: str, source: str, level: str) -> Case:
    return Case(("refine", preset, source, level), needs_hope=source == "hope")


NEAR, FAR = "010_trans_004", "040_trans_016"
CASES: dict[str, Case] = {
    "default-near": _refine("default", "packaged", NEAR),
    "default-far": _refine("default", "packaged", FAR),
    "default-near-hope": _refine("default", "hope", NEAR),
    "default-far-hope": _refine("default", "hope", FAR),
    "fast": _refine("fast", "packaged", NEAR),
    "fast-hope": _refine("fast", "hope", NEAR),
    "track-rgbd": Case(("film", ["rgb", "depth"])),
    "track-rgbd-mask": Case(("film", ["rgb", "depth", "mask"])),
    "track-rgb": Case(("film", ["rgb"])),
    "paper": _refine("paper", "packaged", NEAR),
    "pass": Case(("pass",)),
    "photograph-large": Case(("photograph", "large")),
    "photograph-small": Case(("photograph", "small")),
    "command": Case(("command",), "process", threads=(2,)),
    "preparation": Case(("preparation",), "once", needs_hope=True, threads=(1,)),
    "memory": Case(("memory",), "once", threads=(1, 2)),
    "photograph-memory": Case(("photograph-memory",), "once", threads=(2,)),
    "first-result": Case(("first-result",), "empty caches", threads=(2,)),
}


@dataclass(frozen=True)
class Figure:
    """A row of the table.

    Attributes:
        name: of the row.
        cases: one, compared between builds; or two, of which the first is divided by the second within a build.
        goal: most that the figure may be; least, where `at_least`.
        unit: of a figure that is no ratio (MiB), or "".
        threads: of the two cases, where they differ in that.
        at_least: whether more is better.
        wall_only: whether processor time says nothing about it, since the goal is to use more cores.
    """

    name: str
    cases: tuple[str, ...]
    goal: float
    unit: str = ""
    threads: tuple[int, int] | None = None
    at_least: bool = False
    wall_only: bool = False


FIGURES: tuple[Figure, ...] = (
    Figure("`default`, 10 deg / 4 mm", ("default-near",), 0.40),
    Figure("`default`, 40 deg / 16 mm", ("default-far",), 0.40),
    Figure("`default`, 10 deg / 4 mm, HOPE", ("default-near-hope",), 0.40),
    Figure("`default`, 40 deg / 16 mm, HOPE", ("default-far-hope",), 0.40),
    Figure("`fast`, 10 deg / 4 mm", ("fast",), 0.50),
    Figure("`fast`, 10 deg / 4 mm, HOPE", ("fast-hope",), 0.50),
    Figure("tracked frame, RGB-D", ("track-rgbd",), 0.50),
    Figure("tracked frame, RGB-D + mask", ("track-rgbd-mask",), 0.50),
    Figure("tracked frame, RGB", ("track-rgb",), 0.50),
    Figure("`paper`, 10 deg / 4 mm", ("paper",), 0.70),
    Figure("one pass, B = 32, 160 x 160, 10k triangles, normal matrix", ("pass",), 1.00),
    Figure("time to the first result, empty caches", ("first-result",), 0.50, wall_only=True),
    Figure("`diffdope refine`, film and pictures", ("command",), 0.60),
    Figure("preparation of 17 objects", ("preparation",), 0.30),
    Figure("12 megapixels / 640 x 480", ("photograph-large", "photograph-small"), 1.5),
    Figure("peak memory of one refinement", ("memory",), 1.00),
    Figure("memory beyond a photograph of 12 megapixels", ("photograph-memory",), 200.0, "MiB"),
    Figure(
        "`default`, 40 deg / 16 mm: one thread / two", ("default-far", "default-far"), 1.6,
        threads=(1, 2), at_least=True, wall_only=True,
    ),
)  # fmt: skip


# ---------------------------------------------------------------- builds


class Build:
    """An interpreter with diffdope, and its warm worker.

    Args:
        python: the interpreter.
        source: a folder to be imported from instead of what is installed, or None.
        folder: of the inputs.
    """

    def __init__(self, python: Path, source: Path | None, folder: Path) -> None:
        self._python, self._folder = python, folder
        self._env = {key: value for key, value in os.environ.items() if key not in _NOT_PASSED_ON}
        if source is not None:
            self._env["PYTHONPATH"] = str(source)
        self._worker = subprocess.Popen(
            self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._env, cwd=folder
        )
        self.about: dict[str, str] = self._answer()

    def _command(self, *arguments: str) -> list[str]:
        return [str(self._python), "-P", str(WORKER), str(self._folder), *arguments]

    def _answer(self) -> dict[str, Any]:
        assert self._worker.stdout is not None
        line = self._worker.stdout.readline()
        if not line:
            raise SystemExit(f"error: {self._python} ended with {self._worker.wait()}; its message is above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, **request: Any) -> dict[str, float]:
        """Sends a request to the warm worker and waits for the answer."""
        assert self._worker.stdin is not None
        print(json.dumps(request), file=self._worker.stdin, flush=True)
        return self._answer()

    def once(self, name: str, threads: int, **env: str) -> dict[str, float]:
        """Measures something in a fresh process, and that process itself."""
        return self._process(self._command(name, str(threads)), env, parse=True)

    def command(self, threads: int) -> dict[str, float]:
        """Times `diffdope refine` on the files of the packaged example."""
        demo = Path(self.about["file"]).parent / "data" / "demo"
        with tempfile.TemporaryDirectory() as out:
            inputs = {"mesh": "object.ply", "camera": "camera.json", "init": "init.json"}
            inputs |= {name: f"{name}.png" for name in ("rgb", "depth", "mask")}
            flags = [word for name, file in inputs.items() for word in (f"--{name}", str(demo / file))]
            flags += ["--out", str(Path(out) / "result"), "--threads", str(threads)]
            main = "import sys; from diffdope.cli.main import main; sys.exit(main())"
            return self._process([str(self._python), "-c", main, "refine", *flags], {})

    def _process(self, command: list[str], env: dict[str, str], *, parse: bool = False) -> dict[str, float]:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self._env | env, cwd=self._folder)
        assert child.stdout is not None
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"error: {' '.join(command)} ended with {child.returncode}")
        found = {"wall": time.perf_counter() - began, "cpu": usage.ru_utime + usage.ru_stime}  # its children included
        return found | (json.loads(said) if parse else {})

    def close(self) -> None:
        """Ends the worker."""
        assert self._worker.stdin is not None
        self._worker.stdin.close()
        self._worker.wait()


def interpreter(given: Path) -> Path:
    """The interpreter of a virtual environment, or the given one."""
    path = given / "bin" / "python" if given.is_dir() else given
    if not path.exists():
        raise SystemExit(f"error: expected an interpreter or a virtual environment, but there is no {path}")
    return path


# ---------------------------------------------------------------- measuring


def in_turn(count: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Numbers of measurements, and which build goes first: the other one each time."""
    for k in range(count):
        yield k, BUILDS if k % 2 == 0 else BUILDS[::-1]


def measure(case: Case, builds: dict[str, Build], threads: tuple[int, ...], counts: dict[str, int]) -> Samples:
    """All measurements of a case, except for its name."""
    found: Samples = {("", n, name): [] for n in threads for name in BUILDS}
    if case.how == "warm":
        for n in threads:
            for build in builds.values():
                build.ask(case=case.arguments, threads=n, prepare=counts["warm"])
    for k, order in in_turn(counts[case.how]):
        for n in threads if k % 4 < 2 else threads[::-1]:
            for name in order:
                found["", n, name].append(one(case, builds[name], n, k))
    return found


def one(case: Case, build: Build, threads: int, k: int) -> dict[str, float]:
    """One measurement."""
    if case.how == "warm":
        return build.ask(case=case.arguments, threads=threads, start=k)
    if case.how == "process":
        return build.command(threads)
    if case.how == "once":
        return build.once(case.arguments[0], threads)
    with tempfile.TemporaryDirectory() as cache:
        return build.once(case.arguments[0], threads, NUMBA_CACHE_DIR=cache)


# ---------------------------------------------------------------- the table


class Line(NamedTuple):
    """A figure at some number of threads: texts, and whether the goal is met by each measure (None: does not apply)."""

    cells: list[str]
    met: dict[str, bool | None]


def lines(figure: Figure, samples: Samples) -> Iterator[Line]:
    """The rows of a figure."""
    first = figure.cases[0]
    threads = sorted({n for case, n, _ in samples if case == first})
    if figure.threads is not None:
        if set(figure.threads) <= set(threads):
            yield within(figure, samples, *figure.threads)
        return
    for n in threads:
        yield within(figure, samples, n, n) if len(figure.cases) == 2 else between(figure, samples, n)


def median(samples: Samples, case: str, threads: int, build: str, measure: str) -> float:
    """Of one measure."""
    return float(np.median([sample[measure] for sample in samples[case, threads, build]]))


def between(figure: Figure, samples: Samples, threads: int) -> Line:
    """This checkout against the other build."""
    case = figure.cases[0]
    if "mib" in samples[case, threads, "new"][0]:
        old, new = (median(samples, case, threads, build, "mib") for build in BUILDS)
        value = new if figure.unit else new / old
        return line(figure, f"{threads}", f"{old:.0f} MiB", f"{new:.0f} MiB", {"wall": value, "cpu": value})
    old, new = (median(samples, case, threads, build, "wall") for build in BUILDS)
    values = {
        by: median(samples, case, threads, "new", by) / median(samples, case, threads, "old", by)
        for by in ("wall", "cpu")
    }
    return line(figure, f"{threads}", milliseconds(old), milliseconds(new), values)


def within(figure: Figure, samples: Samples, first: int, second: int) -> Line:
    """A quotient of two cases, or of two numbers of threads, in each build; that of this checkout counts."""
    ratios = {
        (build, by): median(samples, figure.cases[0], first, build, by)
        / median(samples, figure.cases[1], second, build, by)
        for build in BUILDS
        for by in ("wall", "cpu")
    }
    threads = f"{first}" if first == second else f"{first} / {second}"
    old, new = (f"x {ratios[build, 'wall']:.2f}" for build in BUILDS)
    return line(figure, threads, old, new, {by: ratios["new", by] for by in ("wall", "cpu")})


def line(figure: Figure, threads: str, old: str, new: str, values: dict[str, float]) -> Line:
    """Texts and verdicts of one row."""
    rounded = {by: round(value, 2) for by, value in values.items()}  # as it is printed
    met: dict[str, bool | None] = {
        by: value >= figure.goal if figure.at_least else value <= figure.goal for by, value in rounded.items()
    }
    if figure.wall_only:
        met["cpu"] = None
    form = "{:.0f}" if figure.unit else "{:.2f}"
    goal = f"{'>=' if figure.at_least else '<='} {form.format(figure.goal)}{' ' + figure.unit if figure.unit else ''}"
    verdicts = [{True: "", False: " **missed**", None: ""}[met[by]] for by in ("wall", "cpu")]
    texts = [form.format(values[by]) + verdict for by, verdict in zip(("wall", "cpu"), verdicts, strict=True)]
    if met["cpu"] is None:
        texts[1] = f"({texts[1]})"
    return Line([figure.name, threads, old, new, *texts, goal], met)


def milliseconds(seconds: float) -> str:
    """With three digits or so."""
    return f"{seconds:.2f} s" if seconds >= 1.0 else f"{1e3 * seconds:.{1 if seconds >= 0.02 else 2}f} ms"


def failures(samples: Samples) -> Iterator[str]:
    """Cases in which a build did not find the object each time."""
    for (case, threads, build), found in samples.items():
        share = np.mean([sample.get("ok", 1.0) for sample in found])
        if share < 1.0:
            yield f"{case}, {threads} threads: the {build} build found the object in {share:.0%} of the measurements.\n"


HEAD = ["what", "threads", "old", "new", "new / old, clock", "new / old, processor", "goal"]


def chosen(only: str | None) -> list[Figure]:
    """The figures whose case or name holds one of some words."""
    words = only.split(",") if only else [""]
    found = [f for f in FIGURES if any(word in text for word in words for text in (f.name, *f.cases))]
    if not found:
        raise SystemExit(f"error: --only: expected parts of {', '.join(CASES)}, got {only!r}")
    return found


def same_build(builds: dict[str, Build]) -> str | None:
    """What is wrong with the two builds, if anything."""
    old, new = (Path(builds[name].about["file"]) for name in BUILDS)
    if not new.is_relative_to(ROOT / "src"):
        return f"expected this checkout's source as the new build, got {new}"
    if old == new:
        return f"expected another build, got this checkout itself, {old}; install the other one, not editable"
    if builds["old"].about["film"] != builds["new"].about["film"]:
        return "PyAV is installed beside one build only, so their films differ; install it beside both, or neither"
    return None


def run(arguments: argparse.Namespace, builds: dict[str, Build], figures: list[Figure], hope: bool) -> bool:
    """Measures, prints a table, and says whether all goals are met."""
    counts = {"warm": arguments.starts, "process": arguments.starts, "once": arguments.starts}
    counts["empty caches"] = arguments.cold
    threads = tuple(int(n) for n in arguments.threads.split(","))
    samples: Samples = {}
    met, skipped, rows = True, [], []
    for figure in figures:
        for name in dict.fromkeys(figure.cases):
            case = CASES[name]
            if case.needs_hope and not hope:
                skipped.append(figure.name)
                break
            if not any(key[0] == name for key in samples):
                used = tuple(n for n in case.threads if n in threads) or case.threads
                found = measure(case, builds, used, counts)
                samples |= {(name, n, build): values for (_, n, build), values in found.items()}
        else:
            for made in lines(figure, samples):
                rows.append(made.cells)
                met &= made.met[arguments.by] is not False
                print(" | ".join(made.cells), file=sys.stderr, flush=True)  # as they come
    table(HEAD, rows)
    for note in failures(samples):
        print(note)
    if skipped:
        print("Not measured, for the data are not there (`../shared/data/hope`): " + "; ".join(skipped) + ".")
    return met


def main() -> int:
    """Prints the table; 1 if a goal is missed and `--gate` was given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, metavar="OLD_PYTHON", help="interpreter or environment of the other build")
    parser.add_argument("--new", type=Path, default=Path(sys.executable), help="interpreter for this checkout's source")
    parser.add_argument("--only", help="parts of names of rows or cases, comma-separated; cases: " + ", ".join(CASES))
    parser.add_argument("--starts", type=int, default=20, help="measurements of each case and build")
    parser.add_argument("--cold", type=int, default=3, help="the same with empty caches, which takes long")
    parser.add_argument("--threads", default="1,2", help="comma-separated")
    parser.add_argument("--by", choices=("wall", "cpu"), default="wall", help="the measure that --gate goes by")
    parser.add_argument("--gate", action="store_true", help="end with 1 if a goal is missed")
    arguments = parser.parse_args()
    if arguments.starts < 1 or arguments.cold < 1:
        parser.error("--starts, --cold: expected at least 1")
    old, new, figures = interpreter(arguments.old), interpreter(arguments.new), chosen(arguments.only)
    builds: dict[str, Build] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder, arguments.starts)
        hope = json.loads((folder / "plan.json").read_text())["hope"] is not None
        try:
            builds["old"] = Build(old, None, folder)
            builds["new"] = Build(new, ROOT / "src", folder)
            if problem := same_build(builds):
                raise SystemExit(f"error: {problem}")
            print(f"{processor()}, {os.cpu_count()} cores; medians of {arguments.starts}\n", flush=True)
            met = run(arguments, builds, figures, hope)
        finally:
            for build in builds.values():
                build.close()
    return 0 if met or not arguments.gate else 1


if __name__ == "__main__":
    sys.exit(main())
