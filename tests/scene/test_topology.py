from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.scene.topology import EdgeTable, build_edges, piece_volumes, shows_no_backs, weld
from tests.oracle.calls import calls_of
from tests.oracle.shapes import icosphere

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

TETRA = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
TETRA_FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)  # outwards


def rows(edges: EdgeTable) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Faces of every undirected edge."""
    table: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for v0, v1, f0, f1 in zip(edges.v0, edges.v1, edges.f0, edges.f1, strict=True):
        table.setdefault((min(v0, v1), max(v0, v1)), []).append((int(f0), int(f1)))
    return table


def grid(n: int) -> tuple[F64, I32]:
    v, u = np.mgrid[:n, :n]
    vertices = np.stack([u, v, np.sin(u + 2 * v)], -1).reshape(-1, 3).astype(float)
    i = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    faces = np.concatenate([np.stack([i, i + 1, i + n], 1), np.stack([i + 1, i + n + 1, i + n], 1)])
    return vertices, faces.astype(np.int32)


def test_weld_by_exact_position() -> None:
    points = np.array([[0.0, 1, 2], [1, 1, 1], [-0.0, 1, 2], [0, 1, 2 + 1e-15], [1, 1, 1]])
    welded = weld(points)
    assert welded[0] == welded[2] and welded[1] == welded[4]
    assert len(set(welded.tolist())) == 3


def test_tetrahedron() -> None:
    edges = build_edges(TETRA, TETRA_FACES, None)
    assert len(edges.v0) == 6
    assert (edges.f1 >= 0).all() and not edges.flip.any() and not edges.seam.any()
    for row in zip(edges.v0, edges.v1, edges.f0, edges.f1, edges.o0, edges.o1, strict=True):
        v0, v1, f0, f1, o0, o1 = map(int, row)
        assert {v0, v1, o0} == set(TETRA_FACES[f0].tolist())
        assert {v0, v1, o1} == set(TETRA_FACES[f1].tolist())
    types = [column.dtype for column in edges]
    assert types == [np.int32] * 6 + [np.uint8] * 2


def test_direction_is_that_of_the_first_face() -> None:
    edges = build_edges(TETRA, TETRA_FACES, None)
    for v0, v1, f0 in zip(edges.v0, edges.v1, edges.f0, strict=True):
        face = TETRA_FACES[f0].tolist()
        assert face[(face.index(v0) + 1) % 3] == v1


def test_open_edges_have_one_face() -> None:
    edges = build_edges(TETRA[:3], TETRA_FACES[:1], None)
    assert edges.f0.tolist() == [0, 0, 0]
    assert edges.f1.tolist() == [-1, -1, -1] and edges.o1.tolist() == [-1, -1, -1]


def test_soup_is_welded_by_position() -> None:
    soup = TETRA[TETRA_FACES].reshape(-1, 3)
    faces = np.arange(12, dtype=np.int32).reshape(-1, 3)
    edges = build_edges(soup, faces, None)
    assert len(edges.v0) == 6 and (edges.f1 >= 0).all()
    for v0, v1, o1, f1 in zip(edges.v0, edges.v1, edges.o1, edges.f1, strict=True):
        corners = {tuple(p) for p in soup[faces[f1]].tolist()}
        assert {tuple(soup[v0].tolist()), tuple(soup[v1].tolist()), tuple(soup[o1].tolist())} == corners


def test_inconsistent_winding_is_flagged() -> None:
    faces = TETRA_FACES.copy()
    faces[2] = faces[2][::-1]
    edges = build_edges(TETRA, faces, None)
    touching = (edges.f0 == 2) | (edges.f1 == 2)
    np.testing.assert_array_equal(edges.flip.astype(bool), touching)


def test_three_faces_at_an_edge_give_a_row_each() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1]], float)
    faces = np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4]], np.int32)
    edges = build_edges(vertices, faces, None)
    assert sorted(rows(edges)[0, 1]) == [(0, -1), (1, -1), (2, -1)]
    assert len(edges.v0) == 3 + 6


def test_degenerate_faces_have_no_edges() -> None:
    vertices = np.concatenate([TETRA, TETRA[:1]])
    faces = np.concatenate([TETRA_FACES, [[0, 4, 1]]]).astype(np.int32)  # vertex 4 lies on vertex 0
    edges = build_edges(vertices, faces, None)
    assert len(edges.v0) == 6 and edges.f0.max() < 4 and edges.f1.max() < 4


def split_square(uv_second: F64) -> tuple[F64, I32, F64]:
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    vertices = square[[0, 1, 2, 0, 2, 3]]
    return (
        vertices,
        np.arange(6, dtype=np.int32).reshape(2, 3),
        np.concatenate([square[[0, 1, 2], :2], uv_second]),
    )


@pytest.mark.parametrize(
    ("uv_second", "seam"),
    [
        ([[0, 0], [1, 1], [0, 1]], 0),
        ([[0, 5e-7], [1, 1], [0, 1]], 0),
        ([[0, 1e-3], [1, 1], [0, 1]], 1),
        ([[0, 0], [1, 0.5], [0, 1]], 1),
        ([[0, 0], [1, 1], [0.3, 0.4]], 0),  # differs at the opposite corner only
        ([[1, 1], [0, 0], [0, 1]], 1),  # the ends exchanged
    ],
)
def test_seams_between_two_faces(uv_second: list[list[float]], seam: int) -> None:
    vertices, faces, uv = split_square(np.array(uv_second))
    edges = build_edges(vertices, faces, uv)
    inner = edges.f1 >= 0
    assert inner.sum() == 1 and edges.seam[inner][0] == seam
    assert not edges.seam[~inner].any()


@pytest.mark.parametrize("seam", [0, 1])
def test_seams_between_flipped_faces(seam: int) -> None:
    vertices, faces, uv = split_square(np.array([[0, 0], [1, 1], [0, 1.0]]))
    uv[4] += 0.1 * seam
    faces[1] = faces[1][::-1]
    edges = build_edges(vertices, faces, uv)
    inner = edges.f1 >= 0
    assert edges.flip[inner][0] == 1 and edges.seam[inner][0] == seam


def test_agrees_with_counting(rng: np.random.Generator) -> None:
    vertices = rng.normal(size=(40, 3))[rng.integers(0, 40, 90)]  # with copies
    faces = np.array([rng.choice(90, 3, replace=False) for _ in range(150)], np.int32)
    edges = build_edges(vertices, faces, None)
    count: dict[frozenset[tuple[float, ...]], list[int]] = {}
    for f, face in enumerate(faces):
        points = [tuple(vertices[i].tolist()) for i in face]
        if len(set(points)) == 3:
            for k in range(3):
                count.setdefault(frozenset({points[k], points[(k + 1) % 3]}), []).append(f)
    mine: dict[frozenset[tuple[float, ...]], list[tuple[int, int]]] = {}
    for v0, v1, f0, f1 in zip(edges.v0, edges.v1, edges.f0, edges.f1, strict=True):
        ends = frozenset({tuple(vertices[v0].tolist()), tuple(vertices[v1].tolist())})
        mine.setdefault(ends, []).append((int(f0), int(f1)))
    assert mine.keys() == count.keys()
    for edge, faces_of in count.items():
        wanted = [tuple(sorted(faces_of))] if len(faces_of) == 2 else [(f, -1) for f in sorted(faces_of)]
        assert sorted((min(p), max(p)) if p[1] >= 0 else p for p in mine[edge]) == wanted


def test_no_loop_goes_over_faces() -> None:
    few, many = grid(10), grid(160)
    assert len(few[1]) == 162 and len(many[1]) > 50_000
    build_edges(*few, few[0])  # imports
    assert calls_of(lambda: build_edges(*many, many[0])) == calls_of(lambda: build_edges(*few, few[0]))


def closed(vertices: F64, faces: I32) -> bool:
    volumes = piece_volumes(vertices, faces, build_edges(vertices, faces, None))
    return volumes is not None and bool((volumes > 0.0).all())


def test_closed_and_outwards() -> None:
    assert closed(TETRA, TETRA_FACES)
    assert closed(TETRA + 100, TETRA_FACES)
    assert not closed(TETRA, TETRA_FACES[:, ::-1])
    assert not closed(TETRA, TETRA_FACES[:3])
    assert not closed(TETRA, np.concatenate([TETRA_FACES[:3], TETRA_FACES[3:, ::-1]]))
    assert not closed(TETRA[:0], TETRA_FACES[:0])


def test_every_piece_must_be_outwards() -> None:
    vertices = np.concatenate([TETRA, TETRA + 3])
    assert closed(vertices, np.concatenate([TETRA_FACES, TETRA_FACES + 4]))
    assert not closed(vertices, np.concatenate([TETRA_FACES, TETRA_FACES[:, ::-1] + 4]))


def test_degenerate_faces_do_not_open_it() -> None:
    vertices = np.concatenate([TETRA, TETRA[:1]])
    assert closed(vertices, np.concatenate([TETRA_FACES, [[0, 4, 1]]]).astype(np.int32))


def backless(vertices: F64, faces: I32) -> bool:
    return shows_no_backs(vertices, faces, build_edges(vertices, faces, None))


def test_a_surface_with_holes_as_small_as_cracks_shows_no_backs() -> None:
    vertices, faces, _ = icosphere(4)
    assert backless(vertices, faces) and not closed(vertices, faces[1:])
    assert backless(vertices, faces[1:])  # three edges of 2 % of the diagonal
    assert not backless(vertices, np.delete(faces, [0, 700], axis=0))
    assert not backless(vertices, faces[1:, ::-1])  # inside out
    assert not backless(vertices, np.concatenate([faces[:-1], faces[-1:, ::-1]]))
    assert not backless(vertices[:0], faces[:0])


def test_small_sheets_beside_it_are_seen_from_both_sides_unless_they_are_specks() -> None:
    ball = icosphere(4)
    sheet = ball.vertices_m[ball.faces[0]] + [0.2, 0.0, 0.0]
    vertices = np.concatenate([ball.vertices_m, sheet])
    alone = np.arange(3, dtype=np.int32)[None] + len(ball.vertices_m)
    assert backless(vertices, np.concatenate([ball.faces, alone]))
    wide = np.concatenate([ball.vertices_m, sheet + 3.0 * (sheet - sheet.mean(axis=0))])
    assert not backless(wide, np.concatenate([ball.faces, alone]))
