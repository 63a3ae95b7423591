#!/usr/bin/env bash
# open3d-cpu 0.20.0, pymeshlab 2025.7.post1, trimesh 5.2.0: colours of a PLY that are not bytes come as black, white or noise.
#
# PLY lets each property have any of its types. Colours are mostly uchar; what writes arrays as they are (meshio, plyfile, one's own
# few lines) writes float red 0 to 1, or ushort of scanners with 16 bits. Open3D, mesh and point cloud, divides by 255 whatever
# the type is: floats come 255 times too dark, black to the eye, and ushort 257 times too bright, up to 257.0 where 1 is white.
# pymeshlab has no colours then, and gives white. trimesh reads the floats right, and keeps the lower byte alone of ushort: 0.5
# is 0. A float of 0 to 255 is right in Open3D alone; trimesh makes it white. None of them says so: a renderer draws a black or a
# white object, and a photograph is compared with it. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  open3d-cpu==0.20.0 pymeshlab==2025.7.post1 trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import numpy as np
import open3d
import pymeshlab
import trimesh

print(*(f"{name} {version(name)}" for name in ("open3d-cpu", "pymeshlab", "trimesh")), sep=", ")
BOX = trimesh.creation.box((0.1, 0.06, 0.04))
COLOURS = np.tile([0.8, 0.5, 0.25], (len(BOX.vertices), 1))


def by_trimesh(path):
    return trimesh.load(path, process=False).visual.vertex_colors[0, :3] / 255.0


def by_open3d(path):
    mesh = open3d.io.read_triangle_mesh(path)
    assert mesh.has_vertex_colors()
    cloud = open3d.io.read_point_cloud(path)
    assert np.allclose(np.asarray(mesh.vertex_colors), np.asarray(cloud.colors))
    return np.asarray(mesh.vertex_colors)[0]


def by_pymeshlab(path):
    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(path)
    mesh = meshes.current_mesh()
    assert mesh.has_vertex_color() == ("uchar red" in Path(path).read_text())
    return mesh.vertex_color_matrix()[0, :3]


def written(kind, values):
    """An ASCII PLY with colours of a type."""
    head = ["ply", "format ascii 1.0", f"element vertex {len(BOX.vertices)}"]
    head += [f"property float {axis}" for axis in "xyz"] + [f"property {kind} {name}" for name in ("red", "green", "blue")]
    head += [f"element face {len(BOX.faces)}", "property list uchar int vertex_indices", "end_header"]
    points = [" ".join(map(str, (*place, *colour))) for place, colour in zip(BOX.vertices, values.tolist())]
    faces = [" ".join(map(str, (3, *face))) for face in BOX.faces]
    Path("box.ply").write_text("\n".join(head + points + faces) + "\n")
    return "box.ply"


KINDS = {
    "uchar": ("uchar", np.round(255 * COLOURS).astype(int)),
    "float 0 to 1": ("float", COLOURS),
    "ushort": ("ushort", np.round(65535 * COLOURS).astype(int)),
    "float 0 to 255": ("float", 255 * COLOURS),
}
READERS = {"Open3D": by_open3d, "pymeshlab": by_pymeshlab, "trimesh": by_trimesh}
found = {kind: {name: read(written(*of)) for name, read in READERS.items()} for kind, of in KINDS.items()}
for kind, colours in found.items():
    print(f"{kind}: of {COLOURS[0].tolist()}:", {name: np.round(colour, 4).tolist() for name, colour in colours.items()})
TRUE = COLOURS[0]
assert all(np.allclose(colour, TRUE, atol=0.003) for colour in found["uchar"].values())
assert np.allclose(found["float 0 to 1"]["Open3D"], TRUE / 255.0, atol=1e-6)
assert np.allclose(found["ushort"]["Open3D"], 257.0 * TRUE, atol=0.01)
assert np.allclose(found["float 0 to 255"]["Open3D"], TRUE, atol=0.003)
assert all(np.all(found[kind]["pymeshlab"] == 1.0) for kind in KINDS if kind != "uchar")
assert np.allclose(found["float 0 to 1"]["trimesh"], TRUE, atol=0.003)
assert np.allclose(found["ushort"]["trimesh"], (np.round(65535 * TRUE).astype(int) & 255) / 255.0)
assert np.all(found["float 0 to 255"]["trimesh"] == 1.0)
print("as found: one colour, and each type and library has its own")
PYTHON
