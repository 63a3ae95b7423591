"""Whether an image shows the outline of a result: one in a table has none, one of another size has it aside."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import SensorNoise, picture
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.geometry.so3 import exp
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.checks.outline_evidence import OutlineEvidence, beside_edges, outline_evidence, share_on_edges
from diffdope.search.mesh_levels import MeshLevels

TABLE = painted("table", *grid_box(np.array([0.8, 0.6, 0.01]), 60), mottled)
TILTED = exp(np.array([-0.9, 0.0, 0.0]))
ON_TABLE = Pose(TILTED, np.array([0.0, 0.02, 0.7]))


def carton() -> Mesh:
    return painted("carton", *grid_box(np.array([0.09, 0.06, 0.05]), 30), mottled)


def on_table(x_m: float, y_m: float, middle_m: float) -> Pose:
    """At a place of the table, its middle so far above the table's own."""
    return Pose(TILTED, ON_TABLE.t_m2c + TILTED @ np.array([x_m, y_m, -middle_m]))


STANDS = on_table(0.03, -0.02, 0.03)


@pytest.fixture(scope="module")
def image() -> Observation:
    noise = SensorNoise(0.01, 0.001, 0.002, 0.003)
    return picture([(carton(), STANDS), (TABLE, ON_TABLE)], np.random.default_rng(5), noise=noise)


def seen(image: Observation, pose: Pose, size: float = 1.0, *, colours: bool = True) -> OutlineEvidence:
    mesh = carton()
    given = image if colours else Observation(image.camera, depth=image.depth)
    return outline_evidence(MeshLevels(mesh if size == 1.0 else mesh.scaled(size)), given, pose)


def test_the_outline_of_what_stands_there_is_seen(image: Observation) -> None:
    for colours in (True, False):
        found = seen(image, STANDS, colours=colours)
        assert found.contrast > 2.0 and found.credible == 1.0 and found.note == ""


@pytest.mark.parametrize("place", [(-0.13, 0.05), (0.16, -0.06), (-0.1, -0.1)])
def test_what_lies_flush_in_a_table_has_no_outline(image: Observation, place: tuple[float, float]) -> None:
    found = seen(image, on_table(*place, -0.02))
    assert found.contrast < 1.2 and found.credible == 0.0
    assert "neither depth nor colours change where the result ends" in found.note


@pytest.mark.parametrize(("size", "side", "model"), [(0.95, "outside", "smaller"), (1.14, "inside", "larger")])
def test_a_model_of_another_size_is_told(image: Observation, size: float, side: str, model: str) -> None:
    found = seen(image, STANDS, size)
    assert (found.offset > 0.0) == (size < 1.0) and found.credible < 0.2
    assert f"% {side} of the outline" in found.note and f"model were {model} than the object" in found.note


def test_what_is_out_of_the_picture_is_not_doubted(image: Observation) -> None:
    found = seen(image, Pose(TILTED, np.array([5.0, 0.0, 0.7])))
    assert np.isnan(found.contrast) and found.credible == 1.0 and found.note == ""


def on_edges(image: Observation, off: float, axis: int = 0, turn_deg: float = 0.0) -> float:
    """Of the carton, moved across the view or along it by a share of its diameter, or turned."""
    meshes = MeshLevels(carton())
    moved = np.array(STANDS.t_m2c)
    moved[axis] += off * meshes.length_m
    share = share_on_edges(meshes, image, Pose(exp(np.radians(turn_deg) * np.eye(3)[2]) @ STANDS.R_m2c, moved))
    assert share is not None
    return share


def test_the_outline_of_a_right_pose_lies_at_the_strongest_edges(image: Observation) -> None:
    right = on_edges(image, 0.0)
    assert right > 0.6 and beside_edges(right) == ()
    assert on_edges(image, 0.08) < 0.6 * right and on_edges(image, -0.08) < 0.6 * right
    assert on_edges(image, -0.5, axis=2) < 0.7 * right  # nearer, it is drawn larger
    assert on_edges(image, 0.0, turn_deg=10.0) < 0.8 * right


def test_little_of_an_outline_in_a_table_lies_on_edges(image: Observation) -> None:
    share = share_on_edges(MeshLevels(carton()), image, on_table(-0.13, 0.05, -0.02))
    assert share is not None and share < 0.35
    (note,) = beside_edges(share)
    assert note.startswith("outline: along") and f"{100 * (1 - share):.0f} %" in note


def test_edges_need_a_photograph_and_an_outline_that_shows(image: Observation) -> None:
    meshes = MeshLevels(carton())
    assert share_on_edges(meshes, Observation(image.camera, depth=image.depth), STANDS) is None
    assert share_on_edges(meshes, image, Pose(STANDS.R_m2c, [0.0, 0.0, -1.0])) is None
    wall = np.full_like(image.depth, 0.3)  # something before all of it
    assert share_on_edges(meshes, Observation(image.camera, rgb=image.rgb, depth=wall), STANDS) is None
    assert beside_edges(None) == ()


def test_a_picture_of_one_row_has_no_steps() -> None:
    """Located in it, a box ended in numpy's error about gradients."""
    mesh = carton()
    camera = Camera(600.0, 600.0, 300.0, 0.0, 640, 1)
    observation = Observation(camera, depth=np.full((1, 640), 0.7), rgb=np.full((1, 640, 3), 0.5))
    pose = Pose(np.eye(3), np.array([0.0, 0.0, 0.7]))
    assert np.isnan(outline_evidence(MeshLevels(mesh), observation, pose).contrast)
    assert share_on_edges(MeshLevels(mesh), observation, pose) is None
