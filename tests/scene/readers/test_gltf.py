"""glTF: colours as the format means them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh
from tests.scene.readers.plates import (
    BLUE,
    CORNERS,
    DOWN,
    GREEN,
    QUADRANTS,
    RED,
    UPRIGHT,
    WHITE,
    Glb,
    assert_upright,
    color_at,
    encoded,
    textured,
)  # fmt: skip

HALF = 0.21586  # of the light: level 128 of 255 in sRGB
TRANSFORM = "KHR_texture_transform"


def load(glb: Glb, folder: Path, **options: Any) -> Mesh:
    return Mesh.load(glb.save(folder / "m.glb"), **options)


def test_lengths_are_metres_unless_told_otherwise(tmp_path: Path) -> None:
    assert load(Glb().plate(), tmp_path).diameter == pytest.approx(np.sqrt(2))
    assert load(Glb().plate(), tmp_path, unit="mm").diameter == pytest.approx(np.sqrt(2) * 1e-3)


@pytest.mark.parametrize(
    ("kind", "scale"), [(np.float32, 1), (np.uint8, 255), (np.uint16, 65535)], ids=["float", "uint8", "uint16"]
)
@pytest.mark.parametrize("width", [3, 4])
def test_colours_at_vertices_are_linear_light(tmp_path: Path, kind: type, scale: int, width: int) -> None:
    values = np.rint(np.full((4, width), HALF) * scale) if scale > 1 else np.full((4, width), HALF)
    glb = Glb().plate().attribute("COLOR_0", values, kind, **({"normalized": True} if scale > 1 else {}))
    mesh = load(glb, tmp_path)
    assert mesh.colors is not None and mesh.warnings == ()
    np.testing.assert_allclose(mesh.colors, 128 / 255, atol=0.002)


def test_a_factor_is_linear_light(tmp_path: Path) -> None:
    mesh = load(Glb().plate().material(pbrMetallicRoughness={"baseColorFactor": [HALF, 1, 0, 1]}), tmp_path)
    assert color_at(mesh, 0.5, 0.2) == (128, 255, 0)


def test_factor_and_colours_are_multiplied_in_linear_light(tmp_path: Path) -> None:
    glb = Glb().plate().attribute("COLOR_0", np.full((4, 3), 0.5))
    mesh = load(glb.material(pbrMetallicRoughness={"baseColorFactor": [2 * HALF, 1, 0, 1]}), tmp_path)
    assert color_at(mesh, 0.5, 0.2) == (128, 188, 0)  # half of the light is level 188


def test_a_material_that_states_no_colour_has_none(tmp_path: Path) -> None:
    for material in ({}, {"pbrMetallicRoughness": {"metallicFactor": 0.0}}, {"doubleSided": True}):
        assert not load(Glb().plate().material(**material), tmp_path).has_color
    assert not load(Glb().plate(), tmp_path).has_color


def test_a_black_material_is_black(tmp_path: Path) -> None:
    mesh = load(Glb().plate().material(pbrMetallicRoughness={"baseColorFactor": [0, 0, 0, 1]}), tmp_path)
    assert mesh.has_color and color_at(mesh, 0.5, 0.2) == (0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "scale"), [(np.float32, 1), (np.uint8, 255), (np.uint16, 65535)], ids=["float", "uint8", "uint16"]
)
def test_texture_coordinates_of_each_type(tmp_path: Path, kind: type, scale: int) -> None:
    more = {"normalized": True} if scale > 1 else {}
    glb = Glb().plate().attribute("TEXCOORD_0", np.array(DOWN) * scale, kind, **more)
    assert_upright(load(glb.material(**textured()).picture(), tmp_path))


def test_the_second_set_of_coordinates(tmp_path: Path) -> None:
    glb = Glb().plate().attribute("TEXCOORD_0", [(0.1, 0.1)] * 4).attribute("TEXCOORD_1", DOWN)
    assert_upright(load(glb.material(**textured(texCoord=1)).picture(), tmp_path))
    glb = Glb().plate().attribute("TEXCOORD_0", [(0.1, 0.1)] * 4).attribute("TEXCOORD_1", DOWN)
    moved = textured(texCoord=0, extensions={TRANSFORM: {"texCoord": 1}})
    assert_upright(load(glb.material(**moved).picture(), tmp_path))


def test_coordinates_that_are_not_there_are_told(tmp_path: Path) -> None:
    glb = Glb().plate().attribute("TEXCOORD_0", DOWN).material(**textured(texCoord=1)).picture()
    mesh = load(glb, tmp_path)
    assert not mesh.has_color and "no texture coordinates" in mesh.warnings[0]


@pytest.mark.parametrize(
    ("transform", "seen"),
    [
        ({"scale": [0.5, 0.5]}, dict.fromkeys(UPRIGHT, RED)),
        ({"scale": [0.5, 0.5], "offset": [0.5, 0.0]}, dict.fromkeys(UPRIGHT, GREEN)),
        ({"scale": [1, -1], "offset": [0, 1]}, dict(zip(UPRIGHT, (BLUE, WHITE, RED, GREEN), strict=True))),
        # The extension's own example: the lower left quarter, turned by a quarter.
        ({"offset": [0, 1], "rotation": np.pi / 2, "scale": [0.5, 0.5]}, dict.fromkeys(UPRIGHT, BLUE)),
    ],
    ids=["scale", "offset", "flip", "rotation"],
)  # fmt: skip
def test_texture_transforms(tmp_path: Path, transform: dict[str, Any], seen: dict[Any, Any]) -> None:
    glb = Glb().plate().attribute("TEXCOORD_0", DOWN).material(**textured(extensions={TRANSFORM: transform})).picture()
    glb.tree["extensionsUsed"] = glb.tree["extensionsRequired"] = [TRANSFORM]
    mesh = load(glb, tmp_path)
    assert {point: color_at(mesh, *point) for point in UPRIGHT} == seen


@pytest.mark.parametrize(
    ("wrap", "beyond"), [(10497, RED), (33071, GREEN), (33648, GREEN)], ids=["repeat", "clamp", "mirror"]
)
def test_wraps_to_the_right(tmp_path: Path, wrap: int, beyond: tuple[int, ...]) -> None:
    """The plate shows u from 0 to 2: beyond 1 the first column, the last one, or the picture turned around."""
    uv = [(2 * u, v) for u, v in DOWN]
    glb = Glb().plate().attribute("TEXCOORD_0", uv).material(**textured()).picture(source=0, sampler=0)
    glb.tree["samplers"] = [{"wrapS": wrap, "wrapT": 33071}]
    mesh = load(glb, tmp_path)
    assert color_at(mesh, 0.1, 0.9) == RED and color_at(mesh, 0.4, 0.9) == GREEN
    assert color_at(mesh, 0.6, 0.9) == beyond


def test_specular_glossiness(tmp_path: Path) -> None:
    name = "KHR_materials_pbrSpecularGlossiness"
    glb = Glb().plate().attribute("TEXCOORD_0", DOWN).picture()
    assert_upright(load(glb.material(extensions={name: {"diffuseTexture": {"index": 0}}}), tmp_path))
    plain = Glb().plate().material(extensions={name: {"diffuseFactor": [HALF, 0, 0, 1]}})
    assert color_at(load(plain, tmp_path), 0.5, 0.2) == (128, 0, 0)


def test_a_texture_beside_varying_colours_leaves_them_with_a_word(tmp_path: Path) -> None:
    glb = Glb().plate().attribute("TEXCOORD_0", DOWN).attribute("COLOR_0", np.eye(4, 3)).picture()
    mesh = load(glb.material(**textured()), tmp_path)
    assert_upright(mesh)
    assert mesh.warnings == ("the mesh has a texture and colours at its vertices or faces; the colours are left out",)


@pytest.mark.parametrize("required", [True, False])
def test_ktx2_is_refused_with_the_reason(tmp_path: Path, required: bool) -> None:
    name = "KHR_texture_basisu"
    glb = Glb().plate().attribute("TEXCOORD_0", DOWN).material(**textured())
    glb.picture(extensions={name: {"source": 0}})
    glb.tree["extensionsUsed"] = [name]
    if required:
        glb.tree["extensionsRequired"] = [name]
    with pytest.raises(
        DiffDopeError, match=r"KTX2 only \(KHR_texture_basisu\), which is not read; convert its pictures"
    ):
        load(glb, tmp_path)
    mesh = load(glb, tmp_path, allow_missing_texture=True)
    assert not mesh.has_color and "KTX2" in mesh.warnings[0]


def test_a_picture_beside_ktx2_is_taken(tmp_path: Path) -> None:
    glb = Glb().plate().attribute("TEXCOORD_0", DOWN).material(**textured())
    assert_upright(load(glb.picture(source=0, extensions={"KHR_texture_basisu": {"source": 9}}), tmp_path))


def test_webp_is_read(tmp_path: Path) -> None:
    glb = Glb().plate().attribute("TEXCOORD_0", DOWN).material(**textured())
    glb.picture(extensions={"EXT_texture_webp": {"source": 0}})
    glb.tree["images"] = [{"bufferView": glb.view(encoded(QUADRANTS, "webp", lossless=True)), "mimeType": "image/webp"}]
    glb.tree["extensionsRequired"] = ["EXT_texture_webp"]
    assert_upright(load(glb, tmp_path))


def test_draco_and_meshopt_are_refused_with_the_reason(tmp_path: Path) -> None:
    glb = Glb().plate()
    glb.primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0}}
    assert len(load(glb, tmp_path).faces) == 2  # the geometry is there without Draco, too
    for accessor in glb.tree["accessors"]:
        del accessor["bufferView"]
    glb.tree["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    with pytest.raises(DiffDopeError, match=r"compressed with Draco .*, which is not read; export it uncompressed"):
        load(glb, tmp_path)
    glb = Glb().plate()
    for view in glb.tree["bufferViews"]:
        view["extensions"] = {"EXT_meshopt_compression": {}}
    with pytest.raises(DiffDopeError, match=r"compressed with meshopt .*, which is not read"):
        load(glb, tmp_path)


def test_an_unknown_need_is_refused_by_name(tmp_path: Path) -> None:
    glb = Glb().plate()
    glb.tree["extensionsRequired"] = ["KHR_materials_unlit", "VENDOR_bent_space"]
    with pytest.raises(DiffDopeError, match="cannot be read without VENDOR_bent_space"):
        load(glb, tmp_path)
    glb.tree["extensionsRequired"] = ["KHR_materials_unlit"]
    assert len(load(glb, tmp_path).faces) == 2


def test_quantised_positions(tmp_path: Path) -> None:
    """Normalised 16-bit integers, scaled and moved by the node, as KHR_mesh_quantization has them."""
    glb = Glb()
    glb.attribute("POSITION", np.array([(x, y, 0) for x, y in CORNERS]) * 32767, np.int16, normalized=True)
    glb.primitive["indices"] = glb.accessor(np.array([0, 1, 2, 0, 2, 3], np.uint8))
    glb.node |= {"scale": [0.2, 0.2, 0.2], "translation": [1, 2, 3]}
    glb.tree["extensionsRequired"] = ["KHR_mesh_quantization"]
    mesh = load(glb, tmp_path)
    np.testing.assert_allclose(mesh.bounds, [[1, 2, 3], [1.2, 2.2, 3]], atol=1e-6)


def test_strips_fans_and_no_indices(tmp_path: Path) -> None:
    for mode, order in ((5, (0, 1, 3, 2)), (6, (0, 1, 2, 3)), (4, (0, 1, 2, 0, 2, 3))):
        glb = Glb().attribute("POSITION", [(*CORNERS[k], 0) for k in order])
        glb.primitive["mode"] = mode
        mesh = load(glb, tmp_path)
        a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces], 1, 0)
        np.testing.assert_allclose(0.5 * np.cross(b - a, c - a), [[0, 0, 0.5]] * 2)  # both face up


def test_interleaved_and_sparse_arrays(tmp_path: Path) -> None:
    glb = Glb()
    rows = np.zeros(4, [("place", "<f4", 3), ("uv", "<f4", 2)])
    rows["place"], rows["uv"] = [(x, y, 0) for x, y in CORNERS], DOWN
    view = glb.view(rows.tobytes(), byteStride=20)
    at = {"bufferView": view, "componentType": 5126, "count": 4}
    glb.tree["accessors"] += [{**at, "type": "VEC3"}, {**at, "type": "VEC2", "byteOffset": 12}]
    glb.attributes.update(POSITION=0, TEXCOORD_0=1)
    glb.primitive["indices"] = glb.accessor(np.array([0, 1, 2, 0, 2, 3], np.uint32))
    mesh = load(glb.material(**textured()).picture(), tmp_path)
    assert_upright(mesh)
    higher = glb.view(np.array([2], np.uint16).tobytes()), glb.view(np.array([(1, 1, 0.25)], np.float32).tobytes())
    glb.tree["accessors"][0]["sparse"] = {
        "count": 1, "indices": {"bufferView": higher[0], "componentType": 5123}, "values": {"bufferView": higher[1]}
    }  # fmt: skip
    assert load(glb, tmp_path).vertices_m[2].tolist() == [1, 1, 0.25]


def test_nodes_that_are_not_in_the_scene_are_not_there(tmp_path: Path) -> None:
    glb = Glb().plate()
    glb.tree["nodes"] = [
        {"children": [1], "translation": [0, 0, 1]},
        {"mesh": 0, "matrix": [*np.eye(4).ravel()]},
        {"mesh": 0},
    ]
    mesh = load(glb, tmp_path)
    assert len(mesh.faces) == 2 and mesh.vertices_m[:, 2].tolist() == [1.0] * 4


def test_one_scene_of_several_is_taken_with_a_word(tmp_path: Path) -> None:
    glb = Glb().plate()
    glb.tree |= {"scenes": [{"nodes": [0]}, {"nodes": [1]}], "nodes": [{"mesh": 0}, {"mesh": 0, "scale": [2, 2, 2]}]}
    glb.tree["scene"] = 1
    mesh = load(glb, tmp_path)
    assert mesh.bounds[1].tolist() == [2, 2, 0] and mesh.warnings[0].startswith("the file has 2 scenes; that which")


def test_instances_of_one_mesh(tmp_path: Path) -> None:
    glb = Glb().plate()
    offsets = glb.accessor(np.array([(0, 0, 0), (0, 0, 2)], np.float32))
    glb.node["extensions"] = {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": offsets}}}
    assert sorted(set(load(glb, tmp_path).vertices_m[:, 2])) == [0.0, 2.0]


@pytest.mark.parametrize("at_node", [False, True])
def test_shapes_that_are_on_at_rest(tmp_path: Path, at_node: bool) -> None:
    """A lid that is saved half open: a mesh's weights, or those of the node that shows it, which count before them."""
    glb = Glb().plate()
    lifts = [glb.accessor(np.array([(0, 0, z), (0, 0, z), (0, 0, 0), (0, 0, 0)], np.float32)) for z in (0.5, 3.0)]
    glb.primitive["targets"] = [{"POSITION": lifts[0]}, {"POSITION": lifts[1]}]
    shape = {"primitives": [glb.primitive], "weights": [0.0, 1.0] if at_node else [0.5, 0.0]}
    glb.tree["meshes"] = [shape]
    if at_node:
        glb.node["weights"] = [0.5, 0.0]
    mesh = load(glb, tmp_path)
    assert mesh.vertices_m[:, 2].tolist() == [0.25, 0.25, 0, 0] and "on as far as" in mesh.warnings[0]
    (glb.node if at_node else shape)["weights"] = [0.0, 0.0]
    mesh = load(glb, tmp_path)
    assert mesh.vertices_m[:, 2].tolist() == [0.0] * 4 and mesh.warnings == ()


def test_fewer_shapes_than_weights_are_refused(tmp_path: Path) -> None:
    glb = Glb().plate()
    glb.node["weights"] = [1.0]
    with pytest.raises(DiffDopeError, match="1 shapes to blend, got 0"):
        load(glb, tmp_path)


def skinned(weights: Any = ((1, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 3, 0, 0))) -> Glb:
    """The plate in centimetres, bound to two bones at x = 0 and x = 100 below an armature that makes metres of it."""
    glb = Glb()
    glb.attribute("POSITION", np.array([(x, y, 0) for x, y in CORNERS], np.float32) * 100)
    glb.attribute("JOINTS_0", [(0, 1, 0, 0)] * 4, np.uint8).attribute("WEIGHTS_0", weights)
    glb.primitive["indices"] = glb.accessor(np.array([0, 1, 2, 0, 2, 3], np.uint16))
    bound = np.tile(np.eye(4, dtype=np.float32), (2, 1, 1))
    bound[1, 0, 3] = -100.0
    view = glb.view(bound.transpose(0, 2, 1).tobytes())
    glb.tree["accessors"].append({"bufferView": view, "componentType": 5126, "count": 2, "type": "MAT4"})
    glb.tree |= {
        "scenes": [{"nodes": [0, 1]}],
        "nodes": [
            {"mesh": 0, "skin": 0, "translation": [9, 9, 9]},  # which the format passes over
            {"children": [2, 3], "scale": [0.01, 0.01, 0.01]},
            {},
            {"translation": [100, 0, 50]},
        ],
        "skins": [{"joints": [2, 3], "inverseBindMatrices": len(glb.tree["accessors"]) - 1}],
    }
    return glb


def test_bones_place_what_they_hold(tmp_path: Path) -> None:
    mesh = load(skinned(), tmp_path)
    np.testing.assert_allclose(mesh.vertices_m, [(0, 0, 0), (1, 0, 0), (1, 1, 0.5), (0, 1, 0.5)], atol=1e-6)
    assert "skeleton" in mesh.warnings[0]


def test_bones_that_mirror_keep_the_outside_out(tmp_path: Path) -> None:
    glb = skinned([(1, 0, 0, 0)] * 4)
    glb.tree["nodes"][1]["scale"] = [-0.01, 0.01, 0.01]
    mesh = load(glb, tmp_path)
    a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces], 1, 0)
    assert mesh.vertices_m[:, 0].min() == pytest.approx(-1.0) and (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_bones_that_are_not_there_are_refused(tmp_path: Path) -> None:
    glb = skinned()
    glb.tree["skins"][0]["joints"] = [2]
    with pytest.raises(DiffDopeError, match="bones from 0 to 0, got 1"):
        load(glb, tmp_path)


def test_what_a_file_hides_is_left_out_with_a_word(tmp_path: Path) -> None:
    glb = Glb().plate()
    hidden = {"children": [2], "extensions": {"KHR_node_visibility": {"visible": False}}}
    glb.tree |= {"scenes": [{"nodes": [0, 1]}], "nodes": [{"mesh": 0}, hidden, {"mesh": 0, "translation": [0, 0, 1]}]}
    mesh = load(glb, tmp_path)
    assert mesh.bounds[1, 2] == 0.0 and "KHR_node_visibility" in mesh.warnings[0]


def test_primitives_that_share_vertices_leave_none_astray(tmp_path: Path) -> None:
    glb = Glb().plate()
    other = {"attributes": glb.attributes, "indices": glb.accessor(np.array([0, 2, 3], np.uint16)), "material": 0}
    glb.primitive["indices"] = glb.accessor(np.array([0, 1, 2], np.uint16))
    glb.tree["meshes"] = [{"primitives": [{**glb.primitive, "material": 1}, other]}]
    glb.tree["materials"] = [{"pbrMetallicRoughness": {"baseColorFactor": [*c, 1]}} for c in ((1, 0, 0), (0, 0, 1))]
    mesh = load(glb, tmp_path)
    assert mesh.warnings == ()
    assert color_at(mesh, 0.2, 0.8) == RED and color_at(mesh, 0.8, 0.2) == BLUE


def test_meshes_that_share_vertices_leave_none_astray(tmp_path: Path) -> None:
    glb = Glb().plate()
    halves = [glb.accessor(np.array(face, np.uint16)) for face in ((0, 1, 2), (0, 2, 3))]
    glb.tree["meshes"] = [{"primitives": [{"attributes": glb.attributes, "indices": half}]} for half in halves]
    glb.tree |= {"scenes": [{"nodes": [0, 1]}], "nodes": [{"mesh": 0}, {"mesh": 1, "translation": [0, 0, 1]}]}
    mesh = load(glb, tmp_path)
    assert mesh.warnings == () and len(mesh.faces) == 2 and len(mesh.vertices_m) == 6


def test_names_with_percent_signs_and_data_in_addresses(tmp_path: Path) -> None:
    glb = Glb().plate().attribute("TEXCOORD_0", DOWN).material(**textured())
    (tmp_path / "my picture.png").write_bytes(encoded())
    glb.tree |= {"images": [{"uri": "my%20picture.png"}], "textures": [{"source": 0}]}
    assert_upright(load(glb, tmp_path))


@pytest.mark.parametrize("pixels", [np.full((16, 16, 3), 90, np.uint8), np.zeros((1, 1, 3), np.uint8)])
def test_a_texture_of_one_colour(tmp_path: Path, pixels: np.ndarray) -> None:
    mesh = load(Glb().plate().attribute("TEXCOORD_0", DOWN).material(**textured()).picture(pixels), tmp_path)
    assert mesh.has_color and color_at(mesh, 0.3, 0.6) == tuple(pixels[0, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accessors": []}, "cannot read .*m.glb"),
        ({"asset": {"version": "1.0"}}, "expected glTF 2.0, got version 1.0"),
        ({"nodes": [{"children": [0], "mesh": 0}]}, "a node of the scene holds itself"),
        ({"nodes": [], "meshes": []}, "expected triangles, got none"),
    ],
)
def test_damaged_files(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    glb = Glb().plate()
    glb.tree |= change
    with pytest.raises(DiffDopeError, match=message):
        load(glb, tmp_path)


def test_coordinates_of_other_vertices(tmp_path: Path) -> None:
    glb = Glb().plate().attribute("TEXCOORD_0", DOWN[:3]).material(**textured()).picture()
    with pytest.raises(DiffDopeError, match="expected texture coordinates for 4 vertices, got 3"):
        load(glb, tmp_path)


def test_a_file_that_ends_early(tmp_path: Path) -> None:
    path = Glb().plate().save(tmp_path / "m.glb")
    whole = path.read_bytes()
    for length in (10, 40, len(whole) - 8):
        path.write_bytes(whole[:length])
        with pytest.raises(DiffDopeError, match=r"mesh: .*m\.glb"):
            Mesh.load(path)
    tree = json.loads(whole[20 : 20 + int.from_bytes(whole[12:16], "little")])
    assert tree["asset"] == {"version": "2.0"} and len(QUADRANTS) == 64
