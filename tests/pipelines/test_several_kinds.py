"""Several kinds of objects in one depth image, with no masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.several_kinds import locate_objects
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.drawn import depth_of_others, drawing_of, knowing
from tests.pipelines.test_instances import CAMERA, TRUTHS, heap, is_of
from tests.search.test_cut_masks import tee

HERE, THERE = TRUTHS[0], TRUTHS[2]


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(tee(), seed=0, threads=1)


@pytest.fixture(scope="module")
def small() -> Refiner:
    mesh = tee()
    return Refiner(Mesh(0.95 * mesh.vertices_m, mesh.faces), seed=0, threads=1)


@pytest.fixture(scope="module")
def result(refiner: Refiner) -> RefinementResult:
    """Located in its mask, and sure."""
    seen = heap(refiner.mesh, (HERE,))
    mask = _drawn(refiner, HERE) > 0.0
    found = refiner.locate(seen.with_mask(mask))
    assert found.ok and is_of(found, HERE)
    return replace(found, confidence=0.9)


def _drawn(refiner: Refiner, pose: Pose) -> np.ndarray:
    depth = depth_of_others([drawing_of(refiner.meshes, refiner.frame.enter(pose), CAMERA)], -1, CAMERA)
    assert depth is not None
    return depth


def test_what_is_known_to_be_there_is_not_looked_for(refiner: Refiner) -> None:
    observation = heap(refiner.mesh, (HERE, THERE)).with_others(_drawn(refiner, HERE))
    found = refiner.locate_all(observation)
    assert [is_of(one, THERE) for one in found] == [True]


def test_what_was_known_stays_known(refiner: Refiner) -> None:
    one, other = _drawn(refiner, HERE), _drawn(refiner, THERE)
    known = knowing(heap(refiner.mesh, ()).with_others(one), other).others
    assert known is not None
    np.testing.assert_array_equal(known > 0.0, (one > 0.0) | (other > 0.0))
    both = (one > 0.0) & (one + 1e-3 < other)
    np.testing.assert_array_equal(known[both], one[both])


Stub = Callable[[Refiner, Observation], list[RefinementResult]]


def _located_by(monkeypatch: pytest.MonkeyPatch, stub: Stub) -> None:
    monkeypatch.setattr(Refiner, "locate_all", lambda self, observation, **_: stub(self, observation))


def test_what_is_sure_of_the_larger_kind_hides_what_is_looked_for_next(
    refiner: Refiner, small: Refiner, result: RefinementResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Refiner, Observation]] = []

    def located(self: Refiner, observation: Observation) -> list[RefinementResult]:
        asked.append((self, observation))
        return [result] if self is refiner else []

    _located_by(monkeypatch, located)
    assert locate_objects([small, refiner], heap(refiner.mesh, (HERE,))) == [[], [result]]
    assert [one for one, _ in asked] == [refiner, small]
    assert asked[0][1].others is None
    np.testing.assert_array_equal(asked[1][1].others, _drawn(refiner, result.pose))


@pytest.mark.parametrize("sure", [0.9, 0.3])
def test_one_place_shows_one_kind(
    refiner: Refiner, small: Refiner, result: RefinementResult, monkeypatch: pytest.MonkeyPatch, sure: float
) -> None:
    """Where the larger kind is not sure, the smaller one is looked for, too; the surer of both is left."""
    unsure = replace(result, confidence=0.2, status=Status.AMBIGUOUS)
    other = replace(result, confidence=sure)
    _located_by(monkeypatch, lambda self, _: [unsure] if self is refiner else [other])
    assert locate_objects([refiner, small], heap(refiner.mesh, (HERE,))) == [[], [other]]


def test_what_lies_elsewhere_stays(
    refiner: Refiner, small: Refiner, result: RefinementResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsure = replace(result, confidence=0.2, status=Status.AMBIGUOUS)
    elsewhere = replace(result, pose=THERE, confidence=0.9)
    _located_by(monkeypatch, lambda self, _: [unsure] if self is refiner else [elsewhere])
    assert locate_objects([refiner, small], heap(refiner.mesh, (HERE,))) == [[unsure], [elsewhere]]


def test_two_kinds_of_one_heap() -> None:
    """A tee and a block that touch in the picture; the block is not taken for a part of a tee."""
    block = Mesh(
        np.array([[x, y, z] for x in (-0.03, 0.03) for y in (-0.02, 0.02) for z in (-0.012, 0.012)]),
        np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
                  [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]),
    )  # fmt: skip
    lies = Pose(so3.exp(np.array([0.5, -0.6, 0.3])), np.array([-0.02, 0.045, 0.50]))
    first, second = heap(tee(), (HERE,)), heap(block, (lies,))
    assert first.depth is not None and second.depth is not None
    both = Observation(CAMERA, depth=np.minimum(first.depth, second.depth))
    told: list[tuple[int, RefinementResult]] = []
    refiners = [Refiner(tee(), threads=1), Refiner(block, threads=1)]
    tees, blocks = locate_objects(refiners, both, on_instance=lambda kind, one: told.append((kind, one)))
    assert is_of(tees[0], HERE) and (tees[0].confidence or 0.0) > 0.5
    assert blocks and blocks[0].pose.distance_to(lies) < 0.003 and (blocks[0].confidence or 0.0) > 0.5
    assert not [one for one in (*tees[1:], *blocks[1:]) if (one.confidence or 0.0) > 0.5]
    assert {kind for kind, one in told if one in (tees[0], blocks[0])} == {0, 1}
    assert len(locate_objects(refiners, both, on_instance=lambda *_: True)[1]) == 0  # ended by the first, the tee
