"""What the command line says in other words is still said by the library: else the words stay those of Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from diffdope.io.wording import _WORDS, in_options
from diffdope.joint.asked import _CURE
from tests.conftest import PROJECT

_VALUES = ("0.001", "millimetres", "mm", "mask")  # what texts have in their gaps, in turn


def _said(node: ast.AST, first: int) -> str | None:
    """A text of the source, its gaps filled; None of what is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    text, gaps = "", first
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
            continue
        assert isinstance(part, ast.FormattedValue)
        choice = part.value.body if isinstance(part.value, ast.IfExp) else None
        text += str(choice.value) if isinstance(choice, ast.Constant) else _VALUES[gaps % len(_VALUES)]
        gaps += 1
    return text


def _texts() -> Iterator[str]:
    yield f"masks={{(view, object): mask}}, or {_CURE}"  # two texts of `joint/asked.py` in one
    for path in (PROJECT / "src").rglob("*.py"):
        if path.name != "wording.py":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for first in range(len(_VALUES)):
                    text = _said(node, first)
                    if text is not None:
                        yield text


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return list(dict.fromkeys(_texts()))


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in _WORDS])
def test_the_library_still_says_what_the_command_line_says_otherwise(pattern: str, texts: list[str]) -> None:
    said = [text for text in texts if re.search(pattern, text)]
    assert said, "no message has these words any more: drop them, or write them as the library does"
    assert all(in_options(text) != text for text in said)
