"""PLY in text and bytes, with colours and textures at vertices and faces."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh
from tests.scene.readers.plates import (
    CORNERS,
    FACES,
    GREEN,
    ORANGE,
    RED,
    assert_upright,
    color_at,
    save_quadrants,
)

XYZ = "property float x\nproperty float y\nproperty float z\n"
INDICES = "property list uchar int vertex_indices\n"
RGB = "property uchar red\nproperty uchar green\nproperty uchar blue\n"
PLAIN = "".join(f"{x} {y} 0\n" for x, y in CORNERS)
TWO_FACES = "".join("3 {} {} {}\n".format(*face) for face in FACES)


def load(folder: Path, elements: str, body: str, textures: tuple[str, ...] = ()) -> Mesh:
    comments = "".join(f"comment TextureFile {name}\n" for name in textures)
    (folder / "m.ply").write_text(f"ply\nformat ascii 1.0\n{comments}{elements}end_header\n{body}")
    return Mesh.load(folder / "m.ply", unit="m")


def plate(vertex: str = "", face: str = "", faces: int = 2) -> str:
    return f"element vertex 4\n{XYZ}{vertex}element face {faces}\n{INDICES}{face}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_quadrants(tmp_path)
    Image.new("RGB", (16, 16), ORANGE).save(tmp_path / "orange.png")
    return tmp_path


# ---------------- colours and textures


@pytest.mark.parametrize("names", [("s", "t"), ("u", "v"), ("texture_u", "texture_v")])
def test_coordinates_at_vertices(folder: Path, names: tuple[str, str]) -> None:
    elements = plate("".join(f"property float {name}\n" for name in names))
    body = "".join(f"{x} {y} 0 {x} {y}\n" for x, y in CORNERS) + TWO_FACES
    assert_upright(load(folder, elements, body, ("tex.png",)))


def test_coordinates_at_corners_of_faces(folder: Path) -> None:
    body = PLAIN + "".join(f"3 {a} {b} {c} 6 " + " ".join(f"{u} {v}" for u, v in (CORNERS[a], CORNERS[b], CORNERS[c]))
                           + "\n" for a, b, c in FACES)  # fmt: skip
    assert_upright(load(folder, plate(face="property list uchar float texcoord\n"), body, ("tex.png",)))


def test_several_textures_by_the_number_at_faces(folder: Path) -> None:
    faces = ""
    for number, corners in enumerate(FACES):
        uv = " ".join(f"{CORNERS[k][0]} {CORNERS[k][1]}" for k in corners)
        faces += "3 {} {} {} 6 ".format(*corners) + f"{uv} {number}\n"
    face = "property list uchar float texcoord\nproperty int texnumber\n"
    mesh = load(folder, plate(face=face), PLAIN + faces, ("tex.png", "orange.png"))
    assert color_at(mesh, 0.9, 0.7) == GREEN and color_at(mesh, 0.2, 0.9) == ORANGE
    assert mesh.warnings == ()


def test_a_number_that_names_no_texture(folder: Path) -> None:
    vertex = "property float s\nproperty float t\n"
    body = "".join(f"{x} {y} 0 {x} {y}\n" for x, y in CORNERS) + "3 0 1 2 0\n3 0 2 3 -1\n"
    mesh = load(folder, plate(vertex, "property int texnumber\n"), body, ("tex.png",))
    assert color_at(mesh, 0.9, 0.7) == GREEN and color_at(mesh, 0.2, 0.9) == (128, 128, 128)
    assert len(mesh.warnings) == 2 and "1 faces have no texture" in mesh.warnings[0]


def test_textures_that_no_face_tells_apart(folder: Path) -> None:
    body = "".join(f"{x} {y} 0 {x} {y}\n" for x, y in CORNERS) + TWO_FACES
    mesh = load(folder, plate("property float s\nproperty float t\n"), body, ("tex.png", "gone.png"))
    assert_upright(mesh)
    assert "names 2 textures" in mesh.warnings[0]


def test_colours_beside_coordinates_and_no_texture(folder: Path) -> None:
    body = "".join(f"{x} {y} 0 {x} {y} 255 0 0\n" for x, y in CORNERS) + TWO_FACES
    mesh = load(folder, plate("property float s\nproperty float t\n" + RGB), body)
    assert color_at(mesh, 0.5, 0.3) == RED and mesh.warnings == ()


def test_colours_beside_a_texture_are_left_with_a_word(folder: Path) -> None:
    body = "".join(f"{x} {y} 0 {x} {y} 255 0 0\n" for x, y in CORNERS) + TWO_FACES
    mesh = load(folder, plate("property float s\nproperty float t\n" + RGB), body, ("tex.png",))
    assert_upright(mesh)
    assert mesh.warnings == ("the mesh has a texture and colours at its vertices or faces; the colours are left out",)


def test_a_texture_without_coordinates_is_told_and_need_not_be_there(folder: Path) -> None:
    mesh = load(folder, plate(), PLAIN + TWO_FACES, ("gone.png",))
    assert not mesh.has_color and "no texture coordinates" in mesh.warnings[0]


@pytest.mark.parametrize(
    ("kind", "values"), [("uchar", "255 128 0"), ("ushort", "65535 32896 0"), ("ushort", "255 128 0"),
                         ("float", "1 0.50196 0"), ("int", "255 128 0"), ("float", "255 128 0"),
                         ("double", "1 0.50196 0")],
)  # fmt: skip
def test_colours_of_each_type(folder: Path, kind: str, values: str) -> None:
    body = "".join(f"{x} {y} 0 {values}\n" for x, y in CORNERS) + TWO_FACES
    mesh = load(folder, plate(RGB.replace("uchar", kind)), body)
    assert color_at(mesh, 0.5, 0.3) == ORANGE
    body = PLAIN + "3 0 1 2 " + values + "\n3 0 2 3 " + values + "\n"
    assert color_at(load(folder, plate(face=RGB.replace("uchar", kind)), body), 0.5, 0.3) == ORANGE


def test_colours_at_vertices_count_before_those_at_faces(folder: Path) -> None:
    body = "".join(f"{x} {y} 0 255 0 0\n" for x, y in CORNERS) + "3 0 1 2 0 0 0\n3 0 2 3 0 0 0\n"
    mesh = load(folder, plate(RGB, RGB), body)
    assert color_at(mesh, 0.5, 0.3) == RED and "those of the faces are left out" in mesh.warnings[0]


def test_black_is_a_colour(folder: Path) -> None:
    mesh = load(folder, plate(RGB), "".join(f"{x} {y} 0 0 0 0\n" for x, y in CORNERS) + TWO_FACES)
    assert mesh.has_color and color_at(mesh, 0.5, 0.3) == (0, 0, 0)


# ---------------- shapes of files


def test_vertices_that_no_face_uses(folder: Path) -> None:
    elements = plate(RGB).replace("vertex 4", "vertex 6")
    body = "9 9 9 1 1 1\n" + "".join(f"{x} {y} 0 255 0 0\n" for x, y in CORNERS) + "nan 0 0 1 1 1\n"
    mesh = load(folder, elements, body + "3 1 2 3\n3 1 3 4\n")
    assert mesh.diameter == pytest.approx(np.sqrt(2)) and color_at(mesh, 0.5, 0.3) == RED
    assert mesh.warnings == ("2 of 6 vertices belong to no triangle and were dropped",)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("mixed", [False, True], ids=["quads", "triangles and quads"])
def test_bytes(tmp_path: Path, order: str, mixed: bool) -> None:
    """Two plates, one above the other, with a property between that is not used, and colours."""
    vertices = b"".join(
        struct.pack(order + "3fd3B", x, y, z, 7.0, 255, 128, 0) for z in (0, 1) for x, y in CORNERS
    )  # fmt: skip
    polygons = [(0, 1, 2), (0, 2, 3), (4, 5, 6, 7)] if mixed else [(0, 1, 2, 3), (4, 5, 6, 7)]
    faces = b"".join(struct.pack(f"{order}B{len(p)}iH", len(p), *p, 9) for p in polygons)
    kind = "binary_little_endian" if order == "<" else "binary_big_endian"
    header = (
        f"ply\nformat {kind} 1.0\nelement vertex 8\n{XYZ}property double quality\n{RGB}element face {len(polygons)}\n"
        f"{INDICES}property ushort flags\nelement edge 0\nproperty int vertex1\nend_header\n"
    )
    for line_end in ("\n", "\r\n"):
        (tmp_path / "m.ply").write_bytes(header.replace("\n", line_end).encode() + vertices + faces)
        mesh = Mesh.load(tmp_path / "m.ply", unit="m")
        assert len(mesh.faces) == 4 and color_at(mesh, 0.5, 0.3) == ORANGE
        assert mesh.vertices_m.tolist() == [[x, y, z] for z in (0, 1) for x, y in CORNERS]


def test_text_of_mixed_polygons_with_coordinates_at_corners(folder: Path) -> None:
    body = PLAIN + "3 2 1 0 6 1 1 1 0 0 0\n4 0 1 2 3 8 0 0 1 0 1 1 0 1\n"
    mesh = load(folder, plate(face="property list uchar float texcoord\n"), body, ("tex.png",))
    assert len(mesh.faces) == 3
    assert_upright(mesh)


def test_strips(folder: Path) -> None:
    elements = f"element vertex 4\n{XYZ}element tristrips 1\nproperty list int int vertex_indices\n"
    mesh = load(folder, elements, PLAIN + "9 0 1 3 2 -1 0 1 2 -1\n")
    assert mesh.faces.tolist() == [[0, 1, 3], [2, 3, 1], [0, 1, 2]]


def test_other_names_of_types_and_indices(folder: Path) -> None:
    elements = plate().replace("float", "float32").replace("uchar int vertex_indices", "uint8 uint32 vertex_index")
    assert len(load(folder, elements, PLAIN + TWO_FACES).faces) == 2


@pytest.mark.parametrize(
    ("elements", "body", "message"),
    [
        (plate(), PLAIN + "3 0 1 2\n", "the file ends before all 2 rows of face"),
        (plate(), PLAIN[:-6], "the file ends before all 4 rows of vertex"),
        (plate(), PLAIN + "3 0 1 2\n-3 0 2 3\n", "expected lists of at least no values, got -3"),
        (plate(), PLAIN + "3 0 1 2\n3 0 two 3\n", "expected a number, got b'two'"),
        (plate().replace("float x", "floot x"), PLAIN + TWO_FACES, "expected a type of PLY .*, got 'floot'"),
        (plate().replace("float z", "float w"), PLAIN + TWO_FACES, "an element vertex with x, y, z"),
        (
            plate(face="property list uchar float texcoord\n"),
            PLAIN + "3 0 1 2 2 0 0\n3 0 2 3 2 0 0\n",
            "2 texture coord",
        ),
        (plate().replace("vertex 4", "vertex 99999999999"), PLAIN + TWO_FACES, "ends before all 99999999999 rows"),
        (plate().replace("vertex 4", "vertex four"), PLAIN + TWO_FACES, "how many rows each element has, got 'four'"),
        (plate().replace("face 2", "face -2"), PLAIN + TWO_FACES, "how many rows each element has, got '-2'"),
        (f"format text 1.0\n{plate()}", PLAIN + TWO_FACES, "expected one of ascii, .*, got 'text'"),
        (f"element vertex 4\n{XYZ}", PLAIN, "expected triangles, got none; it is empty or a point cloud"),
    ],
)
def test_damaged_files(folder: Path, elements: str, body: str, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        load(folder, elements, body)
