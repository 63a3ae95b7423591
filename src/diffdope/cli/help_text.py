"""`--help` with what anyone needs, `--help-all` with every option."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import shutil
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Literal

import tyro

from diffdope.cli.docstrings import texts_below_fields
from diffdope.cli.elsewhere import check_own
from diffdope.cli.flag_types import parse as parse_words
from diffdope.cli.lists import flag_of, joined
from diffdope.cli.repeated import gathered

# Options that few need; --help leaves them to --help-all.
RARE = frozenset({
    "allow_missing_texture", "camera_id", "depth_baseline", "depth_camera", "depth_extrinsics", "depth_kind",
    "depth_rectified", "mask_inverted", "numbers", "rectified", "address", "camera_type", "engine", "models",
    "rgb_topic", "depth_topic",
    "info_topic", "tolerance_s", "near", "surface", "camera_frame", "suggestions", "confidence_file",
})  # fmt: skip
HELP = ("-h", "--help", "--help-all")
"""Words that ask for the help of what has nothing but sub-commands."""
_INDENT = 28  # columns, where the explanations of options begin
_EXAMPLE = "Example: "
_NONE = re.compile(r"\{None\}\|")
_METAVARS: dict[Any, str] = {Path: "PATH", int: "N", float: "NUMBER", str: "TEXT"}


def short_help(kind: type, prog: str) -> str:
    """The options of a command that anyone needs, one after the other: needed ones first.

    Args:
        kind: dataclass of its arguments.
        prog: the command.
    """
    texts, hints = texts_below_fields(kind), typing.get_type_hints(kind, include_extras=True)
    rest = _rest(kind)
    shown = [field for field in fields(kind) if field not in rest]
    needed = [field for field in shown if field.default is MISSING and field.default_factory is MISSING]
    width = _width()
    lines = [" ".join(["usage:", prog, *(_head(f.name, hints[f.name]) for f in needed), "[options]"]), ""]
    about = (inspect.getdoc(kind) or "").split("\n\n")[0]
    lines += [*textwrap.wrap(" ".join(about.split()), width), ""]
    example = example_of(kind)
    if example:
        lines += ["example:", *_broken(example, width), ""]
    for heading, some in (("needed:", needed), ("options:", [field for field in shown if field not in needed])):
        if not some:
            continue
        lines.append(heading)
        for field in some:
            lines += _option(field, hints[field.name], texts.get(field.name, ""), width)
        lines.append("")
    if rest:
        more = ", and the numbers of the preset" if any(field.name == "numbers" for field in rest) else ""
        count = sum(field.name != "numbers" for field in rest)
        lines.append(f"{prog} --help-all lists the other options ({count}{more}).")
    return "\n".join(lines).rstrip()


def example_of(kind: type) -> str:
    """The command line that the last paragraph of the docstring of a command's arguments shows; empty if none does."""
    last = " ".join((inspect.getdoc(kind) or "").split("\n\n")[-1].split())
    return last.removeprefix(_EXAMPLE) if last.startswith(_EXAMPLE) else ""


def _broken(command: str, width: int) -> list[str]:
    """A command line in lines that a shell takes as one; no option is parted from its value."""
    parts = command.replace(" --", "\n--").splitlines()
    lines = [f"  {parts[0]}"]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + 3 > width:
            lines[-1] += " \\"
            lines.append(f"    {part}")
        else:
            lines[-1] += f" {part}"
    return lines


def _rest(kind: type) -> list[Any]:
    """The fields that the short help leaves out."""
    return [field for field in fields(kind) if field.name in RARE or field.name in getattr(kind, "FURTHER", ())]


def asks_for_short_help(arguments: list[str]) -> bool:
    """Whether these words ask for it."""
    return any(word in ("-h", "--help") for word in arguments)


@contextlib.contextmanager
def long_help(arguments: list[str]) -> Iterator[list[str]]:
    """Yields the words with --help for --help-all; what the parser prints then says nothing of None."""
    if "--help-all" not in arguments:
        yield arguments
        return
    caught = io.StringIO()
    try:
        with contextlib.redirect_stdout(caught):
            yield ["--help"]
    finally:
        lines = [part for line in caught.getvalue().splitlines() for part in _wrapped(_without_none(line))]
        print("\n".join(lines), file=sys.stdout)


def parsed(kind: type, arguments: list[str], prog: str, parse: Callable[[list[str]], Any] | None = None) -> Any:
    """What `parse` makes of the words, or the help that they ask for, and the end of the program.

    Args:
        kind: dataclass of the command's arguments.
        arguments: words of the command line.
        prog: the command, with the program before it.
        parse: of the words; None for the parser of flags as it is.

    Raises:
        DiffDopeError: for an option that only another command has, or two files of an option that takes one.
        SystemExit: after the help, or what the parser complains about.
    """
    if asks_for_short_help(arguments) or ("--help-all" in arguments and not _rest(kind)):
        print(short_help(kind, prog))
        raise SystemExit(0)
    arguments = joined(arguments)
    check_own(kind, arguments, prog)
    arguments = gathered(kind, arguments)
    with long_help(arguments) as words:
        if parse is not None:
            return parse(words)
        return parse_words(kind, words, prog=prog)


def _without_none(line: str) -> str:
    """Without {None}| and defaults of None, and as long as before, so that frames stay frames."""
    text = _NONE.sub("", line).replace("{None,", "{").replace(" (default: None)", "")
    missing = len(line) - len(text)
    return text if not missing or not text.endswith("│") else text[:-1] + " " * missing + "│"


def _width() -> int:
    """Of the window, as far as lines can be read."""
    return max(60, min(100, shutil.get_terminal_size((100, 24)).columns))


def _wrapped(line: str) -> list[str]:
    """A line of prose, which the parser prints as long as it is, in several; what stands in a frame as it is."""
    if len(line) <= _width() or "│" in line:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.strip(), _width(), initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip


def _option(field: Any, hint: Any, text: str, width: int) -> list[str]:
    default = field.default
    head = f"  --no-{flag_of(field.name)}" if default is True else f"  {_head(field.name, hint)}"
    if default not in (MISSING, None, (), False, True) or type(default) in (int, float):
        text += f" Default: {default}."
    if default is True:
        text = f"Do not {text[:1].lower()}{text[1:]}"
    wrapped = textwrap.wrap(" ".join(text.split()), width - _INDENT)
    if len(head) > _INDENT - 2:
        return [head, *(" " * _INDENT + line for line in wrapped)]
    return [f"{head:{_INDENT}}{wrapped[0] if wrapped else ''}", *(" " * _INDENT + line for line in wrapped[1:])]


def _head(name: str, hint: Any) -> str:
    """An option and its value, such as --rgb PATH; of what has no name on the command line, the value alone."""
    plain = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
    if plain is bool:
        return f"--{flag_of(name)}"
    if plain is not hint and tyro.conf.Positional in hint.__metadata__:
        return _metavar(plain)
    return f"--{flag_of(name)} {_metavar(plain)}"


def _metavar(hint: Any) -> str:
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Annotated:
        return _metavar(parts[0])
    if typing.get_origin(hint) is tuple:
        return " ".join(f"{_metavar(part)}" if part is not ... else "..." for part in parts)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return "|".join(_metavar(part) for part in parts if part is not type(None))
    if typing.get_origin(hint) is Literal:
        return "|".join(map(str, parts))
    return _METAVARS.get(hint, "VALUE")
