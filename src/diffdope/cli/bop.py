"""`diffdope bop COMMAND`: data sets in the BOP format."""

from __future__ import annotations

import importlib

from diffdope.cli.help_text import HELP
from diffdope.errors import check_choice

COMMANDS: dict[str, tuple[str, str]] = {
    "refine": ("diffdope.cli.bop_refine", "refine start poses over a data set; resumable, on many cores or machines"),
    "merge": ("diffdope.cli.bop_merge", "join the parts of a run divided by --shard"),
    "compare": ("diffdope.cli.bop_compare", "say what changed between two results: before and after in one report"),
    "calibrate": ("diffdope.cli.bop_calibrate", "fit confidences to results whose truth is known"),
    "eval": ("diffdope.cli.bop_eval", "say how good results are: tables, curves, one HTML report"),
}


def usage() -> str:
    """The text of `diffdope bop --help`."""
    rows = "\n".join(f"  {name:10s} {purpose}" for name, (_, purpose) in COMMANDS.items())
    head = "usage: diffdope bop COMMAND [options]\n\nWhole data sets in the BOP format."
    return f"{head}\n\ncommands:\n{rows}\n\n`diffdope bop COMMAND --help` lists its options, --help-all all of them."


def run(arguments: list[str]) -> int:
    """Runs a sub-command."""
    if not arguments or arguments[0] in HELP:
        print(usage())
        return 0 if arguments else 2
    check_choice("bop command", arguments[0], tuple(COMMANDS))
    return int(importlib.import_module(COMMANDS[arguments[0]][0]).run(arguments[1:]))
