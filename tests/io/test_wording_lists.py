"""Messages of the library are worded anew by lists of patterns: each must still meet a message, as that is written."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from re import _parser  # type: ignore[attr-defined]

import pytest

import diffdope
from diffdope.io import wording as of_options
from diffdope.service import wording as of_keys

PACKAGE = Path(diffdope.__file__).parent
LISTS = {PACKAGE / "io" / "wording.py", PACKAGE / "service" / "wording.py"}
_FILE = "camera\\.json"  # which is filled in
_VALUE = "\0"  # of an f-string, in place of what is filled in


def _texts(path: Path) -> list[str]:
    """All string literals of a file; of f-strings what is written."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else _VALUE for part in node.values)
            found.append("".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


@cache
def written(*lists: Path) -> str:
    """Everything that the library says, and what these lists make of it."""
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if path not in LISTS or path in lists]
    return "\n".join(text for path in files for text in _texts(path))


def words_of(pattern: str) -> list[str]:
    """The runs of a pattern that match nothing but themselves, of two words or more; else the longest one.

    What is said is put together from names, what was expected, and cures, so that runs end there, too.
    """
    letters = (chr(value) if kind is _parser.LITERAL else _VALUE for kind, value in _parser.parse(pattern))
    runs = [run.strip(" ()") for run in re.split(f"{_VALUE}|[:;,] ?(?:or )?|expected | or |{_FILE}", "".join(letters))]
    return [run for run in runs if " " in run] or [max(runs, key=len)]


CASES = [(pattern, "io") for pattern, _ in of_options._WORDS]
CASES += [(pattern, "service") for pattern, _ in of_keys._WORDS]


@pytest.mark.parametrize(("pattern", "whose"), CASES)
def test_a_pattern_meets_something_that_is_said(pattern: str, whose: str) -> None:
    said = written() if whose == "io" else written(PACKAGE / "io" / "wording.py")
    missing = [run for run in words_of(pattern) if run not in said]
    assert not missing, f"nothing says {missing} any more"
