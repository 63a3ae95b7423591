"""How sure frames are that nothing but edges hold: what else was found holds until it is looked again."""

from __future__ import annotations

import numpy as np
import pytest

import diffdope as dd
from diffdope.estimate.confidence import right_minimum
from diffdope.estimate.fit_quality import FitQuality
from diffdope.experiments.synthetic import CAMERA
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode
from diffdope.pipelines.result import History, RefinementResult, Status
from diffdope.pipelines.tracking import edge_ambiguity
from diffdope.pipelines.tracking.edge_ambiguity import EdgeAmbiguity
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.alternatives.outline_alternatives import OutlineAlternatives
from diffdope.search.mesh_levels import MeshLevels

FRAME = Observation(CAMERA, rgb=np.zeros((CAMERA.height, CAMERA.width, 3)))
POSE, OTHER = (Pose(np.eye(3), np.array([0.0, 0.0, z])) for z in (0.5, 0.4))


def result(evidence: FitQuality, confidence: float = 0.9, status: Status = Status.CONVERGED) -> RefinementResult:
    history = History(np.zeros((1, 1)), np.zeros((1, 1, 0)), POSE.R_m2c[None, None], POSE.t_m2c[None, None], np.ones(1))
    return RefinementResult(
        POSE, POSE, 0.1, 0.1, {}, {}, status, "text", 0, 0, 0, history, (), (), 0, 0.0, None,
        confidence=confidence, evidence=evidence,
    )  # fmt: skip


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is found, one after the other."""
    found: list[float] = []

    def look(*_: object) -> OutlineAlternatives:
        share = found.pop(0)
        return OutlineAlternatives(share, float(np.log(1.0 / share - 1.0)) if share < 1.0 else -np.inf, OTHER)

    monkeypatch.setattr(edge_ambiguity, "outline_alternatives", look)
    return found


@pytest.fixture(scope="module")
def meshes() -> MeshLevels:
    return MeshLevels(packaged_example().mesh, (0,), threads=1)


def test_what_was_found_holds_until_it_is_looked_again(meshes: MeshLevels, shares: list[float]) -> None:
    shares += [0.4, 0.2, 0.6]
    film, plain = EdgeAmbiguity(meshes, 3), result(FitQuality(outline=0.9))
    weighed = [film.weighed(plain, FRAME) for _ in range(7)]
    # It falls at once, and rises by half.
    believed = [right_minimum(one.confidence, started=True) for one in weighed if one.confidence is not None]
    assert believed == pytest.approx([0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.4])
    assert all(NoteCode.EDGES_ALONE in one.note_codes for one in weighed)
    assert not shares
    shares.append(1.0)
    film.clear()
    assert film.weighed(plain, FRAME) is plain


def test_what_is_likelier_twice_in_a_row_is_followed(meshes: MeshLevels, shares: list[float]) -> None:
    shares += [0.05, 0.5, 0.05, 0.05]
    film, better = EdgeAmbiguity(meshes, 2), []
    for _ in range(8):
        film.weighed(result(FitQuality(outline=0.9)), FRAME)
        better.append(film.better)
    assert better == [None] * 6 + [OTHER, None]


def test_a_frame_that_is_less_sure_stays_as_it_is(meshes: MeshLevels, shares: list[float]) -> None:
    shares.append(0.5)
    low = result(FitQuality(outline=0.4), confidence=0.2)
    assert EdgeAmbiguity(meshes, 3).weighed(low, FRAME) is low


@pytest.mark.parametrize("beside", [{"depth_inliers": 0.9}, {"overlap": 0.9}, {"texture": 0.5}])
def test_what_more_than_edges_holds_is_not_asked(
    meshes: MeshLevels, shares: list[float], beside: dict[str, float]
) -> None:
    held = result(FitQuality(outline=0.9, **beside))
    assert EdgeAmbiguity(meshes, 3).weighed(held, FRAME) is held


def test_a_lost_frame_is_not_asked(meshes: MeshLevels, shares: list[float]) -> None:
    lost = result(FitQuality(outline=0.9), status=Status.LOST)
    assert EdgeAmbiguity(meshes, 3).weighed(lost, FRAME) is lost


def test_depth_that_says_nothing_of_the_object_is_no_photograph() -> None:
    mesh = dd.Mesh([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]], [[0, 1, 2]], colors=np.full((3, 3), 0.5))
    camera = dd.Camera(500.0, 500.0, 31.5, 23.5, 64, 48)
    wall = dd.Observation(camera, depth=np.ones((48, 64)))  # half a metre behind the object
    pose = dd.Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))
    assert dd.Refiner(mesh).track(wall, pose).confidence == 0.0
