"""`diffdope bop unpack`: BOP's imagewise tars become folders of scenes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from diffdope.bop.unpack import unpack
from diffdope.cli.help_text import parsed


@dataclass(frozen=True)
class BopUnpackArguments:
    """Writes the scenes of BOP's imagewise files (KEY.rgb.jpg, KEY.camera.json, ...), as `bop refine` reads them.

    Example: diffdope bop unpack shard-000000.tar shard-000001.tar --out megapose/train
    """

    sources: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Tars of a web data set, or folders of tars or of such files."""
    out: Annotated[Path, tyro.conf.arg(name="out")]
    """Folder of the split to write: DATASET/SPLIT, beside DATASET/models. It must not hold anything."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code."""
    given: BopUnpackArguments = parsed(BopUnpackArguments, arguments, "diffdope bop unpack")
    images = unpack(list(given.sources), given.out)
    print(f"{sum(images.values())} images of {len(images)} scenes: {given.out}")
    return 0
