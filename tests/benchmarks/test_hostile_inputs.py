"""Hostile inputs: a small budget of those of `benchmarks.hostile_inputs`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.hostile_inputs import CASES, attempt


@pytest.mark.parametrize("name", CASES)
def test_an_answer_or_an_error_with_words(name: str, tmp_path: Path) -> None:
    count = 3 if name == "command line" else 40
    outcomes = [attempt(name, 12345, number, tmp_path) for number in range(count)]
    assert set(outcomes) <= {"taken", "refused"}, sorted(set(outcomes) - {"taken", "refused"})
