"""What is partly hidden in a photograph without depth: the part of its border that is its own tells where it is."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.problem.failure import Failure
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.symmetric_alternatives import odds_with_costs
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.history import Recorder
from diffdope.search.levels import NEAR
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.border_parts import border_parts
from diffdope.search.proposals.view_sphere import ViewSphereSettings, view_sphere
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.settings import SearchSettings
from diffdope.terms.registry import ObjectiveSettings

CAMERA = Camera(600.0, 600.0, 159.5, 119.5, 320, 240)
ROTATIONS, FACES = 576, 500
# Sides, and middles, metres: a plate with a wall at one end, a rib, and a tongue that sticks out at a corner.
PARTS = (
    ((0.10, 0.06, 0.008), (0.0, 0.0, 0.0)),
    ((0.008, 0.06, 0.04), (0.046, 0.0, 0.02)),
    ((0.05, 0.008, 0.02), (0.02, 0.015, 0.012)),
    ((0.03, 0.012, 0.008), (-0.055, -0.024, 0.0)),
)


def bracket() -> Mesh:
    """Of four boxes, without colours."""
    vertices: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    for sides, middle in PARTS:
        points, triangles = grid_box(np.array(sides), 2)
        faces.append(triangles + sum(len(some) for some in vertices))
        vertices.append(points + np.array(middle))
    return Mesh(np.concatenate(vertices), np.concatenate(faces))


def partly_hidden(mesh: Mesh, pose: Pose, share: float, way: float) -> Observation:
    """A photograph in which a straight edge hides a share of the object, seen along a direction `way` [rad] from x."""
    drawn = Renderer(mesh, CAMERA).render(pose.R_m2c[None], pose.t_m2c[None]).coverage[0] > 0.5
    rows, columns = np.indices(drawn.shape)
    along = columns * np.cos(way) + rows * np.sin(way)
    mask = drawn & (along > np.quantile(along[drawn], share))
    rgb = np.where(mask[..., None], 0.7, 0.3).astype(np.float32) * np.ones(3, np.float32)
    return Observation(CAMERA, rgb=rgb, mask=mask)


def scene(seed: int) -> tuple[Mesh, Pose, Observation]:
    """The bracket, a third of it hidden."""
    rng = np.random.default_rng(seed)
    pose = Pose(so3.exp(rng.normal(size=3)), np.array([0.0, 0.0, 0.5]))
    mesh = bracket()
    return mesh, pose, partly_hidden(mesh, pose, 0.35, float(rng.uniform(0.0, 2.0 * np.pi)))


def apart_m(mesh: Mesh, one: Pose, other: Pose) -> float:
    """Mean distance of vertices."""
    return float(np.linalg.norm(one.apply(mesh.vertices_m) - other.apply(mesh.vertices_m), axis=1).mean())


def test_what_is_partly_hidden_is_proposed() -> None:
    """Which shows two thirds of itself; templates as large as the mask, in its middle, are nowhere near."""
    mesh, truth, seen = scene(11)
    meshes, settings = MeshLevels(mesh), ViewSphereSettings()
    found = border_parts(meshes, seen, settings.rotations, settings.faces)
    assert apart_m(mesh, Pose(found.R[0], found.t[0]), truth) < 0.01  # as near as levels begin
    assert np.all(np.diff(found.explained) <= 0.0)
    others = view_sphere(meshes, seen, settings, 48)
    assert not isinstance(others, Failure)
    assert min(apart_m(mesh, Pose(R, t), truth) for R, t in zip(others.R, others.t, strict=True)) > 0.015


def test_what_is_partly_hidden_is_located() -> None:
    mesh, truth, seen = scene(11)
    result = Refiner(mesh, seed=0, threads=1).locate(seen)
    assert apart_m(mesh, result.pose, truth) < 0.002
    assert (result.confidence or 0.0) > 0.5


def test_a_mask_that_is_the_whole_picture_has_no_border() -> None:
    mesh, _, seen = scene(11)
    full = Observation(CAMERA, rgb=seen.rgb, mask=np.ones((CAMERA.height, CAMERA.width), bool))
    assert len(border_parts(MeshLevels(mesh), full, ROTATIONS, FACES).R) == 0


@pytest.mark.parametrize("seed", [6, 9, 21])
def test_without_depth_poses_are_compared_on_the_pixels_of_either(seed: int) -> None:
    """Pixels that count beside a wrong pose count against the right one, which reaches beyond what hides it there.

    The wrong pose is as large as what is seen, in its middle.
    """
    mesh, truth, seen = scene(seed)
    meshes, search = MeshLevels(mesh), SearchSettings()
    descent = Descent(SearchInputs(meshes, seen, search, ObjectiveSettings(), 0.25), Recorder())

    def refined(pose: Pose) -> Candidates:
        found = descent.run(NEAR.of_one_pose(1), Hypotheses.of(pose, 0), pose)
        assert isinstance(found, Candidates)
        return found

    laid = view_sphere(meshes, seen, ViewSphereSettings(), 1)
    assert not isinstance(laid, Failure)
    right, wrong = refined(truth), refined(Pose(laid.R[0], laid.t[0]))
    assert apart_m(mesh, wrong.pose, truth) > 0.02
    given = [wrong.pose, right.pose], wrong.level, meshes.buffers(), meshes.length_m
    alone, both = odds_with_costs(*given), odds_with_costs(*given, levels=[wrong.level, right.level])
    assert alone[1] < alone[0]
    assert both[1] > both[0] + 5.0
