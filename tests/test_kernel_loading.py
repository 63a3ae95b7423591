"""Kernels that are loaded from disk: without getting ready to compile, and still a part of what is compiled later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba.core.dispatcher import Dispatcher

from diffdope.kernel_cache import FOLDERS, KEPT
from diffdope.kernel_loading import KernelCache

KERNELS = """
import json, sys
import numpy as np
from numba.core.cpu import CPUContext
from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit

@njit(**EXACT_INNER)
def square(x):
    return x * x

@njit(**EXACT_ENTRY)
def sum_of(values):
    total = 0.0
    for k in range(values.size):
        total += square(values[k])
    return total

@njit(**{**EXACT_ENTRY, "cache": False})
def twice(values):
    return sum_of(values) + sum_of(values)

ready, prepare = [], CPUContext.refresh
CPUContext.refresh = lambda self: (ready.append(self), prepare(self))
values = np.arange(9.0)
found = {"sum": sum_of(values), "ready": len(ready), "linalg": "numba.np.linalg" in sys.modules}
found["bits"] = sum_of.overloads[sum_of.signatures[0]].library._shared_module is not None
found |= {"hits": sum(sum_of.stats.cache_hits.values()), "twice": twice(values)}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two processes say, of which the second finds what the first has compiled."""
    folder = tmp_path_factory.mktemp("kernels")
    (folder / "kernels.py").write_text(KERNELS)
    # The library's own kernels are not compiled here, but its folders would be stamped: they are kept elsewhere.
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "kept"), "PYTHONPATH": os.pathsep.join(sys.path)}
    said = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(folder / "kernels.py")], env=environment, check=True, capture_output=True, text=True
        )
        said.append(json.loads(done.stdout))
    return said


def test_the_second_process_loads_what_the_first_has_compiled(runs: list[dict[str, Any]]) -> None:
    assert [run["hits"] for run in runs] == [0, 1]
    assert [run["sum"] for run in runs] == [204.0, 204.0]


def test_to_load_a_kernel_numba_does_not_get_ready_to_compile(runs: list[dict[str, Any]]) -> None:
    assert runs[0]["ready"] > 0
    assert runs[1]["ready"] == 0 and not runs[1]["linalg"]


def test_what_is_compiled_later_takes_in_what_was_loaded(runs: list[dict[str, Any]]) -> None:
    assert not runs[1]["bits"]  # parsed for that caller alone
    assert [run["twice"] for run in runs] == [408.0, 408.0]


def test_every_kernel_that_is_kept_is_loaded_so() -> None:
    entries = [one for one in _kernels() if not one.targetoptions.get("no_cpython_wrapper")]
    assert len(entries) > 30 and KEPT
    assert {one.py_func.__qualname__ for one in entries if type(one._cache) is not KernelCache} == set()


def _kernels() -> list[Dispatcher]:
    import importlib

    package = FOLDERS[0].parents[1]
    found: dict[int, Dispatcher] = {}
    for source in (source for folder in FOLDERS for source in sorted(Path(folder).glob("*.py"))):
        parts = source.relative_to(package).with_suffix("").parts
        module = importlib.import_module(".".join(["diffdope", *parts]))
        found |= {id(value): value for value in vars(module).values() if isinstance(value, Dispatcher)}
    return list(found.values())
