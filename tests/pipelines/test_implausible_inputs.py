"""What may be wrong with the inputs of a result that failed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import diffdope as dd
from diffdope.experiments.shapes import primitives
from diffdope.experiments.synthetic import SensorNoise, picture, random_pose
from diffdope.pipelines.diagnosis.implausible_inputs import of_kind, of_units, size_factor, with_hints
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example

MESH, OBSERVATION, START, TRUTH = packaged_example()
CENTIMETRES = dd.Pose(START.R_m2c, 0.1 * START.t_m2c)


def seen(*names: str, depth: float = 1.0) -> Observation:
    images: dict[str, Any] = {name: getattr(OBSERVATION, name) for name in names}
    if "depth" in images:
        images["depth"] = depth * images["depth"]
    return Observation(OBSERVATION.camera, **images)


@pytest.mark.parametrize(
    ("mesh", "depth", "start", "said"),
    [
        (10.0, 1.0, START, 'a unit were 10 times off, and depth agrees with the start: .* unit="mm", unless it was$'),
        (100.0, 1.0, START, "a unit were 100 times off, and depth agrees with the start: is its unit wrong\\?$"),
        (0.1, 1.0, START, 'a unit were 10 times off, and depth agrees with the start: .* load it with unit="cm"'),
        (
            1 / 25.4,
            1.0,
            START,
            'a unit were 25.4 times off, and depth agrees with the start: .* load it with unit="inch"',
        ),
        (1.0, 0.01, None, "a unit were 100 times off: is its unit wrong\\? or is depth_scale 100 times too small\\?$"),
        (1.0, 10.0, START, "depth_scale 10 times too large"),
        (1.0, 0.1, START, "depth_scale 10 times too small"),
        (1.0, 1.0, CENTIMETRES, "depth has the object 10 times farther away than the start"),
        (
            0.1,
            1.0,
            None,
            'a unit were 10 times off: is its unit wrong\\? load it with unit="cm"; or is depth_scale 10 times',
        ),
    ],
)
def test_factors_of_units_are_named(mesh: float, depth: float, start: dd.Pose | None, said: str) -> None:
    (hint,) = of_units(MESH.scaled(mesh), seen("rgb", "depth", "mask", depth=depth), start)
    assert re.search(said, hint), hint


def test_without_a_mask_the_start_is_held_against_depth() -> None:
    assert list(of_units(MESH, seen("rgb", "depth"), START)) == []
    (hint,) = of_units(MESH, seen("rgb", "depth", depth=10.0), START)
    assert "10 times farther away than the start" in hint


def test_without_depth_the_mask_is_held_against_the_start() -> None:
    assert list(of_units(MESH, seen("rgb", "mask"), START)) == []
    (hint,) = of_units(MESH.scaled(10.0), seen("rgb", "mask"), START)
    assert "the mask is 1/10 as long as the start draws the object" in hint


def test_nothing_is_said_of_what_is_right() -> None:
    rng = np.random.default_rng(0)
    for shape in primitives().values():
        for _ in range(4):
            truth = random_pose(rng)
            observation = picture([(shape.mesh, truth)], rng, noise=SensorNoise())
            assert size_factor(shape.mesh, observation) is None
            assert list(of_units(shape.mesh, observation, truth)) == []
            assert list(of_kind(shape.mesh, observation, truth, Status.FAILED)) == []


def test_inverse_starts_are_named() -> None:
    result = Refiner(MESH).refine(OBSERVATION, START.inverse())
    assert not result.ok and "its inverse: is it camera to object? (pose.inverse())" in result.message
    turned = dd.Pose.from_opengl(START.matrix)
    assert "taken for a pose of OpenGL" in Refiner(MESH).refine(OBSERVATION, turned).message


def test_a_failed_result_says_the_factor() -> None:
    wrong = seen("rgb", "depth", "mask", depth=10.0)
    for result in (Refiner(MESH).refine(wrong, START), Refiner(MESH).locate(wrong)):
        assert not result.ok and "depth_scale 10 times too large" in result.message
        assert result.message in result.notes


def test_a_start_that_is_everywhere_gets_a_note_though_it_fits() -> None:
    result = Refiner(MESH.scaled(10.0)).refine(seen("rgb", "mask"), START)
    assert any("the mask is 1/10 as long" in note for note in result.notes)


def test_a_mesh_of_which_the_mask_is_a_tenth_has_not_been_found() -> None:
    mesh, seen, start, _ = packaged_example()
    larger = replace(mesh, vertices_m=10.0 * mesh.vertices_m)
    result = Refiner(larger).refine(Observation(seen.camera, rgb=seen.rgb, mask=seen.mask), start)
    assert not result.ok and (result.confidence or 0.0) < 0.3
    assert "unit" in result.message


def test_a_film_that_begins_with_an_inverse_start_says_so() -> None:
    kept = replace(Refiner(MESH).refine(seen("rgb"), START), status=Status.LOST, message="lost for 1 frame")
    result = with_hints(kept, MESH, seen("rgb"), START.inverse())
    assert result.message.startswith("lost for 1 frame; the start does not show the object where it is, but so does")
    assert "its inverse: is it camera to object?" in result.message
    assert with_hints(kept, MESH, seen("rgb"), START).message == "lost for 1 frame"
