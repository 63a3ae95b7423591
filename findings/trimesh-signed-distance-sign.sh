#!/usr/bin/env bash
# trimesh 5.2.0, open3d-cpu 0.20.0, libigl 2.6.3 and point-cloud-utils 0.34.0: trimesh's signed distance is positive inside.
#
# Of a closed mesh and a point in it, Open3D, libigl and point-cloud-utils give a negative number, as TSDFs and networks have it.
# trimesh.proximity.signed_distance gives a positive one, and a negative one outside. Where one stands for another, what is to be kept
# apart is pushed into each other: the deepest penetration of two objects is taken for the widest gap. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  trimesh==5.2.0 rtree==1.4.1 scipy==1.17.1 open3d-cpu==0.20.0 libigl==2.6.3 point-cloud-utils==0.34.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import igl
import numpy as np
import open3d
import point_cloud_utils
import trimesh

print(*(f"{name} {version(name)}" for name in ("trimesh", "open3d-cpu", "libigl", "point-cloud-utils")))
mesh = trimesh.creation.box((0.2, 0.2, 0.2))
assert mesh.is_watertight and mesh.volume > 0.0
POINTS = np.array([[0.0, 0.0, 0.07], [0.0, 0.0, 0.15]])  # 3 cm within a side, and 5 cm outside of it
vertices, faces = np.asarray(mesh.vertices), np.asarray(mesh.faces)


def by_open3d():
    scene = open3d.t.geometry.RaycastingScene()
    scene.add_triangles(open3d.core.Tensor(vertices.astype(np.float32)), open3d.core.Tensor(faces.astype(np.uint32)))
    return scene.compute_signed_distance(open3d.core.Tensor(POINTS.astype(np.float32))).numpy()


for name, distances, expected in (
    ("trimesh", trimesh.proximity.signed_distance(mesh, POINTS), [0.03, -0.05]),
    ("Open3D", by_open3d(), [-0.03, 0.05]),
    ("libigl", igl.signed_distance(POINTS, vertices, faces)[0], [-0.03, 0.05]),
    ("point-cloud-utils", point_cloud_utils.signed_distance_to_mesh(POINTS, vertices, faces)[0], [-0.03, 0.05]),
):
    print(f"{name}: {distances[0]:+.3f} inside, {distances[1]:+.3f} outside")
    assert np.allclose(distances, expected, atol=1e-5), name
print("as found: the other sign")
PYTHON
