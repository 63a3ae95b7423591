"""Levels and pyramids as records, and from lists as settings files and flags have them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from diffdope.errors import DiffDopeError
from diffdope.search.levels import FAR, Level, PyramidSettings

LISTS = {"sizes": (40, 80), "hypotheses": (8, 1), "iterations": (5, 3), "faces": (500, 0)}


def of(**changes: object) -> PyramidSettings:
    return PyramidSettings.of(**(LISTS | {"angle_deg": 10.0, "distance": 0.1} | changes))  # type: ignore[arg-type]


def test_lists_and_levels_say_the_same() -> None:
    made = of()
    assert made == PyramidSettings((Level(40, 8, 5, 500), Level(80, 1, 3, 0)), angle_deg=10.0, distance=0.1)
    for name, numbers in LISTS.items():
        assert getattr(made, name) == numbers
    assert of(sizes=[40, 80], faces=[500, 0]) == made


def test_some_hypotheses_begin_unless_there_are_no_more_or_the_level_is_the_last() -> None:
    made = of(first=3)
    assert [made.at_first(count) for count in (1, 3, 8)] == [1, 3, 3]
    assert of().at_first(8) == 8
    assert made.of_level(0).at_first(8) == 8
    with pytest.raises(DiffDopeError, match="first"):
        of(first=-1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sizes": (40, 80, 160)}, "expected one number a level in each, got 3 sizes, 2 hypotheses, 2 iterations"),
        ({"faces": ()}, "got 2 sizes, 2 hypotheses, 2 iterations, 0 faces"),
        ({name: () for name in LISTS}, "expected one number a level in each, got 0 sizes"),
        ({"hypotheses": (8, 0)}, "hypotheses: expected at least 1, got 0"),
        ({"sizes": (4, 80)}, "size: expected at least 8, got 4"),
        ({"iterations": (5, -1)}, "iterations: expected at least 1, got -1"),
        ({"faces": (-1, 0)}, "faces: expected at least 0, got -1"),
        ({"angle_deg": 190.0}, "angle_deg: expected 0 to 180 degrees, got 190.0"),
        ({"angle_deg": -1.0}, "angle_deg: expected 0 to 180 degrees, got -1.0"),
        ({"angle_deg": math.nan}, "angle_deg: expected 0 to 180 degrees, got nan"),
        ({"distance": -0.1}, "distance: expected a share of the diameter from 0 to 10, got -0.1"),
        ({"distance": math.inf}, "distance: expected a share of the diameter from 0 to 10, got inf"),
    ],
)
def test_impossible_pyramids_are_named(change: dict[str, object], words: str) -> None:
    with pytest.raises(DiffDopeError, match=words):
        of(**change)


def test_a_pyramid_has_a_level() -> None:
    with pytest.raises(DiffDopeError, match="levels: expected at least one, got none"):
        PyramidSettings(())
    with pytest.raises(DiffDopeError, match="hypotheses: expected at least 1, got 0"):
        replace(Level(40), hypotheses=0)


def test_of_one_pose_keeps_the_levels_from_one_on() -> None:
    alone = FAR.of_one_pose(2)
    assert alone.sizes == FAR.sizes[2:] and alone.iterations == FAR.iterations[2:] and alone.faces == FAR.faces[2:]
    assert set(alone.hypotheses) == {1}
    assert (alone.angle_deg, alone.distance) == (FAR.angle_deg, FAR.distance)
    assert FAR.of_one_pose(99).sizes == FAR.sizes[-1:], "the last, if there are not so many"


@pytest.mark.parametrize("pyramid", [PyramidSettings(), FAR])
def test_what_is_shipped_goes_from_coarse_to_fine_and_ends_with_the_whole_mesh(pyramid: PyramidSettings) -> None:
    assert list(pyramid.sizes) == sorted(pyramid.sizes)
    assert list(pyramid.hypotheses) == sorted(pyramid.hypotheses, reverse=True)
    assert pyramid.faces[-1] == 0
