"""What the fields of a dataclass are, in the words of its source: their help."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cache


@cache
def texts_below_fields(kind: type) -> dict[str, str]:
    """The texts that stand below the fields of a dataclass and of those that it is made of."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__[:-1]):
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        assert isinstance(node, ast.ClassDef)
        for a, b in zip(node.body, node.body[1:], strict=False):
            text = isinstance(b, ast.Expr) and isinstance(b.value, ast.Constant) and isinstance(b.value.value, str)
            if isinstance(a, ast.AnnAssign) and isinstance(a.target, ast.Name) and text:
                assert isinstance(b, ast.Expr) and isinstance(b.value, ast.Constant)
                found[a.target.id] = str(b.value.value)
    return found


@cache
def texts_of_fields(kind: type) -> dict[str, str]:
    """The same, and what the docstrings' Attributes say of fields that have no text below them; each as one line."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__[:-1]):
        found |= _attributes(inspect.getdoc(one) or "")
    return {name: " ".join(text.split()) for name, text in (found | texts_below_fields(kind)).items()}


def _attributes(text: str) -> dict[str, str]:
    _, _, section = text.partition("\nAttributes:\n")
    section = re.split(r"\n(?=\S)", section)[0]
    parts = re.split(r"^    (\w+): ", section, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
