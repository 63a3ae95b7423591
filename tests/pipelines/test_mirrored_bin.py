"""What all parts of a bin say together of a mesh that is mirrored, where one of them says that it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode
from diffdope.pipelines.diagnosis.mirrored_mesh import MESH_MIRRORED
from diffdope.pipelines.locating import mirrored_bin
from diffdope.pipelines.locating.mirrored_bin import told_of_mirror_image
from diffdope.pipelines.locating.seen_instances import SeenInstance
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status, nothing_compared
from tests.pipelines.test_failure_reasons import CHIRAL, PLACE, drawn, in_mirror_image
from tests.pipelines.test_instances import TRUTHS, heap
from tests.search.test_cut_masks import tee

REFINER = Refiner(tee(), seed=0, threads=1)
OBSERVATION = heap(REFINER.mesh, TRUTHS[:1])


def instance(number: int, *, noted: bool, confidence: float = 0.9) -> SeenInstance:
    pose = Pose(np.eye(3), np.array([0.1 * number, 0.0, 0.5]))
    result = replace(nothing_compared(pose, Status.CONVERGED, ""), confidence=confidence)
    told = replace(result, notes=(MESH_MIRRORED,) if noted else ())
    return SeenInstance(result, np.zeros((240, 320), np.bool_), told)


def told(
    monkeypatch: pytest.MonkeyPatch, costs: list[float | None], noted: list[bool], confidence: float = 0.9
) -> list[bool]:  # fmt: skip
    """Which of some instances have the note in the end, where the mirror image costs so much."""
    left = iter(costs)
    monkeypatch.setattr(mirrored_bin, "mirror_image_cost", lambda result, meshes, observation: next(left))
    found = [instance(k, noted=one, confidence=confidence) for k, one in enumerate(noted)]
    results = told_of_mirror_image(found, REFINER.meshes, OBSERVATION)
    return [one.notes.count(MESH_MIRRORED) == 1 and NoteCode.MESH_MIRRORED in one.note_codes for one in results]


def test_what_all_say_goes_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs of brackets, by the mirrored mesh and by the right one."""
    some = [True, False, False, True, False, False]
    assert told(monkeypatch, [0.86, 0.96, 1.02, 0.93, 0.92, 0.94], some) == [True] * 6
    assert told(monkeypatch, [1.13, 1.04, 1.07, 0.97, 1.07, None], some) == [False] * 6


def test_where_they_disagree_each_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    some = [True, False, False, True]
    assert told(monkeypatch, [0.85, 1.14, 1.09, 0.9], some) == some


def test_few_or_unsure_ones_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, [], [True, False]) == [True, False]
    assert told(monkeypatch, [], [True, False, False], confidence=0.4) == [True, False, False]
    assert told(monkeypatch, [], [False] * 4) == [False] * 4


def test_a_mesh_that_is_its_own_mirror_image_is_not_asked() -> None:
    pose = REFINER.frame.enter(TRUTHS[0])
    result = REFINER._searcher(OBSERVATION).attempt(REFINER.preset, OBSERVATION, pose).result
    assert REFINER.meshes.is_own_mirror_image()
    assert mirrored_bin.mirror_image_cost(result, REFINER.meshes, OBSERVATION) is None


def test_the_mirror_image_of_a_mirrored_mesh_costs_less() -> None:
    seen = drawn(CHIRAL, PLACE).without_mask()
    for mesh, less in ((CHIRAL, False), (in_mirror_image(CHIRAL), True)):
        refiner = Refiner(mesh, seed=0, threads=1)
        masked = refiner._searcher(seen).attempt(refiner.preset, drawn(CHIRAL, PLACE), None).result
        cost = mirrored_bin.mirror_image_cost(masked, refiner.meshes, seen)
        assert (cost is not None and cost < 1.0) == less
