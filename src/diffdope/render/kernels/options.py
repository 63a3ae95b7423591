"""Compilation options shared by every kernel."""

from typing import Any

import diffdope.render.kernels.forks  # noqa: F401
from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER, Small

# fastmath lets LLVM keep sums in vector registers; inputs are finite because they were checked at the door.
# No kernel is called through a C function pointer, and only entries from Python: wrappers nobody needs would double
# the time to compile. They allocate nothing, so nothing needs to be counted: without reference counts there is half as
# much code.
ENTRY: dict[str, Any] = {**EXACT_ENTRY, "fastmath": True}
KERNEL: dict[str, Any] = {**EXACT_INNER, "fastmath": True}
# What entries call by address (calls.py) is kept on disk as they are; they contain all other kernels that they call.
CALLED: dict[str, Any] = {**ENTRY, "no_cpython_wrapper": True}
# Scalar functions must disappear into the loops that call them, else LLVM cannot vectorise those loops.
SCALAR: dict[str, Any] = {**KERNEL, "forceinline": True}
# Functions that a call runs a few times over a few numbers: vectorised, they would be most of the code.
SMALL: dict[str, Any] = {**KERNEL, "pipeline_class": Small}
