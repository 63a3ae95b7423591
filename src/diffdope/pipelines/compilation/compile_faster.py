"""What makes numba's own Python code faster in a process that only compiles, and then ends.

Half of the time to compile is numba's inference of types and its lowering, in Python. Spared here are the collection of
garbage, of which there is little; asking anew, for each `a * b` and `a[i]`, which of ten templates fits; a general
search for the variables of each statement, nine times a function; and hashes of types that hold others. Kernels are
compiled once for all numbers that are written out in calls of them. Arrays are read as the values that they are
(`kernel_values.py`), without a copy on the stack for each index. None of it changes what kernels compute.
"""

from __future__ import annotations

import gc
from functools import cache
from typing import Any


def compile_faster() -> None:
    """Changes this process for good; does nothing to a numba that is built otherwise."""
    gc.disable()
    try:
        from numba.core import ir, types
        from numba.core.targetconfig import ConfigStack
        from numba.np import arrayobj
    except ImportError:
        return
    if hasattr(types, "BaseFunction"):
        _remember_call_types(types.BaseFunction, ConfigStack)
    if hasattr(types, "Dispatcher"):
        _take_no_literals(types.Dispatcher, types.unliteral)  # type: ignore[attr-defined]
    if hasattr(types, "Type"):
        _hash_types_once(types.Type)
    if hasattr(ir.Inst, "_rec_list_vars"):
        _list_variables(ir)
    if hasattr(arrayobj, "make_array"):
        _know_arrays(arrayobj, types.Array)


def _remember_call_types(functions: Any, options: Any) -> None:
    """Lets types of functions remember their answers by arguments, and by those options of a kernel that decide."""
    asked = functions.get_call_type
    answers: dict[Any, Any] = {}

    def get_call_type(self: Any, context: Any, args: Any, kws: Any) -> Any:
        chosen = options.top_or_none()
        if kws or chosen is None:
            return asked(self, context, args, kws)
        key = id(self), args, str(chosen.fastmath), chosen.error_model, chosen.nrt, chosen.boundscheck
        if key not in answers:
            answers[key] = asked(self, context, args, kws), self  # which stays alive, so that no other gets its id
        return answers[key][0]

    functions.get_call_type = get_call_type


def _take_no_literals(kernels: Any, unliteral: Any) -> None:
    """Compiles a kernel once for all numbers that are written out in calls."""
    asked = kernels.get_call_type

    def get_call_type(self: Any, context: Any, args: Any, kws: Any) -> Any:
        return asked(self, context, tuple(map(unliteral, args)), kws)

    kernels.get_call_type = get_call_type


def _hash_types_once(types: Any) -> None:
    """Types of tuples have others in their keys, whose hashes are asked for each time."""
    hashed = types.__hash__
    known: dict[int, tuple[int, Any]] = {}  # not in the types, which are pickled, and hashes differ between processes

    def hash_of(self: Any) -> int:
        place = id(self)
        if place not in known:
            known[place] = hashed(self), self
        return known[place][0]

    types.__hash__ = hash_of


def _list_variables(ir: Any) -> None:
    """Lists the variables of a statement as numba does, without asking the places in the source for theirs."""
    without = {ir.Loc, str, int, bool, type(None)}

    def listed(self: Any, value: Any) -> list[Any]:
        kind = type(value)
        if kind is ir.Var:
            return [value]
        if kind is dict:
            value = value.values()
        elif not isinstance(value, list | tuple):
            return value.list_vars() if isinstance(value, ir.Inst) else []
        found = []
        for one in value:
            if type(one) is ir.Var:
                found.append(one)
            elif type(one) not in without:
                found += listed(self, one)
        return found

    ir.Inst._rec_list_vars = listed


def _know_arrays(arrayobj: Any, plain: type) -> None:
    """Makes numba's class for arrays in code that is generated once a type, and for plain ones without `__array__`."""
    from diffdope.kernel_values import array_of_values  # here, for who starts this process has no numba yet

    make = arrayobj.make_array

    @cache
    def make_array(kind: Any) -> Any:
        made = make(kind)
        return array_of_values(made) if type(kind) is plain else made

    arrayobj.make_array = make_array
