"""Peak memory of one refinement, in a process of its own: `python -m benchmarks.memory [threads]`."""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

TRIANGLES, HYPOTHESES, PIXELS = 50_000, 64, 256
_STATUS = Path("/proc/self/status")


def resident_mib(*, peak: bool) -> float:
    """Memory that this process holds, or has held at most, MiB.

    On Linux from /proc: ru_maxrss there starts at the size of the process that this one was forked from. Elsewhere
    only the peak is known.
    """
    if _STATUS.exists():
        key = "VmHWM:" if peak else "VmRSS:"
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(key))
        return int(line.split()[1]) / 1024.0
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (1024.0**2 if sys.platform == "darwin" else 1024.0)


def forget_peak() -> None:
    """Lets the peak start anew, where the system can; else it includes what came before."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def measure(threads: int) -> dict[str, float]:
    """Memory after import and kernels, after mesh and images, and the peak of a refinement (and crop pixels)."""
    from benchmarks.ball import DISTANCE_M, ball_camera, bumpy_ball, observe
    from diffdope.geometry.pose import Pose
    from diffdope.pipelines.refiner import Refiner
    from diffdope.pipelines.settings import CropSettings, Preset, preset

    start = Pose(np.eye(3), np.array([0.0, 0.0, DISTANCE_M])).retract([0.003] * 3 + [0.1] * 3)

    def settings(hypotheses: int, pixels: int) -> Preset:
        crop = CropSettings(size=pixels, margin=0.5)
        paper = preset("paper")
        return replace(paper, descent=replace(paper.descent, hypotheses=hypotheses), crop=crop)

    small = bumpy_ball(500)
    seen, _ = observe(small, ball_camera(small, 32))
    Refiner(small, preset=settings(1, 32), threads=threads).refine(seen, start)
    baseline = resident_mib(peak=False)
    mesh = bumpy_ball(TRIANGLES)
    seen, _ = observe(mesh, ball_camera(mesh, PIXELS))
    before = resident_mib(peak=False)
    forget_peak()
    result = Refiner(mesh, preset=settings(HYPOTHESES, PIXELS), threads=threads).refine(seen, start)
    assert result.window is not None
    peak = resident_mib(peak=True)
    return {"baseline": baseline, "before": before, "peak": peak, "side": max(result.window.size)}


def run_child(threads: int) -> dict[str, float]:
    """`measure` in a fresh process; the second of two, so that it loads kernels and compiles none."""
    command = [sys.executable, "-m", "benchmarks.memory", str(threads)]
    for _ in range(2):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def peak_memory(threads: int) -> tuple[list[str], list[list[str]]]:
    """Prints a title and returns a table."""
    found = run_child(threads)
    case = f"{TRIANGLES} triangles, B = {HYPOTHESES}, crop of {found['side']:.0f} pixels, {threads} threads"
    print(f"## Peak memory of one refinement ({case})\n")
    rows = [
        ["after import, kernels and a tiny refinement", f"{found['baseline']:.0f}"],
        ["and with mesh and images", f"{found['before']:.0f}"],
        ["peak during the refinement", f"{found['peak']:.0f}"],
        ["of which the refinement", f"{found['peak'] - found['before']:.0f}"],
        ["of which mesh, images and refinement", f"{found['peak'] - found['baseline']:.0f}"],
    ]
    return ["resident", "MiB"], rows


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2)))
