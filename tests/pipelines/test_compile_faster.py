"""A process that only compiles does so faster, and its kernels compute the same to the bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import sys
import numpy as np
from numba import njit
from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.pipelines.compilation.compile_faster import compile_faster

@njit(**EXACT_INNER)
def sum_row(row, weights):
    total = 0.0
    for k in range(len(row)):
        total += row[k] * weights[k if k < weights.size else -1]
    return total

@njit(**{**EXACT_ENTRY, "fastmath": True})
def kernel(pair, columns, flags, out):
    image, weights = pair
    for i in range(image.shape[0]):
        row = image[i] if flags[i] else columns[:, i]
        last = out[i, 1:]
        last[-1] = row[2]
        out[i, 0] += sum_row(row, weights[2:]) + image[i, -1]
    return out.reshape(-1)[0]

if sys.argv[1] == "faster":
    compile_faster()
images = np.arange(12.0).reshape(3, 4), np.arange(5.0, dtype=np.float32)
out = np.zeros((3, 4))
print(kernel(images, np.asfortranarray(np.ones((4, 3))), np.array([True, False, True]), out))
print(out.tolist())
"""


def test_kernels_compute_the_same(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(CODE)
    said = []
    for how in ("as numba does", "faster"):
        # Not at the same place in the cache: the second would load what the first compiled.
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / how), "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, str(tmp_path / "kernel.py"), how]
        said.append(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert said[0] == said[1]
