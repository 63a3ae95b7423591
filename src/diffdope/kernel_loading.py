"""Kernels that are kept on disk, and loaded without what only their compilation needs.

Numba gets ready to compile before it looks for compiled code: implementations of all functions that it knows are
imported and entered, a fifth of a second of each process. And with the machine code of a function it loads, parses and
lists the intermediate code, for callers that are compiled later. A process that only calls kernels needs neither; what
does compile is given both when it asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompileResult


class _LoadedLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Machine code from disk; its intermediate code stays a text until a caller is compiled that takes it in."""

    _intermediate: bytes
    _shared_module: Any

    def _get_module_for_linking(self) -> Any:
        if self._shared_module is None:
            self._shared_module = llvm.parse_bitcode(self._intermediate)
        return self._shared_module


def _stored(library: JITCodeLibrary) -> tuple[str, bytes, bytes, tuple[str, ...]]:
    """Name, machine code and intermediate code of a library, and the names that it defines."""
    name, _, (machine, intermediate) = library.serialize_using_object_code()
    module = library._get_module_for_linking()
    defined = [
        one.name for some in (module.functions, module.global_variables) for one in some if not one.is_declaration
    ]
    return name, machine, intermediate, tuple(defined)


def _loaded(codegen: Any, stored: tuple[str, bytes, bytes, tuple[str, ...]]) -> _LoadedLibrary:
    """The library that was stored."""
    name, machine, intermediate, defined = stored
    library = _LoadedLibrary(codegen, name)
    library._intermediate = intermediate
    library.enable_object_caching()
    library._set_compiled_object(machine)
    library._finalize_final_module()
    codegen._engine._defined_symbols.update(defined)
    return library


class _Stored(CompileResultCacheImpl):  # type: ignore[misc]
    """What is kept of a compiled kernel."""

    def reduce(self, cres: Any) -> tuple[Any, ...]:
        """Without the annotated source, and without environments that hold nothing."""
        fndesc = cres.fndesc
        fndesc.typemap = fndesc.calltypes = None  # of each variable and call in the source
        constants = tuple(one for one in cres._find_referenced_environments() if one.consts)
        return _stored(cres.library), fndesc, cres.environment, cres.signature, cres.reload_init, constants

    def rebuild(self, target_context: Any, payload: tuple[Any, ...]) -> CompileResult:
        """As numba's own, of these parts."""
        stored, fndesc, environment, signature, reload_init, constants = payload
        for initialise in reload_init:
            initialise()
        library = _loaded(target_context.codegen(), stored)
        entry_point = target_context.get_executable(library, fndesc, environment)
        for one in constants:
            library.codegen.set_env(one.env_name, one)
        return CompileResult(
            typing_context=target_context.typing_context, target_context=target_context, entry_point=entry_point,
            typing_error=None, type_annotation="", signature=signature, objectmode=False, lifted=(), fndesc=fndesc,
            library=library, call_helper=None, environment=environment, metadata=None, reload_init=reload_init,
            referenced_envs=constants,
        )  # fmt: skip


class KernelCache(FunctionCache):  # type: ignore[misc]
    """Numba's cache of a function, which gets ready to compile only where nothing is found."""

    _impl_class = _Stored

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled for these types, or None."""
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(sig, target_context)
            if found is not None:
                return found
        target_context.refresh()
        return None


def njit(*, cache: bool = False, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit` for kernels: what it compiles is kept in a `KernelCache`.

    Args:
        cache: whether to keep it.
        options: as numba takes them.
    """

    def made(function: Callable[..., Any]) -> Any:
        kernel = numba.njit(**options)(function)
        if cache:
            kernel._cache = KernelCache(function)
        return kernel

    return made
