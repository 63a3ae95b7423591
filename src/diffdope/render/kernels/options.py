"""Compilation options shared by every kernel."""

from typing import Any

import diffdope.render.kernels.forks  # noqa: F401
from diffdope.kernel_cache import KEPT

# fastmath lets LLVM keep sums in vector registers; inputs are finite because they were checked at the door.
# No kernel is called through a C function pointer, and only entries from Python: wrappers nobody needs would double
# the time to compile. They allocate nothing, so nothing needs to be counted: without reference counts there is half as
# much code.
ENTRY: dict[str, Any] = {
    "nogil": True,
    "fastmath": True,
    "error_model": "numpy",
    "cache": KEPT,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
KERNEL: dict[str, Any] = {**ENTRY, "no_cpython_wrapper": True, "cache": False}
# What entries call by address (calls.py) is kept on disk as they are; they contain all other kernels that they call.
CALLED: dict[str, Any] = {**KERNEL, "cache": KEPT}
# Scalar functions must disappear into the loops that call them, else LLVM cannot vectorise those loops.
SCALAR: dict[str, Any] = {**KERNEL, "forceinline": True}
# Stages only call other kernels. Compiled on their own they would take all of those through LLVM once more for each
# level of calls; inlined into the entry, once.
STAGE: dict[str, Any] = {**KERNEL, "inline": "always"}
