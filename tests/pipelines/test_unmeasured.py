"""What is said where images leave a distance open: without depth, or from a start that says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import diffdope as dd
from diffdope.pipelines.diagnosis.implausible_inputs import with_hints
from diffdope.pipelines.result import RefinementResult, Status
from tests.pipelines.test_implausible_inputs import MESH, START, seen


def found(pose: dd.Pose, *modalities: str, confidence: float = 0.9) -> RefinementResult:
    result = dd.refine(MESH, seen("rgb", "depth", "mask"), START, preset="fast")
    return replace(result, pose=pose, modalities=modalities, confidence=confidence, status=Status.CONVERGED, notes=())


def test_without_depth_the_distance_rests_on_unit_and_k() -> None:
    result = with_hints(found(START, "rgb", "mask"), MESH, seen("rgb", "mask"), None)
    assert result.confidence == 0.9 and result.ok
    (note,) = result.notes
    assert note.startswith("without depth, nothing but the mesh's unit and K says how far away: the object is 0.")
    assert with_hints(found(START, "rgb", "depth"), MESH, seen("rgb", "depth"), None).notes == ()
    assert with_hints(found(START, "rgb", "mask"), MESH, seen("rgb", "mask"), START).notes == ()


def test_what_would_be_farther_than_depth_cameras_see_is_as_likely_as_not() -> None:
    away = dd.Pose(np.eye(3), [0.0, 0.0, 25.0])
    result = with_hints(found(away, "rgb", "mask"), MESH.scaled(25.4), seen("rgb", "mask"), None)
    assert result.confidence == 0.5
    assert any("25 m away" in note and note.endswith("is the unit wrong?") for note in result.notes)


def test_a_start_of_no_translation_says_nothing_and_is_told() -> None:
    observation = seen("rgb", "mask")
    doubtful = with_hints(found(START, "rgb", "mask", confidence=0.1), MESH, observation, dd.Pose.identity())
    assert doubtful.status is Status.FAILED
    why = "the start has the object in the camera: its translation is zero (the identity?)"
    assert doubtful.message == f"{why}; locate needs no start"
    right = with_hints(found(START, "rgb", "mask"), MESH, observation, dd.Pose.identity())
    assert right.status is Status.CONVERGED and right.confidence == 0.9
    assert any("was looked for all the same" in note for note in right.notes)
