"""What is flat, connected and larger than the object, and what is not."""

from __future__ import annotations

import numpy as np

from diffdope.search.proposals.large_planes import off_large_planes

LENGTH_M, NEAR = 0.1, 0.05
V, U = np.mgrid[:60, :80] / 100.0 - 0.3


def surface(depth: np.ndarray) -> np.ndarray:
    """Points (60, 80, 3) of a depth image whose pixels are 10 mm apart at 1 m, with 0.3 mm of noise."""
    depth = depth + np.random.default_rng(0).normal(0.0, 0.0003, depth.shape)
    return np.stack([U * depth, V * depth, depth], axis=-1)


def left_of(depth: np.ndarray) -> np.ndarray:
    there = np.ones(depth.shape, np.bool_)
    return off_large_planes(surface(depth), there, LENGTH_M, NEAR, np.random.default_rng(0))


def test_a_table_and_the_wall_behind_it_are_planes() -> None:
    wall = np.where(V < -0.1, 1.0 + (-0.1 - V) * 0.2, 1.0)
    assert np.count_nonzero(left_of(wall)) < 0.03 * wall.size


def test_a_part_on_a_table_is_none() -> None:
    depth = np.full((60, 80), 1.0)
    depth[20:28, 30:38] = 0.95
    left = left_of(depth)
    assert left[21:27, 31:37].all()
    assert not left[:15].any()


def test_faces_of_parts_in_one_plane_are_none() -> None:
    depth = np.full((60, 80), 1.0)
    tops = np.zeros(depth.shape, np.bool_)
    for row, column in ((10, 10), (10, 40), (35, 25), (35, 55)):
        tops[row : row + 8, column : column + 8] = True
    depth[tops] = 0.95
    assert left_of(depth)[tops].all()


def a_bin(bottom_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Depth of walls around a bottom at some distance, in a table's, and which pixels are the bottom's."""
    depth = np.full((60, 80), 1.0)
    depth[12:48, 24:56] = 0.9
    depth[16:44, 28:52] = bottom_m
    inside = np.zeros(depth.shape, np.bool_)
    inside[16:44, 28:52] = True
    depth[28:32, 28:52] = depth[16:44, 38:42] = 0.9
    inside[28:32, 28:52] = inside[16:44, 38:42] = False
    return depth, inside


def test_a_bottom_that_parts_divide_is_a_plane() -> None:
    """None of its pieces is larger than the object, but all of them end where something stands on it."""
    depth, inside = a_bin(0.98)
    assert np.count_nonzero(left_of(depth)[inside]) < 0.1 * np.count_nonzero(inside)


def test_pieces_at_whose_borders_more_is_seen_behind_are_none() -> None:
    """The same pieces as tops that stand by themselves."""
    _, inside = a_bin(0.98)
    depth = np.where(inside, 0.9, 1.0)
    assert left_of(depth)[inside].mean() > 0.9
