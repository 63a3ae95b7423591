from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
from numba import types
from numba.core import config
from numba.core.dispatcher import Dispatcher

import diffdope as dd
from diffdope.kernel_cache import FOLDERS, drop_stale, fingerprint, kept_in, kernel_sources
from diffdope.problem.layout import ProblemArrays
from diffdope.scene.packaged import packaged_example
from diffdope.solve.level_kernel import StepRules
from diffdope.terms.layout import TermWeights

PACKAGE = FOLDERS[0].parents[1]
KERNEL = "\n@njit(**KERNEL)\ndef one(x):\n    return x + {}\n"


def make_folder(root: Path, name: str) -> Path:
    folder = root / name
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "kernel.py").write_text(KERNEL.format(1))
    return folder


def test_compiled_code_of_edited_kernels_is_dropped_everywhere(tmp_path: Path) -> None:
    folders = (make_folder(tmp_path, "a"), make_folder(tmp_path, "b"))
    drop_stale(folders)
    compiled = folders[0] / "__pycache__" / "kernel.f-1.py311.nbi"
    compiled.write_bytes(b"code")
    assert not drop_stale(folders)
    assert compiled.exists()
    (folders[1] / "kernel.py").write_text(KERNEL.format(2))  # a callee in the other folder
    assert drop_stale(folders)
    assert not compiled.exists()
    assert not drop_stale(folders)


def test_the_fingerprint_knows_names_and_contents(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "a")
    before = fingerprint((folder,))
    (folder / "kernel.py").rename(folder / "other.py")
    assert fingerprint((folder,)) != before


def test_compiled_code_that_no_stamp_vouches_for_is_dropped(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "a")
    compiled = [folder / "__pycache__" / f"kernel.f-1.py311.{ending}" for ending in ("nbi", "1.nbc")]
    kept = folder / "__pycache__" / "kernel.cpython-311.pyc"  # Python's own, which Python keeps honest
    for file in (*compiled, kept):
        file.write_bytes(b"code")
    assert drop_stale((folder,))
    assert not any(file.exists() for file in compiled) and kept.exists()


def test_a_folder_without_a_cache_gets_a_stamp_and_one_that_cannot_be_written_is_left_alone(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "__pycache__").write_text("a file where the cache would be")
    assert not drop_stale((blocked, fresh))
    assert (fresh / "__pycache__" / "kernels.sha256").read_text() == fingerprint((blocked, fresh))
    assert (blocked / "__pycache__").read_text() == "a file where the cache would be"


def test_compiled_code_that_the_user_keeps_elsewhere_is_dropped_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "elsewhere"))
    folder = make_folder(tmp_path, "a")
    kept = kept_in(folder)
    assert kept is not None and kept.is_relative_to(tmp_path / "elsewhere")
    drop_stale((folder,))
    compiled = kept / "kernel.f-1.py311.nbi"
    compiled.write_bytes(b"code")
    assert not drop_stale((folder,)) and compiled.exists()
    (folder / "kernel.py").write_text(KERNEL.format(2))
    assert drop_stale((folder,)) and not compiled.exists()


@pytest.mark.parametrize(
    "line",
    [
        "from diffdope.b.limits import LEAST",
        "from diffdope.b.limits import (  # those (of both)\n    LEAST,\n)",
        "from diffdope.b import (\n    other,  # not (that)\n    limits,\n)",
        "import diffdope.b.limits as limits",
        "from diffdope.b.between import LEAST",
    ],
)
def test_a_constant_that_a_kernel_takes_from_a_neighbour_drops_it_and_what_none_takes_does_not(
    line: str, tmp_path: Path
) -> None:
    """Compiled code holds constants; what a kernel's folder has beside it is no part of that."""
    folder, beside = make_folder(tmp_path, "a"), tmp_path / "b"
    beside.mkdir()
    for name, text in (
        ("limits", "LEAST = 1"), ("between", "from diffdope.b.limits import LEAST"), ("apart", "MOST = 1"),
        ("other", ""),
    ):  # fmt: skip
        (beside / f"{name}.py").write_text(f"{text}\n")
    (folder / "settings.py").write_text('"""Errors and settings, whose words njit and intrinsics may be."""\n')
    (folder / "kernel.py").write_text(line + KERNEL.format("LEAST"))
    drop_stale((folder,), tmp_path)
    compiled = folder / "__pycache__" / "kernel.one-1.py311.nbi"
    compiled.write_bytes(b"code")
    (folder / "settings.py").write_text("said = 'otherwise'\n")
    (beside / "apart.py").write_text("MOST = 2\n")
    assert not drop_stale((folder,), tmp_path) and compiled.exists()
    (beside / "limits.py").write_text("LEAST = 2\n")
    assert drop_stale((folder,), tmp_path) and not compiled.exists()


def modules_imported(path: str) -> set[str]:
    """Files of the package that a source imports, by its syntax."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(Path(path).read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            names |= {str(node.module), *(f"{node.module}.{one.name}" for one in node.names)}
        elif isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
    places = [PACKAGE.joinpath(*name.split(".")[1:]) for name in names if name.startswith("diffdope.")]
    files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return {str(file) for file in files if file.is_file()}


def holds_kernels(path: Path) -> bool:
    return any(
        isinstance(node, ast.Call | ast.Name) and ast.unparse(node).startswith(("njit", "intrinsic"))
        for one in ast.walk(ast.parse(path.read_text()))
        for node in getattr(one, "decorator_list", [])
    )


def test_the_sources_of_kernels_are_all_that_hold_one_and_all_that_these_import() -> None:
    found = kernel_sources()
    assert {str(path) for path in PACKAGE.rglob("*.py") if holds_kernels(path)} <= found.keys()
    for path in found:
        assert modules_imported(path) <= found.keys(), path


def test_words_of_errors_and_settings_are_no_sources_of_kernels() -> None:
    """Else each change of a message would make every user compile for half a minute."""
    found = {str(Path(path).relative_to(PACKAGE)) for path in kernel_sources()}
    assert {"errors.py", "problem/factor.py", "terms/registry.py", "scene/observation.py"}.isdisjoint(found)
    assert len(found) < 70


def tuples_in(kind: Any) -> set[type]:
    """Classes of named tuples that a numba type is made of."""
    parts = getattr(kind, "types", None) or ([kind.dtype] if isinstance(kind, types.UniTuple) else [])
    own = {kind.instance_class} if hasattr(kind, "instance_class") else set()
    return own.union(*(tuples_in(part) for part in parts))


def test_what_kernels_are_given_is_laid_out_in_a_source_of_theirs() -> None:
    """Compiled code reads fields by their places, and for numba a tuple with other places is of the same type."""
    mesh, observation, start, _ = packaged_example()
    for preset in ("default", "fast"):
        dd.Refiner(mesh, preset=preset).refine(observation, start)
    kernels = {
        value
        for name, module in list(sys.modules.items())
        if name.startswith("diffdope.")
        for value in vars(module).values()
        if isinstance(value, Dispatcher)
    }
    given = {
        one for kernel in kernels for signature in kernel.overloads for kind in signature for one in tuples_in(kind)
    }
    assert {ProblemArrays, StepRules, TermWeights} <= given
    sources = kernel_sources()
    assert not [one for one in given if sys.modules[one.__module__].__file__ not in sources]
