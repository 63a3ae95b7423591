"""Seconds of each metric for 1,000 poses of a model of 5,500 points: `python -m benchmarks.metrics`."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.ball import bumpy_ball
from diffdope.bop.metrics import (
    ModelPoints,
    PosePairs,
    add_errors,
    add_s_errors,
    mspd_errors,
    mssd_errors,
    rotation_translation_errors,
)
from diffdope.bop.metrics.benchmarks import bop19, mspd_scale
from diffdope.bop.metrics.matching import pair_up
from diffdope.bop.metrics.vsd_depth import HardDepth, vsd_of_poses
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.symmetry import Symmetries

POSES, TRIANGLES = 1_000, 10_000
LEVELS = {"1 deg / 1 mm": (1.0, 1e-3), "10 deg / 4 mm": (10.0, 4e-3), "40 deg / 16 mm": (40.0, 16e-3)}


def poses(angle_deg: float, length_m: float) -> PosePairs:
    """True poses at 0.7 m, and estimates off by just that angle and length."""
    rng = np.random.default_rng(0)

    def directions() -> np.ndarray:
        vectors = rng.normal(size=(POSES, 3))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    R = so3.exp(directions() * np.pi * rng.uniform(size=(POSES, 1)))
    t = np.array([0.0, 0.0, 0.7]) + rng.uniform(-0.1, 0.1, (POSES, 3))
    return PosePairs(so3.exp(directions() * np.radians(angle_deg)) @ R, t + directions() * length_m, R, t)


def seconds(work: Callable[[PosePairs], object], pairs: PosePairs) -> float:
    """Of one call, after a small one that builds trees and compiles kernels."""
    work(pairs[:5])
    start = time.perf_counter()
    work(pairs)
    return time.perf_counter() - start


def cases() -> dict[str, Callable[[PosePairs], object]]:
    """What is timed, by name."""
    mesh = bumpy_ball(TRIANGLES)
    points, camera = ModelPoints(mesh.vertices_m), Camera(1400.0, 1400.0, 639.5, 479.5, 1280, 960)
    axis = Symmetries.from_bop({"symmetries_continuous": [{"axis": [0, 0, 1], "offset": [0, 0, 0]}]})
    depth, observed, diameter = HardDepth(mesh), np.zeros((camera.height, camera.width)), mesh.diameter
    found: dict[str, Callable[[PosePairs], object]] = {
        "ADD": lambda pairs: add_errors(pairs, points),
        "ADD-S, 1 thread": lambda pairs: add_s_errors(pairs, points),
        "ADD-S, 2 threads": lambda pairs: add_s_errors(pairs, points, threads=2),
        "VSD, drawing included, 1 thread": lambda pairs: vsd_of_poses(pairs, depth, observed, camera, diameter),
    }
    for name, symmetries in (("1 symmetry", Symmetries.none()), (f"{len(axis)} symmetries", axis)):
        found |= {
            f"rotation and translation, {name}": lambda pairs, s=symmetries: rotation_translation_errors(pairs, s),
            f"MSSD, {name}": lambda pairs, s=symmetries: mssd_errors(pairs, points, s),
            f"MSPD, {name}": lambda pairs, s=symmetries: mspd_errors(pairs, points, s, camera.K),
        }
    return found


def matching() -> float:
    """Seconds to match 10,000 estimates of 2,000 images, some of repeated objects, at all 120 thresholds of BOP19."""
    rng = np.random.default_rng(0)
    keys = np.stack([np.repeat(np.arange(2_000), 5), np.zeros(10_000), np.tile([1, 1, 2, 3, 3], 2_000)], axis=1)
    pairing = pair_up(keys, rng.uniform(size=len(keys)), keys)
    mssd, mspd = rng.uniform(0, 0.6, len(pairing)), rng.uniform(0, 120, len(pairing)) * mspd_scale(1280)
    vsd = rng.uniform(size=(len(pairing), 10))
    start = time.perf_counter()
    bop19(pairing, mssd, mspd, vsd).average_recall()
    return time.perf_counter() - start


def main() -> None:
    """Prints a table in Markdown."""
    pairs = {level: poses(*error) for level, error in LEVELS.items()}
    works = cases()
    times = {level: {name: seconds(work, given) for name, work in works.items()} for level, given in pairs.items()}
    print(f"| seconds for {POSES} poses | {' | '.join(times)} |")
    print("|---" * (1 + len(times)) + "|")
    for name in next(iter(times.values())):
        print(f"| {name} | {' | '.join(f'{column[name]:.2f}' for column in times.values())} |")
    print(f"\nmatching 10,000 estimates at the 120 thresholds of BOP19: {matching():.2f} s")


if __name__ == "__main__":
    main()
