"""Random and hostile inputs over all readers and the Python face: an answer or a DiffDopeError, nothing else.

    python -m benchmarks.hostile_inputs --count 10000 --seed 0
    python -m benchmarks.hostile_inputs --every "cameras of tools"

Files are made as tools write them, and most are then spoilt: bytes changed, cut off, tokens swapped for others, whole
files of noise. Those of `hostile_readers` are damaged one place after the other (`hostile_damage`), and options of
commands have values that are none (`hostile_options`); --every tries all of that. Arrays are of odd shapes, types and
values. Of every input it is counted whether it was taken, refused with a DiffDopeError, or ended in another exception,
or took too long; whether a pose with NaN came out; and, of the command line, whether a folder was left half written.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import diffdope as dd
from benchmarks import hostile_files as files
from benchmarks import hostile_options
from benchmarks.hostile_damage import damaged
from benchmarks.hostile_files import CAMERA, POSE, SIZE, Nan, Rng, checked, spoilt
from benchmarks.hostile_readers import GROUPS, File
from diffdope.cli.main import main
from diffdope.errors import DiffDopeError
from diffdope.geometry.lens import Distortion

NUMBERS = (0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, 1e12, np.nan, np.inf, -np.inf, 0.5, 255.0, 65535.0, 1e-8)


LONGEST_S = 60  # of one input: a few hundred bytes that take longer do not end
MOST_BYTES = 8 << 30  # of memory, for --every: a file of some kilobytes that needs more promises what it does not hold


class Endless(Exception):
    """An input took too long."""


class HalfWritten(Exception):
    """A folder was left with some of its files."""


# ---------------- the Python face


def odd_array(rng: Rng, shape: tuple[int, ...]) -> Any:
    """An array of nearly that shape, of some type, with some values that are none."""
    kind = int(rng.integers(12))
    if kind == 0:
        return (None, "text", 3, [], {}, object(), [[1, 2], [3]], np.array("a"), np.zeros(0))[int(rng.integers(9))]
    shape = tuple(max(0, n + int(rng.integers(-1, 2)) * int(rng.integers(6) == 0)) for n in shape)
    types = (np.uint8, np.uint16, np.float32, np.float64, np.int32, np.bool_, np.float16, np.complex64, np.int64)
    array = (rng.uniform(-0.2, 1.2, shape) * rng.choice([1.0, 255.0, 1000.0])).astype(
        types[int(rng.integers(len(types)))]
    )
    if array.dtype.kind == "f" and array.size and rng.integers(2):
        array.flat[rng.integers(0, array.size, 5)] = rng.choice(NUMBERS, 5)
    if rng.integers(8) == 0:
        return np.ma.masked_array(array, rng.uniform(size=array.shape) < rng.choice([0.0, 0.2]))
    return array[::-1, ..., ::-1] if array.ndim > 2 and rng.integers(4) == 0 else array


def odd_number(rng: Rng) -> Any:
    """A number, or what is none."""
    others = (None, "1", [], 10**400, 1j, True, np.float32(0.5), np.array(3.0))
    return rng.choice(NUMBERS) if rng.integers(3) else others[int(rng.integers(len(others)))]


def python_camera(rng: Rng, folder: Path) -> None:
    numbers = [odd_number(rng) if rng.integers(3) == 0 else value for value in (40.0, 40.0, 15.5, 11.5, 32, 24)]
    lens: Any = None
    if rng.integers(2):
        lens = rng.normal(0.0, 0.5, int(rng.choice([4, 5, 8, 12]))) if rng.integers(3) else odd_array(rng, (5,))
        if rng.integers(4) == 0:
            lens = Distortion(tuple(rng.normal(0, 0.3, 4)), "fisheye")
    camera = dd.Camera(*numbers, lens)
    if camera.width * camera.height < 10_000:
        camera.project(rng.normal(size=(5, 3)))
        ones = np.ones((camera.height, camera.width))
        camera.back_project(ones)
        dd.Observation(camera, mask=ones > 0, depth=ones)


def python_observation(rng: Rng, folder: Path) -> None:
    given = {"rgb": odd_array(rng, (*SIZE, 3)), "depth": odd_array(rng, SIZE), "mask": odd_array(rng, SIZE)}
    some = {name: value for name, value in given.items() if rng.integers(2)}
    dd.Observation(CAMERA, **some, depth_scale=None if rng.integers(2) else odd_number(rng))


def python_pose(rng: Rng, folder: Path) -> None:
    makers: tuple[tuple[Callable[[Any], dd.Pose], tuple[int, ...]], ...] = (
        (dd.Pose.from_matrix, (4, 4)), (dd.Pose.from_opengl, (4, 4)), (dd.Pose.from_wxyz_xyz, (7,)),
    )  # fmt: skip
    make, shape = makers[int(rng.integers(3))]
    good = POSE.matrix if shape == (4, 4) else np.array([0.9, 0.1, -0.3, 0.2, 0.0, 0.0, 0.6])
    value = odd_array(rng, shape) if rng.integers(2) else good + rng.normal(0, rng.choice([0, 1e-9, 1e-4, 1.0]), shape)
    checked(make(value))


_REFINERS: list[dd.Refiner] = []


def refiners() -> list[dd.Refiner]:
    """A few meshes, made once."""
    if not _REFINERS:
        corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * 0.08 - 0.04
        faces = [
            [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6],
            [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
        ]  # fmt: skip
        box = dd.Mesh(corners, faces, colors=np.linspace(0, 1, 24).reshape(8, 3))
        flat = dd.Mesh(corners[:4], [[0, 1, 3], [0, 3, 2]])
        _REFINERS.extend(
            dd.Refiner(mesh, preset=name, threads=1) for mesh in (box, flat) for name in ("fast", "default")
        )
    return _REFINERS


def python_refine(rng: Rng, folder: Path) -> None:
    """Noise and pieces of images, and starts near, far and anywhere; most inputs are valid, so a pose comes out."""
    images: dict[str, Any] = {}
    size = (int(rng.integers(1, 40)), int(rng.integers(1, 40)))
    camera = dd.Camera(40.0, 40.0, size[1] / 2, size[0] / 2, size[1], size[0])
    if rng.integers(2):
        images["rgb"] = (
            rng.integers(0, 256, (*size, 3)).astype(np.uint8) if rng.integers(2) else np.zeros((*size, 3), np.uint8)
        )
    if rng.integers(2):
        images["depth"] = np.where(rng.uniform(size=size) < 0.8, rng.uniform(0.3, 0.9, size), 0.0)
    if rng.integers(3) or not images:
        mask = rng.uniform(size=size) < 0.5 if rng.integers(4) == 0 else np.zeros(size, bool)
        mask[int(size[0] * 0.2) : int(size[0] * 0.8) + 1, int(size[1] * 0.2) : int(size[1] * 0.8) + 1] = True
        images["mask"] = mask
    observation = dd.Observation(camera, **images)
    refiner = refiners()[int(rng.integers(4))]
    rotation = dd.Pose.from_wxyz_xyz([*rng.normal(size=4), 0, 0, 0]).R_m2c
    start = dd.Pose(rotation, [*rng.normal(0, 0.1, 2), rng.choice([0.5, 0.4, 0.02, -0.5, 5.0, 1e6, 0.0])])
    if "mask" in images and rng.integers(4) == 0 and refiner.preset.name == "default":
        result = refiner.locate(observation)
    else:
        result = refiner.refine(observation, start)
    checked(result.pose)
    if result.covariance is not None and not np.isfinite(result.covariance).all():
        raise Nan("covariance")
    if result.confidence is not None and not 0.0 <= result.confidence <= 1.0:
        raise Nan(f"confidence {result.confidence}")


# ---------------- the command line

DEMO = Path(dd.__file__).parent / "data" / "demo"
_WORDS = {"--seed": "1", "--threads": "1", "--unit": "mm", "--depth-scale": "0.1", "--mask-id": "1", "--image-id": "0",
          "--box": "10,10,50,50", "--camera-size": "640x480", "--init-kind": "c2m", "--obj-id": "1"}  # fmt: skip


def command_line(rng: Rng, folder: Path) -> None:
    """`diffdope refine` or `locate` with one input spoilt, or an option of some kind."""
    inputs, out = folder / "inputs", folder / "out"
    shutil.copytree(DEMO, inputs)
    names = {"mesh": "object.ply", "camera": "camera.json", "init": "init.json", "rgb": "rgb.png", "depth": "depth.png",
             "mask": "mask.png"}  # fmt: skip
    victim = rng.choice(list(names.values()))
    (inputs / victim).write_bytes(spoilt((inputs / victim).read_bytes(), rng))
    words = [str(rng.choice(["refine", "refine", "locate"])), "--out", str(out)]
    for name, file in names.items():
        if rng.integers(8) and not (name == "init" and words[0] == "locate"):
            words += [f"--{name}", str(inputs / file)]
    if rng.integers(2):
        flag = str(rng.choice(list(_WORDS)))
        words += [flag, _WORDS[flag] if rng.integers(2) else str(odd_number(rng))]
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        code = main([*words, "--no-film"] if words[0] == "refine" else words)
    if code == 2:
        if out.exists() or [path for path in folder.iterdir() if path.name != "inputs"]:
            raise HalfWritten(" ".join(path.name for path in folder.iterdir()))
        raise DiffDopeError(quiet.getvalue()[:80])
    whole = {"result.json", "pose.txt", "pose.csv", "scene_gt.json", "overlay.png"}
    if code not in (0, 1) or not whole <= {path.name for path in out.iterdir()}:
        raise HalfWritten(f"exit {code}: {sorted(path.name for path in out.iterdir())}")
    checked(dd.Pose.from_matrix(np.loadtxt(out / "pose.txt")))


# ---------------- damage, one place after the other


def damaged_files(group: str) -> Iterator[tuple[str, File, bytes]]:
    """What is wrong, the file, and its bytes, of all files of a kind."""
    for file in GROUPS[group]():
        for what, data in damaged(file.data):
            yield f"{file.name}, {what}", file, data


def read_damaged(file: File, data: bytes, folder: Path) -> None:
    """Reads it in a folder of its own."""
    (folder / file.name).write_bytes(data)
    file.read(folder / file.name)


def any_damaged_file(group: str, rng: Rng, folder: Path) -> None:
    """One of them."""
    every = GROUPS[group]()
    file = every[int(rng.integers(len(every)))]
    count = sum(1 for _ in damaged(file.data))
    _, data = next(islice(damaged(file.data), int(rng.integers(count)), None))
    read_damaged(file, data, folder)


def damaged_options(rng: Rng, folder: Path) -> None:
    """A command line, of which an option has a value that is none."""
    every = list(hostile_options.cases(folder))
    tried(every[int(rng.integers(len(every)))][1], folder)


def tried(words: list[str], folder: Path) -> None:
    """A command line is taken, or refused."""
    if hostile_options.attempt(words, folder) == "refused":
        raise DiffDopeError("refused")


CASES: dict[str, tuple[Callable[[Rng, Path], None], float]] = {
    "camera files": (files.camera_file, 0.14), "mask files": (files.mask_file, 0.14),
    "depth files": (files.depth_file, 0.12), "photographs": (files.photograph_file, 0.08),
    "pose files": (files.pose_file, 0.14), "mesh files": (files.mesh_file, 0.08),
    "Camera, Distortion": (python_camera, 0.06), "Observation": (python_observation, 0.09), "Pose": (python_pose, 0.05),
    "refine, locate": (python_refine, 0.09), "command line": (command_line, 0.01),
    **{group: (partial(any_damaged_file, group), 0.05) for group in GROUPS}, "options": (damaged_options, 0.02),
}  # fmt: skip


def attempt(name: str, seed: int, number: int, folder: Path) -> str:
    """What became of one input: "taken", "refused", or the kind of failure with its place."""
    rng = np.random.default_rng([seed, sorted(CASES).index(name), number])
    return outcome_of(lambda place: CASES[name][0](rng, place), folder / f"{number}")


def outcome_of(call: Callable[[Path], None], place: Path) -> str:
    """What became of a call, which has a folder of its own; see `attempt`."""
    place.mkdir()
    try:
        with warnings.catch_warnings(), _ends():
            warnings.simplefilter("ignore")
            call(place)
        return "taken"
    except DiffDopeError as error:
        return "refused" if str(error).strip() else "DiffDopeError without words"
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        return f"{type(error).__name__} at {where}: {str(error)[:90]}"
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def _ends() -> Iterator[None]:
    """Raises `Endless` in what takes too long, where the system has alarms."""

    def late(*_: object) -> None:
        raise Endless(f"more than {LONGEST_S} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def report_every(group: str) -> int:
    """Tries every damage to the files of a group, or every option, and prints what is wrong; returns the failures."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "one"
        calls: Iterator[tuple[str, Callable[[Path], None]]]
        if group == "options":
            (whole := Path(folder) / "whole").mkdir()
            calls = ((what, lambda _, words=words: tried(words, whole)) for what, words in hostile_options.cases(whole))
        else:
            calls = ((what, partial(read_damaged, file, data)) for what, file, data in damaged_files(group))
        for what, call in calls:
            outcome = outcome_of(call, place)
            counts[outcome if outcome in ("taken", "refused") else "failures"] += 1
            if outcome not in ("taken", "refused") or (what.endswith(", whole") and outcome != "taken"):
                print(f"{what}: {outcome}", flush=True)
    print(f"{group}: {counts['taken']} taken, {counts['refused']} refused, {counts['failures']} failures")
    return counts["failures"]


def report(count: int, seed: int, only: str | None = None) -> int:
    """Tries all inputs and prints a table; returns the number of failures."""
    began, bad = time.perf_counter(), 0
    print("| inputs | tried | taken | refused | traceback | NaN | half written |\n|---|---|---|---|---|---|---|")
    total: Counter[str] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (_, share) in CASES.items():
            if only not in (None, name):
                continue
            counts: Counter[str] = Counter()
            for number in range(round(share * count)):
                outcome = attempt(name, seed, number, Path(folder))
                kind = outcome if outcome in ("taken", "refused") else outcome.split(" ", 1)[0]
                kind = kind if kind in ("taken", "refused", "Nan", "HalfWritten") else "traceback"
                counts[kind] += 1
                if kind not in ("taken", "refused"):
                    failures.append(f"{name} {number}: {outcome}")
            row = [counts[kind] for kind in ("taken", "refused", "traceback", "Nan", "HalfWritten")]
            print(f"| {name} | {sum(counts.values())} | {' | '.join(map(str, row))} |", flush=True)
            total += counts
    row = [total[kind] for kind in ("taken", "refused", "traceback", "Nan", "HalfWritten")]
    print(f"| all | {sum(total.values())} | {' | '.join(map(str, row))} |")
    for text in failures:
        print(text)
    bad = len(failures)
    print(f"{time.perf_counter() - began:.0f} s, seed {seed}", file=sys.stderr)
    return bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=sorted(CASES))
    parser.add_argument("--every", choices=[*GROUPS, "options"], help="tries all damage to these, one after the other")
    os.environ.setdefault("COLUMNS", "100")
    given = parser.parse_args()
    if given.every is not None:
        sys.exit(1 if report_every(given.every) else 0)
    sys.exit(1 if report(given.count, given.seed, given.only) else 0)
