"""What makes numba's own Python code faster in a process that only compiles, and then ends.

More than half of the time to compile is numba's inference of types and its lowering, in Python. Four things of it are
spared here: the collection of garbage, of which there is little; asking anew, for each `a * b` and `a[i]`, which of ten
templates fits; a general search for the variables of each statement, nine times a function; and a class and a search
for `__array__` in vain for each array that is read. None changes the machine code.
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
    if hasattr(ir.Inst, "_rec_list_vars"):
        _list_variables(ir)
    if hasattr(arrayobj, "make_array"):
        _know_arrays(arrayobj, types.Array)


def _remember_call_types(functions: Any, options: Any) -> None:
    """Lets types of functions remember their answers by arguments and by the options of the kernel at hand."""
    asked = functions.get_call_type
    answers: dict[Any, Any] = {}

    def get_call_type(self: Any, context: Any, args: Any, kws: Any) -> Any:
        chosen = options.top_or_none()
        if kws or chosen is None:
            return asked(self, context, args, kws)
        key = id(self), args, chosen.summary()
        if key not in answers:
            answers[key] = asked(self, context, args, kws), self  # which stays alive, so that no other gets its id
        return answers[key][0]

    functions.get_call_type = get_call_type


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
    make = arrayobj.make_array

    @cache
    def make_array(kind: Any) -> Any:
        made = make(kind)
        if type(kind) is plain:
            made._make_refs = made.__mro__[1]._make_refs  # of any structure
        return made

    arrayobj.make_array = make_array
