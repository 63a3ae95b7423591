"""Compiles the kernels in processes of their own, different ones at the same time; all others load the machine code.

Sums differ in their last bits between the process that compiled a kernel and those that load it from the cache,
probably because calls between kernels resolve to copies that were optimised apart. A run that promises equal bytes,
whoever does the work, must not mix the two. It also spares many workers from compiling the same at once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from diffdope.pipelines.compilation.kernel_shares import most_shares

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from diffdope.pipelines.settings import Preset, Solver

_CODE = (
    "from diffdope.pipelines.compilation.kernel_shares import compile_share; "
    "compile_share({!r}, {!r}, edges={}, solver={!r})"
)
_LONGEST_S = 900.0  # a minute on a machine of 2020; what takes longer than this hangs
_EVERY_S = 30.0  # between the lines that say that it goes on
_LOG = logging.getLogger(__name__)


def compile_apart(preset: Preset) -> bool:
    """Makes sure that what a refinement needs is in numba's cache, before this process compiles it itself.

    Does nothing where that has been done since the last change of the sources, and where the cache cannot be written.
    Call it before the first refinement of a process; after that it is too late for this process, but does no harm.

    Args:
        preset: says whether normal matrices and the edge modality's kernels are needed.

    Returns:
        Whether other processes were started for it, by the first call of this process.
    """
    return _compile_apart(preset.objective.edge_weight > 0.0, preset.solver)


def compile_before(preset: Preset) -> None:
    """`compile_apart`, if this process is one that may start others without being asked."""
    if _may_start_processes():
        compile_apart(preset)


@cache
def _may_start_processes() -> bool:
    """Not from applications that brought their own interpreter, nor from workers, of which there may be many."""
    import multiprocessing

    if getattr(sys, "frozen", False) or multiprocessing.current_process().daemon:
        return False
    return "PYTEST_XDIST_WORKER" not in os.environ and Path(sys.executable or "none").stem.startswith("python")


@cache
def _compile_apart(edges: bool, solver: Solver) -> bool:
    from filelock import FileLock

    from diffdope.kernel_cache import keeps_compiled, say_compiling

    if not keeps_compiled():
        return False
    with suppress(OSError):
        mark = _mark(edges, solver)
        if mark.exists():
            return False
        mark.parent.mkdir(parents=True, exist_ok=True)
        with _held(FileLock(mark.with_suffix(".lock"))):  # its timeout is an OSError
            if mark.exists():  # another process did it meanwhile
                return False
            say_compiling()
            if problem := _compile_in_shares(edges, solver):
                text = f"kernels could not be compiled in processes of their own, so this one does it: {problem}"
                warnings.warn(text, RuntimeWarning, stacklevel=2)
            else:
                mark.touch()
            return True
    return False


def _compile_in_shares(edges: bool, solver: Solver) -> str:
    """Compiles everything in as many processes as there are cores; returns what went wrong, or nothing."""
    from diffdope.render.pool import available_cores

    count, end = min(available_cores(), most_shares(edges=edges, solver=solver)), time.monotonic() + _LONGEST_S
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    started: list[subprocess.Popen[str]] = []
    try:
        for number in range(count):
            command = [sys.executable, "-c", _CODE.format(number, count, edges, solver)]
            started.append(
                subprocess.Popen(
                    command,
                    env=environment,
                    text=True,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                )
            )
        for process in started:
            said = _errors_of(process, end).strip()
            if process.returncode != 0:
                return said.splitlines()[-1] if said else f"one ended with {process.returncode}"
    except subprocess.TimeoutExpired:
        return f"they took longer than {_LONGEST_S:.0f} s"
    except OSError as error:
        return f"none could be started: {error}"
    finally:
        for process in started:
            if process.poll() is None:  # after an error, or a KeyboardInterrupt
                process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()
    return ""


def _errors_of(process: subprocess.Popen[str], end: float) -> str:
    """What a process wrote to stderr until it ended; now and then a line says that it is waited for.

    Raises:
        subprocess.TimeoutExpired: if it has not ended by a time of the monotonic clock.
    """
    while True:
        try:
            return process.communicate(timeout=max(0.0, min(_EVERY_S, end - time.monotonic())))[1]
        except subprocess.TimeoutExpired:
            if time.monotonic() >= end:
                raise
            _LOG.warning("diffdope still compiles kernels, %.0f s after it began", time.monotonic() - end + _LONGEST_S)


@contextmanager
def _held(lock: BaseFileLock) -> Iterator[None]:
    """Holds a lock; now and then, a line says that another process has it.

    Raises:
        OSError: if that has it for twice as long as compiling may take, or the file cannot be written.
    """
    from filelock import Timeout

    end = time.monotonic() + 2 * _LONGEST_S
    while True:
        try:
            lock.acquire(timeout=_EVERY_S)
            break
        except Timeout:
            if time.monotonic() >= end:
                raise
            _LOG.warning("diffdope waits for another process, which compiles kernels")
    try:
        yield
    finally:
        lock.release()


def _mark(edges: bool, solver: Solver) -> Path:
    """The file that says that it was done, for these sources, this compiler and this processor."""
    import llvmlite.binding as llvm
    import numba

    from diffdope.kernel_cache import fingerprint, kernel_sources
    from diffdope.problem.evaluate import evaluate_queue

    digest = hashlib.sha256(fingerprint().encode())
    digest.update(f"{numba.__version__} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}".encode())
    # Numba's cache goes by the time of the sources too.
    digest.update(repr([os.stat(path).st_mtime_ns for path in kernel_sources()]).encode())
    name = f"compiled-{digest.hexdigest()[:16]}-{solver}{'-edges' if edges else ''}"
    return Path(evaluate_queue._cache.cache_path) / name
