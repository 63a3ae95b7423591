"""Which turns of machine parts go unnoticed: small features tell them apart, rest within a pose's error does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.scene.alikeness import Alikeness
from diffdope.scene.lookalikes import lookalikes
from diffdope.scene.mesh import Mesh
from diffdope.search.alternatives.canonical import unnoticed

STEPS = 360


def prism(radius_m: np.ndarray, half_m: float = 0.02) -> Mesh:
    """A star-shaped outline (N,) about z, pulled along z."""
    count = len(radius_m)
    angle = 2.0 * np.pi * np.arange(count) / count
    ring = np.stack([radius_m * np.cos(angle), radius_m * np.sin(angle)], axis=1)
    vertices = np.concatenate(
        [np.column_stack([ring, np.full(count, z)]) for z in (-half_m, half_m)] + [[[0, 0, -half_m], [0, 0, half_m]]]
    )
    here, following = np.arange(count), (np.arange(count) + 1) % count
    bottom, top = np.full(count, 2 * count), np.full(count, 2 * count + 1)
    faces = [
        (here, following, count + following), (here, count + following, count + here),
        (bottom, following, here), (top, count + here, count + following),
    ]  # fmt: skip
    return Mesh(vertices, np.concatenate([np.stack(one, axis=1) for one in faces]))


def angles() -> np.ndarray:
    return 2.0 * np.pi * np.arange(STEPS) / STEPS


def hexagon() -> Mesh:
    return prism(0.03 * np.cos(np.pi / 6) / np.cos((angles() % (np.pi / 3)) - np.pi / 6))


def gear(*, tooth_missing: bool) -> Mesh:
    high = np.sin(18 * angles()) > 0
    high[:20] &= not tooth_missing
    return prism(np.where(high, 0.03, 0.026), 0.006)


def keyed_shaft() -> Mesh:
    keyway = np.abs(angles() - np.pi) < 0.2
    return prism(np.where(keyway, 0.012, 0.015), 0.03)


def about_z(degrees: float) -> np.ndarray:
    return so3.exp(np.array([0.0, 0.0, np.radians(degrees)]))


@pytest.mark.parametrize(
    ("mesh", "degrees", "same"),
    [
        (hexagon(), 60.0, True),
        (hexagon(), 30.0, False),
        (gear(tooth_missing=False), 40.0, True),
        (gear(tooth_missing=False), 30.0, False),
        (gear(tooth_missing=True), 40.0, False),
        (keyed_shaft(), 120.0, False),
        (keyed_shaft(), 20.0, False),
    ],
)
def test_small_features_tell_turns_apart(mesh: Mesh, degrees: float, same: bool) -> None:
    assert Alikeness(mesh).unnoticed(about_z(degrees), np.zeros(3)) is same


@pytest.mark.parametrize(("mesh", "degrees"), [(hexagon(), 60.0), (gear(tooth_missing=False), 120.0)])
def test_a_pose_beside_the_symmetric_one_is_the_same(mesh: Mesh, degrees: float) -> None:
    beside = so3.exp(np.radians([0.8, -0.7, 0.5])) @ about_z(degrees)
    assert Alikeness(mesh).unnoticed(beside, np.array([3e-4, -4e-4, 5e-4]))


def test_a_pose_that_stands_still_is_the_same_and_one_beside_it_too() -> None:
    alike = Alikeness(keyed_shaft())
    assert alike.unnoticed(np.eye(3), np.zeros(3))
    assert alike.unnoticed(about_z(1.0), np.array([3e-4, 0.0, 0.0]))


def test_symmetries_of_a_hexagon_are_its_twelve() -> None:
    mesh = hexagon()
    assert len(unnoticed(lookalikes(mesh), Alikeness(mesh)).R) == 12


def test_a_keyed_shaft_has_those_that_keep_its_keyway() -> None:
    mesh = keyed_shaft()
    same = unnoticed(lookalikes(mesh), Alikeness(mesh))
    assert len(same.R) == 2 and same.axis is None  # end for end, about the axis through the keyway
    assert abs(np.trace(same.R[1]) + 1.0) < 0.01 and same.R[1][0, 0] > 0.99


def test_threads_share_one_surface() -> None:
    alike = Alikeness(gear(tooth_missing=False))
    turns = [about_z(10.0 * k) for k in range(36)]
    alone = [alike.unnoticed(R, np.zeros(3)) for R in turns]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda R: alike.unnoticed(R, np.zeros(3)), turns)) == alone


def test_colours_are_worked_out_where_the_shape_does_not_tell() -> None:
    plain = hexagon()
    alike = Alikeness(Mesh(plain.vertices_m, plain.faces, colors=np.full((len(plain.vertices_m), 3), 0.5)))
    assert not alike.unnoticed(np.eye(3), np.array([0.0, 0.0, 0.02]))
    assert np.isnan(alike._patches).all()
    assert alike.unnoticed(about_z(60.0), np.zeros(3))
    known = alike._patches[~np.isnan(alike._patches[:, 0])]
    assert 0 < len(known) < len(alike._patches)
    np.testing.assert_allclose(known, 0.5)


def test_patches_of_some_points_are_those_of_all(rng: np.random.Generator) -> None:
    plain = hexagon()
    painted = Mesh(plain.vertices_m, plain.faces, colors=rng.uniform(size=(len(plain.vertices_m), 3)))
    alike, asked = Alikeness(painted), Alikeness(painted)
    every = alike._colors(np.arange(len(alike._points)))
    for some in (np.array([7]), np.array([], int), np.array([3, 7, 3, 500]), rng.integers(0, len(every), 999)):
        np.testing.assert_array_equal(asked._colors(some), every[some])


def drum(tiles: int) -> Mesh:
    """Of one print, so many times about it: spots that are smaller than the patches whose colours are compared."""
    angle, heights = angles(), np.linspace(-0.04, 0.04, 33)
    grid = np.stack([np.column_stack([0.03 * np.cos(angle), 0.03 * np.sin(angle), np.full(STEPS, z)]) for z in heights])
    here = np.arange(STEPS * (len(heights) - 1))
    right = here - here % STEPS + (here + 1) % STEPS
    faces = [(here, right, right + STEPS), (here, right + STEPS, here + STEPS)]
    spots = np.random.default_rng(0).random((8, 9)) < 0.5
    light = np.tile(np.kron(spots, np.ones((4, 5))), (1, tiles))
    light = np.concatenate([light, light[-1:]])
    return Mesh(
        grid.reshape(-1, 3), np.concatenate([np.stack(one, axis=1) for one in faces]),
        colors=np.repeat(np.where(light, 0.9, 0.25).reshape(-1, 1), 3, axis=1),
    )  # fmt: skip


@pytest.mark.parametrize("degrees, same", [(45.0, True), (90.0, True), (135.0, True), (22.5, False), (60.0, False)])
def test_a_print_that_repeats_itself_looks_the_same_after_a_tile(degrees: float, same: bool) -> None:
    assert Alikeness(drum(8)).unnoticed(about_z(degrees), np.zeros(3)) == same
