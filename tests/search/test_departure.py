"""A start that is off along the view alone shows that a size is wrong; one that is off everywhere shows nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from diffdope.estimate.confidence import right_minimum, sigmoid
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.checks.departure import (
    depth_right_beside_start,
    of_departure,
    of_departure_of_depth,
    right_beside_start,
)

MESH, OBSERVATION, START, TRUTH = packaged_example()
PHOTOGRAPH: Any = SimpleNamespace(modalities=("rgb", "mask"))
REACH = {"angle_rad": np.radians(45.0), "distance": 0.25}
LENGTH_M = 0.1
FOUND = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))


def start_off(along: float, across: float = 0.0, turn_deg: float = 0.0) -> Pose:
    """By shares of the diameter along the view and across it, and turned."""
    shift = LENGTH_M * np.array([across, 0.0, along])
    return Pose(so3.exp(np.radians(turn_deg) * np.array([0.6, 0.8, 0.0])), FOUND.t_m2c - shift)


def right(start: Pose) -> float:
    return right_beside_start(FOUND, start, angle_rad=REACH["angle_rad"], distance_m=REACH["distance"] * LENGTH_M)


def normal(m: float, variance: float) -> float:
    return float(np.exp(-0.5 * m**2 / variance) / np.sqrt(2.0 * np.pi * variance))


def by_the_page(along: float, across: float, turn_deg: float) -> float:
    """The probability of right sizes as docs/cost.md has it."""
    d, a, t = REACH["distance"] * LENGTH_M, REACH["angle_rad"], 0.5
    scales = [2.0 ** (0.5 * k) for k in range(-8, 9)]
    both, errors = [], [(across * LENGTH_M / d) ** 2, (np.radians(turn_deg) / a) ** 2]
    for count, squares in ((5, sum(errors)), (2, errors[0]), (3, errors[1])):
        told = np.array([s**-count * np.exp(-1.5 * squares / s**2) for s in scales])
        both.append(told / told.sum())
    share, m = np.mean(both, axis=0), along * LENGTH_M
    sizes = [share @ [normal(m, s**2 * d**2 / 3.0 + (w * t) ** 2) for s in scales] for w in (0.0, 0.1)]
    odds = 2.0 * sizes[0] / sizes[1]
    return float(odds / (1.0 + odds))


ERRORS = [(0.3, 0.01, 5.0), (0.3, 0.3, 50.0), (-0.15, 0.2, 30.0), (0.5, 0.02, 60.0)]


@pytest.mark.parametrize("errors", ERRORS)
def test_the_probability_of_right_sizes_is_that_of_the_page(errors: tuple[float, float, float]) -> None:
    assert right(start_off(*errors)) == pytest.approx(by_the_page(*errors), rel=2e-2)


@pytest.mark.parametrize("errors", ERRORS)
@pytest.mark.parametrize("off", [0.1, 0.02])
def test_the_probability_of_a_right_depth_is_that_of_the_page(errors: tuple[float, float, float], off: float) -> None:
    sizes = by_the_page(*errors)
    odds = 1.0 + (1.0 - off) / off * (sizes / (1.0 - sizes) / 2.0)
    given = {"angle_rad": REACH["angle_rad"], "distance_m": REACH["distance"] * LENGTH_M, "off": off}
    assert depth_right_beside_start(FOUND, start_off(*errors), **given) == pytest.approx(odds / (1.0 + odds), rel=2e-2)


def test_errors_of_a_start_that_are_alike_in_all_directions_speak_for_sizes() -> None:
    assert right(start_off(0.3, 0.01, 5.0)) < 0.1 < 0.5 < right(start_off(0.3, 0.3, 50.0))
    assert right(start_off(-0.3, 0.3, 50.0)) == pytest.approx(right(start_off(0.3, 0.3, 50.0)))
    along = [right(start_off(share, 0.2, 40.0)) for share in (0.1, 0.2, 0.4, 0.8)]
    assert along == sorted(along, reverse=True) and along[0] > 0.8 and along[-1] < 0.25


def test_a_start_that_is_turned_well_may_be_placed_badly_and_the_other_way_round() -> None:
    neither = right(start_off(0.25, 0.01, 2.0))
    assert right(start_off(0.25, 0.3, 2.0)) > neither + 0.2
    assert right(start_off(0.25, 0.01, 60.0)) > neither + 0.1


def test_an_object_that_is_found_the_other_way_round_says_nothing_of_how_far_off_starts_are() -> None:
    assert right(start_off(0.3, 0.01, 180.0)) == pytest.approx(right(start_off(0.3, 0.01, 120.0)))
    assert right(start_off(0.3, 0.01, 180.0)) < 0.25


def test_a_departure_is_doubted_as_far_as_the_start_is_good_otherwise() -> None:
    def doubt(start: Pose) -> Any:
        return of_departure(PHOTOGRAPH, FOUND, start, LENGTH_M, **REACH)

    assert doubt(start_off(0.09)).at_most == np.inf
    good, bad = doubt(start_off(0.3, 0.01, 5.0)), doubt(start_off(0.3, 0.3, 50.0))
    assert good.note.code is NoteCode.DISTANCE and "farther than the start has it" in good.note
    assert bad.note.code is NoteCode.DISTANCE_UNSURE and good.at_most < -0.8 < bad.at_most
    lost = doubt(start_off(0.8, 0.8, 80.0))  # an inverted mask, say, whose object fills the picture
    assert lost.at_most == pytest.approx(-2.0) and lost.note.code is NoteCode.DISTANCE
    with_depth: Any = SimpleNamespace(modalities=("rgb", "depth"))
    assert of_departure(with_depth, FOUND, start_off(0.3), LENGTH_M, **REACH).at_most == np.inf


def test_a_right_result_is_not_called_failed_for_a_start_that_is_off_everywhere() -> None:
    photograph = Observation(OBSERVATION.camera, rgb=OBSERVATION.rgb, mask=OBSERVATION.mask)
    ray = TRUTH.t_m2c / np.linalg.norm(TRUTH.t_m2c)
    aside = np.cross(ray, [0.0, 1.0, 0.0])
    turn = so3.exp(np.radians(35.0) * np.array([0.6, 0.8, 0.0]))
    start = Pose(turn @ TRUTH.R_m2c, TRUTH.t_m2c + MESH.diameter * (0.3 * ray + 0.25 * aside))
    result = Refiner(MESH, threads=1).refine(photograph, start)
    assert result.pose.distance_to(TRUTH) < 0.03 * MESH.diameter
    assert result.ok and (result.confidence or 0.0) > 0.5
    assert NoteCode.DISTANCE_UNSURE in result.note_codes


def test_depth_that_only_a_start_contradicts_is_as_likely_to_be_wrong_as_the_start() -> None:
    alone: Any = SimpleNamespace(modalities=("depth",))

    def doubt(start: Pose, level: Any = alone, off: float = 0.1) -> Any:
        return of_departure_of_depth(level, FOUND, start, LENGTH_M, **REACH, off=off)

    good = doubt(start_off(0.5, 0.01, 5.0))
    assert good.note.code is NoteCode.DISTANCE_UNSURE and "50 mm farther" in good.note
    assert 0.5 <= right_minimum(sigmoid(good.at_most), started=True) < 0.55  # nothing fails for it
    near, everywhere = doubt(start_off(0.09, 0.01, 5.0)), doubt(start_off(0.5, 0.5, 80.0))
    assert near.at_most == np.inf and not near.note
    assert everywhere.at_most > good.at_most + 1.0
    masked: Any = SimpleNamespace(modalities=("depth", "mask"))  # whose size contradicts depth itself
    assert doubt(start_off(0.5, 0.01, 5.0), masked).at_most == np.inf
    assert doubt(start_off(0.5, 0.01, 5.0), off=0.0).at_most == np.inf  # who knows that depth is right


@pytest.mark.parametrize("times", [0.9, 1.1])
def test_depth_alone_of_another_scale_is_told_beside_a_start(times: float) -> None:
    assert OBSERVATION.depth is not None
    refiner = Refiner(MESH, threads=1)
    right_depth = refiner.refine(Observation(OBSERVATION.camera, depth=OBSERVATION.depth), START)
    assert right_depth.ok and (right_depth.confidence or 0.0) > 0.9
    wrong = refiner.refine(Observation(OBSERVATION.camera, depth=times * OBSERVATION.depth), START)
    assert wrong.pose.distance_to(TRUTH) > 0.3 * MESH.diameter
    assert NoteCode.DISTANCE_UNSURE in wrong.note_codes and (wrong.confidence or 0.0) < 0.65
