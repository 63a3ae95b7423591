"""LLVM's intermediate code of kernels, with less of it: what is known is not asked for.

LLVM finds all of this out, but it has to read ten times as much, and Python to write it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import llvmlite.ir as llvm
from llvmlite.ir.instructions import ExtractValue, InsertValue, PhiInstr
from numba.core import cgutils


class Builder(llvm.IRBuilder):  # type: ignore[misc]
    """Takes parts of tuples from where they were put in."""

    def extract_value(self, agg: Any, idx: Any, name: str = "") -> Any:
        """As in the base class, but for what is known already."""
        path = list(idx) if isinstance(idx, list | tuple) else [idx]
        while path and isinstance(agg, InsertValue):
            at = list(agg.indices)
            if path[: len(at)] == at:
                agg, path = agg.value, path[len(at) :]
            elif at[: len(path)] == path:
                break  # a part of what is wanted was put in there
            else:
                agg = agg.aggregate
        return super().extract_value(agg, path, name) if path else agg

    def add(self, lhs: Any, rhs: Any, name: str = "", flags: Any = ()) -> Any:
        """Without what adds nothing: LLVM would drop it, but every index of an array has it."""
        if _number(lhs) == 0:
            return rhs
        return lhs if _number(rhs) == 0 else super().add(lhs, rhs, name, flags)

    def mul(self, lhs: Any, rhs: Any, name: str = "", flags: Any = ()) -> Any:
        """Without factors of one."""
        if _number(lhs) == 1:
            return rhs
        return lhs if _number(rhs) == 1 else super().mul(lhs, rhs, name, flags)

    def icmp_signed(self, cmpop: str, lhs: Any, rhs: Any, name: str = "") -> Any:
        """Knows which constants are negative: numba lets indices count from the end."""
        if cmpop == "<" and _number(rhs) == 0 and (number := _number(lhs)) is not None:
            return llvm.Constant(llvm.IntType(1), int(number < 0))
        return super().icmp_signed(cmpop, lhs, rhs, name)

    def select(self, cond: Any, lhs: Any, rhs: Any, name: str = "", flags: Any = ()) -> Any:
        """Where it is known which."""
        known = _number(cond)
        return super().select(cond, lhs, rhs, name, flags) if known is None else lhs if known else rhs


def array_of_values(made: Any) -> Any:
    """A class for arrays in generated code, made of numba's: its words are kept as values, and not on the stack.

    They are put there where a pointer is asked for, and where one is set in another block than the first were. An array
    of a function that this module does not lower stays as numba has it.

    Args:
        made: numba's class, of `make_array`.
    """

    class Array(made):  # type: ignore[misc]
        def __init__(self, context: Any, builder: Any, value: Any = None, ref: Any = None) -> None:
            if ref is not None or not isinstance(builder, Builder):
                super().__init__(context, builder, value, ref)
                return
            self._context, self._builder = context, builder
            self._datamodel = context.data_model_manager[self._fe_type]
            self._be_type = self._get_be_type(self._datamodel)
            self._whole = self._be_type(None) if value is None else value
            self._home = builder.basic_block

        def __getattr__(self, field: str) -> Any:
            if field in ("_value", "_outer_ref") and "_home" in self.__dict__:
                self._to_stack()
                return self.__dict__[field]
            return super().__getattr__(field)

        @property
        def shape(self) -> Any:
            return self["shape"] if self._as_values else super().shape

        @property
        def _as_values(self) -> bool:
            return "_value" not in self.__dict__

        def __getitem__(self, index: Any) -> Any:
            if self._as_values:
                at = self._datamodel.get_field_position(index) if isinstance(index, str) else index
                return self._builder.extract_value(self._whole, at)
            return super().__getitem__(index)

        def __setitem__(self, index: int, value: Any) -> None:
            if self._as_values and self._builder.basic_block is self._home:
                self._whole = self._builder.insert_value(self._whole, value, index)
            else:
                super().__setitem__(index, value)

        def _getvalue(self) -> Any:
            return self._whole if self._as_values else super()._getvalue()

        def _setvalue(self, value: Any) -> None:
            if self._as_values and self._builder.basic_block is self._home:
                self._whole = value
            else:
                super()._setvalue(value)

        def _to_stack(self) -> None:
            self.__dict__["_value"] = self.__dict__["_outer_ref"] = cgutils.alloca_once(self._builder, self._be_type)
            if self._builder.basic_block is self._home:
                self._builder.store(self._whole, self._value)
                return
            at_home = llvm.IRBuilder(self._home)
            if self._home.is_terminated:
                at_home.position_before(self._home.terminator)
            at_home.store(self._whole, self._value)

    return Array


def without_unused(function: Any) -> Counter[int]:
    """Removes what puts together or takes apart tuples that nobody needs; how often each other value is used, by id."""
    used: Counter[int] = Counter()
    for block in function.blocks:
        for instruction in block.instructions:
            used.update(map(id, _operands(instruction)))
    needless = set()
    waiting = [
        one for block in function.blocks for one in block.instructions if type(one) in (InsertValue, ExtractValue)
    ]
    waiting = [one for one in waiting if not used[id(one)]]
    while waiting:
        one = waiting.pop()
        needless.add(id(one))
        for value in one.operands:
            used[id(value)] -= 1
            if not used[id(value)] and type(value) in (InsertValue, ExtractValue):
                waiting.append(value)
    for block in function.blocks:
        block.instructions = [one for one in block.instructions if id(one) not in needless]
    return used


def _number(value: Any) -> int | None:
    """The number that a constant is, None of what is none."""
    if type(value) is llvm.Constant and type(value.type) is llvm.IntType and isinstance(value.constant, int):
        return value.constant
    return None


def _operands(instruction: Any) -> Iterable[Any]:
    if isinstance(instruction, PhiInstr):
        return [value for value, _ in instruction.incomings]
    return instruction.operands  # type: ignore[no-any-return]
