"""Which rows of the table of located poses are meant."""

from __future__ import annotations

import pytest

from benchmarks.locate import ROWS, rows_of


def test_a_name_is_one_row_and_a_beginning_all_that_begin_so() -> None:
    for row in ROWS:
        assert rows_of([row]) == [row]  # "sim rgb" is how "sim rgb-d" begins
    assert rows_of(["hope2", "sim rgb"]) == [row for row in ROWS if row.startswith("hope2") or row == "sim rgb"]
    with pytest.raises(ValueError, match="--sets: expected rows.*got 'mars'; there are hope2 rgb-d"):
        rows_of(["sim", "mars"])
