#!/usr/bin/env bash
# open3d-cpu 0.20.0 and opencv-python-headless 5.0.0.93: "distances" to the nearest points are their squares.
#
# ADD-S, which rates poses of symmetric objects, and the residual of ICP are means of distances to the nearest point,
# and a KD-tree gives those. search_knn_vector_3d of Open3D's KDTreeFlann and knnSearch of OpenCV's cv2.flann.Index
# give squares, and neither's help has a word of it; scipy's and scikit-learn's give distances. In metres a square
# looks like a very good distance: of a box of 20 cm that is 30 mm off, ADD-S is "0.25 mm", where it is 11 mm. The root
# of that mean is no cure, as it is not the mean of the roots. Nor are radii alike: search_radius_vector_3d takes a
# radius, radiusSearch its square, so that 0.02 looks within 14 cm. OpenCV's FlannBasedMatcher, on the same index, and
# Open3D's compute_point_cloud_distance give distances. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  open3d-cpu==0.20.0 opencv-python-headless==5.0.0.93 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

import cv2
import numpy as np
import open3d
from scipy.spatial import cKDTree

print(*(f"{name} {version(name)}" for name in ("open3d-cpu", "opencv-python-headless", "scipy")))
rng = np.random.default_rng(0)
SIZE = np.array([0.20, 0.14, 0.10])  # a box, in metres
points = rng.uniform(-0.5, 0.5, (4000, 3))
points[np.arange(len(points)), rng.integers(0, 3, len(points))] = rng.choice([-0.5, 0.5], len(points))
points = (points * SIZE).astype(np.float32).astype(float)
moved = (points + [0.03, 0.0, 0.0]).astype(np.float32).astype(float)
RADIUS = 0.02

true = cKDTree(points).query(moved)[0]
within = cKDTree(points).query_ball_point(moved[0], RADIUS, return_length=True)

cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
tree = open3d.geometry.KDTreeFlann(cloud)
by_open3d = np.array([tree.search_knn_vector_3d(point, 1)[2][0] for point in moved])
index = cv2.flann.Index(points.astype(np.float32), {"algorithm": 4})  # one exact tree
by_opencv = index.knnSearch(moved.astype(np.float32), 1, params={"checks": -1})[1].ravel()

print(f"mean over the points of the distance to the nearest: {1e3 * true.mean():.1f} mm")
for name, found, of in (
    ("open3d search_knn_vector_3d", by_open3d, tree.search_knn_vector_3d),
    ("cv2.flann.Index.knnSearch", by_opencv, index.knnSearch),
):
    print(f"{name}: {1e3 * found.mean():.2f} of a thousandth")
    assert np.allclose(found, true**2, atol=1e-8) and found.mean() < 0.05 * true.mean(), name
    assert not re.search("squar", of.__doc__, re.IGNORECASE), name

near = tree.search_radius_vector_3d(moved[0], RADIUS)[0]
far = index.radiusSearch(moved[:1].astype(np.float32), RADIUS, len(points), params={"checks": -1})[0]
root = cKDTree(points).query_ball_point(moved[0], RADIUS**0.5, return_length=True)
print(f"within {RADIUS}: {within} points; open3d finds {near}, cv2.flann {far}; within its square root: {root}")
assert near == within and far == root > 5 * within

others = np.array(open3d.geometry.PointCloud(open3d.utility.Vector3dVector(moved)).compute_point_cloud_distance(cloud))
matcher = cv2.FlannBasedMatcher({"algorithm": 4}, {"checks": -1})
matched = np.array([match.distance for match in matcher.match(moved.astype(np.float32), points.astype(np.float32))])
assert np.allclose(others, true, atol=1e-7) and np.allclose(matched, true, atol=1e-5)
print("as found: squares from the trees, distances from what is built on them")
PYTHON
