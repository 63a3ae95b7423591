"""The other ways round: turns about the longest axis, of what is half seen and of no revolution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box, mottled, painted, primitives
from diffdope.experiments.synthetic import picture, random_pose
from diffdope.geometry import so3
from diffdope.geometry.perturb import random_rotation
from diffdope.geometry.pose import Pose
from diffdope.pipelines.settings import preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.approximate_symmetries import left_of_folds, other_ways
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.history import Recorder
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.search_inputs import SearchInputs

DEFAULT = preset("default")
SETTINGS = DEFAULT.resolved_search
LAST = SETTINGS.near.of_one_pose(1)


def bottle() -> Mesh:
    """With a flat, tapered body: of no revolution, and longest along z."""
    vertices, faces = grid_box(np.array([0.06, 0.035, 0.17]), 12)
    vertices = vertices.copy()
    vertices[:, :2] *= (1.0 - 0.55 * np.clip((vertices[:, 2] - 0.03) / 0.055, 0.0, 1.0))[:, None]
    return painted("bottle", vertices, faces, mottled)


def half_hidden(mesh: Mesh, seed: int) -> tuple[Pose, Observation]:
    """One end lies behind a cube."""
    rng = np.random.default_rng(seed)
    truth = random_pose(rng)
    end = truth.R_m2c[:, 2] * (1 if seed % 2 else -1)
    cube = Pose(random_rotation(rng), truth.t_m2c + 0.055 * end + np.array([0.0, 0.0, -0.07]))
    return truth, picture([(mesh, truth), (primitives()["cube"].mesh, cube)], rng)


def ended(meshes: MeshLevels, seen: Observation, start: Pose) -> tuple[Candidates, Descent]:
    """Where a descent from a start ends."""
    descent = Descent(SearchInputs(meshes, seen, SETTINGS, DEFAULT.objective, DEFAULT.crop.margin), Recorder())
    found = descent.run(LAST, Hypotheses.of(start, 0), start)
    assert isinstance(found, Candidates)
    return found, descent


def nearest_deg(poses: list[Pose], truth: Pose) -> float:
    return min((float(np.degrees(pose.angle_to(truth))) for pose in poses), default=180.0)


@pytest.fixture(scope="module")
def meshes() -> MeshLevels:
    return MeshLevels(bottle(), (*SETTINGS.near.faces, SETTINGS.turns.faces), threads=1)


@pytest.mark.parametrize("seed", [1, 5, 9])
def test_a_doubtful_pose_of_what_is_half_seen_is_turned_about_its_longest_axis(
    meshes: MeshLevels, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert meshes.axis is None and meshes.long_axis is not None
    truth, seen = half_hidden(meshes.mesh, seed)
    turned = Pose(truth.R_m2c @ so3.exp(np.radians([0.0, 0.0, 100.0])), truth.t_m2c)
    found, descent = ended(meshes, seen, turned)
    assert found.doubtful(SETTINGS.fallback_confidence) and nearest_deg([found.pose], truth) > 30.0
    faces = LAST.faces[0]
    poses, about_axis = other_ways(found, descent, None, faces, told=False)
    assert about_axis and nearest_deg(poses, truth) < 15.0
    # Who has a start, or a result that convinces, does without; so does what has no longest axis, and misses it.
    poses, about_axis = other_ways(found, descent, turned, faces, told=False)
    assert not about_axis
    sure = replace(SETTINGS, fallback_confidence=0.0)
    assert not other_ways(replace(found, beside=20.0), descent.by(sure), None, faces, told=False)[1]
    monkeypatch.setattr(MeshLevels, "long_axis", None)
    poses, about_axis = other_ways(found, descent, None, faces, told=False)
    assert not about_axis and nearest_deg(poses, truth) > 15.0


def two_blocks() -> Mesh:
    """End on, one turned by a quarter against the other, as the forks of a joint; the second has another colour."""
    vertices, faces = grid_box(np.array([0.04, 0.024, 0.05]), 4)
    vertices = vertices + np.array([0.0, 0.0, 0.025])
    colors = np.repeat([[0.7, 0.7, 0.7], [0.1, 0.2, 0.7]], len(vertices), axis=0)
    both = np.concatenate([vertices, vertices @ EXCHANGED.T])
    return Mesh(both, np.concatenate([faces, faces + len(vertices)]), colors=colors)


EXCHANGED = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])


def test_what_depth_cannot_tell_from_a_pose_that_was_found_is_compared_though_no_search_came_to_it() -> None:
    meshes = MeshLevels(two_blocks(), SETTINGS.near.faces, threads=1)
    rng = np.random.default_rng(2)
    truth = random_pose(rng)
    seen = picture([(meshes.mesh, truth)], rng)
    found, _ = ended(meshes, seen.without_rgb(), truth)
    exchanged = [Pose(truth.R_m2c @ turn @ EXCHANGED, truth.t_m2c) for turn in (np.eye(3), np.diag([-1.0, -1.0, 1.0]))]
    assert all(nearest_deg(left_of_folds([found], meshes), pose) < 5.0 for pose in exchanged)
    # Colours tell the halves apart, and what nobody would tell apart is no other answer.
    painted_seen, _ = ended(meshes, seen, truth)
    assert not left_of_folds([painted_seen], meshes)
    plain = MeshLevels(Mesh(meshes.mesh.vertices_m, meshes.mesh.faces), SETTINGS.near.faces, threads=1)
    same, _ = ended(plain, seen.without_rgb(), truth)
    assert min((pose.angle_to(one) for pose in left_of_folds([same], plain) for one in exchanged), default=9.0) > 0.2
