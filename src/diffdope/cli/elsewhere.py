"""What another command does: an option, or several meshes, given to the wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import get_type_hints

from diffdope.cli.completion import flags_of, options
from diffdope.cli.lists import flag_of
from diffdope.errors import expected

_START = "it finds the pose without a start; `diffdope refine` goes on from one"
_CURES = {("locate", name): _START for name in ("--init", "--init-kind", "--init-unit")} | {
    ("refine", "--near"): "`diffdope refine --init` takes a start pose",
    ("track", "--near"): "`diffdope track --init` takes the pose in the first frame",
}


def check_own(kind: type, arguments: Sequence[str], prog: str) -> None:
    """Refuses an option that this command does not have, but another one; what no command has is the parser's.

    Args:
        kind: dataclass of the command's arguments.
        arguments: words of the command line.
        prog: the command, with the program before it.

    Raises:
        DiffDopeError: naming the commands that have it.
    """
    own = set(flags_of(kind)) | {"--help", "--help-all"}
    if "--mesh" in arguments and get_type_hints(kind).get("mesh") is Path:
        _check_one_mesh(arguments)
    given = [flag_of(word.split("=", 1)[0]) for word in arguments if word.startswith("--")]
    strange = [flag for flag in given if flag not in own]
    if not strange:
        return
    command = prog.removeprefix("diffdope ")
    known = options()
    for flag in strange:
        others = [name for name, flags in known.items() if flag in flags and name != command]
        if others:
            cure = _CURES.get((command, flag)) or (_in_file(flag) if "." in flag and "--settings" in own else "")
            raise expected(flag, f"an option of `{prog}`", f"one of {', '.join(others)}", cure)


def _check_one_mesh(arguments: Sequence[str]) -> None:
    """Refuses several files after --mesh.

    Raises:
        DiffDopeError: naming the command for several objects.
    """
    places = [place for place, word in enumerate(arguments) if word == "--mesh"]
    after = [takewhile(lambda word: not word.startswith("-"), arguments[place + 1 :]) for place in places]
    files = list(dict.fromkeys(word for words in after for word in words))
    if len(files) > 1:
        cure = "one command is about one object; for several, `diffdope scene --object A.ply B.ply`"
        raise expected("--mesh", "one file", " ".join(files), cure)


def _in_file(flag: str) -> str:
    """How a file of settings has a number: of --search.step.decrease, search: {step: {decrease: ...}}."""
    names = flag.removeprefix("--").replace("-", "_").split(".")
    return f"a file for --settings may hold it: {': {'.join(names)}: ...{'}' * (len(names) - 1)}"
