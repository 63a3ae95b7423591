#!/usr/bin/env bash
# open3d-cpu 0.20.0: o3d.io.read_triangle_mesh leaves out quads of an OBJ, and keeps the triangles beside them.
#
# A cube of six quads comes with no triangle at all; one whose lid is two triangles and whose other sides are quads, as CAD
# and Blender write them, comes as its lid alone. Vertices of the rest are left out too, so extents and centre are those of
# the lid. All that is said is a line of INFO, "Skipping non-triangle primitive geometry", which is no exception and no
# warning. With enable_post_processing=True the lid goes too. The same cube as PLY or OFF is cut into triangles by the very
# function, and the OBJ by o3d.t.io.read_triangle_mesh and read_triangle_model. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check open3d-cpu==0.20.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from pathlib import Path

import open3d as o3d

print("open3d", o3d.__version__)
PLACES = ["0 0 0", "1 0 0", "1 1 0", "0 1 0", "0 0 1", "1 0 1", "1 1 1", "0 1 1"]
LID, SIDES = [4, 5, 6, 7], [[3, 2, 1, 0], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]


def halves(quad):
    a, b, c, d = quad
    return [[a, b, c], [a, c, d]]


def obj(faces):
    lines = [f"v {place}" for place in PLACES] + ["f " + " ".join(str(k + 1) for k in face) for face in faces]
    Path("cube.obj").write_text("\n".join(lines) + "\n")
    return "cube.obj"


def ply(faces):
    head = ["ply", "format ascii 1.0", "element vertex 8", *(f"property float {axis}" for axis in "xyz")]
    head += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    lines = head + PLACES + [" ".join(map(str, [len(face), *face])) for face in faces]
    Path("cube.ply").write_text("\n".join(lines) + "\n")
    return "cube.ply"


def count(path, **how):
    mesh = o3d.io.read_triangle_mesh(path, **how)
    return len(mesh.triangles), mesh.get_surface_area() if mesh.has_triangles() else 0.0


quads, mixed = [LID, *SIDES], [*halves(LID), *SIDES]
triangles = [half for quad in quads for half in halves(quad)]
found = {
    "OBJ of triangles": count(obj(triangles)),
    "OBJ of quads": count(obj(quads)),
    "OBJ of quads but for its lid": count(obj(mixed)),
    "the same with post processing": count(obj(mixed), enable_post_processing=True),
    "PLY of quads": count(ply(quads)),
    "PLY of quads but for its lid": count(ply(mixed)),
}
for name, (number, area) in found.items():
    print(f"{name}: {number} triangles, area {area:.0f}")
assert list(found.values()) == [(12, 6.0), (0, 0.0), (2, 1.0), (0, 0.0), (12, 6.0), (12, 6.0)], found
half = o3d.io.read_triangle_mesh(obj(mixed))
print(f"its lowest point is {half.get_min_bound().tolist()}")
assert half.get_min_bound().tolist() == [0.0, 0.0, 1.0]
whole = o3d.t.io.read_triangle_mesh("cube.obj").triangle.indices.shape[0]
model = sum(len(part.mesh.triangles) for part in o3d.io.read_triangle_model("cube.obj").meshes)
print(f"the same file by o3d.t.io: {whole} triangles; by read_triangle_model: {model}")
assert whole == model == 12
print("as found: quads of an OBJ are left out")
PYTHON
