"""`diffdope COMMAND`: finds the command, and turns mistakes into one line and an exit code.

0: done. 1: the command ran, but found no pose to trust. 2: bad input; nothing was written,
but what a film or a data set had done before it. 130: interrupted, by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from diffdope.cli.commands import COMMANDS
from diffdope.cli.lists import flag_of

if TYPE_CHECKING:
    from pathlib import Path

    from diffdope.errors import DiffDopeError


def usage() -> str:
    """The text of `diffdope --help`."""
    rows = "\n".join(f"  {name:10s} {purpose}" for name, (_, _, purpose) in COMMANDS.items())
    return (
        "usage: diffdope COMMAND [options]\n\nRefine the 6-DoF pose of a known object by differentiable rendering.\n\n"
        f"commands:\n{rows}\n\n`diffdope COMMAND --help` lists its options, --help-all all of them.\n"
        "`diffdope --version` prints the version, `diffdope --completion bash` (zsh, fish) a script for tab completion."
    )


_OPTIONS = {"pose": "init"}
"""Arguments of Python whose option has another name."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code."""
    if argv is not None:
        return run_flushed(list(argv))
    from diffdope.cli.output import ignore_closed_pipes
    from diffdope.cli.stopping import Stopping

    stopping = Stopping()
    stopping.begin()
    ignore_closed_pipes()
    warnings.showwarning = _one_line
    code = run_flushed(sys.argv[1:])
    stopping.over(code)
    return code


def _one_line(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as a command says it: without the line of code that gave it."""
    print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)


def run_flushed(arguments: list[str]) -> int:
    """The same, with all of the output written: where it cannot be, on a full disk, that is a mistake too."""
    code = 0
    try:
        code = answer(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        sys.stdout = None  # what is left of it would be tried again, and complained about, at the very end
        return code or complain(f"output: {error.strerror or error}", 2)  # a command has complained itself
    return code


def answer(arguments: list[str]) -> int:
    """Prints the usage or the version, or runs a command; returns the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "--help-all"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from diffdope import __version__

        print(__version__)
        return 0
    if arguments[0] == "--completion":
        return complete(arguments[1:])
    return run_command(arguments[0], arguments[1:])


def complete(arguments: list[str]) -> int:
    """Prints the script of a shell's completion."""
    from diffdope.cli.completion import script
    from diffdope.errors import DiffDopeError

    try:
        print(script(arguments[0] if arguments else ""), end="")
    except DiffDopeError as error:
        return complain(with_options(error, ["--completion"]), 2)
    return 0


def run_command(name: str, arguments: list[str]) -> int:
    """Runs a command by name; its mistakes become one line on stderr."""
    from diffdope.errors import DiffDopeError, check_choice
    from diffdope.io.written import writes_recorded, written_in_words

    written: list[Path] = []
    try:
        check_choice("command", name, tuple(COMMANDS))
        with writes_recorded() as written:
            return int(COMMANDS[name].load().run(arguments))
    except DiffDopeError as error:
        return complain(with_options(error, [name, *arguments]), 2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return complain(f"{where}{error.strerror or error}", 2)
    except KeyboardInterrupt as interrupt:  # a command that keeps what it has done says so
        return complain(str(interrupt) or f"interrupted; {written_in_words(written)}", 130)
    except SystemExit as stop:  # the argument parser printed what is wrong, or the help
        return stop.code if isinstance(stop.code, int) else 2


def with_options(error: DiffDopeError, words: Sequence[str]) -> str:
    """The message of an error, which names options of this command in place of arguments of Python."""
    from diffdope.cli.completion import flags_of_command

    names, known = error.argument.split(", "), flags_of_command(words)
    place, message = error.place, str(error).removeprefix(error.place)
    first = names[0].partition(" file")[0]  # what follows, or what follows a comma, is which file, and a place in it
    option = f"--{_OPTIONS.get(first, first).replace('_', '-')}"
    if option in known:
        return f"{place}{option}{message.removeprefix(first)}"
    given = {flag_of(word.partition("=")[0]) for word in words}
    options = [option for name in names for option in _settings_of(flag_of(name), known, given)]
    if len(options) == len(names):
        return f"{place}{', '.join(options)}{message.removeprefix(error.argument)}"
    return f"{place}{', '.join(options)}: {message}" if options else str(error)


def _settings_of(name: str, known: Sequence[str], given: Collection[str]) -> list[str]:
    """The options that set this number of a group of settings; of several groups, those that were typed."""
    options = [option for option in known if name and option.endswith(f".{name}")]
    return options if len(options) == 1 else [option for option in options if option in given]


def complain(message: str, code: int) -> int:
    """One line on stderr."""
    from diffdope.io.wording import in_options

    print("error: " + in_options(" ".join(message.split())), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
