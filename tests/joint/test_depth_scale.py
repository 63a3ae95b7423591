"""Objects of one view share a depth camera: what their prints say of its scale counts for all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.joint.depth_scale import at_common_scale
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.note_codes import NoteCode, codes_of
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.scene.scene import SceneObject
from diffdope.scene.view import View
from tests.joint.conftest import Drawn, starts


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(packaged_example()[0], threads=1)


@pytest.fixture(scope="module")
def result(refiner: Refiner) -> RefinementResult:
    _, seen, start, _ = packaged_example()
    return refiner.refine(Observation(seen.camera, rgb=seen.rgb, depth=seen.depth), start)


def saying(result: RefinementResult, too_far: float, deviation: float = 0.006) -> RefinementResult:
    assert result.evidence is not None
    return replace(result, evidence=replace(result.evidence, too_far=too_far, too_far_deviation=deviation))


def test_one_print_is_left_as_it_is(refiner: Refiner, result: RefinementResult) -> None:
    found, notes = at_common_scale([result, None], [refiner, refiner])
    assert found == [result, None] and notes == ()


def test_prints_that_agree_with_depth_make_all_surer(refiner: Refiner, result: RefinementResult) -> None:
    doubted = saying(result, 0.006)
    found, notes = at_common_scale([doubted, saying(result, -0.003), saying(result, 0.001)], [refiner] * 3)
    assert notes == ()
    for one in found:
        assert one is not None and one.confidence is not None and result.confidence is not None
        assert one.confidence >= result.confidence and one.pose is result.pose


def test_prints_that_agree_on_another_scale_make_all_unsure(refiner: Refiner, result: RefinementResult) -> None:
    every = [saying(result, off, 0.012) for off in (0.022, 0.017, 0.024, 0.016, 0.020, 0.018) * 2]  # each says little
    found, notes = at_common_scale(every, [refiner] * 12)
    assert codes_of(notes) == (NoteCode.DEPTH_BESIDE_PRINT,)
    assert "too far" in notes[0] and "12 objects" in notes[0] and "0.98" in notes[0]
    for one in found:
        assert one is not None and one.confidence is not None and one.confidence < 0.4


@pytest.mark.parametrize("times", [1.0, 0.985, 1.015])
def test_a_scene_names_the_scale_of_its_depth(drawn: Drawn, times: float) -> None:
    """A box and a ring, the ring partly behind the box."""
    seen = drawn.views[0].observation
    assert seen.depth is not None
    view = View(Observation(seen.camera, rgb=seen.rgb, depth=seen.depth * np.float32(times)))
    scene = SceneRefiner([SceneObject(mesh) for mesh in drawn.meshes], threads=1)
    result = scene.refine(view, starts=starts(drawn))
    sure = [one.confidence for one in result.objects]
    if times == 1.0:
        assert result.notes == () and min(sure) > 0.8
    else:
        assert max(sure) < 0.5 and codes_of(result.notes) == (NoteCode.DEPTH_BESIDE_PRINT,)
        assert ("near" if times < 1.0 else "far") in result.notes[0]
