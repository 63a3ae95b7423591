"""The other ways round: what depth cannot tell from a pose that was found."""

from __future__ import annotations

import numpy as np

from diffdope.experiments.shapes import grid_box
from diffdope.experiments.synthetic import picture, random_pose
from diffdope.geometry.pose import Pose
from diffdope.pipelines.settings import preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.approximate_symmetries import left_of_folds
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.history import Recorder
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.search_inputs import SearchInputs

DEFAULT = preset("default")
SETTINGS = DEFAULT.resolved_search
LAST = SETTINGS.near.of_one_pose(1)


def ended(meshes: MeshLevels, seen: Observation, start: Pose) -> tuple[Candidates, Descent]:
    """Where a descent from a start ends."""
    descent = Descent(SearchInputs(meshes, seen, SETTINGS, DEFAULT.objective, DEFAULT.crop.margin), Recorder())
    found = descent.run(LAST, Hypotheses.of(start, 0), start)
    assert isinstance(found, Candidates)
    return found, descent


def nearest_deg(poses: list[Pose], truth: Pose) -> float:
    return min((float(np.degrees(pose.angle_to(truth))) for pose in poses), default=180.0)


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
