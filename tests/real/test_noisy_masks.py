"""Masks that are off, of grey parts with depth: depth knows the pose better than such a mask's border."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.locate import errors_mm
from benchmarks.shared_data import SETS, load_mesh
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.scene.observation import Observation

pytestmark = pytest.mark.usefixtures("shared_data")

NOISY = replace(SETS["parts"], mask="mask_noisy")
HALF_HIDDEN = "sim 000001/000000/000001 obj 11"


def errors_of(preset: Preset) -> np.ndarray:
    refiners: dict[object, Refiner] = {}
    found = []
    for case in NOISY.cases("40", every=6):
        given = case.observation
        seen = Observation(given.camera, depth=given.depth, mask=given.mask)
        refiner = refiners.setdefault(case.mesh_path, Refiner(load_mesh(case.mesh_path), preset=preset, threads=1))
        found.append(errors_mm(case, refiner.refine(seen, case.start).pose)[0])
    return np.array(found)


def test_hypotheses_that_a_refused_mask_led_have_no_vote() -> None:
    """They followed the mask; what was found without it cannot agree with them."""
    refused = 0
    for case in SETS["sim-noisy"].cases("10", "rgb+mask", every=9):
        result = Refiner(load_mesh(case.mesh_path), threads=1).refine(case.observation, case.start)
        if any(note.startswith("mask is off: its border") for note in result.notes):
            assert result.evidence is not None and result.evidence.agreement is None
            refused += 1
    assert refused


def test_a_right_pose_is_found_that_costs_more_in_the_light_of_a_wrong_one() -> None:
    """A bottle whose lower half a box hides: at 40 pixels eleven wrong turns are cheaper, for all are compared on the
    pixels that the occluder of a wrong one leaves.
    """
    case = next(one for one in SETS["sim-noisy"].cases("10", "rgbd+mask") if one.name == HALF_HIDDEN)
    result = Refiner(load_mesh(case.mesh_path), threads=1).locate(case.observation)
    assert errors_mm(case, result.pose)[0] < 5.0, errors_mm(case, result.pose)
    assert result.ok
    assert result.confidence is not None and result.confidence > 0.9


def test_a_mask_that_is_off_counts_less_beside_depth() -> None:
    """Apart from its place as a whole, which depth tells in the last steps."""
    search = PRESETS["default"].search
    placed = replace(search, noise=replace(search.noise, mask_shift_px=0.0))
    ours, theirs = (
        errors_of(replace(PRESETS["default"], search=one)) for one in (placed, replace(placed, mask_error_px=0.0))
    )
    assert len(ours) >= 6
    assert np.median(ours) < 0.8 * np.median(theirs), (ours, theirs)
