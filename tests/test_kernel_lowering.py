"""Kernels compute what their Python code does: tuples, variables of several blocks, slices, errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import int64, njit
from numba.core.errors import NumbaError

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.render.kernels.options import SMALL

ENTRY = {**EXACT_ENTRY, "cache": False}


class Pair(NamedTuple):
    """Two arrays, of which functions use one or the other."""

    left: Any
    right: Any


@njit(**EXACT_INNER)
def total_left(pair, k):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(k, len(pair.left)):
        total += pair.left[i]
    return total


@njit(**{**SMALL, "fastmath": False})
def swapped(pair):  # type: ignore[no-untyped-def]
    return Pair(pair.right, pair.left)


@njit(**EXACT_INNER)
def item(items, k):  # type: ignore[no-untyped-def]
    return items[k]  # beyond a tuple, this is an error


@njit(**ENTRY)
def mixed(pair, image, steps, k):  # type: ignore[no-untyped-def]
    """A tuple that is another one in each turn, a variable of several blocks, parts of parts, rows and reshaped."""
    nested, whole = (pair, swapped(pair)), image.reshape(-1)
    kept, last = pair, image[0]
    for step in range(steps):
        if step % 2 == 1:
            last = image[step, 1:]
            kept = swapped(kept)
        elif step > 2:
            kept = nested[1]
        last[-1] += total_left(kept, step) + whole[step]
    return total_left(nested[0], 0) - 3.0 * total_left(nested[1], 1) + last[0] + item((1.5, 2.5), k) + kept.left[-1]


def in_python(kernel: Any) -> Any:
    """A kernel's Python code, with that of those that it calls: inner kernels lead nowhere from Python."""
    called = {one.__name__: one.py_func for one in (total_left, swapped, item)}
    return FunctionType(kernel.py_func.__code__, {**globals(), **called})


def given() -> tuple[Pair, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(1)
    return Pair(rng.normal(size=5), rng.normal(size=7)), rng.normal(size=(6, 4))


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_a_kernel_computes_what_its_python_code_does(steps: int) -> None:
    pair, image = given()
    expected_image = image.copy()
    assert mixed(pair, image, steps, 1) == in_python(mixed)(pair, expected_image, steps, 1)
    np.testing.assert_array_equal(image, expected_image)


def test_an_error_of_a_function_that_is_called_is_one_of_the_entry() -> None:
    pair, image = given()
    with pytest.raises(IndexError, match="tuple index out of range"):
        mixed(pair, image, 1, 2)


def test_what_is_no_array_and_tuples_of_another_size_are_refused() -> None:
    pair, image = given()
    mixed(pair, image, 1, 1)
    (compiled,) = mixed.overloads.values()
    with pytest.raises(TypeError, match="can't unbox array"):
        compiled.entry_point(Pair(pair.left, 3.0), image, 1, 1)
    with pytest.raises(ValueError, match="expected a tuple of 2"):
        compiled.entry_point((pair.left, pair.right, image), image, 1, 1)


def test_functions_are_given_what_they_use() -> None:
    pair, image = given()
    mixed(pair, image, 1, 1)
    compiled = next(one for kinds, one in total_left.overloads.items() if kinds[1] == int64)  # not a number written out
    (function,) = (one for one in compiled.library.own_module().functions if not one.is_declaration)
    # Where results and errors go, the seven words of one array, and the number; the other array has seven more.
    assert len(list(function.arguments)) == 2 + 7 + 1


def test_inner_functions_return_one_type() -> None:
    @njit(**EXACT_INNER)
    def perhaps(x):  # type: ignore[no-untyped-def]
        return x if x > 0.0 else None

    @njit(**ENTRY)
    def entry(x):  # type: ignore[no-untyped-def]
        return perhaps(x) is None

    with pytest.raises(NumbaError, match="inner kernels return one type"):
        entry(1.0)


def test_the_intermediate_code_is_half_of_what_numba_makes(tmp_path: Path) -> None:
    """Counted in fresh processes, the one that only compiles included: what it does there cannot be undone."""
    (tmp_path / "lengths.py").write_text(
        "import sys\n"
        "import numba.core.codegen as codegen\n"
        "from tests import test_kernel_lowering as tested\n"
        "add, lengths = codegen.CPUCodeLibrary.add_ir_module, []\n"
        "def measured(self, module):\n"
        "    lengths.append(len(str(module)))\n"
        "    add(self, module)\n"
        "codegen.CPUCodeLibrary.add_ir_module = measured\n"
        "if sys.argv[1] == 'numba':\n"
        "    import diffdope.kernel_compiler as compiler\n"
        "    from numba.core.lowering import Lower\n"
        "    from numba.core.typed_passes import NativeLowering\n"
        "    for one in (tested.total_left, tested.swapped, tested.item, tested.mixed):\n"
        "        one.targetoptions = {'_nrt': False, 'no_cfunc_wrapper': True}\n"
        "        one._compiler.pipeline_class = __import__('numba').core.compiler.Compiler\n"
        "        one._compiler.targetoptions = one.targetoptions\n"
        "else:\n"
        "    from diffdope.pipelines.compilation.compile_faster import compile_faster\n"
        "    compile_faster()\n"
        "pair, image = tested.given()\n"
        "value = tested.mixed(pair, image, 5, 1)\n"
        "print(sum(lengths), value, image.tolist())\n"
    )
    said = []
    for how in ("numba", "faster"):
        command = [sys.executable, str(tmp_path / "lengths.py"), how]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        said.append(done.stdout.split(maxsplit=1))
    assert said[0][1] == said[1][1]
    assert 2 * int(said[1][0]) < int(said[0][0])
