"""Meshes and scenes that are taken over from trimesh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh
from tests.scene.readers.plates import CORNERS, FACES, QUADRANTS, assert_upright, color_at


def plate(**visual: Any) -> trimesh.Trimesh:
    return trimesh.Trimesh([(x, y, 0) for x, y in CORNERS], FACES, process=False, **visual)


def of_material(**material: Any) -> Mesh:
    made = trimesh.visual.material.PBRMaterial(**material)
    return Mesh.from_trimesh(plate(visual=trimesh.visual.TextureVisuals(uv=np.array(CORNERS, float), material=made)))


def test_a_mesh_without_colour() -> None:
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    mesh = Mesh.from_trimesh(box, name="box")
    assert (mesh.name, len(mesh.faces), mesh.has_color, mesh.is_closed, mesh.warnings) == ("box", 12, False, True, ())
    np.testing.assert_allclose(mesh.bounds, box.bounds)
    box.vertices[:] = 0
    assert mesh.diameter == pytest.approx(np.sqrt(0.14))  # a copy


def test_lengths() -> None:
    box = trimesh.creation.box((10, 20, 30))
    assert Mesh.from_trimesh(box, unit="mm").diameter == pytest.approx(np.sqrt(0.0014))
    assert 'load it with unit="mm"' in Mesh.from_trimesh(box).warnings[0]


def test_colours_at_vertices_and_faces() -> None:
    mesh = Mesh.from_trimesh(plate(vertex_colors=[(255, 128, 0, 255)] * 4))
    assert color_at(mesh, 0.5, 0.3) == (255, 128, 0)
    mesh = Mesh.from_trimesh(plate(face_colors=[(255, 0, 0, 255), (0, 0, 255, 255)]))
    assert color_at(mesh, 0.9, 0.5) == (255, 0, 0) and color_at(mesh, 0.1, 0.5) == (0, 0, 255)


def test_a_texture() -> None:
    image = Image.fromarray(QUADRANTS)
    assert_upright(
        Mesh.from_trimesh(plate(visual=trimesh.visual.TextureVisuals(uv=np.array(CORNERS, float), image=image)))
    )
    assert_upright(of_material(baseColorTexture=image))


def test_factors_are_linear_light() -> None:
    assert color_at(of_material(baseColorFactor=[55, 255, 0, 255]), 0.5, 0.3) == (128, 255, 0)
    image = Image.new("RGB", (4, 4), (255, 255, 255))
    assert color_at(of_material(baseColorFactor=[55, 255, 0, 255], baseColorTexture=image), 0.5, 0.3) == (128, 255, 0)


def test_a_grey_that_trimesh_made_up_is_no_colour() -> None:
    bare = trimesh.visual.TextureVisuals(uv=np.array(CORNERS, float))
    mesh = Mesh.from_trimesh(plate(visual=bare))
    assert not mesh.has_color and mesh.warnings == ("the mesh has texture coordinates but names no texture",)
    assert not of_material().has_color
    given = trimesh.visual.material.SimpleMaterial(diffuse=[255, 0, 0, 255])
    assert color_at(Mesh.from_trimesh(plate(visual=trimesh.visual.TextureVisuals(material=given))), 0.5, 0.3) == (
        255,
        0,
        0,
    )


def test_a_scene_in_place() -> None:
    scene = trimesh.Scene()
    scene.add_geometry(plate(vertex_colors=[(255, 0, 0, 255)] * 4))
    scene.add_geometry(plate(), transform=trimesh.transformations.translation_matrix([0, 0, 2]))
    mesh = Mesh.from_trimesh(scene)
    assert len(mesh.faces) == 4 and sorted(set(mesh.vertices_m[:, 2])) == [0.0, 2.0]
    assert color_at(mesh, 0.5, 0.3) == (255, 0, 0) and "taken as grey" in mesh.warnings[0]


@pytest.mark.parametrize("value", [None, "box.ply", np.eye(3), trimesh.PointCloud(np.eye(3)), trimesh.Scene()])
def test_what_is_no_mesh_is_refused(value: Any) -> None:
    with pytest.raises(DiffDopeError, match="mesh: expected (a trimesh.Trimesh or trimesh.Scene|triangles), got"):
        Mesh.from_trimesh(value)


def test_colours_of_gltf_may_be_linear(tmp_path: Path) -> None:
    box = trimesh.creation.box((0.1, 0.1, 0.1))
    box.visual.vertex_colors = [(128, 64, 32, 255)] * 8
    said = "Mesh.load(path) turns them into sRGB"
    assert not any(said in note for note in Mesh.from_trimesh(box).warnings)
    box.export(tmp_path / "box.glb")
    of_gltf = Mesh.from_trimesh(trimesh.load(tmp_path / "box.glb"))
    assert sum(said in note for note in of_gltf.warnings) == 1
    box.export(tmp_path / "box.ply")
    assert not any(said in note for note in Mesh.from_trimesh(trimesh.load(tmp_path / "box.ply")).warnings)
    box.visual.vertex_colors = [(255, 0, 0, 255)] * 8  # the same in linear light
    box.export(tmp_path / "red.glb")
    assert not any(said in note for note in Mesh.from_trimesh(trimesh.load(tmp_path / "red.glb")).warnings)
