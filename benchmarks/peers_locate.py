"""Poses with no start pose beside those of other packages: `python -m benchmarks.peers_locate --python PATH`.

    python -m venv peers && peers/bin/pip install open3d opencv-contrib-python-headless
    python -m benchmarks.peers_locate --python peers [--sets hope2 sim "sim noisy"] [--every 1] [--list]

The peers run in that environment alone, in a child process (`benchmarks/peers_locate_worker.py`, with their settings),
in turn with ours: case by case, one thread, CPU time. They are given what ours is: a mesh (as points with normals), and
the points of depth and mask. A peer whose packages are missing is left out, and a line says so.

ADD is modulo the symmetries that the data set lists. ADD-S is that of 2000 points to the nearest of 20 000 on the
surface; its second column, of 2000 vertices among themselves as in `benchmarks.locate`, counts the distances between
them as errors where an object is turned. Preparation: of ours, by how much the first result exceeds a second one;
kernels are compiled before.
"""

from __future__ import annotations

import os

if __name__ == "__main__":  # before numpy and numba are loaded; who imports this keeps its own number
    for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[_name] = "1"

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

import diffdope as dd
from benchmarks.against import interpreter
from benchmarks.locate import LIMIT_MM, ROWS, errors_mm
from benchmarks.report import processor, table
from benchmarks.shared_data import DATA, Case, load_mesh
from diffdope.scene.sampling import spread_over

WORKER = Path(__file__).with_name("peers_locate_worker.py")
SETS = {"hope2": "hope2 rgb-d", "sim": "sim rgb-d", "sim noisy": "sim rgb-d noisy"}  # rows of benchmarks.locate
OURS = {"ours, RGB-D + mask": ("rgb", "depth", "mask"), "ours, depth + mask": ("depth", "mask")}
PEERS = {"open3d": "Open3D FPFH + RANSAC + ICP", "opencv": "OpenCV PPF, five best + ICP"}
HEAD = ["set", "method", "cases", "ADD < 5 mm", "ADD-S < 5 mm", "of vertices", "ms, median", "preparation, s"]
_POINTS, _QUERIES = 20_000, 2_000


class Surface(NamedTuple):
    """Points and normals (N, 3) on a mesh, metres, and its diameter."""

    points: np.ndarray
    normals: np.ndarray
    diameter: float


@dataclass(frozen=True)
class Line:
    """One object by one method: errors in millimetres; milliseconds; seconds of preparation, where it was the first."""

    method: str
    add: float
    add_s: float
    add_s_vertices: float
    ms: float
    preparation: float | None


def surface(mesh: dd.Mesh) -> Surface:
    """Spread evenly over the mesh."""
    corners = mesh.vertices_m[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), np.finfo(float).tiny)
    samples = spread_over(mesh.vertices_m, mesh.faces, _POINTS)
    return Surface(samples.of(mesh.vertices_m, mesh.faces), normals[samples.face], mesh.diameter)


def add_s_mm(case: Case, pose: dd.Pose, points: np.ndarray) -> float:
    """Mean distance of true points to the nearest estimated ones, these ten times as many."""
    true = case.truth.apply(points[:: len(points) // _QUERIES])
    return 1e3 * float(cKDTree(pose.apply(points)).query(true)[0].mean())


# ---------------------------------------------------------------- the peers


class Worker:
    """The process of the peers.

    Args:
        python: its interpreter.
        folder: where arrays are handed over.
    """

    def __init__(self, python: Path, folder: Path) -> None:
        self._python, self._folder = python, folder
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = [str(python), "-P", str(WORKER), str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.about = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise SystemExit(f"error: {self._python} ended with {self._process.returncode}; its message is above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def hand_over(self, name: str, **arrays: Any) -> None:
        """Writes what a request names."""
        np.savez(self._folder / f"{name}.npz", **arrays)

    def ask(self, **request: str) -> dict[str, Any]:
        """Sends a request, and waits for the answer."""
        assert self._process.stdin is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def usable(about: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Which peers can run, and a line for each that cannot."""
    peers, lines = [], []
    for name, needed in about["needs"].items():
        wrong = [f"{package} ({about['missing'][package]})" for package in needed if package in about["missing"]]
        if wrong:
            lines.append(f"{PEERS[name]}: left out, for the environment of --python lacks {', '.join(wrong)}")
        else:
            peers.append(name)
    return peers, lines


def by_peer(worker: Worker, peer: str, model: str, new: bool) -> tuple[dd.Pose, float, float | None]:
    """Pose, seconds, and seconds of preparation if the object is new, of the scene that was handed over."""
    preparation = worker.ask(peer=peer, model=model)["cpu"] if new else None
    answer = worker.ask(peer=peer, model=model, scene="scene")
    return dd.Pose(answer["R"], answer["t"]), answer["cpu"], preparation


# ---------------------------------------------------------------- ours


def timed(refiner: dd.Refiner, case: Case, images: tuple[str, ...]) -> tuple[dd.Pose, float]:
    """Pose and seconds; a fresh observation, of which nothing is known yet."""
    observation = dd.Observation(case.observation.camera, **{name: getattr(case.observation, name) for name in images})
    began = time.process_time()
    pose = refiner.locate(observation).pose
    return pose, time.process_time() - began


def first_of(case: Case, images: tuple[str, ...]) -> tuple[dd.Refiner, float]:
    """A refiner of a mesh that is new, and seconds until its first result."""
    mesh = dd.Mesh.load(case.mesh_path, unit="mm")
    began = time.process_time()
    refiner = dd.Refiner(mesh, threads=1)
    made = time.process_time() - began
    return refiner, made + timed(refiner, case, images)[1]


# ---------------------------------------------------------------- the table


def measured(row: str, worker: Worker, peers: list[str], every: int) -> Iterator[tuple[str, Line]]:
    """Every method on every n-th case of a row, in turn."""
    refiners: dict[tuple[str, Path], dd.Refiner] = {}
    surfaces: dict[Path, Surface] = {}
    for case in list(ROWS[row][0].cases("10"))[::every]:
        new = case.mesh_path not in surfaces
        model = f"model-{case.mesh_path.stem}"
        if new:
            surfaces[case.mesh_path] = surface(load_mesh(case.mesh_path))
            worker.hand_over(model, **surfaces[case.mesh_path]._asdict())
        seen = case.observation
        assert seen.depth is not None and seen.mask is not None
        worker.hand_over("scene", points=seen.camera.back_project(seen.depth)[(seen.mask > 0) & (seen.depth > 0)])
        found: dict[str, tuple[dd.Pose, float, float | None]] = {}
        for method, images in OURS.items():
            key, first = (method, case.mesh_path), None
            if new:
                refiners[key], first = first_of(case, images)
            pose, seconds = timed(refiners[key], case, images)
            found[method] = pose, seconds, None if first is None else first - seconds
        for peer in peers:
            found[PEERS[peer]] = by_peer(worker, peer, model, new)
        for method, (pose, seconds, preparation) in found.items():
            add, of_vertices = errors_mm(case, pose)
            on_surface = add_s_mm(case, pose, surfaces[case.mesh_path].points)
            yield case.name, Line(method, add, on_surface, of_vertices, 1e3 * seconds, preparation)


def rows(name: str, lines: list[Line]) -> list[list[str]]:
    """Of the table, one for each method."""
    return [
        summary(name, method, [line for line in lines if line.method == method])
        for method in dict.fromkeys(line.method for line in lines)
    ]


def summary(name: str, method: str, lines: list[Line]) -> list[str]:
    """Cells of a row."""
    shares = [
        f"{100 * np.mean(np.array([getattr(line, error) for line in lines]) < LIMIT_MM):.0f} %"
        for error in ("add", "add_s", "add_s_vertices")
    ]
    first = [line.preparation for line in lines if line.preparation is not None]
    preparation = f"{np.median(first):.2f}, at most {max(first):.2f}"
    return [name, method, f"{len(lines)}", *shares, f"{np.median([line.ms for line in lines]):.0f}", preparation]


def parsed(argv: list[str] | None) -> argparse.Namespace:
    """What the user wants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, required=True, help="interpreter or environment of the peers")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS), metavar="NAME", help="of the sets")
    parser.add_argument("--every", type=int, default=1, help="take every n-th case")
    parser.add_argument("--list", action="store_true", help="print each case as it comes")
    options = parser.parse_args(argv)
    if options.every < 1:
        parser.error(f"--every: expected at least 1, got {options.every}")
    return options


def main(argv: list[str] | None = None) -> int:
    """Prints a table in Markdown."""
    options = parsed(argv)
    python = interpreter(options.python)
    if not DATA.is_dir():
        print(f"the shared data are not at {DATA.name}: nothing to measure", file=sys.stderr)
        return 1
    cells = []
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(python, Path(folder))
        try:
            peers, left_out = usable(worker.about)
            print("\n".join([f"{processor()}; one thread; {worker.about['found']}", *left_out, ""]), flush=True)
            warm = next(iter(ROWS[SETS[options.sets[0]]][0].cases("10")))
            for images in OURS.values():  # loads the kernels
                first_of(warm, images)
            for name in options.sets:
                lines = []
                for case, line in measured(SETS[name], worker, peers, options.every):
                    lines.append(line)
                    if options.list:
                        print(
                            f"    {case:40s} {line.method:28s} ADD {line.add:.1f} ADD-S {line.add_s:.1f} mm", flush=True
                        )
                cells += rows(name, lines)
        finally:
            worker.close()
    table(HEAD, cells)
    return 0


if __name__ == "__main__":
    sys.exit(main())
