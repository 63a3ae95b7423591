"""Masks of a segmentation that draws two neighbours as one, or one in two pieces."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.note_codes import NoteCode
from diffdope.pipelines.locating.divided_masks import in_divided_masks
from diffdope.pipelines.locating.instance_assignment import Located
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status, nothing_compared
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from tests.pipelines.test_instances import CAMERA, TRUTHS, heap, is_of
from tests.search.test_cut_masks import tee

Mask = NDArray[np.bool_]
SEEN = TRUTHS[:3]


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(tee(), seed=0, threads=1)


@pytest.fixture(scope="module")
def observation(refiner: Refiner) -> Observation:
    return heap(refiner.mesh, SEEN)


@pytest.fixture(scope="module")
def shown(refiner: Refiner) -> list[Mask]:
    """Where each is seen."""
    drawn = [Renderer(refiner.mesh, CAMERA).render(pose.R_m2c[None], pose.t_m2c[None]) for pose in SEEN]
    depth = np.stack([np.where(one.coverage[0] > 0.5, one.depth[0], np.inf) for one in drawn])
    return [(np.argmin(depth, axis=0) == k) & np.isfinite(depth[k]) for k in range(len(SEEN))]


def located(refiner: Refiner, observation: Observation, masks: dict[int, Mask]) -> dict[int, RefinementResult]:
    """Results by label, those of further instances included."""
    found = [Located(label, refiner.locate(observation.with_mask(mask))) for label, mask in masks.items()]
    return {one.label: one.result for one in in_divided_masks(refiner, observation, found, masks)}


def is_sure_of(results: dict[int, RefinementResult], number: int) -> list[int]:
    """Labels of sure results that are of one of the instances."""
    return [k for k, one in results.items() if one.ok and (one.confidence or 0) > 0.5 and is_of(one, SEEN[number])]


def test_a_mask_that_shows_two_gives_two(refiner: Refiner, observation: Observation, shown: list[Mask]) -> None:
    results = located(refiner, observation, {4: shown[0] | shown[1], 7: shown[2]})
    assert sorted([*is_sure_of(results, 0), *is_sure_of(results, 1)]) == [4, 8]
    assert is_sure_of(results, 2) == [7] and set(results) == {4, 7, 8}
    assert NoteCode.MASK_SHOWS_MORE in results[8].note_codes


@pytest.mark.parametrize("number", [1, 2])
def test_two_masks_that_show_one_give_one(
    refiner: Refiner, observation: Observation, shown: list[Mask], number: int
) -> None:
    """Alone, the larger one is sure of a wrong pose, or both fail."""
    whole = shown[number]
    left = whole & (np.arange(CAMERA.width) < np.quantile(np.nonzero(whole)[1], 0.75))
    results = located(refiner, observation, {1: left, 2: whole & ~left, 3: shown[0]})
    assert len(is_sure_of(results, number)) == 1 and is_sure_of(results, 0) == [3] and set(results) == {1, 2, 3}
    (other,) = {1, 2} - set(is_sure_of(results, number))
    assert not results[other].ok and NoteCode.SAME_PLACE in results[other].note_codes


def test_masks_that_show_one_each_stay_as_they_are(
    refiner: Refiner, observation: Observation, shown: list[Mask], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Located(k, refiner.locate(observation.with_mask(mask))) for k, mask in enumerate(shown, start=1)]
    assert all(one.result.ok and (one.result.confidence or 0.0) > 0.5 for one in found)
    monkeypatch.setattr(Refiner, "locate", None)
    monkeypatch.setattr(Refiner, "locate_all", None)
    assert in_divided_masks(refiner, observation, found, dict(enumerate(shown, start=1))) == found


def test_what_is_found_in_labels_stays_where_a_unit_is_rather_wrong(
    refiner: Refiner, observation: Observation, shown: list[Mask], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise DiffDopeError("observation: expected depth with at most 10000 places for the object")

    both = shown[0] | shown[1]
    found = [Located(1, nothing_compared(SEEN[0], Status.FAILED, ""))]
    monkeypatch.setattr(Refiner, "locate_all", refused)
    assert in_divided_masks(refiner, observation, found, {1: both}) == found


def test_without_depth_nothing_tells(refiner: Refiner, observation: Observation, shown: list[Mask]) -> None:
    grey = Observation(CAMERA, rgb=np.full((CAMERA.height, CAMERA.width, 3), 0.5))
    found = [Located(1, refiner.locate(observation.with_mask(shown[0])))]
    assert in_divided_masks(refiner, grey, found, {1: shown[0]}) == found


def test_a_mask_is_the_region_of_all(refiner: Refiner, observation: Observation, shown: list[Mask]) -> None:
    results = refiner.locate_all(observation.with_mask(shown[2]))
    assert [is_of(one, SEEN[2]) for one in results] == [True]
