"""Keeps numba's on-disk cache honest.

Numba recompiles a function when its own file changes, not when a function it calls changes in another file: after an
edit or an upgrade, half of the compiled code would be old. So the cache is dropped when any kernel source changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import warnings
from functools import cache
from pathlib import Path
from types import FunctionType

_PACKAGE = Path(__file__).resolve().parent
FOLDERS = tuple(_PACKAGE / name for name in ("render/kernels", "terms", "problem", "solve", "estimate", "scene"))
_STAMP = "kernels.sha256"
_LOG = logging.getLogger(__name__)
_COMPILING = (
    "diffdope compiles kernels that no run has needed before: up to a minute, longer where the processor has other "
    "work; later runs load them"
)


def fingerprint(folders: tuple[Path, ...] = FOLDERS) -> str:
    """Hash of the names and contents of all kernel sources, and of how they are compiled."""
    digest = hashlib.sha256((_PACKAGE / "kernel_compiler.py").read_bytes())
    for folder in folders:
        for source in sorted(folder.glob("*.py")):
            digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def drop_stale(folders: tuple[Path, ...] = FOLDERS) -> bool:
    """Removes compiled kernels of other sources; returns whether there were any. Read-only folders are left alone."""
    current = fingerprint(folders)
    stale = False
    for folder in folders:
        cache = folder / "__pycache__"
        stamp = cache / _STAMP
        with contextlib.suppress(OSError):
            if stamp.exists() and stamp.read_text() == current:
                continue
            for compiled in [*cache.glob("*.nbi"), *cache.glob("*.nbc")]:
                compiled.unlink()
                stale = True
            cache.mkdir(exist_ok=True)
            stamp.write_text(current)
    return stale


@cache
def keeps_compiled() -> bool:
    """Whether numba finds a folder for compiled code that can be written: beside the sources, or the user's.

    Where there is none it would refuse to define a kernel that is to be kept.
    """
    from numba.core.caching import FunctionCache

    try:
        for folder in FOLDERS:
            code = fingerprint.__code__.replace(co_filename=str(folder / "__init__.py"))
            FunctionCache(FunctionType(code, {}, "kernel"))
    except RuntimeError:
        text = "diffdope finds no folder to keep compiled kernels in, so every process compiles them, which takes long"
        warnings.warn(f"{text}; NUMBA_CACHE_DIR can name one", RuntimeWarning, stacklevel=2)
        return False
    return True


@cache
def say_compiling() -> None:
    """Says, once a process, that kernels are being compiled, because nothing else comes of it for a minute.

    A record of the package's logger, of the level that Python shows on stderr where a program has set up no logging: in
    a terminal, and below a cell. `logging.getLogger("diffdope").setLevel(logging.ERROR)` silences it.
    """
    if KEPT:  # or a warning has said that every process compiles
        _LOG.warning(_COMPILING)


drop_stale()  # here, because every kernel module imports this one before it can load compiled code
KEPT = keeps_compiled()
