"""Writes docs/api.md from the docstrings of the public names, `diffdope.__all__`.

    python tools/make_api.py            writes the page
    python tools/make_api.py --check    fails if the page is not what it would write

Standard library only. The page holds what the docstrings say, so what is wrong in it is mended there.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import enum
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import diffdope

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
WIDTH = 100
# Reading order: what goes in, what refines it, what comes out, the rest. A name that is missing here is appended.
ORDER = (
    "Camera", "load_camera", "Mesh", "Observation", "Pose", "refine", "Refiner", "RefinementResult", "Status",
    "load_robot", "Robot", "Shot", "calibrate", "CalibrationResult", "set_threads", "DiffDopeError",
)  # fmt: skip
HEAD = """\
# API

Made from the docstrings by `python tools/make_api.py`; a test compares the two.

Lengths are metres, angles radians and images indexed [row, column] unless a name says otherwise
(`_mm`, `_deg`, `_px`): [conventions.md](conventions.md). Arguments after `*` are given by name.
`F64`, `F32`, `I32` and `U8` are numpy arrays of float64, float32, int32 and uint8. Terms are
explained in [glossary.md](glossary.md), and the numbers of a `Preset` in
[refinement.md](refinement.md).
"""
# Of public values, which have no docstring of their own.
VALUES = {"PRESETS": 'The presets by name: a mapping from "default", "fast" and "paper" to a `Preset`.'}
SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises")
WITHOUT_NAMES = ("Returns:", "Yields:")  # one text each


def public_names() -> list[str]:
    """In the order of the page; `__version__` and the like are left out."""
    names = [name for name in diffdope.__all__ if not name.startswith("_")]
    return sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def public_object(name: str) -> Any:
    """The class or function behind a name; a package that can be called stands for the function of its name."""
    found = getattr(diffdope, name)
    if isinstance(found, ModuleType):
        return getattr(importlib.import_module(diffdope.Refiner.__module__), name)
    return found


def page() -> str:
    """The whole page."""
    names = public_names()
    index = [f"- [`{name}`](#{name.lower()}): {VALUES.get(name) or summary(public_object(name))}" for name in names]
    parts = [HEAD, *(wrapped(line, hang="  ") for line in index)]
    for name in names:
        parts += ["", *section(name, public_object(name))]
    return "\n".join(parts) + "\n"


def summary(thing: Any) -> str:
    """First paragraph of a docstring."""
    return escaped(" ".join(documentation(thing).partition("\n\n")[0].split()))


def documentation(thing: Any) -> str:
    """The docstring, without indentation.

    Raises:
        ValueError: if there is none.
    """
    text = inspect.getdoc(thing)
    if not text:
        raise ValueError(f"{thing!r}: expected a docstring, got none")
    return text


def section(name: str, thing: Any) -> Iterator[str]:
    """Heading, signature and docstring of a public name; of a class, its fields and methods too."""
    yield f"## {name}\n"
    if name in VALUES:
        yield prose(VALUES[name])
        return
    if not inspect.isclass(thing):
        yield from callable_block(f"diffdope.{name}", thing, skip_first=False)
        return
    if not issubclass(thing, (enum.Enum, Exception)):
        yield code(signature(f"diffdope.{name}", inspect.signature(thing), skip_first=False))
    yield prose(documentation(thing))
    yield from fields(thing)
    constructor = vars(thing).get("__init__")
    if constructor is not None and constructor.__doc__:  # its own, not the one that it inherits
        yield "\n" + prose(documentation(constructor))
    for member, kind, function in methods(thing):
        yield f"\n### {name}.{member}\n"
        if kind == "property":
            yield code(f"{name}.{member} -> {returned(inspect.signature(function))}")
            yield prose(documentation(function))
        else:
            yield from callable_block(f"{name}.{member}", function, skip_first=kind != "static")


def callable_block(name: str, function: Callable[..., Any], *, skip_first: bool) -> Iterator[str]:
    """Signature and docstring."""
    yield code(signature(name, inspect.signature(function), skip_first=skip_first))
    yield prose(documentation(function))


def fields(thing: type) -> Iterator[str]:
    """A dataclass's fields, or an enumeration's members, with the docstrings below them."""
    notes = notes_below(thing)
    if issubclass(thing, enum.Enum):
        yield "\n" + wrapped("Members: " + ", ".join(f"`{member.value}`" for member in thing) + ".")
    if dataclasses.is_dataclass(thing) and "Attributes:" not in documentation(thing):
        yield "\n**Attributes**\n"
        for field in dataclasses.fields(thing):
            if not field.name.startswith("_"):
                note = f": {notes[field.name]}" if field.name in notes else ""
                yield wrapped(f"- `{field.name}` (`{field.type}`){note}", hang="  ")


def notes_below(thing: type) -> dict[str, str]:
    """Strings that stand below the fields in the source of a class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        note = below.value if isinstance(below, ast.Expr) else None
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(note, ast.Constant) and isinstance(note.value, str):
            found[field.target.id] = escaped(" ".join(note.value.split()))
    return found


def methods(thing: type) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """(name, kind, function) of what the class itself defines, in the order of its source."""
    for name, member in vars(thing).items():
        if name.startswith("_"):
            continue
        if isinstance(member, (classmethod, staticmethod)):
            yield name, "static" if isinstance(member, staticmethod) else "class", member.__func__
        elif isinstance(member, property) and member.fget is not None:
            yield name, "property", member.fget
        elif isinstance(member, cached_property):
            yield name, "property", member.func
        elif isinstance(member, FunctionType):
            yield name, "method", member


def returned(of: inspect.Signature) -> str:
    """The annotation of what is returned."""
    return annotation(of.return_annotation)


def annotation(value: Any) -> str:
    """As it stands in the source."""
    return value if isinstance(value, str) else getattr(value, "__name__", str(value))


def signature(name: str, of: inspect.Signature, *, skip_first: bool) -> str:
    """As in source code, one parameter a line if it does not fit into one."""
    parts, star = [], False
    for parameter in list(of.parameters.values())[int(skip_first) :]:
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        text = parameter.name
        if parameter.kind is parameter.VAR_POSITIONAL:
            text, star = f"*{text}", True
        elif parameter.kind is parameter.VAR_KEYWORD:
            text = f"**{text}"
        if parameter.annotation is not parameter.empty:
            text += f": {annotation(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {parameter.default!r}"
        parts.append(text)
    end = "" if of.return_annotation in (of.empty, None, "None") else f" -> {returned(of)}"
    line = f"{name}({', '.join(parts)}){end}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){end}"])


def code(text: str) -> str:
    """A block of code; not called Python, which has no way to write what a property returns."""
    return f"```text\n{text}\n```\n"


def prose(text: str) -> str:
    """A docstring as Markdown: paragraphs, and its sections as lists."""
    out: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        head, _, rest = paragraph.partition("\n")
        if head.rstrip(":") in SECTIONS and head.endswith(":"):
            out.append(f"**{head.rstrip(':')}**")
            listed = [escaped(" ".join(rest.split()))] if head in WITHOUT_NAMES else items(rest.splitlines())
            out.append("\n".join(wrapped(f"- {item}", hang="  ") for item in listed))
        elif paragraph.startswith("- "):
            out.append("\n".join(wrapped(escaped(line), hang="  ") for line in paragraph.splitlines()))
        elif paragraph.startswith("    "):
            out.append("\n".join(f"    {line.strip()}" for line in paragraph.splitlines()))
        else:
            out.append(wrapped(escaped(" ".join(paragraph.split()))))
    return "\n\n".join(out)


def items(lines: Iterable[str]) -> list[str]:
    """Entries `name: text` of a section, each with the lines that are indented below it."""
    text = textwrap.dedent("\n".join(lines))
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and found:
            found[-1] += f" {line.strip()}"
        else:
            found.append(line.strip())
    return [re.sub(r"^([\w.]+):", r"`\1`:", escaped(item)) for item in found]


def escaped(text: str) -> str:
    """With the characters that Markdown would take for its own; what stands in backticks is left alone."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([*<\[\]])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def wrapped(text: str, *, hang: str = "") -> str:
    """In lines of the page's width; what stands in backticks is not broken."""
    glued = re.sub(r"`[^`]*`", lambda span: span.group().replace(" ", "\0"), text)
    lines = textwrap.wrap(glued, WIDTH, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def main() -> int:
    """Writes or checks; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not up to date")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        print("docs/api.md is not what the docstrings say; run: python tools/make_api.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
