#!/usr/bin/env bash
# open3d-cpu 0.20.0, pyvista 0.49.1 and assimp-py 1.1.0: parts of a GLB that are mirrored by their node come inside out.
#
# CAD and Blender write the left and the right of a pair as one mesh with two nodes, the second with a scale of -1. Corners
# of a triangle go round the other way in a mirror, so glTF says that its outside is then the other side. All three bake the
# node's matrix into the vertices, which is right, and leave the corners as they are: the mirrored part has a negative
# volume and normals that look inwards. With back faces left out, its far wall is drawn, its depth is too large by the
# part's thickness and, beside a part that is right, nobody takes it for a fault of the file. One volume for both parts is
# 0. trimesh turns them. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  open3d-cpu==0.20.0 pyvista==0.49.1 assimp-py==1.1.0 trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import json
import struct
from importlib.metadata import version
from pathlib import Path

import assimp_py
import numpy as np
import open3d as o3d
import pyvista
import trimesh

for name in ("open3d-cpu", "pyvista", "assimp-py", "trimesh"):
    print(name, version(name))
brick = trimesh.creation.box((0.1, 0.2, 0.3)).apply_translation([0.1, 0.0, 0.0])  # x from 0.05 to 0.15
points, faces = brick.vertices.astype(np.float32), brick.faces.astype(np.uint32)
TRUE = 0.1 * 0.2 * 0.3
blob = points.tobytes() + faces.tobytes()
scene = {
    "asset": {"version": "2.0"},
    "scene": 0,
    "scenes": [{"nodes": [0, 1]}],
    "nodes": [{"mesh": 0}, {"mesh": 0, "scale": [-1, 1, 1]}],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
    "accessors": [
        {
            "bufferView": 0, "componentType": 5126, "count": len(points), "type": "VEC3",
            "min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist(),
        },
        {"bufferView": 1, "componentType": 5125, "count": faces.size, "type": "SCALAR"},
    ],
    "bufferViews": [
        {"buffer": 0, "byteOffset": 0, "byteLength": points.nbytes},
        {"buffer": 0, "byteOffset": points.nbytes, "byteLength": faces.nbytes},
    ],
    "buffers": [{"byteLength": len(blob)}],
}  # fmt: skip
text = json.dumps(scene).encode()
text += b" " * (-len(text) % 4)
Path("pair.glb").write_bytes(
    struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(blob))
    + struct.pack("<II", len(text), 0x4E4F534A) + text
    + struct.pack("<II", len(blob), 0x004E4942) + blob
)  # fmt: skip


def with_trimesh():
    mesh = trimesh.load("pair.glb").to_geometry()
    return mesh.vertices, mesh.faces


def with_open3d():
    mesh = o3d.io.read_triangle_mesh("pair.glb")
    return mesh.vertices, mesh.triangles


def with_pyvista():
    mesh = pyvista.read("pair.glb").combine().extract_surface(algorithm=None).triangulate()
    return mesh.points, mesh.faces.reshape(-1, 4)[:, 1:]


def with_assimp():
    read = assimp_py.import_file("pair.glb", assimp_py.Process_Triangulate | assimp_py.Process_PreTransformVertices)
    corners, triangles, start = [], [], 0
    for mesh in read.meshes:
        corners.append(np.array(mesh.vertices, float).reshape(-1, 3))
        triangles.append(np.array(mesh.indices).reshape(-1, 3) + start)
        start += len(corners[-1])
    return np.concatenate(corners), np.concatenate(triangles)


for name, read in (("trimesh", with_trimesh), ("open3d", with_open3d), ("pyvista", with_pyvista), ("assimp-py", with_assimp)):
    vertices, triangles = (np.asarray(part) for part in read())
    a, b, c = (vertices[triangles[:, corner]].astype(float) for corner in range(3))
    parts = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0
    left = (a + b + c)[:, 0] < 0.0
    assert left.sum() == (~left).sum() == 12 and np.isclose(vertices[:, 0].min(), -0.15)
    print(f"{name}: volume of the part {parts[~left].sum():+.4f}, of the mirrored one {parts[left].sum():+.4f} m3")
    assert np.isclose(parts[~left].sum(), TRUE)
    assert np.isclose(parts[left].sum(), TRUE if name == "trimesh" else -TRUE)
print("as found: a mirror turns a part inside out")
PYTHON
