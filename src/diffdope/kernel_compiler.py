"""Compiles each kernel once: functions that only kernels call reach LLVM's optimiser as a part of those.

Numba optimises each function, makes machine code of it, and links what came of it into each caller, which it then
optimises as a whole: the work grows with the levels of calls, and the machine code of inner functions is never used.
Here an inner function ends as LLVM's intermediate code (`Inner`). An entry (`Entry`) collects that of all functions
that it calls, directly or not, and is optimised once, as a C compiler does with a file.

Both are what `numba.njit` takes as `pipeline_class`.
"""

from __future__ import annotations

from typing import Any

from numba import _dynfunc
from numba.core import typed_passes, untyped_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.environment import lookup_environment

from diffdope.kernel_cache import KEPT, say_compiling
from diffdope.kernel_lowering import InnerLower, KernelLower, SmallLower, calls_of

# Passes of numba that leave kernels as they are: they hold no closures, `with` blocks, `literal_unroll`, strings, array
# expressions, parallel loops or functions of numpy that are inlined.
_NEEDLESS = (
    untyped_passes.WithLifting, untyped_passes.InlineClosureLikes, untyped_passes.MakeFunctionToJitFunction,
    untyped_passes.InlineInlinables, untyped_passes.FindLiterallyCalls, untyped_passes.LiteralUnroll,
    untyped_passes.LiteralPropagationSubPipelinePass, typed_passes.InlineOverloads, typed_passes.NopythonRewrites,
    typed_passes.NoPythonSupportedFeatureValidation, typed_passes.DumpParforDiagnostics,
)  # fmt: skip


class _InnerLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Intermediate code of one function, and the libraries of those that it calls."""

    _linking_libraries: list[Any]

    def _optimize_functions(self, ll_module: Any) -> None:
        """Leaves it to the optimiser of the whole."""
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        """Optimises and compiles nothing."""
        self._finalized = True

    def needed(self) -> list[Any]:
        """All libraries that this one calls, and itself; each comes after those that it calls."""
        return [*_needed(self._linking_libraries), self]

    def own_module(self) -> Any:
        """Intermediate code of the function alone."""
        return super()._get_module_for_linking()

    def _get_module_for_linking(self) -> Any:
        """Intermediate code of the function and of all that it calls, for callers that numba compiles as it does."""
        whole = self.own_module().clone()
        _link(whole, _needed(self._linking_libraries))
        return whole


class _EntryLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Machine code of a function and of all that it calls."""

    _linking_libraries: list[Any]

    def _optimize_functions(self, ll_module: Any) -> None:
        """Leaves it to the optimiser of the whole: numba makes what it would tidy up here no more."""
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        """Links, optimises and compiles: nearly all of the time that compiling takes."""
        say_compiling()
        needed, self._linking_libraries = _needed(self._linking_libraries), []
        for library in needed if hasattr(self, "_reload_init") else ():  # older numba has none
            self._reload_init.update(library._reload_init)
        _link(self._final_module, needed)
        super().finalize()


def _needed(libraries: list[Any]) -> list[Any]:
    found: dict[Any, None] = {}
    for library in libraries:
        found.update(dict.fromkeys(library.needed() if isinstance(library, _InnerLibrary) else [library]))
    return list(found)


def _link(module: Any, needed: list[Any]) -> None:
    """Links libraries into a module, callers first: LLVM takes only what has been asked for."""
    for library in reversed(needed):
        own = library.own_module() if isinstance(library, _InnerLibrary) else library._get_module_for_linking()
        module.link_in(own, preserve=True)


def _lower(lowering: Any, state: Any, kind: type[JITCodeLibrary]) -> None:
    """Numba's lowering, into a library of this kind."""
    state.library = kind(state.targetctx.codegen(), state.func_id.func_qualname)
    state.library.enable_object_caching()
    typed_passes.NativeLowering.run_pass(lowering, state)


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerEntry(typed_passes.NativeLowering):  # type: ignore[misc]
    _name = "native_lowering_of_entry"
    lowering_class = KernelLower

    def run_pass(self, state: Any) -> bool:
        _lower(self, state, _EntryLibrary)
        library = state.library
        for variable in library._final_module.global_variables:  # of inner functions, which nobody has set yet
            environment = lookup_environment(variable.name)
            if environment is not None:
                library.codegen.set_env(variable.name, environment)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerInner(typed_passes.NativeLowering):  # type: ignore[misc]
    _name = "native_lowering_of_inner"
    lowering_class = InnerLower

    def run_pass(self, state: Any) -> bool:
        state.flags.no_compile = True
        _lower(self, state, _InnerLibrary)
        found = state.cr.fndesc
        called = calls_of(found, state.metadata.pop("shortened"), [state.library])
        # Numba knows a compiled function by an object of this type. Nobody may call this one: it leads nowhere.
        name = found.qualname.split(".")[-1]
        key = _dynfunc.make_function(found.lookup_module(), name, "Part of kernels.", 0, state.cr.env, (state.library,))
        state.targetctx.insert_func_defn([(called, key, called.signature)])
        state.cr = state.cr._replace(cfunc=key)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerSmall(_LowerInner):
    _name = "native_lowering_of_small"
    lowering_class = SmallLower


class _Compiler(CompilerBase):  # type: ignore[misc]
    lowering: Any

    def define_pipelines(self) -> list[Any]:
        """Those of numba's passes that kernels need, but for the last step."""
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.passes = [
            (self.lowering, about) if one is typed_passes.NativeLowering else (one, about)
            for one, about in manager.passes
            if one not in _NEEDLESS
        ]
        manager._finalized = False
        manager.finalize()
        return [manager]


class Entry(_Compiler):
    """Compiles what Python calls, or what is called by address, with all kernels that it calls."""

    lowering = _LowerEntry


class Inner(_Compiler):
    """Compiles what only other kernels call."""

    lowering = _LowerInner


class Small(Inner):
    """The same of what runs a few times a call, over a few numbers: as little code as may be, and one copy of it.

    LLVM makes ten thousand instructions of loops over 7 x 7 x 2 numbers, as it does not know that they are so few.
    """

    lowering = _LowerSmall


# Exact arithmetic (no fastmath): same seed, same bits, whatever surrounds the call. Kernels allocate nothing, so no
# references are counted, and none is called through a C function pointer.
EXACT_ENTRY: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "cache": KEPT,
    "no_cfunc_wrapper": True,
    "_nrt": False,
    "pipeline_class": Entry,
}
EXACT_INNER: dict[str, Any] = {**EXACT_ENTRY, "no_cpython_wrapper": True, "cache": False, "pipeline_class": Inner}
