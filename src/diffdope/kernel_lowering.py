"""Numba's lowering of kernels, without what only counted references or tuples that are passed whole need.

Numba keeps a variable that several blocks use on the stack, reads it before each assignment, and clears it when it is
no longer used: what counts references needs that, and kernels have none. For a tuple of arrays, each of these is a
hundred words of LLVM's intermediate code, as is each call that is given one. Here

- a variable that is assigned once is the value itself, wherever its assignment comes before all uses;
- what is taken out of a tuple that was just put together is the part itself, and tuples of which nothing else is
  needed are left out;
- inner functions are given only those words of their arguments that they use, and an error of one (there is none but
  of a tuple's index) is handed on as it is.

What kernels compute stays the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import llvmlite.ir as llvm
from numba.core import cgutils
from numba.core.analysis import compute_cfg_from_blocks, compute_use_defs
from numba.core.errors import UnsupportedError
from numba.core.ir import Assign
from numba.core.lowering import Lower
from numba.core.types import Optional  # type: ignore[attr-defined]

from diffdope.kernel_values import Builder, without_unused
from diffdope.kernel_wrappers import Wrapper

_FIXED = 2  # of an inner function's arguments, as numba orders them: where the result goes, and where errors go


class Shortened(NamedTuple):
    """How an inner function is called: the places of those of its words that it takes, and its type with these."""

    places: tuple[int, ...]
    type: Any


class KernelLower(Lower):  # type: ignore[misc]
    """Lowers a kernel, in which nothing counts references."""

    def setup_function(self, fndesc: Any) -> None:
        """With a builder that knows what tuples are made of."""
        super().setup_function(fndesc)
        self.builder = Builder(self.entry_block)
        self.call_helper = self.call_conv.init_call_helper(self.builder)

    def _find_singly_assigned_variable(self) -> None:
        """Those that need no place on the stack: one assignment, before all uses on every path, and lowered before."""
        self._singly_assigned_vars: set[str] = set()
        self._blk_local_varmap: dict[str, Any] = {}
        assigned: Counter[str] = Counter()
        home: dict[str, int] = {}
        for offset, block in self.blocks.items():
            for statement in block.find_insts(Assign):
                assigned[statement.target.name] += 1
                home[statement.target.name] = offset
        users: dict[str, list[int]] = {}
        for offset, names in compute_use_defs(self.blocks).usemap.items():
            for name in names:
                users.setdefault(name, []).append(offset)
        before = compute_cfg_from_blocks(self.blocks).dominators()
        for name, count in assigned.items():
            at = home[name]
            if count == 1 and all(at < user and at in before[user] for user in users.get(name, ())):
                self._singly_assigned_vars.add(name)

    def storevar(self, value: Any, name: str, argidx: int | None = None) -> None:
        """Does not read what was there before."""
        if name in self._singly_assigned_vars:
            self._blk_local_varmap[name] = value
        else:
            self.builder.store(value, self.getvar(name))

    def delvar(self, name: str) -> None:
        """Leaves it: what is not read again costs nothing."""

    def lower_normal_function(self, fndesc: Any) -> None:
        """Leaves out tuples that were put together or taken apart for nothing."""
        super().lower_normal_function(fndesc)
        self._used = without_unused(self.function)

    def create_cpython_wrapper(self, release_gil: bool = False) -> None:
        """See `kernel_wrappers.py`."""
        module, fndesc = self.context.create_module("wrapper"), self.fndesc
        kind = self.call_conv.get_function_type(fndesc.restype, fndesc.argtypes)
        called = llvm.Function(module, kind, fndesc.llvm_func_name)
        Wrapper(self.context, module, called, fndesc, self.env, self.call_helper, release_gil).build()
        self.library.add_ir_module(module)


class InnerLower(KernelLower):
    """Lowers what only kernels call, with those words of its arguments that it uses."""

    def lower_normal_function(self, fndesc: Any) -> None:
        """Shortens the function once it is known what is used."""
        super().lower_normal_function(fndesc)
        function = self.function
        places = tuple(k for k, word in enumerate(function.args) if k < _FIXED or self._used[id(word)])
        function.args = tuple(function.args[k] for k in places)
        function.ftype = llvm.FunctionType(function.ftype.return_type, [word.type for word in function.args])
        function.type = function.ftype.as_pointer()  # by which llvmlite's metadata names it
        self.metadata["shortened"] = Shortened(places, function.ftype)


class SmallLower(InnerLower):
    """Lowers an inner function for which size counts."""

    def setup_function(self, fndesc: Any) -> None:
        """Neither inlined, nor unrolled or vectorised."""
        super().setup_function(fndesc)
        for attribute in ("minsize", "optsize", "noinline"):
            self.function.attributes.add(attribute)


def calls_of(found: Any, shortened: Shortened, libraries: Iterable[Any]) -> Any:
    """What lowers a call of an inner function: of numba's form for `insert_func_defn`.

    Args:
        found: numba's description of the function.
        shortened: how it is called.
        libraries: its own.

    Raises:
        UnsupportedError: if it may return nothing or something: an inner function tells errors alone apart.
    """
    if isinstance(found.restype, Optional):
        raise UnsupportedError(f"inner kernels return one type, {found.qualname} {found.restype}")

    def call(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        convention = context.call_conv
        function = cgutils.get_or_insert_function(builder.module, shortened.type, found.mangled_name)
        if found.inline:
            function.attributes.add("alwaysinline")
        words = [None, None, *context.get_arg_packer(found.argtypes).as_arguments(builder, arguments)]
        words[0] = cgutils.alloca_once(builder, convention.get_return_type(found.restype).pointee)
        words[1] = convention._get_excinfo_argument(builder.function)
        code = builder.call(function, [words[place] for place in shortened.places])
        with cgutils.if_unlikely(builder, cgutils.is_not_null(builder, code)):
            builder.ret(code)
        return context.get_returned_value(builder, found.restype, builder.load(words[0]))

    call.signature = found.argtypes  # type: ignore[attr-defined]
    call.libs = tuple(libraries)  # type: ignore[attr-defined]
    return call
