"""The rules by which benchmarks judge: what counts as worse, and when a goal is missed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.accuracy import Row, violations
from benchmarks.against import CASES, FIGURES, Samples, lines

KEY = ("sim", "rgbd", "10")


def rows(add: np.ndarray, ok: int = 100) -> list[Row]:
    return [Row(f"case {k}", 7.0, a, 0.5 * a, 0.1, "converged", k < ok) for k, a in enumerate(add)]


SPREAD = np.linspace(1.0, 4.0, 100)


def test_noise_and_gains_are_no_violations() -> None:
    old = {KEY: rows(SPREAD)}
    for new in (SPREAD, 1.049 * SPREAD, 0.5 * SPREAD):
        assert list(violations(old, {KEY: rows(new)})) == []
    assert list(violations(old, {KEY: rows(SPREAD, ok=99)})) == []  # exactly a point


@pytest.mark.parametrize(
    ("new", "texts"),
    [
        (rows(1.051 * SPREAD), ["add_median 2.500 became 2.62", "add_s_median"]),
        (rows(SPREAD, ok=98), ["ok 100.0% became 98.0%"]),
        (rows(np.where(np.arange(100) < 98, SPREAD, 7.0)), ["add_below 100.0% became 98.0%"]),
        (rows(SPREAD[:50]), ["other cases (100 and 50)"]),
        ([replace(row, name="another") for row in rows(SPREAD)], ["other cases"]),
    ],
)
def test_what_is_worse_is_listed(new: list[Row], texts: list[str]) -> None:
    found = list(violations({KEY: rows(SPREAD)}, {KEY: new}))
    assert len(found) == len(texts)
    assert all(line.startswith("sim, rgbd, 10: ") and text in line for line, text in zip(found, texts, strict=True))


def test_what_was_not_measured_is_a_violation() -> None:
    assert list(violations({KEY: rows(SPREAD)}, {})) == ["sim, rgbd, 10: not measured"]


def samples(case: str, old: float, new: float, threads: int = 1) -> Samples:
    return {(case, threads, build): [{"wall": t, "cpu": t}] for build, t in (("old", old), ("new", new))}


@pytest.mark.parametrize(("new", "met"), [(0.040, True), (0.041, False)])
def test_a_ratio_above_its_goal_is_missed(new: float, met: bool) -> None:
    figure = next(figure for figure in FIGURES if figure.cases == ("default-near",))
    (line,) = lines(figure, samples("default-near", 0.1, new))
    assert line.met == {"wall": met, "cpu": met}
    assert ("**missed**" in line.cells[4]) != met


@pytest.mark.parametrize(("two", "met"), [(0.0625, True), (0.07, False)])
def test_two_threads_are_to_be_faster(two: float, met: bool) -> None:
    figure = next(figure for figure in FIGURES if figure.at_least)
    taken = samples("default-far", 0.1, 0.1) | samples("default-far", 0.1, two, threads=2)
    (line,) = lines(figure, taken)
    assert line.met == {"wall": met, "cpu": None}


def test_every_figure_has_its_cases() -> None:
    assert {case for figure in FIGURES for case in figure.cases} == set(CASES)
