"""The validated mesh itself; files are in test_mesh_io.py."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh

BOX = np.array([[x, y, z] for x in (0, 0.3) for y in (0, 0.4) for z in (0, 1.2)])
QUADS = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]  # outwards
FACES = np.array([triangle for a, b, c, d in QUADS for triangle in ((a, b, c), (a, c, d))])
UV = np.linspace(0, 1, 16).reshape(8, 2)
TEXTURE = np.zeros((4, 5, 3), np.uint8)


def test_diameter_bounds_and_middle() -> None:
    mesh = Mesh(BOX + 1, FACES)
    assert mesh.diameter == pytest.approx(1.3)
    np.testing.assert_allclose(mesh.bounds, np.array([[1, 1, 1], [1.3, 1.4, 2.2]]))
    np.testing.assert_allclose(mesh.center_m, [1.15, 1.2, 1.6])
    assert mesh.radius_m == pytest.approx(0.65)
    assert mesh.is_closed
    assert not Mesh(BOX, FACES[:-1]).is_closed
    assert not Mesh(BOX, FACES[:, ::-1]).is_closed


def test_inside_out() -> None:
    mesh, turned = Mesh(BOX + 1, FACES), Mesh(BOX + 1, FACES[:, ::-1])
    assert turned.is_inside_out and not mesh.is_inside_out
    assert not Mesh(BOX, FACES[:-1, ::-1]).is_inside_out  # what is open has no inside
    mended = turned.turned_outside()
    assert mended.is_closed and any("inside out" in note for note in mended.warnings)
    np.testing.assert_array_equal(mended.faces, mesh.faces)
    hollow = np.concatenate([BOX, 0.5 * (BOX - BOX.mean(axis=0)) + BOX.mean(axis=0)])
    around = Mesh(hollow, np.concatenate([FACES, FACES[:, ::-1] + 8]))
    assert not around.is_inside_out  # a cavity is wound the other way
    assert Mesh(hollow, around.faces[:, ::-1]).is_inside_out


def test_types_are_those_promised() -> None:
    mesh = Mesh(BOX.astype(np.float32), FACES.astype(np.uint64), uv=UV, texture=TEXTURE, colors=np.ones((8, 3)))
    assert mesh.uv is not None and mesh.texture is not None
    types = [str(array.dtype) for array in (mesh.vertices_m, mesh.faces, mesh.uv, mesh.texture)]
    assert types == ["float64", "int32", "float64", "uint8"]
    assert mesh.colors is None  # the texture wins


def test_color_flags() -> None:
    assert not Mesh(BOX, FACES).has_color
    assert Mesh(BOX, FACES, colors=np.ones((8, 3))).has_color
    assert Mesh(BOX, FACES, uv=UV, texture=TEXTURE).has_color
    lone = Mesh(BOX, FACES, uv=UV)
    assert not lone.has_color and lone.uv is None


def test_a_scaled_mesh_keeps_its_name_and_colours() -> None:
    mesh = Mesh(BOX, FACES, uv=UV, texture=TEXTURE, name="box", warnings=("w",)).scaled(0.5)
    assert mesh.diameter == pytest.approx(0.65)
    assert (mesh.name, mesh.warnings, mesh.has_color) == ("box", ("w",), True)
    with pytest.raises(DiffDopeError, match="factor: expected a positive number"):
        mesh.scaled(0)


def test_degenerate_faces_are_dropped_with_a_warning() -> None:
    collinear = np.concatenate([BOX, [[0, 0, 0.6]]])
    mesh = Mesh(collinear, np.concatenate([FACES, [[0, 0, 1], [0, 8, 1]]]))
    assert len(mesh.faces) == 12
    assert mesh.warnings == ("2 of 14 triangles have no area and were dropped",)


def test_vertices_that_no_face_uses_are_dropped_with_a_warning() -> None:
    stray = np.concatenate([[[9e9, 0, 0]], BOX, [[np.nan, 0, 0]]])
    uv = np.concatenate([[[np.nan, 7]], UV, [[0, 0]]])
    mesh = Mesh(stray, FACES + 1, uv=uv, texture=TEXTURE)
    assert mesh.diameter == pytest.approx(1.3) and mesh.uv is not None
    np.testing.assert_array_equal(mesh.vertices_m[mesh.faces], BOX[FACES])
    np.testing.assert_array_equal(mesh.uv, UV)
    assert mesh.warnings == ("2 of 10 vertices belong to no triangle and were dropped",)
    painted = Mesh(stray, FACES + 1, colors=np.concatenate([[[5, 5, 5]], np.eye(8, 3), [[np.nan] * 3]]))
    np.testing.assert_array_equal(painted.colors, np.eye(8, 3))
    assert painted.scaled(0.5).warnings == painted.warnings  # told once


def test_lists_and_colours_of_eight_bits() -> None:
    mesh = Mesh(BOX.tolist(), FACES.tolist(), colors=np.full((8, 3), 51, np.uint8))
    np.testing.assert_allclose(mesh.colors, 0.2)


def test_large_objects_are_taken_with_a_hint() -> None:
    truck = Mesh(10 * BOX, FACES)
    assert truck.diameter == pytest.approx(13)
    assert truck.warnings == ('the diameter is 13 m; if its lengths are in millimetres, load it with unit="mm"',)
    assert Mesh(3 * BOX, FACES).warnings == () and truck.scaled(0.1).warnings == ()


def test_thin_triangles_stay() -> None:
    sliver = Mesh([[0, 0, 0], [1, 0, 0], [0.5, 1e-6, 0]], [[0, 1, 2]])  # type: ignore[arg-type]
    assert len(sliver.faces) == 1 and not sliver.warnings


def test_is_immutable_and_keeps_its_own_copy() -> None:
    vertices = BOX.copy()
    mesh = Mesh(vertices, FACES)
    vertices[:] = 0
    assert mesh.vertices_m.max() == 1.2
    with pytest.raises(ValueError, match="read-only"):
        mesh.faces[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        mesh.name = "x"  # type: ignore[misc]


def test_pickles() -> None:
    mesh = pickle.loads(pickle.dumps(Mesh(BOX, FACES, uv=UV, texture=TEXTURE)))
    np.testing.assert_array_equal(mesh.vertices_m, BOX)


def changed(values: Any, index: int, value: float) -> Any:
    copy = np.array(values)
    copy[index] = value
    return copy


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vertices_m": np.zeros((0, 3))}, "empty mesh"),
        ({"faces": np.zeros((0, 3), int)}, "empty mesh"),
        ({"vertices_m": BOX[:, :2]}, r"vertices_m: expected shape \(any, 3\), got \(8, 2\)"),
        ({"vertices_m": changed(BOX, 3, np.nan)}, "vertices_m: expected finite numbers, got 3 of 24"),
        ({"faces": FACES.astype(float)}, "faces: expected whole numbers"),
        ({"faces": QUADS}, r"faces: expected shape \(any, 3\), got \(6, 4\); triangles only; cut polygons first"),
        ({"faces": changed(FACES, 0, 8)}, "faces: expected indices from 0 to 7, got 0 to 8"),
        ({"faces": changed(FACES, 0, -1)}, "faces: expected indices from 0 to 7, got -1 to 7"),
        ({"faces": np.zeros((3, 3), int)}, "triangles with an area, got 3 without"),
        ({"texture": TEXTURE}, r"uv: expected texture coordinates \(8, 2\)"),
        ({"texture": TEXTURE, "uv": UV[:4]}, r"uv: expected shape \(8, 2\)"),
        ({"texture": TEXTURE, "uv": 2 * UV}, r"uv: expected numbers in \[0, 1\], got 0 to 2"),
        ({"texture": TEXTURE, "uv": UV * np.nan}, "uv: expected finite"),
        ({"texture": TEXTURE / 255, "uv": UV}, "texture: expected uint8 colours, got float64"),
        ({"texture": TEXTURE[..., 0], "uv": UV}, r"texture: expected shape \(any, any, 3\)"),
        (
            {"colors": np.full((8, 3), 255)},
            r"colors: expected numbers in \[0, 1\], got 255 to 255; divide by 255",
        ),
        ({"colors": np.ones((8, 4))}, r"colors: expected shape \(8, 3\)"),
        ({"vertices_m": 1000 * BOX}, r"got 1300 m; lengths are metres here"),
        ({"vertices_m": BOX / 10_000}, r"got 0.00013 m; lengths are metres here"),
    ],
)
def test_what_is_no_mesh_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        Mesh(**{"vertices_m": BOX, "faces": FACES, **fields})


def test_repr_is_short() -> None:
    text = repr(Mesh(BOX, FACES, colors=np.ones((8, 3)), name="box"))
    assert text == "Mesh('box', 8 vertices, 12 faces, diameter 1.3 m, vertex colours)"
