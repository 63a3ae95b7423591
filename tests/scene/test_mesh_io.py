"""Every file format that is promised, and what careless files do."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.io.cameras import load_camera
from diffdope.io.images import read_image, read_rgb
from diffdope.scene.mesh import Mesh
from diffdope.scene.mesh_io import MeshFile
from diffdope.scene.mesh_units import metres_per_unit
from diffdope.scene.parts import Part
from diffdope.scene.readers.colours import srgb_of_linear
from tests.oracle.calls import calls_of

F64 = NDArray[np.float64]

# A unit square in z = 0; its texture is red, green (top row), blue, white (bottom row) in quadrants.
QUADRANTS = np.zeros((8, 8, 3), np.uint8)
QUADRANTS[:4, :4], QUADRANTS[:4, 4:], QUADRANTS[4:, :4], QUADRANTS[4:, 4:] = (
    [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255],
)  # fmt: skip
# Where the square's corners lie in the picture: x to the right, y up.
CORNER_COLORS = {(0, 0): [0, 0, 255], (1, 0): [255, 255, 255], (1, 1): [0, 255, 0], (0, 1): [255, 0, 0]}

OBJ = """mtllib square.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl first
f 1/1 2/2 3/3
usemtl second
f 1/1 3/3 4/4
"""
MTL = "newmtl first\nKd 1 0 0\nmap_Kd picture.png\nnewmtl second\nKd 0 1 0\n"

PLY = """ply
format ascii 1.0
comment TextureFile picture.png
element vertex 4
property float x
property float y
property float z
property float texture_u
property float texture_v
element face 2
property list uchar int vertex_indices
end_header
0 0 0 0 0
1 0 0 1 0
1 1 0 1 1
0 1 0 0 1
3 0 1 2
3 0 2 3
"""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the picture and the material."""
    Image.fromarray(QUADRANTS).save(tmp_path / "picture.png")
    write(tmp_path, "square.mtl", MTL)
    return tmp_path


def seen_color(mesh: Mesh, vertex: int) -> list[int]:
    """The texel just inside of the texture at a vertex."""
    assert mesh.uv is not None and mesh.texture is not None
    size = np.array(mesh.texture.shape[1::-1])
    column, row = np.minimum(mesh.uv[vertex] * size, size - 1).astype(int)
    return [int(c) for c in mesh.texture[row, column]]


def assert_square(mesh: Mesh) -> None:
    for vertex, (x, y, _) in enumerate(mesh.vertices_m):
        assert seen_color(mesh, vertex) == CORNER_COLORS[round(x), round(y)]


def square(**visual: Any) -> trimesh.Trimesh:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    return trimesh.Trimesh(vertices, [[0, 1, 2], [0, 2, 3]], process=False, **visual)


def textured_square(folder: Path) -> trimesh.Trimesh:
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.open(folder / "picture.png"))
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    return square(visual=trimesh.visual.TextureVisuals(uv=uv, material=material))


# ---------------- formats


def test_textured_ply_is_the_right_way_up(folder: Path) -> None:
    mesh = Mesh.load(write(folder, "square.ply", PLY), unit="m")
    assert_square(mesh)
    assert (mesh.name, mesh.source, mesh.warnings) == ("square", folder / "square.ply", ())
    assert mesh.colors is None


def test_textured_obj(folder: Path) -> None:
    write(folder, "square.mtl", MTL.replace("Kd 0 1 0", "map_Kd picture.png"))
    assert_square(Mesh.load(write(folder, "square.obj", OBJ), unit="m"))


def test_obj_of_texture_and_plain_material(folder: Path) -> None:
    mesh = Mesh.load(write(folder, "square.obj", OBJ), unit="m")
    assert len(mesh.faces) == 2 and len(mesh.vertices_m) == 6
    colors = [[seen_color(mesh, vertex) for vertex in face] for face in mesh.faces]
    assert [[0, 255, 0]] * 3 in colors  # the plain one
    textured = next(face for face, color in zip(mesh.faces, colors, strict=True) if color != [[0, 255, 0]] * 3)
    for vertex in textured:
        x, y, _ = mesh.vertices_m[vertex]
        assert seen_color(mesh, int(vertex)) == CORNER_COLORS[round(x), round(y)]


def test_obj_of_plain_materials(folder: Path) -> None:
    write(folder, "square.mtl", MTL.replace("map_Kd picture.png\n", ""))
    mesh = Mesh.load(write(folder, "square.obj", OBJ), unit="m")
    assert mesh.texture is None and mesh.colors is not None
    assert {tuple(c) for c in mesh.colors.tolist()} == {(1, 0, 0), (0, 1, 0)}


def test_obj_with_vertex_colors(folder: Path) -> None:
    text = "v 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 1 1 0 0 0 1\nv 0 1 0 1 1 1\nf 1 2 3 4\n"
    mesh = Mesh.load(write(folder, "c.obj", text), unit="m")
    assert mesh.colors is not None
    np.testing.assert_allclose(mesh.colors, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    assert len(mesh.faces) == 2


def test_obj_seams_split_vertices_but_stay_one_surface(folder: Path) -> None:
    write(folder, "square.mtl", MTL.replace("Kd 0 1 0", "map_Kd picture.png"))
    mesh = Mesh.load(write(folder, "square.obj", OBJ.replace("f 1/1 3/3", "f 1/4 3/3")), unit="m")
    from diffdope.scene.topology import build_edges

    edges = build_edges(mesh.vertices_m, mesh.faces, mesh.uv)
    assert len(edges.f0) == 5 and edges.seam.sum() == 1


@pytest.mark.parametrize("name", ["sub/picture.png", "sub\\picture.png", "C:\\gone\\picture.png", "../picture.png"])
def test_texture_paths_as_found_in_the_wild(folder: Path, name: str) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "picture.png").write_bytes((folder / "picture.png").read_bytes())
    (folder / "models").mkdir()
    place = folder / "models" if name.startswith("..") else folder
    write(place, "square.mtl", MTL.replace("picture.png", name).replace("Kd 0 1 0", f"map_Kd {name}"))
    assert_square(Mesh.load(write(place, "square.obj", OBJ), unit="m"))


def test_textured_glb_with_scene_graph(folder: Path) -> None:
    scene = trimesh.Scene()
    scene.add_geometry(textured_square(folder))
    move = trimesh.transformations.translation_matrix([0, 0, 2.0])
    scene.add_geometry(textured_square(folder), transform=move)
    scene.export(folder / "s.glb")
    mesh = Mesh.load(folder / "s.glb", unit="m")
    assert_square(mesh)
    assert sorted(set(mesh.vertices_m[:, 2].tolist())) == [0, 2]
    assert mesh.texture is not None and mesh.texture.shape == (8, 8, 3)  # the picture is there once
    assert mesh.warnings == ()


def test_gltf_with_files_of_its_own(folder: Path) -> None:
    trimesh.Scene(textured_square(folder)).export(folder / "s.gltf")
    assert_square(Mesh.load(folder / "s.gltf", unit="m"))
    next(folder.glob("*.bin")).unlink()
    with pytest.raises(DiffDopeError, match=r"s.gltf names .*\.bin, but that is not in"):
        Mesh.load(folder / "s.gltf", unit="m")


def test_gltf_picture_beside_it(folder: Path) -> None:
    trimesh.Scene(textured_square(folder)).export(folder / "s.gltf")
    tree = json.loads((folder / "s.gltf").read_text(encoding="utf-8"))
    tree["images"] = [{"uri": "picture.png"}]
    write(folder, "s.gltf", json.dumps(tree))
    assert_square(Mesh.load(folder / "s.gltf", unit="m"))
    (folder / "picture.png").unlink()
    with pytest.raises(DiffDopeError, match=r"s.gltf names picture.png, but that is not in"):
        Mesh.load(folder / "s.gltf", unit="m")


def test_mirroring_nodes_keep_the_outside_out(folder: Path) -> None:
    scene = trimesh.Scene()
    scene.add_geometry(trimesh.creation.box(), transform=np.diag([-1.0, 1, 1, 1]))
    scene.export(folder / "m.glb")
    assert Mesh.load(folder / "m.glb", unit="m").is_closed


def test_the_unit_is_one_of_meshes_and_of_the_nodes_that_place_them(folder: Path) -> None:
    part = trimesh.creation.box((100.0, 60.0, 40.0))  # millimetres
    first = trimesh.transformations.rotation_matrix(0.5, (0.0, 0.0, 1.0))
    second = trimesh.transformations.rotation_matrix(-0.8, (1.0, 0.0, 0.0))
    first[:3, 3], second[:3, 3] = (300.0, 200.0, 100.0), (-300.0, 0.0, 500.0)
    scene = trimesh.Scene()
    scene.add_geometry(part, node_name="one", geom_name="part", transform=first)
    scene.graph.update("two", matrix=second, geometry="part")  # the same mesh, in another place
    scene.export(folder / "two.glb")
    mesh = Mesh.load(folder / "two.glb", unit="mm")
    placed = np.vstack([trimesh.transform_points(part.vertices, pose) for pose in (first, second)]) / 1000.0
    apart = np.linalg.norm(mesh.vertices_m[:, None] - placed, axis=2)
    assert apart.min(axis=0).max() < 1e-6 and apart.min(axis=1).max() < 1e-6
    assert len(mesh.faces) == 2 * len(part.faces)


def test_glb_with_vertex_colors(folder: Path) -> None:
    colors = np.array([[255, 0, 0, 255], [0, 51, 0, 255], [0, 0, 255, 255], [9, 9, 9, 255]], np.uint8)
    square(vertex_colors=colors).export(folder / "v.glb")
    mesh = Mesh.load(folder / "v.glb", unit="m")
    assert mesh.colors is not None and mesh.texture is None
    np.testing.assert_allclose(mesh.colors, srgb_of_linear(colors[:, :3] / 255))


def test_glb_with_material_and_vertex_colors(folder: Path) -> None:
    colors = np.array([[255, 0, 0, 255], [0, 51, 0, 255], [0, 0, 255, 255], [9, 9, 9, 255]], np.uint8)
    geometry = square()
    material = trimesh.visual.material.PBRMaterial(metallicFactor=0.0)
    geometry.visual = trimesh.visual.TextureVisuals(material=material)
    geometry.visual.vertex_attributes["color"] = colors
    geometry.export(folder / "v.glb")
    mesh = Mesh.load(folder / "v.glb", unit="m")
    assert mesh.colors is not None
    np.testing.assert_allclose(mesh.colors, srgb_of_linear(colors[:, :3] / 255))


@pytest.mark.parametrize(("factor", "color"), [([255, 102, 0, 255], [1, 0.66519, 0]), (None, None)])
def test_glb_of_one_color(folder: Path, factor: Any, color: Any) -> None:
    geometry = square()
    material = trimesh.visual.material.PBRMaterial(baseColorFactor=factor, metallicFactor=0.0)
    geometry.visual = trimesh.visual.TextureVisuals(material=material)
    geometry.export(folder / "v.glb")
    mesh = Mesh.load(folder / "v.glb", unit="m")
    if color is None:
        assert not mesh.has_color
    else:
        assert mesh.colors is not None
        np.testing.assert_allclose(mesh.colors, np.tile(color, (4, 1)), atol=1e-5)


def test_a_factor_tints_the_texture_in_linear_light(folder: Path) -> None:
    geometry = textured_square(folder)
    geometry.visual.material.baseColorFactor = [51, 255, 0, 255]
    geometry.export(folder / "t.glb")
    mesh = Mesh.load(folder / "t.glb", unit="m")
    assert mesh.texture is not None and mesh.warnings == ()
    # 0.2 of the light is 0.4845 in sRGB, 124 of 255.
    assert mesh.texture[0, 0].tolist() == [124, 0, 0] and mesh.texture[-1, -1].tolist() == [124, 255, 0]


def test_stl_is_welded_and_colourless(folder: Path) -> None:
    trimesh.creation.box().export(folder / "b.stl")
    mesh = Mesh.load(folder / "b.stl", unit="m")
    assert (len(mesh.vertices_m), len(mesh.faces)) == (8, 12)
    assert mesh.is_closed and not mesh.has_color


def test_ply_with_vertex_colors_face_colors_or_none(folder: Path) -> None:
    box = trimesh.creation.box()
    box.export(folder / "n.ply")
    assert not Mesh.load(folder / "n.ply", unit="m").has_color
    box.visual.vertex_colors = np.arange(32).reshape(8, 4) * 8
    box.export(folder / "v.ply")
    mesh = Mesh.load(folder / "v.ply", unit="m")
    assert mesh.colors is not None
    np.testing.assert_allclose(mesh.colors, np.arange(32).reshape(8, 4)[:, :3] * 8 / 255)
    box = trimesh.creation.box()
    box.visual.face_colors = np.arange(48).reshape(12, 4) * 5
    box.export(folder / "f.ply")
    mesh = Mesh.load(folder / "f.ply", unit="m")
    assert mesh.colors is not None and mesh.is_closed
    np.testing.assert_allclose(
        mesh.colors[mesh.faces], np.repeat(np.arange(48).reshape(12, 1, 4)[..., :3] * 5 / 255, 3, 1)
    )


def test_repeating_texture_is_tiled(folder: Path) -> None:
    write(folder, "square.mtl", MTL.replace("Kd 0 1 0", "map_Kd picture.png"))
    mesh = Mesh.load(write(folder, "square.obj", OBJ.replace("vt 1", "vt 3")), unit="m")
    assert mesh.texture is not None and mesh.texture.shape == (8, 24, 3)
    assert_square(mesh)
    with pytest.raises(DiffDopeError, match=r"at most 8 tiles .*square.obj"):
        Mesh.load(write(folder, "square.obj", OBJ.replace("vt 1", "vt 30")), unit="m")


# ---------------- units


@pytest.mark.parametrize(("unit", "metres"), [("m", 1), ("cm", 0.01), ("inch", 0.0254), ("mm", 0.001)])
def test_units(folder: Path, unit: Any, metres: float) -> None:
    mesh = Mesh.load(write(folder, "square.ply", PLY), unit=unit)
    assert mesh.diameter == pytest.approx(np.sqrt(2) * metres)


def test_unit_is_required_and_checked(folder: Path) -> None:
    path = write(folder, "square.ply", PLY)
    with pytest.raises(
        DiffDopeError,
        match=r"unit: expected one of m, mm, cm, inch, or a number .*: \.ply files do not .*, got None",
    ):
        Mesh.load(path)
    with pytest.raises(DiffDopeError, match="unit: expected one of m, mm, cm, inch, or a number .*, got 'km'"):
        Mesh.load(path, unit="km")  # type: ignore[arg-type]


@pytest.mark.parametrize("unit", [0, -1.0, np.nan, np.inf, "0.25", True, [0.25]])
def test_a_number_that_is_no_unit(folder: Path, unit: Any) -> None:
    with pytest.raises(DiffDopeError, match=r"unit: expected .*metres in one unit of the file.*got"):
        Mesh.load(write(folder, "square.ply", PLY), unit=unit)
    with pytest.raises(DiffDopeError, match=r"unit: expected .*metres in one unit of the file.*got"):
        Mesh.from_trimesh(trimesh.creation.box((1, 2, 3)), unit=unit)


def test_a_scan_without_a_scale(folder: Path) -> None:
    scan = trimesh.creation.box((1.0, 0.5, 0.4))  # whose longest side was measured: 0.25 m
    assert np.ptp(Mesh.from_trimesh(scan, unit=0.25).bounds, axis=0) == pytest.approx([0.25, 0.125, 0.1])
    for name in ("scan.ply", "scan.stl", "scan.glb", "scan.obj"):
        scan.export(folder / name)
        mesh = Mesh.load(folder / name, unit=np.float32(0.25))
        assert np.ptp(mesh.bounds, axis=0) == pytest.approx([0.25, 0.125, 0.1]) and mesh.warnings == ()
    with pytest.raises(DiffDopeError, match=r"got 1.187e-09 m; .*read with unit=1e-09"):
        Mesh.load(folder / "scan.ply", unit=1e-9)
    trimesh.Trimesh(1e-7 * scan.vertices, scan.faces).export(folder / "tiny.ply")
    with pytest.raises(DiffDopeError, match=r"say how many metres one of its units is \(unit=0.25\)"):
        Mesh.load(folder / "tiny.ply", unit="m")


def test_a_measured_number_counts_more_than_the_unit_that_a_file_states() -> None:
    file = MeshFile(Part(1e3 * trimesh.creation.box((0.1, 0.2, 0.3)).vertices, np.array([[0, 1, 2]])), (), 1e-3)
    assert metres_per_unit(file, "cm")[0] == 1e-3 and metres_per_unit(file, 1e-3) == (1e-3, ())
    metres, (note,) = metres_per_unit(file, 0.0011)
    assert metres == 0.0011 and note.endswith("unit=0.0011 was taken")


def test_wrong_unit_is_recognised(folder: Path) -> None:
    trimesh.creation.box((100, 200, 150)).export(folder / "mm.stl")
    with pytest.raises(
        DiffDopeError, match=r'got 269.3 m; the file is probably in millimetres: load it with unit="mm"'
    ):
        Mesh.load(folder / "mm.stl", unit="m")
    trimesh.creation.box((100, 200, 150)).export(folder / "mm.glb")
    with pytest.raises(DiffDopeError, match=r'load it with unit="mm"; .*mm.glb, read in metres, as its format has it'):
        Mesh.load(folder / "mm.glb")
    with pytest.raises(DiffDopeError, match="got 269.3 m; lengths are metres here"):
        Mesh.from_trimesh(trimesh.creation.box((100, 200, 150)))
    trimesh.creation.box((10, 20, 15)).export(folder / "small.stl")
    large = Mesh.load(folder / "small.stl", unit="m")
    hint = 'the diameter is 26.93 m; if its lengths are in millimetres, load it with unit="mm"'
    assert large.warnings == (hint,)
    assert large.scaled(1e-3).warnings == () and large.scaled(2).warnings[0].startswith("the diameter is 53.85 m")
    trimesh.creation.box((4000, 8000, 3000)).export(folder / "truck.stl")
    assert Mesh.load(folder / "truck.stl", unit="mm").warnings == ()
    trimesh.creation.box((0.1, 0.2, 0.15)).export(folder / "m.stl")
    with pytest.raises(DiffDopeError, match=r'probably in metres: load it with unit="m" .*m.stl, read with unit=.mm'):
        Mesh.load(folder / "m.stl", unit="mm")


# ---------------- careless files


@pytest.mark.parametrize(
    ("gone", "name", "content"),
    [
        ("picture.png", "square.ply", PLY),
        ("picture.png", "square.obj", OBJ),
        ("square.mtl", "square.obj", OBJ),
    ],
)
def test_missing_texture(folder: Path, gone: str, name: str, content: str, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / gone).unlink()
    path = write(folder, name, content)
    with pytest.raises(DiffDopeError, match=f"mesh: {name} names {gone}, but that is not in .*allow_missing_texture"):
        Mesh.load(path, unit="m")
    mesh = Mesh.load(path, unit="m", allow_missing_texture=True)
    assert not mesh.has_color
    assert len(mesh.warnings) == 1 and f"names {gone}" in mesh.warnings[0]
    assert capfd.readouterr() == ("", "")  # nothing of trimesh's traceback
    assert logging.getLogger("trimesh").level == logging.NOTSET


@pytest.mark.parametrize(("name", "content"), [("square.ply", PLY), ("square.obj", OBJ)])
def test_broken_texture(folder: Path, name: str, content: str) -> None:
    picture = (folder / "picture.png").read_bytes()
    for broken in (b"no picture", picture[: len(picture) // 2]):
        write(folder, "picture.png", broken)
        with pytest.raises(DiffDopeError, match=f"{name} names picture.png, which cannot be read as an image"):
            Mesh.load(write(folder, name, content), unit="m")
    assert not Mesh.load(folder / name, unit="m", allow_missing_texture=True).has_color


def test_broken_texture_inside_a_glb(folder: Path) -> None:
    textured_square(folder).export(folder / "s.glb")
    content = bytearray((folder / "s.glb").read_bytes())
    start = content.index(b"IDAT") + 4
    content[start : start + 12] = bytes(12)
    with pytest.raises(DiffDopeError, match=r"mesh: s.glb has a texture inside the file that is broken"):
        Mesh.load(write(folder, "s.glb", bytes(content)), unit="m")


def test_texture_coordinates_without_a_texture(folder: Path) -> None:
    path = write(folder, "square.ply", PLY.replace("comment TextureFile picture.png\n", ""))
    mesh = Mesh.load(path, unit="m")
    assert not mesh.has_color
    path = write(folder, "bare.obj", OBJ.replace("mtllib square.mtl\n", ""))
    mesh = Mesh.load(path, unit="m")
    assert not mesh.has_color
    assert mesh.warnings == ("the mesh has texture coordinates but names no texture",)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.ply", b"", "mesh: expected a mesh in .*a.ply, got an empty file"),
        ("a.ply", PLY[:-20], "mesh: "),
        (
            "a.ply",
            PLY.replace("1 1 0 1 1", "nan 1 0 1 1"),
            "vertices_m: expected finite numbers, got 1 of 12 .*a.ply",
        ),
        ("a.ply", PLY.replace("3 0 2 3", "3 0 2 4"), "expected indices of points from 0 to 3, got 0 to 4"),
        (
            "a.ply",
            PLY[: PLY.index("element face")] + "end_header\n" + "0 0 0 0 0\n" * 4,
            "expected triangles, got none; .*point cloud .*a.ply",
        ),
        ("a.obj", "# nothing\n", "expected triangles, got none.*a.obj"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 9\n", "expected indices of points from 0 to 2, got 0 to 8"),
        (
            "a.obj",
            "v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n",
            "faces: expected triangles with an area, got 1 without",
        ),
        ("a.stl", b"x" * 84, "mesh: |expected triangles"),
        ("a.glb", b"glTFxxxx", "mesh: cannot read .*a.glb"),
        (
            "a.xyz",
            "1 2 3",
            "mesh file ending: expected one of .ply, .obj, .glb, .gltf, .stl, .* got '.xyz'; export the mesh as GLB",
        ),
    ],
)
def test_bad_files(folder: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        Mesh.load(write(folder, name, content), unit="m")


def test_no_file(folder: Path) -> None:
    with pytest.raises(DiffDopeError, match=r"mesh: expected a mesh file, but there is none at .*gone.ply"):
        Mesh.load(folder / "gone.ply", unit="m")
    with pytest.raises(DiffDopeError, match="got the folder .*; give one of its files"):
        Mesh.load(folder, unit="m")


def test_degenerate_faces_are_reported(folder: Path) -> None:
    path = write(folder, "d.obj", "v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 3\nf 1 2 2\n")
    assert Mesh.load(path, unit="m").warnings == ("1 of 2 triangles have no area and were dropped",)


# ---------------- real files


@pytest.mark.parametrize("models", ["hope/models", "hope/models_eval", "ycbv_frames/models", "sim/models"])
def test_bop_models(shared_data: Path, models: str) -> None:
    info = json.loads((shared_data / models / "models_info.json").read_text(encoding="utf-8"))
    for path in sorted((shared_data / models).glob("*.ply")):
        mesh = Mesh.load(path, unit="mm")
        facts = info[str(int(path.stem[-6:]))]
        tolerance = 1e-5 if "eval" not in models else 2e-3  # those are coarser than the meshes of their info
        assert mesh.diameter == pytest.approx(facts["diameter"] * 1e-3, rel=tolerance)
        assert mesh.has_color == ("eval" not in models)
        # Some of YCB-V's meshes have a few vertices that nothing uses.
        assert all(re.fullmatch(r"\d of \d+ vertices belong to no triangle and were dropped", w) for w in mesh.warnings)


def test_loading_calls_no_function_a_vertex(shared_data: Path) -> None:
    path = shared_data / "hope" / "models" / "obj_000001.ply"
    mesh = Mesh.load(path, unit="mm")  # imports
    assert len(mesh.faces) == 13859
    assert calls_of(lambda: Mesh.load(path, unit="mm")) < len(mesh.vertices_m)


def correlation(mesh: Mesh, pose: Pose, shared_data: Path, *, flip: bool) -> float:
    """Of the texture at visible vertices with the picture where they project."""
    scene = shared_data / "sim" / "dev" / "000001"
    camera, scale = load_camera(scene / "scene_camera.json", width=640, height=480, image_id=0)
    assert mesh.uv is not None and mesh.texture is not None and scale is not None
    x_c = pose.apply(mesh.vertices_m)
    u, v = (np.rint(c).astype(int) for c in camera.project(x_c))
    inside = (u >= 0) & (v >= 0) & (u < 640) & (v < 480)
    depth = read_image("depth", scene / "depth" / "000000.png") * scale * 1e-3
    seen = np.flatnonzero(inside)
    seen = seen[np.abs(depth[v[seen], u[seen]] - x_c[seen, 2]) < 0.004]
    picture = read_rgb(next((scene / "rgb").glob("000000.*")))[v[seen], u[seen]].mean(axis=1)
    uv = np.stack([mesh.uv[seen, 0], 1 - mesh.uv[seen, 1] if flip else mesh.uv[seen, 1]], 1)
    size = np.array(mesh.texture.shape[1::-1])
    column, row = np.minimum(uv * size, size - 1).astype(int).T
    return float(np.corrcoef(mesh.texture[row, column].mean(axis=1), picture)[0, 1])


def test_texture_is_the_right_way_up_on_a_picture(shared_data: Path) -> None:
    scene = shared_data / "sim" / "dev" / "000001"
    truth = json.loads((scene / "scene_gt.json").read_text(encoding="utf-8"))["0"]
    values = []
    for entry in truth:
        mesh = Mesh.load(shared_data / "sim" / "models" / f"obj_{entry['obj_id']:06d}.ply", unit="mm")
        pose = Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])
        values.append([correlation(mesh, pose, shared_data, flip=flip) for flip in (False, True)])
    right, wrong = np.array(values).T
    assert (right > wrong + 0.3).all() and right.mean() > 0.6  # light and shadow are in the picture only


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2", "in the middle of a line, 'f 1 2': it was cut off"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1", "in the middle of a line, 'v 0 1': it was cut off"),
        ("a.obj", "", "expected a mesh in .*a.obj, got an empty file"),
        (
            "a.stl",
            "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\n",
            "endsolid: it was cut",
        ),
        ("a.gltf", '{"asset": {"version": "2.0"}, "meshes": [', "expected glTF's JSON, got a file that was cut off"),
        ("a.dae", "<COLLADA><asset>", "it was cut off, export it again"),
        ("a.3mf", b"PK\x03\x04 and so on", "it was cut off or is of another kind"),
    ],
)
def test_files_that_were_cut_off_say_so(folder: Path, name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(DiffDopeError, match=said):
        Mesh.load(write(folder, name, content), unit="m")


def test_an_obj_needs_no_end_of_its_last_line(folder: Path) -> None:
    mesh = Mesh.load(write(folder, "a.obj", "v 0 0 0\nv 1. 0 0\nv 0 1 0.\nf 1/ 2/ 3/"), unit="m")
    assert len(mesh.faces) == 1
