"""OBJ and MTL as their exporters write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh
from tests.scene.readers.plates import (
    BLUE,
    CORNERS,
    GREEN,
    RED,
    UPRIGHT,
    assert_upright,
    color_at,
    save_quadrants,
)

PLACES = "".join(f"v {x} {y} 0\n" for x, y in CORNERS)
RED_PLACES = "".join(f"v {x} {y} 0 1 0 0\n" for x, y in CORNERS)
COORDINATES = "".join(f"vt {u} {v}\n" for u, v in CORNERS)
FACE = "f 1/1 2/2 3/3 4/4\n"


def load(folder: Path, text: str, mtl: str | None = None, **options: bool) -> Mesh:
    if mtl is not None:
        (folder / "m.mtl").write_text(mtl)
        text = "mtllib m.mtl\n" + text
    (folder / "m.obj").write_text(text)
    return Mesh.load(folder / "m.obj", unit="m", **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_quadrants(tmp_path)
    return tmp_path


# ---------------- colours


def test_colours_at_vertices_count_before_the_colour_of_a_material(folder: Path) -> None:
    mesh = load(folder, RED_PLACES + "usemtl grey\nf 1 2 3 4\n", "newmtl grey\nKd 0.6 0.6 0.6\n")
    assert color_at(mesh, 0.5, 0.3) == RED
    assert "those of the vertices are taken" in mesh.warnings[0]


def test_white_at_all_vertices_says_nothing(folder: Path) -> None:
    text = RED_PLACES.replace("1 0 0\n", "1 1 1\n") + "usemtl green\nf 1 2 3 4\n"
    assert color_at(load(folder, text, "newmtl green\nKd 0 1 0\n"), 0.5, 0.3) == GREEN


def test_colours_beside_texture_coordinates_and_no_texture(folder: Path) -> None:
    mesh = load(folder, RED_PLACES + COORDINATES + FACE)
    assert color_at(mesh, 0.5, 0.3) == RED and mesh.warnings == ()


def test_a_texture_counts_before_colours_at_vertices(folder: Path) -> None:
    text = RED_PLACES.replace("1 0 0\n", "0 1 0\n", 1) + COORDINATES + "usemtl m\n" + FACE
    mesh = load(folder, text, "newmtl m\nKd 0 0 0\nmap_Kd tex.png\n")
    assert_upright(mesh)
    assert mesh.warnings == ("the mesh has a texture and colours at its vertices or faces; the colours are left out",)


def test_levels_of_eight_bits_at_vertices(folder: Path) -> None:
    text = "".join(f"v {x} {y} 0 255 128 0\n" for x, y in CORNERS) + "f 1 2 3 4\n"
    assert color_at(load(folder, text), 0.5, 0.3) == (255, 128, 0)


def test_some_vertices_without_a_colour_are_grey_with_a_word(folder: Path) -> None:
    mesh = load(folder, RED_PLACES.replace(" 1 0 0\n", "\n", 1) + "f 1 2 3 4\n")
    assert mesh.colors is not None and mesh.colors.tolist()[:2] == [[0.5] * 3, [1, 0, 0]]
    assert mesh.warnings == ("1 of 4 vertices have no colour and are taken as grey",)


@pytest.mark.parametrize("mtl", ["newmtl m\n", "newmtl m\nKa 1 1 1\nNs 10\nd 1\n", "newmtl m\nKd spectral a.rfl\n"])
def test_a_material_without_a_colour_has_none(folder: Path, mtl: str) -> None:
    assert not load(folder, PLACES + "usemtl m\nf 1 2 3 4\n", mtl).has_color


def test_a_black_material_is_black(folder: Path) -> None:
    mesh = load(folder, PLACES + "usemtl m\nf 1 2 3 4\n", "newmtl m\nKd 0 0 0\n")
    assert mesh.has_color and color_at(mesh, 0.5, 0.3) == (0, 0, 0)


def test_one_number_is_a_grey(folder: Path) -> None:
    assert color_at(load(folder, PLACES + "usemtl m\nf 1 2 3 4\n", "newmtl m\nKd 0.2\n"), 0.5, 0.3) == (51, 51, 51)


def test_painted_colours_of_zbrush_are_not_lost_without_a_word(folder: Path) -> None:
    mesh = load(folder, PLACES + "#MRGB ffff0000ffff0000ffff0000ffff0000\nf 1 2 3 4\n")
    assert not mesh.has_color and "#MRGB" in mesh.warnings[0]


def test_faces_without_texture_coordinates(folder: Path) -> None:
    text = PLACES + COORDINATES + "usemtl m\nf 1/1 2/2 3/3\nf 1 3 4\n"
    mesh = load(folder, text, "newmtl m\nmap_Kd tex.png\n")
    assert color_at(mesh, 0.9, 0.7) == GREEN and color_at(mesh, 0.2, 0.9) == (128, 128, 128)
    assert mesh.warnings == (
        "1 faces have a material with a texture but no texture coordinates; they do not show it",
        "1 of 2 pieces of the mesh have no colour and are taken as grey",
    )
    mesh = load(folder, text, "newmtl m\nKd 1 0 0\nmap_Kd tex.png\n")
    assert color_at(mesh, 0.2, 0.9) == RED


# ---------------- textures of MTL


@pytest.mark.parametrize(
    "value",
    [
        "tex.png",
        "-s 1 1 1 -o 0 0 0 tex.png",
        "-blendu on -blendv off -boost 1.5 -bm 0.3 -cc off -imfchan l -texres 512 -mm 0 1 -clamp off tex.png",
        "-s 1 tex.png",
        "tex.png -s 1 1 1",
        "C:\\work\\tex.png",
        "TEX.PNG",
        '"tex.png"',
    ],
)
def test_options_and_ways_to_write_a_name(folder: Path, value: str) -> None:
    assert_upright(load(folder, PLACES + COORDINATES + "usemtl m\n" + FACE, f"newmtl m\nmap_Kd {value}\n"))


@pytest.mark.parametrize(("written", "file"), [("my%20tex.png", "my tex.png"), ("my tex.png", "my tex.png"),
                                               ("a%20b.png", "a%20b.png"), ("-s.png", "-s.png")])  # fmt: skip
def test_names_with_spaces(folder: Path, written: str, file: str) -> None:
    save_quadrants(folder, file)
    assert_upright(load(folder, PLACES + COORDINATES + "usemtl m\n" + FACE, f"newmtl m\nmap_Kd {written}\n"))


def test_scale_and_offset_of_a_texture(folder: Path) -> None:
    """Scale 0.5, offset (0, 0.5), v up: the upper left quarter only."""
    mtl = "newmtl m\nmap_Kd -s 0.5 0.5 1 -o 0 0.5 0 tex.png\n"
    mesh = load(folder, PLACES + COORDINATES + "usemtl m\n" + FACE, mtl)
    assert {color_at(mesh, *point) for point in UPRIGHT} == {RED}


def test_gain_of_a_texture(folder: Path) -> None:
    mesh = load(folder, PLACES + COORDINATES + "usemtl m\n" + FACE, "newmtl m\nmap_Kd -mm 0.2 0.4 tex.png\n")
    assert color_at(mesh, 0.2, 0.9) == (153, 51, 51)


@pytest.mark.parametrize(("option", "beyond"), [("", RED), ("-clamp on ", GREEN)])
def test_clamped_textures(folder: Path, option: str, beyond: tuple[int, ...]) -> None:
    text = PLACES + COORDINATES.replace("vt 1", "vt 2") + "usemtl m\n" + FACE
    mesh = load(folder, text, f"newmtl m\nmap_Kd {option}tex.png\n")
    assert color_at(mesh, 0.4, 0.9) == GREEN and color_at(mesh, 0.6, 0.9) == beyond


def test_what_no_face_uses_may_be_missing(folder: Path) -> None:
    mtl = "newmtl m\nKd 1 0 0\nnewmtl other\nmap_Kd gone.png\n"
    mesh = load(folder, PLACES + "usemtl other\nusemtl m\nf 1 2 3 4\n", mtl)
    assert color_at(mesh, 0.5, 0.3) == RED and mesh.warnings == ()
    assert not load(folder, "mtllib gone.mtl\n" + PLACES + "f 1 2 3 4\n").has_color


def test_a_material_that_is_nowhere_is_told(folder: Path) -> None:
    mesh = load(folder, PLACES + "usemtl other\nf 1 2 3 4\n", "newmtl m\nKd 1 0 0\n")
    assert mesh.warnings == ("the MTL file has no material other, which faces use",)


def test_colours_at_vertices_do_not_need_the_material(folder: Path) -> None:
    mesh = load(folder, "mtllib gone.mtl\n" + RED_PLACES + "usemtl m\nf 1 2 3 4\n")
    assert color_at(mesh, 0.5, 0.3) == RED and "gone.mtl, which is not there" in mesh.warnings[0]


def test_several_libraries_and_names_with_spaces(folder: Path) -> None:
    (folder / "my materials.mtl").write_text("newmtl my red\nKd 1 0 0\n")
    (folder / "b.mtl").write_text("newmtl Material #25\nKd 0 1 0\n")
    text = PLACES + "usemtl my red\nf 1 2 3\nusemtl Material #25\nf 1 3 4\n"
    mesh = load(folder, "mtllib my materials.mtl\nmtllib b.mtl\n" + text)
    assert color_at(mesh, 0.9, 0.5) == RED and color_at(mesh, 0.1, 0.5) == GREEN


# ---------------- lines


@pytest.mark.parametrize(
    "faces",
    [
        "f 1/1 2/2 3/3 4/4\n",
        "f -4/-4 -3/-3 -2/-2 -1/-1\n",
        "f 1/1/1 2/2/1 3/3/1 4/4/1\n",
        "f 1/1/ 2/2/ 3/3/ 4/4/\n",
        "f 1/1/1 2/2/1 3/3/1\nf 1/1 3/3 4/4\n",
        "f  1/1\t2/2 3/3 \\\n 4/4  # the plate\n",
        "f 1/1 2/2 3/3 4/4\r\n",
        "\tf 1/1 2/2 3/3 4/4\n",
    ],
)
def test_ways_to_write_faces(folder: Path, faces: str) -> None:
    mesh = load(folder, PLACES + COORDINATES + "vn 0 0 1\nusemtl m\n" + faces, "newmtl m\nmap_Kd tex.png\n")
    assert_upright(mesh)
    assert len(mesh.faces) == 2 and mesh.warnings == ()


@pytest.mark.parametrize("faces", ["f 1//1 2//1 3//1 4//1\n", "f 1//1 2//1 3//1\nf 1 3 4\n"])
def test_faces_with_normals_alone(folder: Path, faces: str) -> None:
    mesh = load(folder, PLACES + "vn 0 0 1\n" + faces)
    assert len(mesh.faces) == 2 and len(mesh.vertices_m) == 4


def test_texture_coordinates_that_are_not_there_leave_the_shape(folder: Path) -> None:
    text = PLACES + COORDINATES + "usemtl m\nf 1/1 2/2 3/9\n"
    (folder / "m.mtl").write_text("newmtl m\nmap_Kd tex.png\n")
    mesh = load(folder, "mtllib m.mtl\n" + text, allow_missing_texture=True)
    assert len(mesh.faces) == 1 and not mesh.has_color and "beyond its 4" in mesh.warnings[0]


def test_negative_indices_count_back_from_where_they_stand(folder: Path) -> None:
    text = PLACES + "f -4 -3 -2\n" + "v 0 0 1\nv 1 0 1\nv 1 1 1\n" + "f -3 -2 -1\n"
    mesh = load(folder, text)
    heights = mesh.vertices_m[mesh.faces][:, :, 2].tolist()
    assert heights == [[0, 0, 0], [1, 1, 1]]


def test_coordinates_of_one_or_three_numbers(folder: Path) -> None:
    text = PLACES + COORDINATES.replace("\n", " 0.5\n") + "usemtl m\n" + FACE
    assert_upright(load(folder, text, "newmtl m\nmap_Kd tex.png\n"))
    text = PLACES + "vt 0.2\n" * 4 + "usemtl m\n" + FACE
    assert color_at(load(folder, text, "newmtl m\nmap_Kd tex.png\n"), 0.5, 0.3) == BLUE  # v is 0, at the bottom


def test_vertices_that_no_face_uses(folder: Path) -> None:
    mesh = load(folder, PLACES + "v 0 0 900\nv nan nan nan\nf 1 2 3 4\n")
    assert mesh.diameter == pytest.approx(np.sqrt(2)) and len(mesh.vertices_m) == 4
    assert mesh.warnings == ("2 of 6 vertices belong to no triangle and were dropped",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLACES + "f 1 2 x\n", "expected a number, got 'x'"),
        (PLACES + "f 1 2 5\n", "indices of points from 0 to 3, got 0 to 4"),
        (PLACES + "f 0 1 2\n", "indices of points from 0 to 3, got -1 to 1"),
        (
            PLACES + COORDINATES + "usemtl m\nf 1/1 2/2 3/9\n",
            "m.obj has faces with texture coordinates beyond its 4; export",
        ),
        (PLACES.replace("v 1 0 0", "v 1 0") + "f 1 2 3\n", "a vertex has 2 coordinates instead of 3"),
        (PLACES.replace("v 1 0 0", "v 1 zero 0") + "f 1 2 3\n", "expected a number, got 'zero'"),
        ("v 0 0 0\n", "expected triangles, got none"),
    ],
)
def test_damaged_files(folder: Path, text: str, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        load(folder, text, "newmtl m\nmap_Kd tex.png\n")
