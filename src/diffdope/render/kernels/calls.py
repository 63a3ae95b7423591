"""Calls by address: compiled code that several entries use and that none of them contains; calls of these entries.

Numba links a function into whoever calls it and takes all of it through LLVM once more. Drawing a pose and shading
are most of the code, and every entry needs them: called by address, they are compiled once.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import typeof, types
from numba.core.dispatcher import Dispatcher
from numba.core.errors import TypingError
from numba.extending import intrinsic


class Addresses(NamedTuple):
    """Where the compiled `prepare_pose` and `shade_chunk` are."""

    prepare: int
    shade: int


# What they return, typed, because nobody checks a call by address: pixels next to no contour, pixels next to one, and
# what `release_pose` wants to know.
PREPARED = types.Tuple((types.int64, types.int64, types.UniTuple(types.int64, 4)))
SHADED = types.none


_KNOWN: dict[Any, int] = {}


def address_of(kernel: Any, result: Any, *arguments: Any) -> int:
    """Address of a kernel as compiled for arguments of these types."""
    key = kernel, kind_of(arguments)
    if key not in _KNOWN:
        kinds = tuple(typeof(argument) for argument in arguments)
        kernel.compile(kinds)
        compiled = kernel.overloads[kinds]
        assert compiled.signature.return_type == result, compiled.signature
        _KNOWN[key] = int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))
    return _KNOWN[key]


_ENTRIES: dict[Any, Any] = {}


def call_entry(kernel: Any, *arguments: Any) -> Any:
    """Calls an entry whose first argument is the address, or addresses, of what it calls.

    That tells the types of all others, so they are asked for once an address: at each call, numba takes ten times as
    long for the types of a mesh, a problem and its scratch as for their values. Nobody checks them later, as in a call
    by address: all arrays have to be in C order, and of the types that the first call had.
    """
    key = kernel, arguments[0]
    known = _ENTRIES.get(key)
    if known is None:
        if not isinstance(kernel, Dispatcher):  # what compiles it for whoever comes with these arguments
            return kernel(*arguments)
        kinds = tuple(typeof(argument) for argument in arguments)
        kernel.compile(kinds)
        known = _ENTRIES[key] = kernel.overloads[kinds].entry_point
    return known(*arguments)


def kind_of(value: Any) -> Any:
    """What numba's type of a value depends on: to ask numba takes a millisecond for what a pose is drawn from."""
    if isinstance(value, tuple):
        return type(value), *map(kind_of, value)
    if isinstance(value, np.ndarray):
        flags = value.flags
        return value.dtype, value.ndim, flags.c_contiguous, flags.f_contiguous, flags.aligned, flags.writeable
    return type(value)


def call_by_address(result: Any, *kinds: Any) -> Any:
    """What an intrinsic returns that calls the address, its first argument, with all others.

    Nobody checks their types at run time. The tables are those that it was compiled for; a pose may be any array, and
    one in another order would be read the wrong way round.
    """
    for kind in kinds:
        if isinstance(kind, types.Array) and kind.layout != "C":
            raise TypingError(f"a call by address takes arrays in C order, got {kind}")

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        convention = context.call_conv
        function = convention.get_function_type(result, kinds).as_pointer()
        address = builder.inttoptr(arguments[0], function)
        _, value = convention.call_function(builder, address, result, kinds, arguments[1:])
        return value

    return result(types.int64, *kinds), generate


@intrinsic
def prepare_at(_context, address, mesh, view, R, t, s, shade, with_contours):
    """Calls `prepare_pose`."""
    return call_by_address(PREPARED, mesh, view, R, t, s, types.int64, types.boolean)


@intrinsic
def shade_at(_context, address, skin, planes, f, first, count, with_color):
    """Calls `shade_chunk`."""
    return call_by_address(SHADED, skin, planes, f, types.int64, types.int64, types.boolean)
