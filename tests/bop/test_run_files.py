"""Names of the files of a run that is divided."""

from __future__ import annotations

from pathlib import Path

import pytest

from diffdope.bop.refine_run import RunFiles


@pytest.mark.parametrize("out", ["results.csv", "results.2-of-4.csv"])
def test_the_part_is_in_the_name_once(out: str) -> None:
    files = RunFiles.at(Path(out), (2, 4))
    assert {path.name for path in files.__dict__.values() if isinstance(path, Path)} == {
        "results.2-of-4.csv", "results.2-of-4.jsonl"
    }  # fmt: skip
