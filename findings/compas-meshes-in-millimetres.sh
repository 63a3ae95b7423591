#!/usr/bin/env bash
# compas 2.15.1: a mesh in metres is rounded to millimetres on its way in and out, and its STL lies beside its own origin.
#
# The unit of COMPAS is the metre, and its precision three decimals. Mesh.from_stl and from_obj take vertices for one that
# agree to three decimals, and drop the faces that shrink to nothing by it: a disc of 12 mm, of 64 sides, loses 48 of 130
# vertices and 96 of 256 faces; from_vertices_and_faces keeps all. to_obj writes three decimals, so that a ring is a
# staircase. In millimetres all is well, so the same part is right in one unit and not in the other. And to_stl, with
# every digit, moves a mesh that has negative coordinates until its smallest are 0: a part whose origin is its middle,
# handed on by it to what finds or tracks it, has every pose off by half its size. The mesh in memory, and one whose
# coordinates are positive, stay. Neither is warned of. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check compas==2.15.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import numpy as np
from compas.datastructures import Mesh
from compas.tolerance import TOL

print("compas", version("compas"), "unit", TOL.unit, "precision", TOL.precision)
assert TOL.unit == "M" and TOL.precision == 3
# A disc of 12 mm across and 4 mm high, about the origin, with 64 sides: 130 vertices, 256 triangles, metres.
SIDES, RADIUS, HEIGHT = 64, 0.006, 0.004
angles = np.linspace(0.0, 2.0 * np.pi, SIDES, endpoint=False)
ring = np.c_[RADIUS * np.cos(angles), RADIUS * np.sin(angles), np.full(SIDES, -HEIGHT / 2.0)]
top = [0.0, 0.0, HEIGHT]
vertices = np.r_[ring, ring + top, [[0.0, 0.0, -HEIGHT / 2.0], [0.0, 0.0, HEIGHT / 2.0]]]
faces = []
for i in range(SIDES):
    j = (i + 1) % SIDES
    faces += [[i, j, SIDES + j], [i, SIDES + j, SIDES + i], [2 * SIDES, j, i], [2 * SIDES + 1, SIDES + i, SIDES + j]]


def write_stl(path, points):
    lines = ["solid disc"]
    for a, b, c in points[np.array(faces)]:
        normal = np.cross(b - a, c - a)
        lines.append("facet normal {:.9g} {:.9g} {:.9g}\nouter loop".format(*normal / np.linalg.norm(normal)))
        lines += ["vertex {:.9g} {:.9g} {:.9g}".format(*corner) for corner in (a, b, c)] + ["endloop\nendfacet"]
    path.write_text("\n".join([*lines, "endsolid disc\n"]))


def write_obj(path, points):
    lines = ["v {:.9g} {:.9g} {:.9g}".format(*point) for point in points]
    path.write_text("\n".join(lines + [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]) + "\n")


def points_of(mesh):
    return np.array([mesh.vertex_coordinates(key) for key in mesh.vertices()])


for name, scale in (("metres", 1.0), ("millimetres", 1e3)):
    for ending, write, read in (("stl", write_stl, Mesh.from_stl), ("obj", write_obj, Mesh.from_obj)):
        path = Path(f"disc.{ending}")
        write(path, scale * vertices)
        mesh = read(str(path))
        counts = mesh.number_of_vertices(), mesh.number_of_faces()
        print(f"{ending} in {name}: {counts[0]} of {len(vertices)} vertices, {counts[1]} of {len(faces)} faces")
        assert counts == (130, 256) if scale > 1.0 else (counts[0] < 100 and counts[1] < 200)
    mesh = Mesh.from_vertices_and_faces((scale * vertices).tolist(), faces)
    assert mesh.number_of_vertices() == 130 and mesh.number_of_faces() == 256
    mesh.to_obj("out.obj")
    lines = [line.split()[1:] for line in Path("out.obj").read_text().splitlines() if line.startswith("v ")]
    off = 1e3 / scale * np.abs(np.array(lines, dtype=float) - scale * vertices).max()
    print(f"to_obj in {name}: up to {off:.4f} mm off, {len(set(map(tuple, lines)))} places of {len(vertices)}")
    assert 0.4 < off <= 0.501 if scale == 1.0 else off < 0.00051
    mesh.to_stl("out.stl")
    text = Path("out.stl").read_text()
    written = np.array([line.split()[1:] for line in text.splitlines() if line.strip().startswith("vertex")], dtype=float)
    low = written.min(axis=0) / scale
    centre = 1e3 / scale * (written.min(axis=0) + written.max(axis=0)) / 2.0
    print(f"to_stl in {name}: begins at {low.round(6).tolist()}, its middle moved by {centre.round(3).tolist()} mm")
    assert np.allclose(low, 0.0, atol=1e-9) and np.allclose(centre, [6.0, 6.0, 2.0], atol=1e-3)
    assert np.allclose(points_of(mesh), scale * vertices)  # the mesh itself stays
    beside = Mesh.from_vertices_and_faces((scale * (vertices + 1.0)).tolist(), faces)
    beside.to_stl("beside.stl")
    text = Path("beside.stl").read_text()
    written = np.array([line.split()[1:] for line in text.splitlines() if line.strip().startswith("vertex")], dtype=float)
    print(f"  and of one a metre beside: begins at {(written.min(axis=0) / scale).round(6).tolist()}")
    assert np.allclose(written.min(axis=0) / scale, (vertices + 1.0).min(axis=0), atol=1e-6)
print("as found: three decimals of a metre, and no negative coordinate")
PYTHON
