"""`diffdope bop COMMAND`: data sets in the BOP format."""

from __future__ import annotations

from diffdope.cli.commands import BOP_COMMANDS
from diffdope.cli.help_text import HELP
from diffdope.errors import check_choice


def usage() -> str:
    """The text of `diffdope bop --help`."""
    rows = "\n".join(f"  {name:10s} {purpose}" for name, (_, _, purpose) in BOP_COMMANDS.items())
    head = "usage: diffdope bop COMMAND [options]\n\nWhole data sets in the BOP format."
    return f"{head}\n\ncommands:\n{rows}\n\n`diffdope bop COMMAND --help` lists its options, --help-all all of them."


def run(arguments: list[str]) -> int:
    """Runs a sub-command."""
    if not arguments or arguments[0] in HELP:
        print(usage())
        return 0 if arguments else 2
    check_choice("bop command", arguments[0], tuple(BOP_COMMANDS))
    return int(BOP_COMMANDS[arguments[0]].load().run(arguments[1:]))
