"""Large photographs against a small one of the same scene: `python -m benchmarks.photographs`. Prints a markdown table.

The packaged carton fills half of each picture. Timed is what a user does with a new photograph: `Observation` and one
refinement with the `default` preset, one thread, by a `Refiner` that is kept; means over start poses 10 degrees and
4 mm off, of the medians of several runs. The sizes take turns, so that a machine that is busy for a while slows all of
them. After some starts a wider search is made, at one size or another: compared are those after which all sizes try
equally many hypotheses. Memory is measured in a process of its own, which loads images and kernels and then makes one
observation and refines it once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.memory import forget_peak, resident_mib
from diffdope.geometry.camera import Camera
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example

TINY, SMALL, LARGE, HUGE = (64, 48), (640, 480), (4000, 3000), (8000, 6000)
KINDS = {"RGB-D + mask": ("rgb", "depth", "mask"), "RGB + mask": ("rgb", "mask"), "RGB-D": ("rgb", "depth")}
_FILLED = 0.5  # of the picture by the object
_WALL_M = 0.3  # behind the object
_DEPTH_SCALE = 1e-4  # metres per unit of the depth images
_BAND = 256  # rows that are drawn at a time: drawing the whole of a large picture would take gigabytes
_FOUND_MM = 5.0  # a refinement that ends farther off is no use, however fast


class Case(NamedTuple):
    """A picture as a camera's driver or a file gives it."""

    mesh: Mesh
    camera: Camera
    truth: Pose
    images: dict[str, NDArray[Any]]

    def observe(self, names: tuple[str, ...]) -> Observation:
        """What the library is given."""
        scale = _DEPTH_SCALE if "depth" in names else None
        return Observation(self.camera, **{name: self.images[name] for name in names}, depth_scale=scale)

    def off_mm(self, result: RefinementResult) -> float:
        """Of the vertices, the one that is farthest from its true place."""
        found, true = result.pose.apply(self.mesh.vertices_m), self.truth.apply(self.mesh.vertices_m)
        return 1e3 * float(np.linalg.norm(found - true, axis=1).max())


def filling_camera(mesh: Mesh, truth: Pose, size: tuple[int, int]) -> Camera:
    """Looks at the object's middle, at such a focal length that the object fills the wanted share."""
    width, height = 320, 240
    x, y, z = truth.apply(mesh.center_m)
    focal = float(width)
    for _ in range(4):
        cx, cy = (width - 1) / 2 - focal * x / z, (height - 1) / 2 - focal * y / z
        camera = Camera(focal, focal, cx, cy, width, height)
        coverage = Renderer(mesh, camera, threads=1).render(truth.R_m2c, truth.t_m2c).coverage
        focal *= float(np.sqrt(_FILLED / coverage.mean()))
    return camera.resize(*size)


def make_case(size: tuple[int, int]) -> Case:
    """Draws the object before a wall, with noise, band by band."""
    example = packaged_example()
    mesh, truth = example.mesh, example.truth
    camera = filling_camera(mesh, truth, size)
    width, height = size
    rgb = np.empty((height, width, 3), np.uint8)
    depth, mask = np.empty((height, width), np.uint16), np.empty((height, width), np.uint8)
    rng = np.random.default_rng(3)
    wall_m = float(truth.t_m2c[2]) + _WALL_M
    for top in range(0, height, _BAND):
        rows = slice(top, min(top + _BAND, height))
        part = camera.crop(0, top, width, rows.stop - top)
        drawn = Renderer(mesh, part, threads=1).render(truth.R_m2c, truth.t_m2c)
        coverage = drawn.coverage[0].clip(0.0, 1.0)
        noise = rng.normal(0.0, 0.02, (*coverage.shape, 3)).astype(np.float32)
        colors = drawn.rgb[0] + np.float32(0.4) * (1.0 - coverage)[..., None] + noise
        rgb[rows] = (255.0 * colors.clip(0.0, 1.0)).round()
        depth_m = np.where(coverage > 0.5, drawn.depth[0], np.float32(wall_m)) + np.float32(0.05) * noise[..., 0]
        depth[rows] = (depth_m / _DEPTH_SCALE).round()
        mask[rows] = np.where(coverage > 0.5, 255, 0)
    return Case(mesh, camera, truth, {"rgb": rgb, "depth": depth, "mask": mask})


def make_starts(truth: Pose, count: int) -> list[Pose]:
    """10 degrees and 4 mm off."""
    rng = np.random.default_rng(4)
    return [perturb(truth, angle_rad=np.radians(10.0), distance_m=0.004, rng=rng) for _ in range(count)]


class Found(NamedTuple):
    """Milliseconds of the process, and how far off the poses are at most."""

    observe: float
    refine: float
    off_mm: float
    starts: int

    @property
    def both(self) -> float:
        """Milliseconds of a photograph."""
        return self.observe + self.refine


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Result, and milliseconds of the process: on a busy machine they say more than those of a clock."""
    began = time.process_time()
    result = work()
    return result, 1e3 * (time.process_time() - began)


def measure(cases: list[Case], names: tuple[str, ...], starts: list[Pose], runs: int) -> list[Found]:
    """Of each case; the cases take turns."""
    refiner = Refiner(cases[0].mesh, threads=1)
    figures = np.empty((len(cases), len(starts), runs + 1, 3))
    tried = np.empty(figures.shape[:2], int)
    for run in range(runs + 1):
        for s, start in enumerate(starts):
            for c, case in enumerate(cases):
                seen, observe = timed(partial(case.observe, names))
                result, refine = timed(partial(refiner.refine, seen, start))
                figures[c, s, run] = observe, refine, case.off_mm(result)
                tried[c, s] = np.isfinite(result.history.costs).any(axis=0).sum()
    if figures[..., 2].max() > _FOUND_MM:
        raise RuntimeError(f"a vertex is {figures[..., 2].max():.1f} mm off: there is nothing to compare")
    alike = (tried == tried[0]).all(axis=0)
    if not alike.any():
        raise RuntimeError(f"hypotheses tried: {tried.tolist()}, nowhere as many at all sizes; give more --starts")
    medians = np.median(figures[:, alike, 1:], axis=2)  # without the first run, which warms up
    return [Found(*each[:, :2].mean(axis=0), each[:, 2].max(), int(alike.sum())) for each in medians]


def peak_in_child(case: Case, names: tuple[str, ...]) -> float:
    """MiB of a fresh process, at most, for an observation and a refinement beyond the images that it was given."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            np.save(Path(folder) / name, case.images[name])
        command = [sys.executable, "-m", "benchmarks.photographs", "--peak", folder, *names]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def peak_here(folder: Path, names: tuple[str, ...]) -> float:
    """The same, of this process; images are in a folder."""
    tiny = make_case(TINY)
    refiner = Refiner(tiny.mesh, threads=1)
    start = make_starts(tiny.truth, 1)[0]
    refiner.refine(tiny.observe(names), start)  # kernels, imports
    images = {name: np.load(folder / f"{name}.npy") for name in names}
    height, width = images[names[0]].shape[:2]
    case = Case(tiny.mesh, filling_camera(tiny.mesh, tiny.truth, (width, height)), tiny.truth, images)
    before = resident_mib(peak=False)
    forget_peak()
    refiner.refine(case.observe(names), start)
    return resident_mib(peak=True) - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each size, kind and start")
    parser.add_argument("--starts", type=int, default=12)
    parser.add_argument("--huge", action="store_true", help="48 megapixels, too")
    parser.add_argument("--peak", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        print(peak_here(Path(given.peak[0]), tuple(given.peak[1:])))
        return
    sizes = [SMALL, LARGE, *([HUGE] if given.huge else [])]
    cases = [make_case(size) for size in sizes]
    starts = make_starts(cases[0].truth, given.starts)
    head = ["images", "size", "Observation [ms]", "refine [ms]", "ratio", "starts", "worst vertex [mm]", "peak [MiB]"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for kind, names in KINDS.items():
        found = measure(cases, names, starts, given.runs)
        for case, each in zip(cases, found, strict=True):
            size, ratio = f"{case.camera.width} x {case.camera.height}", each.both / found[0].both
            figures = f"{each.observe:.1f} | {each.refine:.1f} | {ratio:.2f} | {each.starts} | {each.off_mm:.2f}"
            print(f"| {kind} | {size} | {figures} | {peak_in_child(case, names):.0f} |", flush=True)


if __name__ == "__main__":
    main()
