"""Several instances of one object in a depth image that no mask divides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode, code_of
from diffdope.pipelines.locating.instances import _as_sure_as_seen, _SeenInstance, _settled, check_fits
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.settings import preset
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from tests.search.test_cut_masks import tee

CAMERA = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)
TABLE_M = 0.56
HALF = Pose(np.diag([1.0, -1.0, -1.0]), np.zeros(3))  # under which a tee looks the same
# They touch in the picture: the second lies across the first, the third beside both. The fourth is nearly hidden.
TRUTHS = (
    Pose(so3.exp(np.array([1.2, 0.3, 0.2])), np.array([-0.04, 0.0, 0.53])),
    Pose(so3.exp(np.array([0.4, 1.3, -0.6])), np.array([0.03, 0.02, 0.48])),
    Pose(so3.exp(np.array([-1.4, 0.2, 0.8])), np.array([0.10, -0.03, 0.52])),
    Pose(so3.exp(np.array([0.4, 1.3, -0.6])), np.array([0.035, 0.022, 0.535])),
)


def heap(mesh: Mesh, poses: tuple[Pose, ...]) -> Observation:
    """Depth of instances on a table, with a camera's noise."""
    depth = np.full((CAMERA.height, CAMERA.width), TABLE_M)
    for pose in poses:
        images = Renderer(mesh, CAMERA).render(pose.R_m2c[None], pose.t_m2c[None])
        drawn = images.depth[0] / np.maximum(images.coverage[0], 0.5)
        depth = np.where((images.coverage[0] > 0.5) & (drawn < depth), drawn, depth)
    noise = np.random.default_rng(1).normal(0.0, 0.0007, depth.shape)
    return Observation(CAMERA, depth=(depth + noise).astype(np.float32))


def is_of(result: RefinementResult, truth: Pose) -> bool:
    turn = min(result.pose.angle_to(truth), result.pose.angle_to(truth @ HALF))
    return turn < np.radians(3.0) and result.pose.distance_to(truth) < 0.003


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(tee(), seed=0, threads=1)


@pytest.fixture(scope="module")
def found(refiner: Refiner) -> list[RefinementResult]:
    return refiner.locate_all(heap(refiner.mesh, TRUTHS))


def test_each_that_lies_on_top_is_found_once(found: list[RefinementResult]) -> None:
    assert [sum(is_of(one, truth) for one in found) for truth in TRUTHS[:3]] == [1, 1, 1]
    assert all((one.confidence or 0.0) > 0.5 for one in found if any(is_of(one, truth) for truth in TRUTHS[:3]))


def test_nothing_else_is_sure(found: list[RefinementResult]) -> None:
    assert [one for one in found if (one.confidence or 0.0) > 0.5 and not any(is_of(one, t) for t in TRUTHS)] == []


def test_the_surest_comes_first(found: list[RefinementResult]) -> None:
    sure = [one.confidence or 0.0 for one in found]
    assert sure == sorted(sure, reverse=True)


def test_the_surest_comes_first_by_what_the_last_look_says(
    refiner: Refiner, found: list[RefinementResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hints and what contradicts the inputs change confidences: the last of a search may be the first."""
    first = found[0]
    assert len(found) > 1

    def doubted(result: RefinementResult, *_: object) -> RefinementResult:
        return replace(result, confidence=0.1) if result.pose.distance_to(first.pose) < 1e-6 else result

    monkeypatch.setattr("diffdope.pipelines.refiner.seen_in", doubted)
    again = [one.confidence or 0.0 for one in refiner.locate_all(heap(refiner.mesh, TRUTHS))]
    assert 0.1 in again and again[0] != 0.1 and again == sorted(again, reverse=True)


def test_probabilities_are_plain_numbers(found: list[RefinementResult]) -> None:
    assert {type(answer.probability) for one in found for answer in one.answers} == {float}
    assert {type(one.none_of_these) for one in found} == {float}


def test_no_more_are_looked_for_than_were_asked_for(refiner: Refiner) -> None:
    said: list[tuple[int, int, float]] = []
    found = refiner.locate_all(heap(refiner.mesh, TRUTHS), most=1, progress=lambda *told: said.append(told))
    assert len(found) == 1
    assert {(done, most) for done, most, _ in said} == {(1, 1)}
    assert any(is_of(found[0], truth) for truth in TRUTHS)


def test_what_depth_hardly_shows_is_hardly_believed(found: list[RefinementResult]) -> None:
    search, one = preset("default").resolved_search, found[0]
    assert _as_sure_as_seen(one, 0.6, search) is one
    some = _as_sure_as_seen(one, 0.45, search)
    assert 0.25 < (some.confidence or 0.0) < (one.confidence or 0.0)
    hardly = _as_sure_as_seen(one, 0.3, search)
    assert (hardly.confidence or 0.0) <= 0.25
    assert [code_of(note) for note in hardly.notes].count(NoteCode.LITTLE_SEEN) == 1


def test_what_is_unsure_takes_no_pixels_from_what_is_sure(found: list[RefinementResult]) -> None:
    sure = replace(found[0], confidence=0.6)
    # Both answers of a coin are right as often, whatever they say of themselves.
    coin = replace(found[0], confidence=0.7, status=Status.AMBIGUOUS)
    aside = replace(found[0], confidence=0.3)
    whole, left, right = np.ones((4, 8), np.bool_), np.zeros((4, 8), np.bool_), np.zeros((4, 8), np.bool_)
    left[:, :4], right[:, 4:] = True, True
    given = [_SeenInstance(coin, whole), _SeenInstance(aside, right), _SeenInstance(sure, left)]
    assert [one.sure for one in given] == [False, False, True]
    assert _settled(given, 9) == [sure, aside]
    assert _settled(given, 1) == [sure]


def test_an_empty_table_shows_none(refiner: Refiner) -> None:
    assert refiner.locate_all(heap(refiner.mesh, ())) == []


def test_an_object_as_small_as_a_wrong_unit_makes_it_is_refused() -> None:
    check_fits(10_000, 0.03)
    with pytest.raises(DiffDopeError, match="39000 places for an object of 3 mm; is the mesh's unit right"):
        check_fits(39_000, 0.003)


def test_depth_is_needed(refiner: Refiner) -> None:
    grey = Observation(CAMERA, rgb=np.full((CAMERA.height, CAMERA.width, 3), 0.5, np.float32))
    with pytest.raises(DiffDopeError, match="observation: expected depth, got rgb; depth tells"):
        refiner.locate_all(grey)
