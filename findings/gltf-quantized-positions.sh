#!/usr/bin/env bash
# trimesh 5.2.0, open3d-cpu 0.20.0 and assimp-py 1.1.0: a GLB that was made small comes 32767 times too large, or as a line of kilometres.
#
# Tools that make glTF small write positions as 16-bit integers (KHR_mesh_quantization): normalised ones, which stand for -1
# to 1 and are brought to size by the node, or plain ones. The file lists the extension as required, so that a reader that
# does not know it refuses. These three read on. trimesh takes the integers of normalised positions for lengths: a part of
# 10 x 20 x 30 cm is 3.3 x 6.6 x 9.8 km; the plain ones it has right. Open3D and assimp take the bytes of integers for those
# of floats, in either kind, and all is on one line of 7 km, or of 4 x 10^12 m. Nothing is said; what fits its camera to the
# object shows trimesh's as it should be. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  open3d-cpu==0.20.0 assimp-py==1.1.0 trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import json
import struct
from importlib.metadata import version
from pathlib import Path

import assimp_py
import numpy as np
import open3d as o3d
import trimesh

for name in ("trimesh", "open3d-cpu", "assimp-py"):
    print(name, version(name))
SIZE = np.array([0.1, 0.2, 0.3])
brick = trimesh.creation.box(SIZE).apply_translation(SIZE / 2.0)
faces = brick.faces.astype(np.uint16)


def written(file, normalised):
    """A GLB of the brick with 16-bit positions, each padded to 8 bytes as the format asks for."""
    scale = 0.3 if normalised else 1e-5
    whole = np.zeros((len(brick.vertices), 4), np.int16)
    whole[:, :3] = np.round(brick.vertices / scale * (32767 if normalised else 1))
    blob = whole.tobytes() + faces.tobytes()
    scene = {
        "asset": {"version": "2.0"},
        "extensionsUsed": ["KHR_mesh_quantization"],
        "extensionsRequired": ["KHR_mesh_quantization"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "scale": [scale] * 3}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {
                "bufferView": 0, "componentType": 5122, "normalized": normalised, "count": len(whole), "type": "VEC3",
                "min": whole[:, :3].min(axis=0).tolist(), "max": whole[:, :3].max(axis=0).tolist(),
            },
            {"bufferView": 1, "componentType": 5123, "count": faces.size, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": whole.nbytes, "byteStride": 8, "target": 34962},
            {"buffer": 0, "byteOffset": whole.nbytes, "byteLength": faces.nbytes, "target": 34963},
        ],
        "buffers": [{"byteLength": len(blob)}],
    }  # fmt: skip
    text = json.dumps(scene).encode()
    text += b" " * (-len(text) % 4)
    blob += b"\0" * (-len(blob) % 4)
    Path(file).write_bytes(
        struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(blob))
        + struct.pack("<II", len(text), 0x4E4F534A) + text
        + struct.pack("<II", len(blob), 0x004E4942) + blob
    )  # fmt: skip


def with_trimesh(file):
    return trimesh.load(file).to_geometry().vertices


def with_open3d(file):
    return np.asarray(o3d.io.read_triangle_mesh(file).vertices)


def with_assimp(file):
    read = assimp_py.import_file(file, assimp_py.Process_Triangulate | assimp_py.Process_PreTransformVertices)
    return np.concatenate([np.array(mesh.vertices, float).reshape(-1, 3) for mesh in read.meshes])


for normalised in (True, False):
    file = f"{'normalised' if normalised else 'plain'}.glb"
    written(file, normalised)
    for name, read in (("trimesh", with_trimesh), ("open3d", with_open3d), ("assimp-py", with_assimp)):
        vertices = read(file)
        wide = np.ptp(vertices, axis=0)
        print(f"{file}, {name}: {len(vertices)} vertices, " + " x ".join(f"{length:.4g}" for length in wide) + " m")
        if name == "trimesh":
            assert np.allclose(wide, SIZE * (32767 if normalised else 1), rtol=1e-3)
        else:
            assert wide.max() > 1e3 and np.sort(wide)[1] < 1e-6  # a line
print("as found: what is required is not asked for")
PYTHON
