"""Masks that show something beside the object: depth tells both apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.modality_rejection import RejectionTrial
from diffdope.pipelines.diagnosis.wrong_mask import without_shifted_mask, without_wrong_mask
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.mask_as_region import SHIFTED

MESH, WHOLE, START, TRUTH = packaged_example()
REFINER = Refiner(MESH, threads=1)
SEARCH = REFINER.preset.resolved_search
assert WHOLE.mask is not None
MASK = np.asarray(WHOLE.mask) > 0.5


def beside(share: float, side: int = 1) -> np.ndarray:
    """The mask, and as much of what lies beside the object as a share of its box."""
    _, columns = np.nonzero(MASK)
    left, right = int(columns.min()), int(columns.max()) + 1
    shift = round(share * (right - left))
    return MASK | np.roll(MASK, side * shift, axis=1)


def observed(mask: np.ndarray, *, rgb: bool = True) -> Observation:
    return Observation(WHOLE.camera, rgb=WHOLE.rgb if rgb else None, depth=WHOLE.depth, mask=mask)


def off(angle_deg: float, distance_m: float, seed: int) -> Pose:
    """A start that is off by so much, in directions of its own."""
    rng = np.random.default_rng(seed)
    turn, shift = (one / np.linalg.norm(one) for one in rng.normal(size=(2, 3)))
    return Pose(so3.exp(np.radians(angle_deg) * turn) @ TRUTH.R_m2c, TRUTH.t_m2c + distance_m * shift)


@pytest.mark.parametrize("rgb", [True, False])
def test_a_mask_of_two_things_is_left_out(rgb: bool) -> None:
    """Of several starts; from some of them a mask of two leads to the right place all the same."""
    left_out = 0
    for seed in range(5):
        result = REFINER.refine(observed(beside(0.7), rgb=rgb), off(40.0, 0.016, seed))
        assert 1e3 * result.pose.distance_to(TRUTH) < 2.0
        assert result.ok and NoteCode.MASK_SHOWS_MORE in result.note_codes
        if "mask" not in result.modalities:
            left_out += 1
            assert result.notes[0].startswith("the mask is left out") and NoteCode.MASK_OFF not in result.note_codes
            assert result.confidence is not None and 0.5 < result.confidence <= 0.92
    assert left_out > 0


def test_the_objects_own_mask_is_asked_about_no_more() -> None:
    result = REFINER.refine(WHOLE, START)

    def again(_: Observation) -> Attempt:
        raise AssertionError("a search for nothing")

    attempt = Attempt(result, None)
    assert without_wrong_mask(RejectionTrial(attempt, REFINER.meshes, WHOLE, again, START, SEARCH)) is attempt


def test_a_mask_of_another_thing_is_not_left_out() -> None:
    """It says which thing is meant, and that this is not where the mask is."""
    columns = np.nonzero(MASK)[1]
    elsewhere = np.roll(MASK, -int(1.4 * np.ptp(columns)), axis=1)
    result = REFINER.refine(observed(elsewhere), START)
    assert result.status is not Status.CONVERGED or (result.confidence or 0.0) < 0.5


def test_without_a_start_the_mask_alone_says_which_thing_is_meant() -> None:
    seen = observed(beside(0.9))
    first = Attempt(REFINER.refine(seen, START), None)
    assert without_wrong_mask(RejectionTrial(first, REFINER.meshes, seen, lambda _: first, None, SEARCH)) is first


def doubted(status: Status, confidence: float) -> Attempt:
    """A result of all images that found the mask beside the object."""
    result = REFINER.refine(WHOLE, START)
    return Attempt(replace(result, status=status, confidence=confidence, notes=(SHIFTED, *result.notes)), None)


def test_a_mask_beside_the_object_is_left_out_where_depth_convinces() -> None:
    seen = observed(np.roll(MASK, 4, axis=1))
    for first in (doubted(Status.FAILED, 0.1), doubted(Status.CONVERGED, 0.3)):
        trial = RejectionTrial(
            first, REFINER.meshes, seen, lambda one: Attempt(REFINER.refine(one, START), None), START, SEARCH
        )
        result = without_shifted_mask(trial).result
        assert result.ok and 1e3 * result.pose.distance_to(TRUTH) < 1.0 and "mask" not in result.modalities
        assert NoteCode.MASK_SHIFTED in result.note_codes and NoteCode.MASK_OFF not in result.note_codes
        assert result.confidence is not None and 0.5 < result.confidence <= 0.75


def test_a_mask_beside_the_object_stays_where_the_result_is_sure_or_nothing_convinces_in_it() -> None:
    def again(_: Observation) -> Attempt:
        raise AssertionError("a search for nothing")

    sure = doubted(Status.CONVERGED, 0.9)
    assert without_shifted_mask(RejectionTrial(sure, REFINER.meshes, WHOLE, again, START, SEARCH)) is sure
    failed = doubted(Status.FAILED, 0.1)
    assert without_shifted_mask(RejectionTrial(failed, REFINER.meshes, WHOLE, again, None, SEARCH)) is failed
    unsure = doubted(Status.CONVERGED, 0.55)
    trial = RejectionTrial(failed, REFINER.meshes, WHOLE, lambda _: unsure, START, SEARCH)
    assert without_shifted_mask(trial) is failed
    columns = np.nonzero(MASK)[1]
    elsewhere = observed(np.roll(MASK, -int(1.4 * np.ptp(columns)), axis=1))
    convinced = doubted(Status.CONVERGED, 0.9)
    trial = RejectionTrial(failed, REFINER.meshes, elsewhere, lambda _: convinced, START, SEARCH)
    assert without_shifted_mask(trial) is failed


@pytest.mark.parametrize("grown", [1, -1])
def test_a_mask_of_another_size_is_not_left_out(grown: int) -> None:
    """It says that depth, K or the model is off, or that it is off itself: which of both, nothing here tells."""
    from scipy import ndimage

    change = ndimage.binary_dilation if grown > 0 else ndimage.binary_erosion
    width_px = float(np.sqrt(np.count_nonzero(MASK)))
    seen = observed(change(MASK, iterations=max(2, round(0.04 * width_px))))
    failed, convinced = doubted(Status.FAILED, 0.1), doubted(Status.CONVERGED, 0.9)
    trial = RejectionTrial(failed, REFINER.meshes, seen, lambda _: convinced, START, SEARCH)
    assert without_shifted_mask(trial) is failed
    assert without_shifted_mask(trial._replace(observation=observed(np.roll(MASK, 3, axis=0)))) is not failed
