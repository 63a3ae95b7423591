#!/usr/bin/env bash
# trimesh 5.2.0, open3d-cpu 0.20.0 and assimp-py 1.1.0: of a glTF with weights, instances or a sparse accessor, another shape is read.
#
# What a viewer shows of a glTF is not its POSITION alone. A mesh's `weights` say how far its morph targets are on at rest,
# as of a lid or a gripper that is saved half open. EXT_mesh_gpu_instancing puts a mesh at many places, and a file may say
# that it cannot be read without. A sparse accessor writes over some of its values. trimesh, Open3D and assimp read a box
# whose lid is 10 cm open as shut, and of three bolts the first; trimesh leaves out what is written over as well, and a
# corner is 0.4 m from its place. Open3D and assimp have that right. None says anything; all three meshes are closed and
# valid. pyvista opens the lid. Fails if any of this changes.
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

for name in ("trimesh", "open3d-cpu", "assimp-py", "pyvista"):
    print(name, version(name))
brick = trimesh.creation.box((0.1, 0.2, 0.3))
points, faces = brick.vertices.astype(np.float32), brick.faces.astype(np.uint32)
FLOAT, UINT = 5126, 5125


class File:
    """A glTF of the brick, to which arrays may be added."""

    def __init__(self):
        self.blob = b""
        self.scene = {
            "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
            "bufferViews": [], "accessors": [],
        }  # fmt: skip
        self.vectors(points)
        self.scene["accessors"].append(
            {"bufferView": self.view(faces), "componentType": UINT, "count": faces.size, "type": "SCALAR"}
        )

    def view(self, array):
        self.scene["bufferViews"].append({"buffer": 0, "byteOffset": len(self.blob), "byteLength": array.nbytes})
        self.blob += array.tobytes()
        return len(self.scene["bufferViews"]) - 1

    def vectors(self, array):
        lowest, highest = array.min(axis=0).tolist(), array.max(axis=0).tolist()
        accessor = {"bufferView": self.view(array), "componentType": FLOAT, "count": len(array), "type": "VEC3"}
        self.scene["accessors"].append({**accessor, "min": lowest, "max": highest})
        return len(self.scene["accessors"]) - 1

    def write(self, name):
        self.scene["buffers"] = [{"byteLength": len(self.blob)}]
        text = json.dumps(self.scene).encode()
        text += b" " * (-len(text) % 4)
        Path(name).write_bytes(
            struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(self.blob))
            + struct.pack("<II", len(text), 0x4E4F534A) + text
            + struct.pack("<II", len(self.blob), 0x004E4942) + self.blob
        )  # fmt: skip


top = points[:, 2] > 0.0
lid = File()  # its top is 0.1 m higher with the weight 1 that it is saved with
lift = np.zeros_like(points)
lift[top, 2] = 0.1
lid.scene["meshes"][0]["weights"] = [1.0]
lid.scene["meshes"][0]["primitives"][0]["targets"] = [{"POSITION": lid.vectors(lift)}]
lid.write("lid.glb")

bolts = File()
extension = "EXT_mesh_gpu_instancing"
bolts.scene["extensionsUsed"] = bolts.scene["extensionsRequired"] = [extension]
places = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]], np.float32)
bolts.scene["nodes"][0]["extensions"] = {extension: {"attributes": {"TRANSLATION": bolts.vectors(places)}}}
bolts.write("bolts.glb")

corner = File()
last = np.flatnonzero(top)[-1:].astype(np.uint32)
moved = points[last] + np.array([[0.0, 0.0, 0.4]], np.float32)
corner.scene["accessors"][0]["sparse"] = {
    "count": 1,
    "indices": {"bufferView": corner.view(last), "componentType": UINT},
    "values": {"bufferView": corner.view(moved)},
}
corner.scene["accessors"][0]["max"][2] = float(moved[0, 2])
corner.write("corner.glb")


def with_trimesh(file):
    return trimesh.load(file).to_geometry().vertices


def with_open3d(file):
    return np.asarray(o3d.io.read_triangle_mesh(file).vertices)


def with_assimp(file):
    read = assimp_py.import_file(file, assimp_py.Process_Triangulate | assimp_py.Process_PreTransformVertices)
    return np.concatenate([np.array(mesh.vertices, float).reshape(-1, 3) for mesh in read.meshes])


TRUE = {"lid.glb": [0.1, 0.2, 0.4], "bolts.glb": [2.1, 0.2, 0.3], "corner.glb": [0.1, 0.2, 0.7]}
RIGHT = {("corner.glb", "open3d"), ("corner.glb", "assimp-py")}
for file, true in TRUE.items():
    for name, read in (("trimesh", with_trimesh), ("open3d", with_open3d), ("assimp-py", with_assimp)):
        wide = np.ptp(read(file), axis=0)
        print(f"{file}, {' x '.join(map(str, true))} m, {name}: " + " x ".join(f"{length:.1f}" for length in wide))
        assert np.allclose(wide, true if (file, name) in RIGHT else [0.1, 0.2, 0.3], atol=1e-5)
wide = np.ptp(pyvista.read("lid.glb").combine().points, axis=0)
print("lid.glb, pyvista: " + " x ".join(f"{length:.1f}" for length in wide))
assert np.allclose(wide, TRUE["lid.glb"], atol=1e-5)
print("as found: positions are not the shape")
PYTHON
