#!/usr/bin/env bash
# pymeshlab 2025.7.post1: a GLB that is converted to PLY, OBJ or STL loses its size, its attitude and all parts but the last.
#
# Meshes of glTF stand below nodes, which scale, turn and move them: centimetres to metres and z up to y up are nearly always
# written so. load_new_mesh keeps that as a matrix beside the vertices, and save_current_mesh leaves the matrix out, with no
# warning: a part of 10 x 20 x 30 mm, modelled in centimetres with z up, is saved as 1 x 2 x 3 "metres", by 90 degrees
# from what every viewer showed, and of two wheels the second, on the spot where its own file had it. vertex_matrix,
# bounding_box and filters such as decimation leave the matrix out as well, but volume and area by get_geometric_measures do not:
# they and the saved file differ by a factor of a million. load_in_a_single_layer=True, or apply_matrix_freeze, keep all; trimesh
# and Open3D read the same files right. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  pymeshlab==2025.7.post1 trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1 networkx==3.6.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import json
import struct
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pymeshlab
import trimesh

print("pymeshlab", version("pymeshlab"), "trimesh", version("trimesh"))
PART = trimesh.creation.box((1.0, 2.0, 3.0))  # as it was modelled: centimetres, z up
HALF = float(np.sqrt(0.5))
CENTIMETRES_Z_UP = {"scale": [0.01] * 3, "rotation": [-HALF, 0.0, 0.0, HALF]}


def glb(path, nodes):
    """A file with one mesh, whose first node is the root."""
    places, faces = PART.vertices.astype(np.float32), PART.faces.astype(np.uint16)
    data = places.tobytes() + faces.tobytes()
    views = [(0, places.nbytes), (places.nbytes, faces.nbytes)]
    tree = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [{"byteLength": len(data)}],
        "bufferViews": [{"buffer": 0, "byteOffset": start, "byteLength": length} for start, length in views],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": len(places), "type": "VEC3",
             "min": places.min(axis=0).tolist(), "max": places.max(axis=0).tolist()},
            {"bufferView": 1, "componentType": 5123, "count": faces.size, "type": "SCALAR"},
        ],
    }  # fmt: skip
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    data += b"\0" * (-len(data) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    Path(path).write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)


def size(vertices):
    return np.ptp(np.asarray(vertices), axis=0).round(4).tolist()


glb("part.glb", [{**CENTIMETRES_Z_UP, "children": [1]}, {"mesh": 0}])
glb("wheels.glb", [{"children": [1, 2]}, {"mesh": 0, "translation": [-5, 0, 0]}, {"mesh": 0, "translation": [5, 0, 0]}])
TRUE = {"part.glb": [0.01, 0.03, 0.02], "wheels.glb": [11.0, 2.0, 3.0]}
for name, true in TRUE.items():
    seen = trimesh.load(name, force="mesh")
    assert size(seen.vertices) == true, size(seen.vertices)
    layers = pymeshlab.MeshSet()
    layers.load_new_mesh(name)
    print(f"{name}: {true} by trimesh; {len(layers)} meshes, vertex_matrix {size(layers.current_mesh().vertex_matrix())}")
    for ending in ("ply", "obj", "stl"):
        layers.save_current_mesh(f"saved.{ending}")
        saved = trimesh.load(f"saved.{ending}", force="mesh")
        print(f"  saved as {ending}: {size(saved.vertices)}, middle at {saved.bounds.mean(axis=0).round(3).tolist()}")
        assert size(saved.vertices) == [1.0, 2.0, 3.0] and np.abs(saved.bounds.mean(axis=0)).max() < 1e-6
    if name == "part.glb":
        volume = layers.get_geometric_measures()["mesh_volume"]
        print(f"  volume by get_geometric_measures {volume:.1e}, of the saved file {saved.volume:.1f}")
        assert abs(volume - 6e-6) < 1e-8 and abs(saved.volume - 6.0) < 1e-3
        layers.apply_matrix_freeze()
        layers.save_current_mesh("frozen.ply")
        assert size(trimesh.load("frozen.ply").vertices) == true
    whole = pymeshlab.MeshSet()
    whole.load_new_mesh(name, load_in_a_single_layer=True)
    whole.save_current_mesh("whole.ply")
    print(f"  with load_in_a_single_layer: {size(trimesh.load('whole.ply').vertices)}")
    assert size(trimesh.load("whole.ply").vertices) == true
print("as found: the matrix of a node is not saved")
PYTHON
