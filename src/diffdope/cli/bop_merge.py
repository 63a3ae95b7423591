"""`diffdope bop merge`: the parts of a run divided by --shard become one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from diffdope.bop.models import ModelSet
from diffdope.bop.multiview_run import COMMAND, write_sensor_results
from diffdope.bop.refine_run import RunFiles, estimates_of
from diffdope.cli.help_text import parsed
from diffdope.errors import expected
from diffdope.io.bop_results import write_results
from diffdope.io.files import check_csv, unreadable
from diffdope.jobs.merge import merge, write_merged


@dataclass(frozen=True)
class BopMergeArguments:
    """Joins the parts of a run into results CSV and records, as one undivided run would have written them.

    Example: diffdope bop merge part1.jsonl part2.jsonl --out results.csv
    """

    parts: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """The .jsonl files of all parts."""
    out: Annotated[Path, tyro.conf.arg(name="out")]
    """Results CSV to write; the records go beside it with the ending .jsonl."""
    dataset: Annotated[Path | None, tyro.conf.arg(name="dataset")] = None
    """Of a run with --duplicates drop: folder with the models."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code."""
    given: BopMergeArguments = parsed(BopMergeArguments, arguments, "diffdope bop merge")
    check_csv(given.out)
    try:
        header, records = merge(given.parts)
    except OSError as error:
        raise unreadable(Path(error.filename or ""), "parts", error) from error
    if header.get("duplicates") == "drop" and given.dataset is None:
        wanted = "the folder with the models, for this run drops duplicates, which are told by diameters"
        raise expected("dataset", wanted, "none")
    files = RunFiles.at(given.out)
    write_merged(files.records, header, records)
    models = None if given.dataset is None else ModelSet(given.dataset, tuple(header["models"]))
    diameter_of = models.diameter_m if models is not None and header.get("duplicates") == "drop" else None
    if header.get("command") == COMMAND:
        of_sensors = write_sensor_results(files.results, list(records.values()), header["sensors"], diameter_of)
        what, written = "targets of several views", ", ".join(map(str, of_sensors))
    else:
        write_results(files.results, estimates_of(records.values(), diameter_of=diameter_of))
        what, written = "objects", str(files.results)
    print(f"{len(records)} {what} of {len(given.parts)} parts: {written}, {files.records}")
    return 0
