"""docs/api.md is what the docstrings say."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
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


def test_lists_stay_lists_and_what_is_returned_is_one_text() -> None:
    text = "Kinds.\n\n- `a`: [k1]\n- `b`: two\n\nReturns:\n    The one, and\n    the other [m]."
    assert make_api.prose(text) == (
        "Kinds.\n\n- `a`: \\[k1\\]\n- `b`: two\n\n**Returns**\n\n- The one, and the other \\[m\\]."
    )


def test_a_signature_is_as_in_the_source() -> None:
    own = inspect.signature(Sample.plain)
    assert make_api.signature("Sample.plain", own, skip_first=True) == "Sample.plain(x: int, *, by: float = 0.5)"
    long = make_api.signature("s" * 90, own, skip_first=True)
    assert long.splitlines()[1:] == ["    x: int,", "    *,", "    by: float = 0.5,", ")"]


def test_a_missing_docstring_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a docstring"):
        make_api.documentation(Sample.bare)


def sections_of(text: str) -> dict[str, str]:
    """Text of each section of a docstring, by its heading."""
    parts = re.split(rf"^\s*({'|'.join(make_api.SECTIONS)}):\s*$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def public_callables() -> dict[str, tuple[object, str]]:
    """Functions, classes and public methods of `diffdope.__all__` with parameters, and where they are described."""
    found: dict[str, tuple[object, str]] = {}
    for name in make_api.public_names():
        thing = make_api.public_object(name)
        if name in make_api.VALUES:
            continue
        if not inspect.isclass(thing):
            found[name] = thing, inspect.getdoc(thing) or ""
            continue
        if issubclass(thing, (enum.Enum, Exception)):
            continue
        if name != "RefinementResult":  # which users get, and do not make
            own = inspect.cleandoc(thing.__init__.__doc__ or "")
            found[name] = thing, f"{inspect.getdoc(thing)}\n{own}"
        for member, value in vars(thing).items():
            function = getattr(value, "__func__", value)
            if not member.startswith("_") and isinstance(function, FunctionType):
                found[f"{name}.{member}"] = function, inspect.getdoc(function) or ""
    return found


CALLABLES = public_callables()
NEVER_RAISES = {
    "ConfidenceSettings.corrected",
    "ConfidenceSettings.tolerance_of",
    "Observation.with_rgb",
    "Observation.with_shares",
    "CalibrationResult",
    "EyeInHandResult",
    "SceneResult",
}  # they check nothing: those of Observation say so, and results are made by the library


def parameters_of(thing: object) -> list[str]:
    names = inspect.signature(thing).parameters  # type: ignore[arg-type]
    return [name for name in names if name not in ("self", "cls")]


@pytest.mark.parametrize("name", CALLABLES)
def test_every_argument_is_described_and_what_is_raised(name: str) -> None:
    thing, text = CALLABLES[name]
    sections, parameters = sections_of(text), parameters_of(thing)
    described = sections.get("Args", "") + sections.get("Attributes", "")
    if dataclasses.is_dataclass(thing) and isinstance(thing, type):
        described += "".join(f"\n{field}: {text}" for field, text in make_api.notes_below(thing).items())
    missing = [one for one in parameters if not re.search(rf"^\s*{one}: \S", described, flags=re.MULTILINE)]
    assert not missing, f"{name}: Args does not describe {', '.join(missing)}"
    if parameters and name not in NEVER_RAISES:
        assert "DiffDopeError: " in sections.get("Raises", ""), f"{name}: no Raises"


def test_every_field_of_a_public_dataclass_is_described() -> None:
    text = make_api.page()
    for name in make_api.public_names():
        thing = make_api.public_object(name)
        if not dataclasses.is_dataclass(thing) or name in make_api.VALUES:
            continue
        section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
        for field in dataclasses.fields(thing):
            if not field.name.startswith("_"):
                described = rf"^- `{field.name}`( \(`.*`\))?: \S"
                assert re.search(described, section, flags=re.MULTILINE), f"{name}.{field.name}"
