#!/usr/bin/env bash
# meshio 5.3.5: texture coordinates of an OBJ go to wrong corners, with no warning.
#
# Corners of an OBJ's faces name a vertex and a texture coordinate, "f 1/4 2/3 3/2". meshio leaves out the second number and
# gives the k-th `vt` of the file to the k-th `v`. Where a file has as many of one as of the other, in another order, the
# picture is on the mesh wrongly; `vn` are dealt out in the same way. With a seam, where one vertex has two coordinates, as
# nearly every textured mesh has one, it stops: "len(points) = 4, but len(point_data["obj:vt"]) = 6". What it writes of a
# textured mesh has `vt` lines that no face names. So it is no reader of textured meshes. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check meshio==5.3.5 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import meshio
import numpy as np

print("meshio", version("meshio"))
# A plate whose texture coordinates are its own x and y, listed forwards and backwards, and cut along its diagonal.
PLACES = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"
FORWARDS = PLACES + "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nf 1/1 2/2 3/3\nf 1/1 3/3 4/4\n"
BACKWARDS = PLACES + "vt 0 1\nvt 1 1\nvt 1 0\nvt 0 0\nf 1/4 2/3 3/2\nf 1/4 3/2 4/1\n"
CUT = PLACES + "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 0\nvt 1 1\nvt 0 1\nf 1/1 2/2 3/3\nf 1/4 3/5 4/6\n"
# A triangle whose normals are listed the other way round than its vertices.
NORMALS = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvn 0 1 0\nvn 1 0 0\nvn 0 0 1\nf 1//3 2//2 3//1\n"


def read(text):
    Path("plate.obj").write_text(text)
    return meshio.read("plate.obj")


for name, text in (("forwards", FORWARDS), ("backwards", BACKWARDS)):
    mesh = read(text)
    uv = mesh.point_data["obj:vt"]
    right = bool(np.array_equal(uv, mesh.points[:, :2]))
    print(f"{name}: {'right' if right else 'wrong'}, {uv.tolist()}")
    assert right == (name == "forwards"), uv
mesh.write("written.obj")
lines = Path("written.obj").read_text().splitlines()
faces = [line for line in lines if line.startswith("f ")]
print(f"written: {sum(line.startswith('vt ') for line in lines)} texture coordinates, faces {faces}")
assert faces == ["f 1 2 3", "f 1 3 4"] and sum(line.startswith("vt ") for line in lines) == 4

normals = read(NORMALS).point_data["obj:vn"]
print(f"normals: of the first vertex {normals[0].tolist()}, where the face says [0, 0, 1]")
assert normals[0].tolist() == [0.0, 1.0, 0.0], normals
try:
    read(CUT)
except ValueError as error:
    print(f"cut along its diagonal: ValueError: {error}")
else:
    raise AssertionError("the seam was read")
print("as found: what faces say of texture coordinates and normals is not read")
PYTHON
