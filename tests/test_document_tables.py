"""Numbers of settings that the documents state in tables are those of the code."""

from __future__ import annotations

import re

import pytest

from diffdope.pipelines.settings import PRESETS
from diffdope.search.levels import PyramidSettings
from tests.conftest import PROJECT


def rows_below(page: str, heading: str) -> list[list[str]]:
    """Cells of the table whose first line begins so."""
    text = (PROJECT / "docs" / page).read_text(encoding="utf-8")
    table = text[text.index(heading) :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_the_settings_of_tracking() -> None:
    rows = rows_below("tracking.md", "| setting `tracking.` |")
    stated = {}
    for names, values, _ in rows:
        for name, value in zip(re.findall(r"`(\w+)`", names), values.split(","), strict=True):
            top, _, below = value.partition("/")
            stated[name] = float(top) / float(below or 1)
    assert stated == pytest.approx(vars(PRESETS["default"].tracking))


@pytest.mark.parametrize("row", rows_below("refinement.md", "| search | samples around the start |"))
def test_the_levels_of_a_search(row: list[str]) -> None:
    search: PyramidSettings = getattr(PRESETS["default"].search, row[0])
    degrees, percent = map(float, re.findall(r"[\d.]+", row[1]))
    assert (degrees, percent / 100) == pytest.approx((search.angle_deg, search.distance))
    lists = [tuple(int(word) for word in cell.replace("all", "0").split(", ")) for cell in row[2:]]
    assert lists == [search.sizes, search.hypotheses, search.iterations, search.faces]
