"""Benchmarks, tools and examples import only what the project has: few of them are run between releases."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OWN = ("diffdope", "benchmarks")


def missing(source: str) -> list[str]:
    """Names that are imported from our own modules and are not there."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OWN:
            module = importlib.import_module(node.module)
            found += [
                f"{node.module}.{one.name}"
                for one in node.names
                if not hasattr(module, one.name) and not _module(f"{node.module}.{one.name}")
            ]
    return found


def _module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("folder", ["benchmarks", "tools", "examples"])
def test_imports_what_there_is(folder: str) -> None:
    """A function that moved left two benchmarks behind that began with an ImportError."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    pytest.importorskip("torch" if folder == "examples" else "numpy")
    found = {str(path.relative_to(ROOT)): names for path in paths if (names := missing(path.read_text()))}
    assert not found


def test_what_is_missing_is_told() -> None:
    source = "from diffdope.geometry.pose import Pose, nothing\nfrom diffdope.search import ending\nimport json\n"
    assert missing(source) == ["diffdope.geometry.pose.nothing"]
