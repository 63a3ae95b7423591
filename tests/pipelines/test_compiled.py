"""The process that compiles and those that load must not be mixed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import numpy as np
from diffdope.problem.evaluate import evaluate_queue
from diffdope.pipelines.compiled import compile_apart, compile_here
from diffdope.pipelines.settings import Preset
from diffdope.render.kernels.images import render_pose
print(compile_apart(Preset(solver="newton")))
compile_here(edges=False, solver="newton")
print(sum(evaluate_queue.stats.cache_misses.values()) + sum(render_pose.stats.cache_misses.values()))
"""


def test_this_process_loads_what_another_one_compiled(tmp_path: Path) -> None:
    # Compiles all kernels anew, into a cache of the test's own; half a minute.
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    for expected in ("True", "False"):  # the second process finds it done
        run = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
        assert run.stdout.split() == [expected, "0"]
