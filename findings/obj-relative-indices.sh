#!/usr/bin/env bash
# trimesh 5.2.0 and meshio 5.3.5: of an OBJ whose faces count backwards, all parts but the last are lost, or faces join wrong corners.
#
# A corner of a face in OBJ may be negative: -1 is the vertex that was read last, -8 the eighth from there, so that an
# exporter can write part after part and needs no sums. trimesh counts back from the end of the file: each part is drawn
# with the vertices of the last one. Of a brick and a smaller one on top of it, the smaller comes twice, in one place, and
# the brick not at all, with all the faces there are; extents, volume and centre are those of two small ones. meshio counts
# from the end as well, and one too far, so that no triangle is right. Neither says anything. A file of one part hides it
# from trimesh. Open3D reads it right, and libigl does. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  trimesh==5.2.0 meshio==5.3.5 open3d-cpu==0.20.0 libigl==2.6.3 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import igl
import meshio
import numpy as np
import open3d as o3d
import trimesh

for name in ("trimesh", "meshio", "open3d-cpu", "libigl"):
    print(name, version(name))
PARTS = {
    "brick": trimesh.creation.box((0.2, 0.1, 0.1)),
    "knob": trimesh.creation.box((0.02, 0.02, 0.04)).apply_translation([0.05, 0.0, 0.08]),
}


def written(relative):
    """The name of an OBJ of both parts, with faces that count backwards or from the file's beginning."""
    lines, before = ["v 9 9 9"], 1  # a vertex that no face has
    for name, part in PARTS.items():
        lines += [f"o {name}", *("v " + " ".join(f"{number:.6f}" for number in vertex) for vertex in part.vertices)]
        first = -len(part.vertices) if relative else before + 1
        lines += ["f " + " ".join(map(str, face)) for face in part.faces + first]
        before += len(part.vertices)
    file = "relative.obj" if relative else "absolute.obj"
    Path(file).write_text("\n".join(lines) + "\n")
    return file


def with_trimesh(file):
    mesh = trimesh.load_mesh(file)
    return mesh.vertices, mesh.faces


def with_meshio(file):
    mesh = meshio.read(file)
    return mesh.points, mesh.cells_dict["triangle"]


def with_open3d(file):
    mesh = o3d.io.read_triangle_mesh(file)
    return mesh.vertices, mesh.triangles


def with_igl(file):
    return igl.read_triangle_mesh(file)[:2]


TRUE = sum(part.volume for part in PARTS.values())
for relative in (False, True):
    file = written(relative)
    for name, read in (("trimesh", with_trimesh), ("meshio", with_meshio), ("open3d", with_open3d), ("libigl", with_igl)):
        vertices, faces = (np.asarray(part) for part in read(file))
        corners = vertices[faces].astype(float)
        volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6.0
        wide = np.ptp(corners.reshape(-1, 3), axis=0)
        print(
            f"{file}, {name}: {len(faces)} triangles, " + " x ".join(f"{1e3 * length:.0f}" for length in wide)
            + f" mm, {1e6 * volume:.0f} cm3"
        )  # fmt: skip
        assert len(faces) == 24
        if not relative or name in ("open3d", "libigl"):
            assert np.allclose(wide, [0.2, 0.1, 0.15], atol=1e-5) and np.isclose(volume, TRUE, rtol=1e-3)
        elif name == "trimesh":
            assert np.allclose(wide, [0.02, 0.02, 0.04], atol=1e-5)
            assert np.isclose(volume, 2.0 * PARTS["knob"].volume, rtol=1e-3)
        else:
            assert abs(volume / TRUE - 1.0) > 0.3
print("as found: backwards is from the end of the file")
PYTHON
