#!/usr/bin/env bash
# pymeshlab 2025.7.post1: get_hausdorff_distance of a simplified model is 0 where it is millimetres, as it is one way, of vertices.
#
# It is the usual check of a model that was made smaller, or mended. Hausdorff's distance is the larger of two ways, over all points
# of the surfaces; this goes from the sampled mesh to the target alone, from its vertices alone (sampleface is False), and the
# mesh that is sampled by default is the current one, which after a simplification is the small one. Vertices that were kept
# lie on what they were taken from: of a ball of 100 mm and the same with 320 of its 20480 triangles, the distance is 0.0, where
# it is 0.9 mm, and a plate that has lost a knob 30 mm high is 0.0 off. Twice, with sampleface=True, sampledmesh and targetmesh
# swapped, and the larger taken, gives both. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pymeshlab==2025.7.post1 trimesh==5.2.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import pymeshlab
import trimesh

print("pymeshlab", version("pymeshlab"))


def distances(whole, small):
    """In mm: as it comes with the small mesh current, as asked for from the whole, and of samples of faces both ways."""
    meshes = pymeshlab.MeshSet()
    for mesh in (whole, small):
        meshes.add_mesh(pymeshlab.Mesh(mesh.vertices, mesh.faces))
    of_faces = {"samplevert": True, "sampleface": True, "samplenum": 20000}
    ways = {
        "by default": [{}],
        "small to whole": [{"sampledmesh": 1, "targetmesh": 0}],
        "whole to small": [{"sampledmesh": 0, "targetmesh": 1}],
        "both ways, of faces": [{"sampledmesh": a, "targetmesh": 1 - a, **of_faces} for a in (0, 1)],
    }
    return {name: max(meshes.get_hausdorff_distance(**of)["max"] for of in each) for name, each in ways.items()}


ball = [trimesh.creation.icosphere(subdivisions=n, radius=50.0) for n in (5, 2)]  # vertices of the second are in the first
plate = trimesh.creation.box((200.0, 100.0, 10.0))
knob = trimesh.creation.box((40.0, 40.0, 30.0), transform=trimesh.transformations.translation_matrix([0, 0, 20.0]))
parts = {"a ball of 100 mm": ball, "a plate without its knob": [trimesh.util.concatenate([plate, knob]), plate]}
for name, (whole, small) in parts.items():
    found = distances(whole, small)
    print(f"{name}, {len(whole.faces)} and {len(small.faces)} triangles:", {way: round(mm, 3) for way, mm in found.items()})
    assert found["by default"] == found["small to whole"] < 1e-5
    if whole is ball[0]:
        assert 0.7 < found["both ways, of faces"] < 1.0
    else:
        assert 29.9 < found["both ways, of faces"] < 30.1
print("as found: 0.0 for what is kept")
PYTHON
