#!/usr/bin/env bash
# open3d-cpu 0.20.0, pyvista 0.49.1, trimesh 5.2.0: a glTF's picture lies elsewhere on the object than it says.
#
# In glTF, a material says which of a mesh's sets of texture coordinates its picture goes by (texCoord), and, by
# KHR_texture_transform, how they are moved, turned and scaled. Atlases, exporters that bake light into a second set,
# and tools that make files small, which write coordinates as integers from 0 to 1, use both. Open3D and trimesh read
# the first set for all. Open3D and VTK do not heed the transform (nor does trimesh: trimesh-colours-of-gltf.sh),
# though the file lists the extension as required, so that who does not know it refuses. A label that shows the green
# quarter of an atlas comes with all four of its colours, or with others. The shape is right, and so is whatever has
# one set and no transform. A pose that is told from symmetry by the picture, or a model that is drawn to train on,
# goes wrong without a word. VTK heeds texCoord. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  trimesh==5.2.0 open3d-cpu==0.20.0 pyvista==0.49.1 vtk==9.7.2 pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import base64
import io
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import open3d
import pyvista
import trimesh
from PIL import Image

print(*(f"{name} {version(name)}" for name in ("trimesh", "open3d-cpu", "pyvista", "vtk")), sep=", ")
NAMES = np.array([["red", "green"], ["blue", "yellow"]])
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
FACES = np.array([0, 1, 2, 0, 2, 3], np.uint16)
WHOLE = np.array([[0.02, 0.98], [0.98, 0.98], [0.98, 0.02], [0.02, 0.02]], np.float32)  # v counts downwards in glTF
QUARTER = WHOLE * 0.5  # the upper left one


def data(content, kind="application/octet-stream"):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def write(path, texture):
    """A plate with an atlas of four colours, two sets of texture coordinates, and what its material says of them."""
    atlas = np.array([[COLOURS[name] for name in row] for row in NAMES], np.uint8).repeat(32, axis=0).repeat(32, axis=1)
    picture = io.BytesIO()
    Image.fromarray(atlas).save(picture, "PNG")
    blocks = [block.tobytes() for block in (CORNERS, WHOLE, QUARTER, FACES)]
    starts = np.cumsum([0] + [len(block) for block in blocks]).tolist()
    attributes = {"POSITION": 0, "TEXCOORD_0": 1, "TEXCOORD_1": 2}
    kinds = [("VEC3", 5126, 4), ("VEC2", 5126, 4), ("VEC2", 5126, 4), ("SCALAR", 5123, 6)]
    accessors = [
        {"bufferView": k, "componentType": component, "count": count, "type": kind}
        for k, (kind, component, count) in enumerate(kinds)
    ]
    accessors[0] |= {"min": [0, 0, 0], "max": [1, 1, 0]}
    tree = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": attributes, "indices": 3, "material": 0}]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0} | texture}}],
        "textures": [{"source": 0}],
        "images": [{"uri": data(picture.getvalue(), "image/png")}],
        "accessors": accessors,
        "bufferViews": [
            {"buffer": 0, "byteOffset": start, "byteLength": len(block)}
            for start, block in zip(starts, blocks, strict=False)
        ],
        "buffers": [{"byteLength": starts[-1], "uri": data(b"".join(blocks))}],
    }
    if "extensions" in texture:
        tree["extensionsUsed"] = tree["extensionsRequired"] = list(texture["extensions"])
    Path(path).write_text(json.dumps(tree))


def at_corners(columns, rows):
    """The colours of the atlas at the plate's four corners, by parts of the picture's width and, downwards, height."""
    return [str(NAMES[int(row >= 0.5), int(column >= 0.5)]) for column, row in zip(columns, rows, strict=True)]


def by_trimesh(path):
    (mesh,) = trimesh.load_scene(path).geometry.values()
    order = [int(np.argmin(np.linalg.norm(mesh.vertices - corner, axis=1))) for corner in CORNERS]
    seen = mesh.visual.to_color().vertex_colors[order, :3]
    return [next(name for name, rgb in COLOURS.items() if np.array_equal(rgb, one)) for one in seen]


def by_open3d(path):
    mesh = open3d.io.read_triangle_mesh(path)
    places = np.asarray(mesh.vertices)[np.asarray(mesh.triangles).ravel()]
    uv = np.asarray(mesh.triangle_uvs)[[int(np.argmin(np.linalg.norm(places - one, axis=1))) for one in CORNERS]]
    return at_corners(uv[:, 0], 1.0 - uv[:, 1])  # Open3D counts upwards, with the picture on its head


def by_vtk(path):
    mesh = pyvista.read(path).combine()
    order = [int(np.argmin(np.linalg.norm(mesh.points - corner, axis=1))) for corner in CORNERS]
    uv = np.asarray(mesh.active_texture_coordinates)[order]
    return at_corners(uv[:, 0], uv[:, 1])


def moved(**how):
    return {"extensions": {"KHR_texture_transform": how}}


ALL = ["blue", "yellow", "green", "red"]
for name, texture, right, heeds in (
    ("one set", {}, ALL, {"trimesh", "Open3D", "VTK"}),
    ("the second set", {"texCoord": 1}, ["red"] * 4, {"VTK"}),
    ("moved and scaled", moved(offset=[0.5, 0.0], scale=[0.5, 0.5]), ["green"] * 4, set()),
    ("moved", moved(offset=[0.5, 0.0]), ["yellow", "blue", "red", "green"], set()),
):
    write("plate.gltf", texture)
    found = {"Open3D": by_open3d("plate.gltf"), "VTK": by_vtk("plate.gltf")}
    if "extensions" not in texture:
        found["trimesh"] = by_trimesh("plate.gltf")
    print(f"{name}: {right} by the format")
    for library, colours in found.items():
        print(f"  {library}: {colours}")
        assert colours == (right if library in heeds else ALL), library
print("as found: the picture is elsewhere")
PYTHON
