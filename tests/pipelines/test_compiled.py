"""The process that compiles and those that load must not be mixed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
from diffdope.pipelines.compiled import compile_apart, compile_here
from diffdope.pipelines.settings import Preset
from diffdope.problem.evaluate import evaluate_problem, evaluate_queue
from diffdope.problem.fused_pass import evaluate_pose
from diffdope.problem.linearise_kernel import linearise_pose
from diffdope.render.kernels.images import render_pose
from diffdope.solve.level_kernel import descend_queue
print(compile_apart(Preset(solver="newton")))
compile_here(edges=False, solver="newton")
kernels = evaluate_problem, evaluate_queue, evaluate_pose, linearise_pose, render_pose, descend_queue
print(all(kernel.overloads for kernel in kernels))
print(sum(sum(kernel.stats.cache_misses.values()) for kernel in kernels))
"""


def test_this_process_loads_what_another_one_compiled(tmp_path: Path) -> None:
    # Compiles all kernels anew, into a cache of the test's own; half a minute.
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    for expected in ("True", "False"):  # the second process finds it done
        run = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
        assert run.stdout.split() == [expected, "True", "0"]
