#!/usr/bin/env bash
# libigl 2.6.3 and point-cloud-utils 0.34.0: signed distances of overlapping parts are three times too long.
#
# The winding number tells inside from outside where a mesh is not clean: parts that stand in one another, as CAD
# leaves them, and scans with a hole. igl.signed_distance has SIGNED_DISTANCE_TYPE_FAST_WINDING_NUMBER among its ways
# to find the sign, and signed_distance_to_mesh has no other. What they return is not the distance with that sign but
# the distance times 1 - 2 w, w being the winding number: 1 inside of one closed mesh, so that a test with one is
# right, but 2 where two parts overlap, and a fraction beside a hole. A point 25 mm deep in two boxes has a distance of
# -75 mm. In a box without its lid, one that is 45 mm from the nearest side has -15 mm, and where the lid was 0, as if
# it were there. Fields for collisions and for fitting poses are smooth and wrong. Neither's help says so.
# SIGNED_DISTANCE_TYPE_PSEUDONORMAL has the right length. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  libigl==2.6.3 point-cloud-utils==0.34.0 trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

import igl
import numpy as np
import point_cloud_utils
import trimesh

print(*(f"{name} {version(name)}" for name in ("libigl", "point-cloud-utils")))


def distances(mesh, points):
    """In mm: true ones without a sign, those of libigl's two ways, and those of point-cloud-utils."""
    vertices, faces = np.ascontiguousarray(mesh.vertices), np.ascontiguousarray(mesh.faces, np.int64)
    true = np.sqrt(igl.point_mesh_squared_distance(points, vertices, faces)[0])
    pseudo = igl.signed_distance(points, vertices, faces, sign_type=igl.SIGNED_DISTANCE_TYPE_PSEUDONORMAL)[0]
    fast = igl.signed_distance(points, vertices, faces, sign_type=igl.SIGNED_DISTANCE_TYPE_FAST_WINDING_NUMBER)[0]
    other = point_cloud_utils.signed_distance_to_mesh(points, vertices, faces.astype(np.int32))[0]
    winding = igl.winding_number(vertices, faces, points)
    return (1e3 * np.asarray(of).ravel() for of in (true, pseudo, fast, other, 1e-3 * winding))


def told(name, mesh, points):
    print(name)
    true, pseudo, fast, other, winding = distances(mesh, points)
    for values in zip(points, true, pseudo, fast, other, winding, strict=True):
        point, length, right, by_winding, by_other, w = values
        print(
            f"  at {point}: {length:.1f} mm; libigl {right:.1f} and, by winding number, {by_winding:.1f}; "
            f"point-cloud-utils {by_other:.1f}; w = {w:.2f}"
        )
    assert np.allclose(np.abs(pseudo), true, atol=1e-6)
    assert np.allclose(fast, true * (1.0 - 2.0 * np.abs(winding)), atol=0.02 * true.max())
    assert np.allclose(other, fast, atol=0.02 * true.max())
    return true, fast


clean = trimesh.creation.box((0.1, 0.1, 0.1))
inside = np.array([[0.01, 0.003, 0.002], [0.04, 0.0, 0.0], [0.09, 0.0, 0.0]])
true, fast = told("one box", clean, inside)
assert np.allclose(np.abs(fast), true, rtol=0.01)

both = trimesh.util.concatenate([clean, trimesh.creation.box((0.1, 0.1, 0.1)).apply_translation([0.05, 0.003, 0.002])])
assert both.is_watertight
true, fast = told("two boxes, half in one another", both, np.array([[0.025, 0.0, 0.0], [0.03, 0.01, 0.005]]))
assert np.allclose(fast, -3.0 * true, rtol=0.01)

lid = clean.triangles_center[:, 2] > 0.049
scan = trimesh.Trimesh(clean.vertices, clean.faces[~lid], process=False)
points = np.array([[0.005, 0.003, 0.01], [0.005, 0.003, 0.03], [0.005, 0.003, 0.045]])
true, fast = told("a box without its lid", scan, points)
assert (np.abs(fast) < 0.9 * true).all() and np.abs(fast[1]) < 0.5 * true[1] and min(true) > 40.0

for of in (igl.signed_distance, point_cloud_utils.signed_distance_to_mesh):
    assert not re.search("scaled|multipl|1 *- *2", of.__doc__ or "")
print("as found: the distance is multiplied by 1 - 2 w")
PYTHON
