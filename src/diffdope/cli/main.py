"""`diffdope COMMAND`: finds the command, and turns mistakes into one line and an exit code.

0: done. 1: the command ran, but found no pose to trust. 2: bad input; nothing was written. 130: interrupted.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence

# Name -> (module with `run(arguments) -> int`, what it does). A new command is a file and a line here.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("diffdope.cli.demo", "refine the packaged example and draw what happened"),
    "locate": ("diffdope.cli.locate_command", "find the pose in one image of your own, with no start pose"),
    "refine": ("diffdope.cli.refine_command", "refine one pose in one image of your own"),
    "scene": ("diffdope.cli.scene_command", "find several objects at once, in one picture or those of several cameras"),
    "calibrate": ("diffdope.cli.calibrate_command", "find where a camera stands, from pictures of a robot arm"),
    "track": ("diffdope.cli.track_command", "follow the object through a film or a folder of images"),
    "view": ("diffdope.cli.view_command", "show a result in a browser, or write it as one HTML page"),
    "annotate": ("diffdope.cli.annotate_command", "mark the poses of objects in your own pictures, in a browser"),
    "serve": ("diffdope.cli.serve_command", "answer requests over HTTP, with meshes kept ready"),
    "experiment": ("diffdope.cli.experiment", "run one of the studies of the method"),
    "bop": ("diffdope.cli.bop", "refine and evaluate whole data sets in the BOP format"),
}


def usage() -> str:
    """The text of `diffdope --help`."""
    rows = "\n".join(f"  {name:10s} {purpose}" for name, (_, purpose) in COMMANDS.items())
    return (
        "usage: diffdope COMMAND [options]\n\nRefine the 6-DoF pose of a known object by differentiable rendering.\n\n"
        f"commands:\n{rows}\n\n`diffdope COMMAND --help` lists its options, --help-all all of them.\n"
        "`diffdope --version` prints the version, `diffdope --completion bash` (zsh, fish) a script for tab completion."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code."""
    if argv is not None:
        return run_flushed(list(argv))
    from diffdope.cli.output import ignore_closed_pipes

    ignore_closed_pipes()
    warnings.showwarning = _one_line
    return run_flushed(sys.argv[1:])


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
    from diffdope.cli.completion import SHELLS, script
    from diffdope.errors import DiffDopeError

    try:
        print(script(arguments[0] if arguments else ""), end="")
    except DiffDopeError as error:
        return complain(f"{error} (one of {', '.join(SHELLS)})", 2)
    return 0


def run_command(name: str, arguments: list[str]) -> int:
    """Runs a command by name; its mistakes become one line on stderr."""
    from diffdope.errors import DiffDopeError, check_choice

    try:
        check_choice("command", name, tuple(COMMANDS))
        return int(importlib.import_module(COMMANDS[name][0]).run(arguments))
    except DiffDopeError as error:
        return complain(str(error), 2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return complain(f"{where}{error.strerror or error}", 2)
    except KeyboardInterrupt as interrupt:  # a command that keeps what it has done says so
        return complain(str(interrupt) or "interrupted; nothing was written", 130)
    except SystemExit as stop:  # the argument parser printed what is wrong, or the help
        return stop.code if isinstance(stop.code, int) else 2


def complain(message: str, code: int) -> int:
    """One line on stderr."""
    from diffdope.io.wording import in_options

    print("error: " + in_options(" ".join(message.split())), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
