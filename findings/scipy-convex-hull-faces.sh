#!/usr/bin/env bash
# scipy 1.17.1: half of the triangles of a ConvexHull in space are inside out.
#
# Hulls stand in for meshes, for collisions, masks or a coarse model of scanned points, and hull.simplices are triangles of
# the points. In the plane their order is that of the outline. In space it is chance: of 300 points, every second triangle
# looks inwards. hull.volume beside them is right. The mesh of points and simplices is closed, and draws well with both sides; with
# back faces left out, as a renderer does, it has holes through which the far wall is seen. Its volume by the usual sum is some per
# cent of the true one, and its centre of mass, by which models are centred, lies outside of it. hull.equations have the normals that
# look outwards, by which triangles can be turned; trimesh, Open3D and pymeshlab do that in their own hulls, and a
# Trimesh of the two arrays does not. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6 trimesh==5.2.0
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import trimesh
from scipy.spatial import ConvexHull

print("scipy", version("scipy"))
rng = np.random.default_rng(0)
shares, volumes, centres = [], [], []
for number in (300, 300, 300, 1000, 1000):
    points = rng.normal(size=(number, 3)) * [0.05, 0.03, 0.02] + [0.0, 0.0, 1.0]  # of an object at 1 m
    hull = ConvexHull(points)
    a, b, c = (points[hull.simplices[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    outwards = np.sum(normals * hull.equations[:, :3], axis=1) > 0.0
    mesh = trimesh.Trimesh(points, hull.simplices)
    turned = trimesh.Trimesh(points, np.where(outwards[:, None], hull.simplices, hull.simplices[:, ::-1]))
    wide = np.ptp(points, axis=0).max()
    shares.append(outwards.mean())
    volumes.append(mesh.volume / hull.volume)
    centres.append(np.linalg.norm(mesh.center_mass - turned.center_mass) / wide)
    print(
        f"{number} points: {outwards.sum()} of {len(outwards)} triangles look outwards; volume {100.0 * volumes[-1]:.1f} % of "
        f"hull.volume, centre of mass {100.0 * wide * centres[-1]:.0f} cm off for a width of {100.0 * wide:.0f} cm"
    )
    assert mesh.is_watertight and not mesh.is_winding_consistent
    assert turned.is_volume and abs(turned.volume / hull.volume - 1.0) < 1e-9
    own = trimesh.convex.convex_hull(points)
    assert own.is_volume and abs(own.volume / hull.volume - 1.0) < 1e-9
assert 0.3 < min(shares) and max(shares) < 0.7
assert max(np.abs(volumes)) < 0.9 and max(centres) > 1.0
print("as found: simplices are no faces")
PYTHON
