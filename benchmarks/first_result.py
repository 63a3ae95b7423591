"""Time to the first result of a fresh process, with and without compiled kernels on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

CHILD = """
import json, time
began = time.perf_counter()
import diffdope as dd
imported = time.perf_counter()
from diffdope.scene.packaged import packaged_example
mesh, observation, start, _ = packaged_example()
loaded = time.perf_counter()
refiner = dd.Refiner(mesh)
refiner.refine(observation, start)
first = time.perf_counter()
refiner.refine(observation, start)
second = time.perf_counter()
print(json.dumps([imported - began, loaded - imported, first - loaded, second - first]))
"""


def run_child(cache: str) -> list[float]:
    """[import, read the example, first refinement, second refinement, the whole process], seconds."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "NUMBA_CACHE_DIR": cache},
    )  # fmt: skip
    return [*json.loads(done.stdout), time.perf_counter() - began]


def first_result() -> tuple[list[str], list[list[str]]]:
    """Prints a title and returns a table."""
    with tempfile.TemporaryDirectory() as cache:
        cold, cached = run_child(cache), run_child(cache)
    print("## Time to the first result (packaged example, preset `default`), seconds\n")
    names = [
        "import diffdope", "read the example", "first refinement", "second refinement", "whole process, both",
    ]  # fmt: skip
    rows = [[name, f"{a:.2f}", f"{b:.2f}"] for name, a, b in zip(names, cold, cached, strict=True)]
    return ["", "kernels compiled", "kernels cached"], rows
