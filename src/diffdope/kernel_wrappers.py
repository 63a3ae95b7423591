"""What Python calls to come to a kernel: numba's wrapper, which takes each type of array from Python in one place.

Numba writes out what takes an array from Python for each array anew, and problems are tuples of a hundred.
"""

from __future__ import annotations

import re
from typing import Any

import llvmlite.ir as llvm
from numba.core import cgutils
from numba.core.callwrapper import PyCallWrapper
from numba.core.pythonapi import NativeValue, PythonAPI
from numba.core.types import Array, BaseTuple  # type: ignore[attr-defined]

from diffdope.kernel_values import Builder, without_unused

_BIT = llvm.IntType(1)


class _Api(PythonAPI):  # type: ignore[misc]
    """Takes arrays and tuples from Python by functions of the module."""

    def to_native_value(self, typ: Any, obj: Any) -> NativeValue:
        """The value of an object of this type."""
        if isinstance(typ, BaseTuple):
            return self._tuple(typ, obj)
        if type(typ) is not Array:
            return super().to_native_value(typ, obj)
        kind = self.context.get_value_type(typ)
        place = cgutils.alloca_once(self.builder, kind)
        failed = self.builder.call(self._taker(typ, kind), [obj, place])
        return NativeValue(self.builder.load(place), is_error=failed)

    def _tuple(self, typ: Any, obj: Any) -> NativeValue:
        """Its parts, of which every one is asked for, also after a first error: so that no path leaves one out."""
        size = self.tuple_size(obj)
        failed = self.builder.icmp_unsigned("!=", size, llvm.Constant(size.type, len(typ)))
        with self.builder.if_then(failed, likely=False):
            self.err_set_string("PyExc_ValueError", f"expected a tuple of {len(typ)}")
        values = []
        for k, kind in enumerate(typ):
            native = self.to_native_value(kind, self.tuple_getitem(obj, k))
            assert native.cleanup is None  # what kernels are given, they do not keep
            failed = self.builder.or_(failed, native.is_error)
            values.append(native.value)
        return NativeValue(self.context.make_tuple(self.builder, typ, values), is_error=failed)

    def _taker(self, typ: Any, kind: Any) -> Any:
        """A function of this module that puts an array where its second argument says, and returns if it failed."""
        name = f"take_{re.sub(r'[^0-9A-Za-z]+', '_', str(typ))}"
        module = self.builder.module
        known = module.globals.get(name)
        if known is None:
            of = llvm.FunctionType(_BIT, [self.pyobj, kind.as_pointer()])
            known = llvm.Function(module, of, name)
            known.linkage = "internal"
            known.attributes.add("noinline")
            builder = llvm.IRBuilder(known.append_basic_block())
            native = PythonAPI(self.context, builder).to_native_value(typ, known.args[0])
            builder.store(native.value, known.args[1])
            builder.ret(native.is_error)
        return known


class Wrapper(PyCallWrapper):  # type: ignore[misc]
    """Numba's wrapper of a compiled function, with the functions of `_Api`."""

    def build_wrapper(self, api: Any, builder: Any, closure: Any, args: Any, kws: Any) -> None:
        """Writes all of it."""
        builder = Builder(builder.block)
        super().build_wrapper(_Api(self.context, builder), builder, closure, args, kws)
        without_unused(builder.function)
