"""Kernels that Python calls, replaced by what compiles them for the arguments with which code comes to them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any


class Replaced:
    """Entries, wherever Python code finds them, replaced by what compiles instead of calling.

    While a kernel is compiled all of them are back, for it may contain one that another module calls from Python.
    """

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        from numba.core.dispatcher import Dispatcher

        from diffdope.render.kernels import calls

        self._wanted = wanted
        self._places: list[tuple[dict[str, Any], str, Any, Any]] = []
        for module in _kernel_modules():
            for name, value in list(vars(module).items()):
                if value is calls.address_of:
                    self._places.append((vars(module), name, value, self._address_of))
                elif isinstance(value, Dispatcher) and not value.targetoptions.get("no_cpython_wrapper"):
                    self._places.append((vars(module), name, value, self._reached(value)))
        self._compile_address = calls.address_of
        self._put(3)

    def _put(self, which: int) -> None:
        for place in self._places:
            place[0][place[1]] = place[which]

    def _compiled(self, kernel: Any, compile_it: Callable[[], Any]) -> None:
        if self._wanted(kernel.py_func.__name__):
            self._put(2)
            compile_it()
            self._put(3)

    def _address_of(self, kernel: Any, result: Any, *arguments: Any) -> int:
        kernel = getattr(kernel, "kernel", kernel)
        self._compiled(kernel, lambda: self._compile_address(kernel, result, *arguments))
        return 0

    def _reached(self, kernel: Any) -> Callable[..., tuple[int, int]]:
        def reached(*arguments: Any) -> tuple[int, int]:
            kinds = tuple(kernel.typeof_pyval(argument) for argument in arguments)
            self._compiled(kernel, lambda: kernel.compile(kinds))
            return 0, 0  # nothing found: what callers take that return anything

        reached.kernel = kernel  # type: ignore[attr-defined]
        return reached


def _kernel_modules() -> list[Any]:
    """All modules of the folders with kernels, and those that call them."""
    from diffdope.kernel_cache import FOLDERS

    package = FOLDERS[0].parents[1]
    for folder in FOLDERS:
        for source in sorted(folder.glob("*.py")):
            parts = source.relative_to(package).with_suffix("").parts
            importlib.import_module(".".join(["diffdope", *parts]))
    importlib.import_module("diffdope.render.renderer")
    return [module for name, module in sorted(sys.modules.items()) if name.startswith("diffdope.")]
