"""Options that another command has: what is meant where one is given to the wrong command."""

from __future__ import annotations

from collections.abc import Iterable

from diffdope.cli.completion import flags_of, options
from diffdope.errors import expected

_START = "it finds the pose without a start; `diffdope refine` goes on from one"
_CURES = {("locate", name): _START for name in ("--init", "--init-kind", "--init-unit")} | {
    ("refine", "--near"): "`diffdope refine --init` takes a start pose",
    ("track", "--near"): "`diffdope track --init` takes the pose in the first frame",
}


def check_own(kind: type, arguments: Iterable[str], prog: str) -> None:
    """Refuses an option that this command does not have, but another one; what no command has is the parser's.

    Args:
        kind: dataclass of the command's arguments.
        arguments: words of the command line.
        prog: the command, with the program before it.

    Raises:
        DiffDopeError: naming the commands that have it.
    """
    own = set(flags_of(kind)) | {"--help", "--help-all"}
    given = [word.split("=", 1)[0].replace("_", "-") for word in arguments if word.startswith("--")]
    strange = [flag for flag in given if flag not in own]
    if not strange:
        return
    command = prog.removeprefix("diffdope ")
    known = options()
    for flag in strange:
        others = [name for name, flags in known.items() if flag in flags and name != command]
        if others:
            cure = _CURES.get((command, flag), "")
            raise expected(flag, f"an option of `{prog}`", f"one of {', '.join(others)}", cure)
