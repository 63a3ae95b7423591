"""docs/api.md is what the docstrings say."""

from __future__ import annotations

import inspect
from functools import cached_property
from types import FunctionType

import pytest

import diffdope
from tools import make_api


def test_the_page_is_up_to_date() -> None:
    written = make_api.PAGE.read_text(encoding="utf-8")
    assert written == make_api.page(), "docs/api.md: not what the docstrings say; run python tools/make_api.py"


def test_every_public_name_has_a_section() -> None:
    headings = [line[3:] for line in make_api.page().splitlines() if line.startswith("## ")]
    assert sorted(headings) == sorted(name for name in diffdope.__all__ if name != "__version__")


def test_every_public_method_has_a_section() -> None:
    text = make_api.page()
    for name in make_api.public_names():
        thing = make_api.public_object(name)
        if not inspect.isclass(thing):
            continue
        for member in vars(thing):
            kinds = (FunctionType, classmethod, staticmethod, property, cached_property)
            if not member.startswith("_") and isinstance(vars(thing)[member], kinds):
                assert f"\n### {name}.{member}\n" in text, f"{name}.{member}"


class Sample:
    """Something."""

    def plain(self, x: int, *, by: float = 0.5) -> None:
        """Does it.

        Args:
            x: first, which goes
                on here.
            by: second [m].

        Raises:
            ValueError: if x * 2 < 3.
        """

    def bare(self) -> None: ...


def test_a_docstring_becomes_lists() -> None:
    text = make_api.prose(make_api.documentation(Sample.plain))
    assert text == (
        "Does it.\n\n**Args**\n\n- `x`: first, which goes on here.\n- `by`: second \\[m\\].\n\n"
        "**Raises**\n\n- `ValueError`: if x \\* 2 \\< 3."
    )


def test_a_signature_is_as_in_the_source() -> None:
    own = inspect.signature(Sample.plain)
    assert make_api.signature("Sample.plain", own, skip_first=True) == "Sample.plain(x: int, *, by: float = 0.5)"
    long = make_api.signature("s" * 90, own, skip_first=True)
    assert long.splitlines()[1:] == ["    x: int,", "    *,", "    by: float = 0.5,", ")"]


def test_a_missing_docstring_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a docstring"):
        make_api.documentation(Sample.bare)
