#!/usr/bin/env bash
# trimesh 5.2.0: concave polygons of OBJ and PLY files are filled, with no warning.
#
# Polygons are cut as a fan from their first corner, whatever their shape. A square of 100 x 100 with a notch of 2500 comes
# back with 12,500 of area, part of it drawn over itself, or with 7,500, depending on the corner that comes first. Its
# silhouette, its centre and anything that is measured against it are wrong. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import io
from importlib.metadata import version

import trimesh

print("trimesh", version("trimesh"))
OUTLINE = [(-50, -50), (0, 0), (50, -50), (50, 50), (-50, 50)]
HEADER = """ply
format ascii 1.0
element vertex 5
property float x
property float y
property float z
element face 1
property list uchar int vertex_indices
end_header
"""


def areas(first):
    """Of the triangles that an OBJ and a PLY are cut into, with the polygon from one of its corners on."""
    outline = OUTLINE[first:] + OUTLINE[:first]
    places = [f"{x} {y} 0\n" for x, y in outline]
    obj = "".join("v " + place for place in places) + "f 1 2 3 4 5\n"
    ply = HEADER + "".join(places) + "5 0 1 2 3 4\n"
    for kind, text in (("obj", obj), ("ply", ply)):
        yield float(trimesh.load_mesh(io.BytesIO(text.encode()), file_type=kind, process=False).area)


found = {first: tuple(areas(first)) for first in range(len(OUTLINE))}
for first, (obj, ply) in found.items():
    print(f"from corner {first} on: area {obj:g} as OBJ, {ply:g} as PLY; it is 7500")
assert all(obj == ply for obj, ply in found.values()), found
assert {obj for obj, _ in found.values()} == {7500.0, 12500.0}, found
print("as found: right or wrong by the corner that comes first")
PYTHON
