"""The nearest point on a surface, against a search through all triangles."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.scene.nearest import Near, Tree
from diffdope.scene.sampling import averaged, spread_on_each, spread_over
from tests.scene.solids import SOLIDS

TRIANGLE = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ((0.2, 0.3, 0.5), (0.2, 0.3, 0)),  # inside
        ((-1, -1, 0), (0, 0, 0)), ((2, -0.5, 0), (1, 0, 0)), ((-0.5, 3, 0), (0, 1, 0)),  # corners
        ((0.4, -1, 0), (0.4, 0, 0)), ((-1, 0.3, 0), (0, 0.3, 0)), ((1, 1, 0), (0.5, 0.5, 0)),  # edges
    ],
)  # fmt: skip
def test_nearest_point_of_a_triangle(query: tuple[float, ...], nearest: tuple[float, ...]) -> None:
    found = Tree(TRIANGLE, np.array([[0, 1, 2]], np.int32)).nearest(np.array([query], np.float64), 10.0)
    assert np.allclose(found.weights @ TRIANGLE, nearest)
    assert found.square[0] == pytest.approx(np.sum(np.subtract(query, nearest) ** 2))


def test_a_tree_finds_what_a_search_through_all_triangles_finds() -> None:
    mesh = SOLIDS["hinge"]()
    queries = np.random.default_rng(3).normal(0, 0.02, (40, 3))
    singles = [
        Tree(mesh.vertices_m, mesh.faces[k : k + 1]).nearest(queries, 1.0).square for k in range(len(mesh.faces))
    ]
    found = Tree(mesh.vertices_m, mesh.faces).nearest(queries, 1.0)
    assert np.allclose(found.square, np.min(singles, axis=0), rtol=1e-9, atol=1e-18)
    points = np.einsum("nk,nkd->nd", found.weights, mesh.vertices_m[mesh.faces[found.face]])
    assert np.allclose(np.sum((points - queries) ** 2, axis=1), found.square)


def test_what_is_nearest_does_not_depend_on_the_query_before() -> None:
    mesh = SOLIDS["hinge"]()
    queries = np.random.default_rng(4).normal(0, 0.02, (200, 3))
    tree, limit = Tree(mesh.vertices_m, mesh.faces), 0.01
    alone = [tree.nearest(query[None], limit) for query in queries]
    found, some = tree.nearest(queries, limit), tree.nearest(queries, limit, any_will_do=True)
    for name, there in found._asdict().items():
        np.testing.assert_array_equal(there, np.concatenate([one._asdict()[name] for one in alone]))
    assert 20 < np.count_nonzero(found.face >= 0) < 180
    np.testing.assert_array_equal(some.face >= 0, found.face >= 0)
    met = some.face >= 0
    points = np.einsum("nk,nkd->nd", some.weights[met], mesh.vertices_m[mesh.faces[some.face[met]]])
    assert np.linalg.norm(points - queries[met], axis=1).max() <= limit * (1.0 + 1e-9)


def test_faces_that_are_near_by_change_nothing_whichever_they_are() -> None:
    mesh, rng = SOLIDS["hinge"](), np.random.default_rng(5)
    queries, tree = rng.normal(0, 0.02, (200, 3)), Tree(mesh.vertices_m, mesh.faces)
    found = tree.nearest(queries, np.inf)
    for beside in (found.face, rng.integers(0, len(mesh.faces), len(queries), np.int32)):
        for name, there in tree.nearest(queries, np.inf, beside=beside)._asdict().items():
            np.testing.assert_array_equal(there, found._asdict()[name])


def test_what_is_off_is_counted_whatever_was_asked_before() -> None:
    mesh, rng = SOLIDS["hinge"](), np.random.default_rng(6)
    tree, limit = Tree(mesh.vertices_m, mesh.faces), 0.004
    near = Near(tree, limit)
    for scale in (0.01, 0.02, 0.01, 0.1):  # also far beyond the surface
        queries = rng.normal(0, scale, (400, 3))
        off = int(np.count_nonzero(tree.nearest(queries, limit).face < 0))
        assert near.count_off(queries) == near.count_off(queries) == off
        assert near.count_off(queries, off) == off
        assert off > 0 and near.count_off(queries, off // 2) == off // 2 + 1


def test_beyond_the_limit_there_is_nothing() -> None:
    found = Tree(TRIANGLE, np.array([[0, 1, 2]], np.int32)).nearest(np.array([[0.0, 0, 0.5], [0, 0, 0.7]]), 0.6)
    assert found.face.tolist() == [0, -1]
    assert found.square[1] == np.inf


def test_samples_are_spread_by_area() -> None:
    points = np.array([[0.0, 0, 0], [3, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)  # areas 1.5 and 0.5
    assert np.bincount(spread_over(points, faces, 400).face).tolist() == [300, 100]
    each, area = spread_on_each(points, faces, 4)
    assert np.bincount(each.face).tolist() == [4, 2]
    assert area.sum() == pytest.approx(2.0)


def test_textures_are_averaged_over_blocks() -> None:
    texture = np.random.default_rng(0).integers(0, 255, (7, 10, 3)).astype(np.uint8)
    assert averaged(texture, 1) is texture
    right = texture[:6, :9].reshape(2, 3, 3, 3, 3).mean(axis=(1, 3))
    assert np.abs(averaged(texture, 3) - right).max() <= 0.5
    assert averaged(texture, 100).shape == (1, 1, 3)
