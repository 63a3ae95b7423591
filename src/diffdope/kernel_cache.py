"""Keeps numba's on-disk cache honest.

Numba recompiles a function when its own file changes, not when a function it calls changes in another file: after an
edit or an upgrade, half of the compiled code would be old. So the cache is dropped when any kernel source changed: a
module that holds kernels, one from which such a module takes something, for constants are a part of compiled code, or
one that says in which order the fields of what kernels are given lie (`layout.py`). What else is in the folders
(settings, facades, texts of errors) is none of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import warnings
from functools import cache
from pathlib import Path
from types import FunctionType

_PACKAGE = Path(__file__).resolve().parent
FOLDERS = tuple(_PACKAGE / name for name in ("render/kernels", "terms", "problem", "solve", "estimate", "scene"))
_COMPILER = (
    "kernel_compiler", "kernel_lowering", "kernel_values", "kernel_wrappers", "pipelines/compilation/compile_faster",
)  # fmt: skip
_STAMP = "kernels.sha256"
_LOG = logging.getLogger(__name__)
_COMPILING = (
    "diffdope compiles kernels that no run has needed before: up to a minute, longer where the processor has other "
    "work; later runs load them"
)
_KERNELS = b"\n@njit", b"\n@intrinsic"
_LAYOUT = "layout.py"
# To parse fifty files would take a tenth of a second of each start. Brackets hold names and comments.
_FROM = re.compile(rb"from diffdope\.([.\w]+) import (\((?:[^()#]|#[^\n]*)*\)|[^\n(]*)")
_WHOLE = re.compile(rb"import diffdope\.([.\w]+)")


def kernel_sources(folders: tuple[Path, ...] = FOLDERS, package: Path = _PACKAGE) -> dict[str, bytes]:
    """Contents of all modules that hold kernels or layouts, and of those that these import, by their paths."""
    texts = {str(source): source.read_bytes() for folder in folders for source in folder.glob("*.py")}
    waiting = {
        path for path, text in texts.items()
        if os.path.basename(path) == _LAYOUT or any(sign in text for sign in _KERNELS)
    }  # fmt: skip
    found: dict[str, bytes] = {}
    looked_up: set[str] = set()
    while waiting:
        path = waiting.pop()
        found[path] = texts[path] if path in texts else Path(path).read_bytes()
        modules = _imported(found[path]) - looked_up
        looked_up |= modules
        for place in (os.path.join(package, module) for module in modules):
            waiting |= {file for file in (f"{place}.py", os.path.join(place, "__init__.py")) if os.path.isfile(file)}
        waiting -= found.keys()
    return dict(sorted(found.items()))


def _imported(text: bytes) -> set[str]:
    """What a source imports of the package, as paths in it: names may be modules, or be in one."""
    modules = {place.decode().replace(".", os.sep) for place in _WHOLE.findall(text)}
    for of, names in _FROM.findall(text):
        place = of.decode().replace(".", os.sep)
        inner = re.findall(rb"\w+", re.sub(rb"#[^\n]*", b"", names))
        modules |= {place, *(os.path.join(place, name.decode()) for name in inner)}
    return modules


def fingerprint(folders: tuple[Path, ...] = FOLDERS, package: Path = _PACKAGE) -> str:
    """Hash of the names and contents of all kernel sources, and of how they are compiled."""
    digest = hashlib.sha256(b"".join((_PACKAGE / f"{name}.py").read_bytes() for name in _COMPILER))
    for path, text in kernel_sources(folders, package).items():
        digest.update(os.path.relpath(path, package).encode() + b"\0" + text)
    return digest.hexdigest()


def drop_stale(folders: tuple[Path, ...] = FOLDERS, package: Path = _PACKAGE) -> bool:
    """Removes compiled kernels of other sources; returns whether there were any. Read-only folders are left alone."""
    current = fingerprint(folders, package)
    stale = False
    for kept in {place for folder in folders for place in (folder / "__pycache__", kept_in(folder)) if place}:
        stamp = kept / _STAMP
        with contextlib.suppress(OSError):
            if stamp.exists() and stamp.read_text() == current:
                continue
            for compiled in [*kept.glob("*.nbi"), *kept.glob("*.nbc")]:
                compiled.unlink()
                stale = True
            kept.mkdir(exist_ok=True)
            stamp.write_text(current)
    return stale


@cache
def kept_in(folder: Path) -> Path | None:
    """Where numba keeps compiled code of a folder's modules; None where no folder can be written.

    It is beside the sources, but for sources that cannot be written to, and if NUMBA_CACHE_DIR names another.
    """
    from numba.core.caching import FunctionCache

    sources = sorted(folder.glob("*.py"))
    if not sources:
        return None
    try:
        code = fingerprint.__code__.replace(co_filename=str(sources[0]))
        return Path(FunctionCache(FunctionType(code, {}, "kernel")).cache_path)
    except RuntimeError:
        return None


@cache
def keeps_compiled() -> bool:
    """Whether numba finds a folder for compiled code that can be written: beside the sources, or the user's.

    Where there is none it would refuse to define a kernel that is to be kept.
    """
    if all(kept_in(folder) for folder in FOLDERS):
        return True
    text = "diffdope finds no folder to keep compiled kernels in, so every process compiles them, which takes long"
    warnings.warn(f"{text}; NUMBA_CACHE_DIR can name one", RuntimeWarning, stacklevel=2)
    return False


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
