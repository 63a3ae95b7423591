"""What a refinement makes and drops is not asked of the system anew."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_CODE = """
import resource
import numpy as np
from diffdope.render.buffers import keep_what_is_dropped

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    every = [np.ones(320_000, np.float32) for _ in range(3)]
    del every
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
keep_what_is_dropped()
faults()
print(max(faults() for _ in range(3)))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc")
def test_memory_that_is_dropped_is_kept() -> None:
    told = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True, timeout=120)
    assert int(told.stdout) < 100, "of 900 pages"
