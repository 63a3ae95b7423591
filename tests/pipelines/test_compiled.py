"""The processes that compile and those that load must not be mixed; and it works where nothing can be kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from diffdope.pipelines.kernel_shares import most_shares, seconds_of, shares

CODE = """
import sys
from diffdope.pipelines.compiled import compile_apart
from diffdope.pipelines.refiner import refine
from diffdope.pipelines.settings import preset
from diffdope.scene.packaged import packaged_example
print(compile_apart(preset({preset!r})))
mesh, observation, start, _ = packaged_example()
print(refine(mesh, observation, start, preset={preset!r}, threads=1).pose.t_m2c.tobytes().hex())
from numba.core.dispatcher import Dispatcher
modules = [vars(module) for name, module in list(sys.modules.items()) if name.startswith("diffdope.")]
kernels = {{id(value): value for names in modules for value in names.values() if isinstance(value, Dispatcher)}}
print(sorted(k.py_func.__name__ for k in kernels.values() if sum(k.stats.cache_misses.values())))
"""


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_this_process_loads_what_others_compiled(preset: str, tmp_path: Path) -> None:
    # Compiles all kernels anew, into a cache of the test's own; half a minute.
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CODE.format(preset=preset)]
    poses = set()
    for expected in ("True", "False"):  # the second process finds it done
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        started, pose, missed = run.stdout.split("\n")[:3]
        assert (started, missed) == (expected, "[]"), run.stderr
        poses.add(pose)
    assert len(poses) == 1


@pytest.mark.parametrize("count", [1, 2, 3, 16])
def test_shares_are_everything_once_and_none_much_longer_than_needed(count: int) -> None:
    seconds = seconds_of(edges=True, solver="newton")
    divided = shares(seconds, count)
    assert sorted(name for names in divided for name in names) == sorted(seconds)
    longest = max(sum(seconds[name] for name in names) for names in divided)
    best = max(sum(seconds.values()) / count, max(seconds.values()))
    assert longest <= 4 / 3 * best  # Graham's bound
    assert most_shares(edges=True, solver="newton") <= len(seconds)
