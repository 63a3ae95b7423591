"""What a run over a data set says of its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diffdope.bop.refine_run import RunFiles
from diffdope.cli.bop_progress import RunDisplay


def record(status: str, add_mm: float) -> dict[str, Any]:
    errors = {"add_mm": add_mm, "add_s_mm": 0.5 * add_mm, "start_add_mm": 40.0}
    return {"status": status, "match": {"instance_by": "index", "mask": None}, "errors": errors}


RECORDS = [record("converged", 1.0), record("ambiguous", 2.0), record("failed", 9.0)]


@pytest.mark.parametrize(("given", "said"), [(True, "ADD median 40.00 mm -> 2.00 mm"), (False, "ADD median 2.00 mm")])
def test_what_a_search_began_at_is_no_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: bool, said: str
) -> None:
    display = RunDisplay("set", RunFiles.at(tmp_path / "out.csv"))
    for one in RECORDS:
        display.count(one)
    assert display.described().endswith("1 failed, 1 ambiguous")
    display.summarise(RECORDS, given=given)
    assert f"{said}, ADD-S median 1.00 mm" in capsys.readouterr().out
