"""Whether poses that left a level agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.search.candidates import Hypotheses, Reached

LENGTH_M = 0.1


def reached(turns_deg: list[float], costs: list[float]) -> Reached:
    turns = np.radians(turns_deg)[:, None] * np.array([0.0, 0.0, 1.0])
    shifts = np.tile([0.0, 0.0, 0.5], (len(costs), 1))
    return Reached(Hypotheses(so3.exp(turns), shifts, np.arange(len(costs))), np.array(costs))


@pytest.mark.parametrize(
    ("turns_deg", "costs", "agree"),
    [
        ([0.0, 0.5, -0.5], [0.10, 0.11, 0.12], True),
        ([0.0, 0.5, 40.0], [0.10, 0.11, 0.30], True),  # the third is stuck
        ([0.0, 0.5, 40.0], [0.10, 0.11, 0.11], False),  # another place is as good
        ([0.0, 30.0, 40.0], [0.10, 0.30, 0.30], False),  # a single one says nothing
        ([0.0], [0.10], False),
    ],
)
def test_several_must_end_in_the_place_of_the_best_and_none_as_good_elsewhere(
    turns_deg: list[float], costs: list[float], agree: bool
) -> None:
    assert reached(turns_deg, costs).agree(LENGTH_M) is agree


def test_the_best_apart_are_the_best_of_each_place() -> None:
    found = reached([0.0, 0.5, 40.0, 41.0], [0.11, 0.10, 0.30, 0.20])
    assert found.best_apart(3, LENGTH_M).columns.tolist() == [1, 3]
    assert found.best.angle_to(Pose(found.hypotheses.R[1], found.hypotheses.t[1])) == 0.0


def test_what_fits_clearly_better_but_for_the_mask_goes_on_too() -> None:
    costs, unmasked = [0.10, 0.11, 0.12, 0.30], [0.08, 0.08, 0.075, 0.04]
    found = replace(reached([0.0, 20.0, 40.0, 60.0], costs), unmasked=np.array(unmasked))
    assert found.best_apart(3, LENGTH_M).columns.tolist() == [0, 1, 2]
    assert found.best_apart(3, LENGTH_M, despite_mask=2).columns.tolist() == [0, 1, 3]  # the third is hardly better
    assert found.best_apart(1, LENGTH_M, despite_mask=1).columns.tolist() == [0]
    nearly = replace(found, unmasked=np.array([0.08, 0.08, 0.08, 0.075]))
    assert nearly.best_apart(3, LENGTH_M, despite_mask=2).columns.tolist() == [0, 1, 2]


def test_costs_but_for_the_mask_are_joined_where_both_have_them() -> None:
    one, two = (replace(reached([turn], [0.1]), unmasked=np.array([turn])) for turn in (1.0, 2.0))
    joined = one.joined(two)
    assert joined.unmasked is not None and joined.unmasked.tolist() == [1.0, 2.0]
    assert one.joined(replace(two, unmasked=None)).unmasked is None


def test_joined_hypotheses_keep_their_numbers() -> None:
    one, two = reached([0.0, 10.0], [0.1, 0.2]).hypotheses, Hypotheses.of(Pose.identity(), 7)
    assert Hypotheses.joined([one, two]).columns.tolist() == [0, 1, 7]
