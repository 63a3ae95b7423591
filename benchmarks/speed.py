"""Speed, memory and time to the first result: `python -m benchmarks.speed`. Prints markdown tables.

The case of the passes: B poses within a few degrees of the truth, a square crop of which a textured bumpy ball covers
62 %, costs on rgb, depth and mask, one evaluation (cost and gradient, contours included). Medians;
run it on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.ball import ball_camera, bumpy_ball, observe, painted_ball, poses
from benchmarks.first_result import first_result
from benchmarks.memory import peak_memory
from benchmarks.report import processor, table
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import preset
from diffdope.problem.factor import ImageFactor
from diffdope.problem.problem import Problem
from diffdope.problem.responsibility import Responsibility
from diffdope.problem.variables import Variables
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.terms.registry import ObjectiveSettings

F64 = NDArray[np.float64]


class Case(NamedTuple):
    """One problem with poses to evaluate."""

    problem: Problem
    R_m2c: F64
    t_m2c: F64


def make_case(mesh: Mesh, *, b: int, pixels: int, threads: int, edge: bool = False, normal: bool = False) -> Case:
    """Everything allocated and compiled."""
    observation, gate = observe(mesh, ball_camera(mesh, pixels))
    settings = ObjectiveSettings(edge_weight=0.5 if edge else 0.0)
    weights = np.asarray(gate, np.float32)
    responsibility = Responsibility(weights, np.ones_like(weights), float(weights.sum()))
    buffers, length_m = Buffers(mesh, threads=threads), mesh.diameter
    factor = ImageFactor(buffers, observation, responsibility, settings, length_m=length_m, with_normal=normal)
    case = Case(Problem(Variables.one_object(length_m), [factor]), *poses(b))
    case.problem.evaluate(case.R_m2c, case.t_m2c)
    return case


def median_ms(work: Callable[[], object], runs: int) -> float:
    """Of `runs` calls, after one more."""
    work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times))


def pass_ms(case: Case, runs: int) -> float:
    """One pass over all poses of a case."""
    return median_ms(lambda: case.problem.evaluate(case.R_m2c, case.t_m2c), runs)


def over_threads(
    label: str, values: list[int], threads: list[int], make: Callable[[int, int], Case], runs: int
) -> None:
    """A table of one variable against threads."""
    rows = []
    for value in values:
        times = [f"{pass_ms(make(value, n), runs):.1f}" for n in threads]
        rows.append([f"{value}", *times])
    table([label, *(f"{n} thread{'s' * (n > 1)} [ms]" for n in threads)], rows)


def report_passes(threads: list[int], runs: int) -> None:
    """One pass against triangles, B and pixels, and what normal matrix and edges add."""
    balls = {n: bumpy_ball(n) for n in (2_000, 10_000, 50_000)}
    middle = balls[10_000]
    covered = observe(middle, ball_camera(middle, 160))[1].mean()
    print(f"## One pass (B = 32, 160 x 160, 10k triangles unless said; {covered:.0%} covered)\n")
    over_threads(
        "triangles", list(balls), threads,
        lambda n, k: make_case(balls[n], b=32, pixels=160, threads=k), runs,
    )  # fmt: skip
    over_threads("B", [1, 8, 32, 128], threads, lambda b, k: make_case(middle, b=b, pixels=160, threads=k), runs)
    over_threads(
        "pixels a side", [96, 160, 256], threads,
        lambda p, k: make_case(middle, b=32, pixels=p, threads=k), runs,
    )  # fmt: skip
    rows = []
    for name, edge, normal in (
        ("gradient", False, False),
        ("and normal matrix", False, True),
        ("gradient, with edges", True, False),
        ("and normal matrix, with edges", True, True),
    ):
        cases = [make_case(middle, b=32, pixels=160, threads=k, edge=edge, normal=normal) for k in threads]
        rows.append([name, *(f"{pass_ms(case, runs):.1f}" for case in cases)])
    table(["what", *(f"{n} thread{'s' * (n > 1)} [ms]" for n in threads)], rows)


def report_small(threads: list[int], runs: int) -> None:
    """Passes of a coarse-to-fine search: many poses of few pixels, few poses of a fine mesh."""
    holed = replace(bumpy_ball(14_000), faces=bumpy_ball(14_000).faces[1:])
    cases: list[tuple[str, Mesh, int, int]] = [
        ("500 painted", painted_ball(500), 128, 24), ("2k painted", painted_ball(2_000), 128, 24),
        ("500 painted", painted_ball(500), 64, 40), ("2k painted", painted_ball(2_000), 64, 40),
        ("4k textured", bumpy_ball(4_000), 4, 80), ("14k textured, not closed", holed, 4, 160),
        ("30k textured", bumpy_ball(30_000), 1, 160),
    ]  # fmt: skip
    rows = []
    for name, mesh, b, pixels in cases:
        made = [make_case(mesh, b=b, pixels=pixels, threads=n, normal=True) for n in threads]
        rows.append([name, f"{b}", f"{pixels}", *(f"{pass_ms(case, 5 * runs):.2f}" for case in made)])
    print("## Small passes, with normal matrix\n")
    table(["triangles", "B", "pixels a side", *(f"{n} thread{'s' * (n > 1)} [ms]" for n in threads)], rows)


def report_renderer(threads: list[int], runs: int) -> None:
    """The open entry: images out, and gradient images in."""
    mesh = bumpy_ball(10_000)
    R, t = poses(32)
    ones = np.ones((32, 160, 160), np.float32)
    rows: list[list[str]] = [["render"], ["backward"]]
    for n in threads:
        renderer = Renderer(mesh, ball_camera(mesh, 160), threads=n)
        rows[0].append(f"{median_ms(partial(renderer.render, R, t), runs):.1f}")
        rows[1].append(f"{median_ms(partial(renderer.backward, R, t, d_coverage=ones), runs):.1f}")
    print("## The open entry (B = 32, 160 x 160, 10k triangles)\n")
    table(["what", *(f"{n} thread{'s' * (n > 1)} [ms]" for n in threads)], rows)


def report_refinement(threads: list[int], runs: int) -> None:
    """Whole refinements of the packaged example by a warm refiner, from several starts."""
    from diffdope.geometry.perturb import perturb
    from diffdope.scene.packaged import packaged_example

    mesh, observation, _, truth = packaged_example()
    paper = preset("paper")
    # Without a stop before the last iteration, so that runs are alike.
    endless = replace(paper, descent=replace(paper.descent, patience=paper.descent.iterations + 1))
    rows = []
    for name, settings in (("paper", endless), ("default", preset("default")), ("fast", preset("fast"))):
        for angle_deg, distance_mm in ((1, 1), (10, 4), (40, 16)):
            row = [name, f"{angle_deg} deg / {distance_mm} mm"]
            rng = np.random.default_rng(0)
            starts = [
                perturb(truth, angle_rad=np.radians(angle_deg), distance_m=1e-3 * distance_mm, rng=rng)
                for _ in range(5)
            ]
            for n in threads:
                refiner = Refiner(mesh, preset=settings, threads=n)
                times = [
                    1e3 * refiner.refine(observation, start).elapsed_s for start in starts for _ in range(runs + 1)
                ]
                row.append(f"{np.median(times[1:]):.1f}")
            rows.append(row)
    print(f"## Presets on the packaged example, warm, five starts each ({len(mesh.faces)} triangles)\n")
    table(["preset", "start", *(f"{n} thread{'s' * (n > 1)} [ms]" for n in threads)], rows)


def main() -> None:
    """Prints all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", default="1,2", help="comma-separated")
    parser.add_argument("--runs", type=int, default=11, help="timed calls of each case")
    parser.add_argument("--only", choices=["passes", "small", "renderer", "refinement", "memory", "first"])
    arguments = parser.parse_args()
    threads = [int(n) for n in arguments.threads.split(",")]
    print(f"# Speed\n\n{processor()}, {os.cpu_count()} cores, ", end="")
    print(f"Python {platform.python_version()}, numpy {np.__version__}; medians of {arguments.runs} runs\n")
    parts: dict[str, Callable[[], None]] = {
        "passes": lambda: report_passes(threads, arguments.runs),
        "small": lambda: report_small(threads, arguments.runs),
        "renderer": lambda: report_renderer(threads, arguments.runs),
        "refinement": lambda: report_refinement(threads, max(3, arguments.runs // 3)),
        "memory": lambda: table(*peak_memory(threads[-1])),
        "first": lambda: table(*first_result()),
    }
    for name, part in parts.items():
        if arguments.only in (None, name):
            part()


if __name__ == "__main__":
    main()
