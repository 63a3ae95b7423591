"""`diffdope bop merge`: the parts of a run divided by --shard become one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from diffdope.bop.refine_run import RunFiles, estimates_of
from diffdope.io.bop_results import write_results
from diffdope.io.files import prepare_csv
from diffdope.jobs.merge import merge, write_merged


@dataclass(frozen=True)
class Arguments:
    """Joins the parts of a run into results CSV and records, as one undivided run would have written them."""

    parts: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """The .jsonl files of all parts."""
    out: Annotated[Path, tyro.conf.arg(name="out")]
    """Results CSV to write; the records go beside it with the ending .jsonl."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code."""
    given = tyro.cli(Arguments, args=arguments, prog="diffdope bop merge")
    prepare_csv(given.out)
    header, records = merge(given.parts)
    files = RunFiles.at(given.out)
    write_merged(files.records, header, records)
    write_results(files.results, estimates_of(records.values()))
    print(f"{len(records)} objects of {len(given.parts)} parts: {files.results}, {files.records}")
    return 0
