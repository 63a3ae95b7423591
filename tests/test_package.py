"""What `import diffdope` does and does not do; in processes of their own, as this one has imported all."""

from __future__ import annotations

import ast
import importlib
import pickle
import re
import subprocess
import sys
import tomllib
from dataclasses import fields, is_dataclass

import pytest

import diffdope as dd
from diffdope.former_homes import FORMER_HOMES
from diffdope.joint.result import ObjectInView, ObjectResult, ViewResult
from diffdope.pipelines.result import nothing_compared
from diffdope.search.alternatives.answers import Answer
from diffdope.search.history import History
from tests.conftest import PROJECT


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT / "src").stdout.strip()


def test_import_is_light() -> None:
    code = (
        "import sys, diffdope;"
        "heavy = {'numpy', 'numba', 'trimesh', 'scipy', 'matplotlib', 'torch', 'av', 'PIL'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run_python(code) == "[]"


def test_mesh_and_observation_import_no_reader() -> None:
    code = (
        "import sys, diffdope as dd; dd.Mesh, dd.Observation, dd.Camera, dd.Pose;"
        "print(sorted({'numba', 'trimesh', 'scipy', 'PIL'} & set(sys.modules)))"
    )
    assert run_python(code) == "[]"


@pytest.mark.parametrize(
    "first",
    [
        "pass",
        "import diffdope.pipelines.refiner",
        "import diffdope.pipelines.refiner as module",
        "from diffdope.pipelines.refiner import Refiner",
        "dd.Refiner",
    ],
)
def test_refine_can_be_called_whatever_was_imported_before(first: str) -> None:
    check = "from diffdope import refine\nprint(callable(dd.refine), refine is dd.refine)"
    code = f"import diffdope as dd\n{first}\n{check}"
    assert run_python(code) == "True True"


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "diffdope", "--version"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT / "src")
    assert done.stdout.strip() == dd.__version__


def test_every_export_resolves() -> None:
    for name in dd.__all__:
        assert getattr(dd, name) is not None
    assert dir(dd) == sorted(dd.__all__)
    assert {"Preset", "PRESETS", "Renderer", "overlay", "Distortion"} <= set(dir(dd))
    assert {"ConfidenceSettings", "PolishSettings", "SearchSettings", "NoteCode", "read_result"} <= set(dir(dd))


@pytest.mark.parametrize("former", FORMER_HOMES)
def test_former_homes_lead_on_with_a_warning_that_says_where(former: str) -> None:
    old = importlib.import_module(former)
    for name, now in FORMER_HOMES[former].items():
        with pytest.warns(DeprecationWarning, match=f"{former}.{name} is {now}.{name}; ") as told:
            found = getattr(old, name)
        assert found is getattr(importlib.import_module(now), name)
        assert [warning.filename for warning in told] == [__file__]
    with pytest.raises(AttributeError, match=f"module '{former}' has no attribute 'nothing'"):
        _ = old.nothing
    assert former in (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_unknown_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Kamera'"):
        _ = dd.Kamera


def test_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert dd.__version__ == project["version"]
    assert f"version: {dd.__version__}" in (PROJECT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {dd.__version__}" in (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_call_has_the_functions_signature() -> None:
    import inspect

    import diffdope as dd
    from diffdope.pipelines.one_shot import refine

    assert inspect.signature(dd.refine) == inspect.signature(refine)


def test_no_public_class_name_is_defined_twice() -> None:
    homes: dict[str, list[str]] = {}
    for file in sorted((PROJECT / "src").rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(str(file.relative_to(PROJECT)))
    assert len(homes) > 100
    twice = {name: files for name, files in homes.items() if len(files) > 1}
    assert not twice, "rename one of each to the field's term"


def test_a_result_fits_a_screen() -> None:
    from dataclasses import replace

    from diffdope.pipelines.result import Status, nothing_compared

    result = nothing_compared(dd.Pose.identity(), Status.FAILED, "why")
    shown = repr(replace(result, confidence=0.5, notes=tuple("a note of some length " * 9 for _ in range(40))))
    assert shown.startswith("RefinementResult(failed, confidence 0.50, at (0.0, 0.0, 0.0) mm")
    assert len(shown.splitlines()) < 12 and max(map(len, shown.splitlines())) < 120


def test_examples_say_what_to_install() -> None:
    """What an example imports at once is installed with the package; what is not, it looks for first."""
    wanted = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    installed = {re.split(r"\W", one, maxsplit=1)[0] for one in wanted} | {"diffdope", "PIL"} | sys.stdlib_module_names
    unsaid = []
    for path in sorted((PROJECT / "examples").glob("*.py")):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
                roots = {name.split(".")[0] for name in names} - installed
                looked_for = {root for root in roots if "find_spec" in source and f'"{root}"' in source}
                unsaid += [f"{path.name}: {root}" for root in roots - looked_for]
    assert not unsaid


def test_an_example_without_its_extra_is_one_line() -> None:
    code = (
        "import importlib.util as u, runpy, sys; u.find_spec = lambda name: None;"
        f"runpy.run_path({str(PROJECT / 'examples' / '02_own_loss_in_torch.py')!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=PROJECT / "src"
    )
    assert done.returncode == 1 and done.stderr == 'torch is not installed; pip install "diffdope[torch]"\n'


def test_what_holds_arrays_is_equal_to_itself_alone() -> None:
    """Fields compared one by one would ask whether an array is true, which numpy refuses."""
    known = {name: getattr(dd, name) for name in dd.__all__}
    classes = {name: one for name, one in known.items() if isinstance(one, type) and is_dataclass(one)}
    classes |= {one.__name__: one for one in (History, Answer, ObjectResult, ObjectInView, ViewResult)}
    arrays = re.compile(r"\b(?:F64|NDArray|Pose|History|Answer|ObjectResult|ViewResult|ObjectInView|Mesh)\b")
    holding = {name: one for name, one in classes.items() if any(arrays.search(str(f.type)) for f in fields(one))}
    assert {"RefinementResult", "SceneResult", "CalibrationResult", "EyeInHandResult", "History"} <= set(holding)
    assert not [name for name, one in holding.items() if one.__eq__ is not object.__eq__]


def test_results_that_were_kept_can_be_looked_for_and_put_into_sets() -> None:
    result = nothing_compared(dd.Pose.identity(), dd.Status.NO_OVERLAP, "nothing")
    kept = pickle.loads(pickle.dumps(result))
    assert result == result and kept != result and kept in [result, kept] and len({result, kept}) == 2
    assert kept.pose.distance_to(result.pose) == 0.0
