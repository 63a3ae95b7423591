"""What failed without a mask, and is found at its start once depth is multiplied, has depth of another scale."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.note_codes import NoteCode
from diffdope.pipelines.diagnosis.scaled_depth import depth_times, of_depth_scale
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example

MESH, OBSERVATION, START, TRUTH = packaged_example()
REFINER = Refiner(MESH, threads=1)
SEARCH = REFINER.preset.resolved_search


def scaled(times: float, *names: str) -> Observation:
    images = {name: getattr(OBSERVATION, name) for name in names}
    return depth_times(Observation(OBSERVATION.camera, **images), times)


@pytest.mark.parametrize(
    ("times", "said"), [(0.9, "10 % more"), (0.95, "5 % more"), (1.05, "5 % less"), (1.1, "10 % less")]
)
def test_depth_of_another_scale_is_named_by_what_a_start_shows(times: float, said: str) -> None:
    names = ("rgb", "depth")
    (note,) = of_depth_scale(REFINER.meshes, scaled(times, *names), REFINER.frame.enter(START), SEARCH)
    assert note.code is NoteCode.DEPTH_SCALE and said in note


@pytest.mark.parametrize("names", [("rgb", "depth"), ("depth",)])
def test_nothing_is_said_of_depth_that_shows_the_object_at_its_start(names: tuple[str, ...]) -> None:
    start = REFINER.frame.enter(START)
    assert not list(of_depth_scale(REFINER.meshes, scaled(1.0, *names), start, SEARCH))
    nothing = Observation(OBSERVATION.camera, depth=np.full_like(OBSERVATION.depth, 2.0))
    assert not list(of_depth_scale(REFINER.meshes, nothing, start, SEARCH))


@pytest.mark.parametrize("times", [0.9, 1.1])
def test_a_failed_result_names_depth_of_another_scale(times: float) -> None:
    result = REFINER.refine(scaled(times, "rgb", "depth"), START)
    assert not result.ok
    assert NoteCode.DEPTH_SCALE in result.note_codes or NoteCode.DEPTH_SCALE_UNSURE in result.note_codes
