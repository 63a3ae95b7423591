"""What stands on a table is not sunk in it, whatever the view hides; what is beside, or in part, is no table."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import diffdope as dd
from diffdope.experiments.shapes import grid_box
from diffdope.experiments.synthetic import picture
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode, of_codes
from diffdope.scene.observation import Observation
from diffdope.search.checks.contradictions import NONE
from diffdope.search.checks.sunk_in_support import of_sinking, sunk_m
from diffdope.search.mesh_levels import MeshLevels

Scene = list[tuple[dd.Mesh, Pose]]

WIDE, TALL, LOW = 0.066, 0.084, 0.07
MIDDLE = np.array([0.0, 0.02, 0.6])  # of the table, in front of the camera


def box(x: float, y: float, z: float) -> dd.Mesh:
    vertices, faces = grid_box(np.array([x, y, z]), 4)
    return dd.Mesh(vertices, faces)


TIN = box(WIDE, WIDE, TALL)


def moved(mesh: dd.Mesh, x: float, z: float) -> dd.Mesh:
    return dd.Mesh(np.add(mesh.vertices_m, [x, 0.0, z]), mesh.faces)


def joined(*parts: dd.Mesh) -> dd.Mesh:
    before = np.cumsum([0, *(len(one.vertices_m) for one in parts)])
    faces = [one.faces + count for one, count in zip(parts, before, strict=False)]
    return dd.Mesh(np.concatenate([one.vertices_m for one in parts]), np.concatenate(faces))


def tilted(elevation_deg: float) -> NDArray[np.float64]:
    """Rotation (3, 3) of a table that is seen at so many degrees above it."""
    tilt = np.radians(90.0 + elevation_deg)
    return np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])


def on_table(elevation_deg: float, x: float, y: float, z: float) -> Pose:
    """Of what has its middle there, metres; z is up."""
    R = tilted(elevation_deg)
    return Pose(R, MIDDLE + R @ np.array([x, y, z]))


def seen(scene: Scene) -> Observation:
    whole = picture(scene, np.random.default_rng(0))
    return Observation(whole.camera, depth=whole.depth)


def table(elevation_deg: float, width: float = 1.0, offset: float = 0.0) -> tuple[dd.Mesh, Pose]:
    """A slab whose top is at z = 0."""
    return box(width, 1.0, 0.02), on_table(elevation_deg, offset, 0.0, -0.01)


def asked(observation: Observation, pose: Pose, mesh: dd.Mesh = TIN) -> tuple[float, float] | None:
    return sunk_m(MeshLevels(mesh), observation, pose)


@pytest.mark.parametrize("elevation_deg", [25.0, 45.0, 75.0])
def test_a_lower_object_in_its_place_is_told_from_every_view(elevation_deg: float) -> None:
    low = box(WIDE, WIDE, LOW)
    observation = seen([(low, on_table(elevation_deg, 0.0, 0.0, 0.5 * LOW)), table(elevation_deg)])
    pose = on_table(elevation_deg, 0.0, 0.0, LOW - 0.5 * TALL)  # the tops are in one place
    found = asked(observation, pose)
    assert found is not None and found[0] == pytest.approx(TALL - LOW, abs=0.002)
    doubt = of_sinking(MeshLevels(TIN), observation, pose)
    assert doubt.at_most < -1.9 and of_codes((doubt.note,), frozenset({NoteCode.THROUGH_SUPPORT}))


@pytest.mark.parametrize("elevation_deg", [15.0, 25.0, 45.0, 75.0])
@pytest.mark.parametrize("sunk", [0.0, 0.004])  # a sensor's or a mesh's error
def test_what_stands_there_is_believed(elevation_deg: float, sunk: float) -> None:
    truth = on_table(elevation_deg, 0.0, 0.0, 0.5 * TALL)
    observation = seen([(TIN, truth), table(elevation_deg)])
    pose = on_table(elevation_deg, 0.0, 0.0, 0.5 * TALL - sunk)
    assert of_sinking(MeshLevels(TIN), observation, pose) is NONE


def test_what_hangs_over_an_edge_is_not_sunk() -> None:
    bent = joined(box(0.12, 0.03, 0.03), moved(box(0.03, 0.03, 0.09), 0.075, -0.03))
    truth = on_table(40.0, 0.0, 0.0, 0.015)
    observation = seen([(bent, truth), table(40.0, 1.0, -0.44)])  # which ends where it is bent
    assert of_sinking(MeshLevels(bent), observation, truth) is NONE


def test_tops_of_what_stands_beside_it_are_no_support() -> None:
    truth = on_table(50.0, 0.0, 0.0, 0.5 * TALL)
    step = WIDE + 0.025
    beside = [
        (box(WIDE, WIDE, 0.03), on_table(50.0, x * step, y * step, 0.015))
        for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y
    ]  # fmt: skip
    observation = seen([(TIN, truth), *beside, table(50.0)])
    assert of_sinking(MeshLevels(TIN), observation, truth) is NONE


def test_pins_of_the_mesh_may_not_be_there() -> None:
    body, pin = box(0.08, 0.08, 0.04), box(0.003, 0.003, 0.05)
    pinned = joined(body, moved(pin, -0.03, -0.045), moved(pin, 0.03, -0.045))
    truth = on_table(40.0, 0.0, 0.0, 0.02)
    observation = seen([(body, truth), table(40.0)])
    assert of_sinking(MeshLevels(pinned), observation, truth) is NONE


def test_without_a_plane_or_depth_nothing_is_said() -> None:
    pose = on_table(40.0, 0.0, 0.0, LOW - 0.5 * TALL)
    observation = seen([(TIN, pose)])
    assert asked(observation, pose) is None
    camera = observation.camera
    assert asked(Observation(camera, rgb=np.zeros((camera.height, camera.width, 3))), pose) is None


def test_no_taller_object_is_located_in_place_of_one_on_a_table() -> None:
    low = box(WIDE, 0.05, LOW)
    refiner = dd.Refiner(box(WIDE, 0.05, TALL), threads=1)
    observation = seen([(low, on_table(40.0, 0.02, 0.0, 0.5 * LOW)), table(40.0)])
    result = refiner.locate(observation)
    assert not result.ok and NoteCode.THROUGH_SUPPORT in result.note_codes
    assert (result.confidence or 0.0) < 0.15
    assert all((one.confidence or 0.0) < 0.15 for one in refiner.locate_all(observation))
    right = dd.Refiner(low, threads=1).locate(observation)
    assert right.answers and NoteCode.THROUGH_SUPPORT not in right.note_codes
