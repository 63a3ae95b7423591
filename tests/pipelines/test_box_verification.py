"""Flat parts on a table, in a box: the mask that is drawn from a pose is no evidence for that pose."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import SensorNoise, picture
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose, between
from diffdope.geometry.so3 import exp
from diffdope.note_codes import NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.locating.box_verification import _as_printed, with_answers
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480)
TABLE = painted("table", *grid_box(np.array([0.5, 0.4, 0.01]), 40), mottled)
TILTED = exp(np.array([np.pi - 0.5, 0.0, 0.0]))
THICK = 0.0024


def key() -> Mesh:
    """A shaft of 60 mm with a bow at one end and teeth at one side of the other."""
    parts = [((0.06, 0.008), (0.0, 0.0)), ((0.02, 0.022), (-0.02, 0.0)), ((0.02, 0.005), (0.018, 0.006))]
    vertices, faces = [], []
    for size, (x, y) in parts:
        corners, triangles = grid_box(np.array([*size, THICK]), 2)
        faces.append(triangles + sum(len(one) for one in vertices))
        vertices.append(corners + np.array([x, y, 0.0]))
    return Mesh(np.concatenate(vertices), np.concatenate(faces))


def lying(turn: float) -> tuple[Observation, Pose, tuple[float, float, float, float]]:
    """A picture of the key on the table, with its pose and box."""
    table = Pose(TILTED, np.array([0.0, 0.0, 0.30]))
    up = TILTED @ np.array([0.0, 0.0, 1.0])
    up = up if up[2] < 0.0 else -up  # towards the camera
    pose = Pose(TILTED @ exp(np.array([0.0, 0.0, turn])), table.t_m2c + (0.005 + 0.5 * THICK) * up)
    noise = SensorNoise(0.01, 0.0003, 0.0, 0.0)
    image = picture([(key(), pose), (TABLE, table)], np.random.default_rng(3), camera=CAMERA, noise=noise)
    box = image.mask_box
    assert box is not None
    x0, y0, x1, y1 = box
    seen = Observation(CAMERA, rgb=image.rgb, depth=image.depth)
    return seen, pose, (x0, y0, x1 - x0 + 1.0, y1 - y0 + 1.0)


@pytest.mark.parametrize("turn", [0.3, 1.4, 2.5, 4.0])
def test_a_key_on_a_table_is_not_surely_turned_over(turn: float) -> None:
    observation, truth, box = lying(turn)
    result = Refiner(key(), seed=0).locate(observation, box=box)
    vertices = key().vertices_m
    off = np.linalg.norm(result.pose.apply(vertices) - truth.apply(vertices), axis=1).max()
    right = off < 0.05 * 0.06
    assert right or (result.confidence or 0.0) < 0.5, (off, result.confidence)


def test_the_pose_is_that_without_the_drawn_mask() -> None:
    observation, _, box = lying(0.3)
    refiner = Refiner(key(), seed=0, threads=1)
    result = refiner.locate(observation, box=box)
    again = refiner.refine(observation, result.pose)
    open_m = np.zeros((0, 3)) if result.unobserved is None else result.unobserved[:, :3]  # along these it may stay
    away_m = result.pose.t_m2c - again.pose.t_m2c
    assert np.linalg.norm(away_m - np.linalg.pinv(open_m) @ (open_m @ away_m)) < 1e-4
    assert np.linalg.matrix_rank(open_m) <= 1
    assert (NoteCode.UNOBSERVED in result.note_codes) == bool(len(open_m))
    assert result.pose.angle_to(again.pose) < np.radians(0.2)
    assert result.answers[0].pose is result.pose


def believed() -> tuple[RefinementResult, MeshLevels]:
    observation, _, box = lying(0.3)
    result = Refiner(key(), seed=0, threads=1).locate(observation, box=box)
    first = replace(result.answers[0], probability=0.5)
    return replace(result, answers=(first,), none_of_these=0.5, status=Status.CONVERGED), MeshLevels(key(), (0,))


def test_half_turns_that_fit_are_answers() -> None:
    result, meshes = believed()
    here = result.pose
    over = Pose(here.R_m2c @ exp(np.array([0.0, np.pi, 0.0])), here.t_m2c)
    about = Pose(here.R_m2c @ exp(np.array([0.0, 0.0, np.pi])), here.t_m2c)
    settings = preset("default").resolved_search
    some = with_answers(result, [(over, 0.1), (about, 0.2)], meshes, settings)
    assert [one.probability for one in some.answers] == pytest.approx([0.5, 0.2, 0.1])
    assert some.none_of_these == pytest.approx(0.2)
    assert some.status is Status.CONVERGED
    rivalled = with_answers(result, [(over, 0.1), (about, 0.2), (over, 0.2)], meshes, settings)
    assert [one.probability for one in rivalled.answers] == pytest.approx([0.5, 0.3, 0.2])
    assert rivalled.status is Status.AMBIGUOUS  # the second is more than half as likely as the first
    assert with_answers(result, [], meshes, settings) is result


@pytest.mark.parametrize(("cost", "confidence", "taken"), [(0.8, 0.9, True), (0.8, 0.5, False), (1.2, 0.9, False)])
def test_of_turns_that_look_the_same_the_cheaper_and_surer_one_is_taken(
    cost: float, confidence: float, taken: bool
) -> None:
    """A box with nearly one print on two sides, of which the photograph shows the other one."""
    vertices, faces = grid_box(np.array([0.06, 0.04, 0.03]), 12)
    stripes = 0.5 + 0.4 * np.cos(400.0 * vertices[:, :1]) + 0.01 * np.sign(vertices[:, 1:2])
    meshes = MeshLevels(Mesh(vertices, faces, colors=np.repeat(stripes, 3, axis=1)), (0,))
    image = Observation(CAMERA, rgb=np.zeros((480, 640, 3)), depth=np.ones((480, 640)))
    result, _ = believed()
    first = replace(result, pose=Pose(np.eye(3), np.array([0.0, 0.0, 0.4])), cost=1.0, confidence=0.6)
    asked: list[Pose] = []

    def attempt(_: object, __: Observation, start: Pose, *, worth: object) -> Attempt:
        asked.append(start)
        return Attempt(replace(first, pose=start, cost=cost, confidence=confidence), None)

    searcher = cast(MeshSearcher, SimpleNamespace(meshes=meshes, attempt=attempt))
    found = _as_printed(first, searcher, preset("default"), image)
    assert asked and all(meshes.alikeness.unnoticed(*between(first.pose, one)) for one in asked)
    assert (found is not first) == taken
    assert not taken or any(found.pose is one for one in asked)
