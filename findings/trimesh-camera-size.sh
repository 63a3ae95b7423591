#!/usr/bin/env bash
# trimesh 5.2.0: a camera that is given a calibrated K has another picture size, and its rays count rows from below.
#
# scene.camera with camera_rays() is the way to depth and masks of a mesh without a graphics card. A calibrated K, set as camera.K,
# sets the resolution to twice the principal point, cut off to whole pixels: for K of 640 x 480 with (331.7, 232.4), rays of 663 x
# 464 pixels come back, which do not fit the photograph. Setting the resolution again puts the principal point back to the middle,
# 12 pixels aside, which is 2 cm at 1 m; a camera with both cannot be had. Beside the rays, camera_rays gives the pixel of each
# as (column, row); its rows are counted from the lowest one upwards, though "top left" is said to be first, and K counts downwards.
# Depth that is filled in as image[row, column] is upside down, of which a lying can or a box shows little. Fails if any of this
# changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import numpy as np
import trimesh

print("trimesh", trimesh.__version__)
WIDTH, HEIGHT = 640, 480
K = np.array([[600.0, 0.0, 331.7], [0.0, 600.0, 232.4], [0.0, 0.0, 1.0]])


def rays(camera):
    """Directions in OpenCV's axes of the camera, and the pixel of each."""
    scene = trimesh.Scene(trimesh.creation.box())
    scene.camera, scene.camera_transform = camera, np.eye(4)
    _, directions, pixels = scene.camera_rays()
    return directions * [1.0, -1.0, -1.0], pixels


camera = trimesh.scene.Camera(resolution=(WIDTH, HEIGHT), focal=(600.0, 600.0))
camera.K = K
size = np.asarray(camera.resolution).tolist()
last = rays(camera)[1].max(0) + 1
print(f"{WIDTH} x {HEIGHT}, K with {K[0, 2]}, {K[1, 2]}: resolution {size}, rays of {last.tolist()} pixels")
assert size == last.tolist() == [663, 464]

camera.resolution = (WIDTH, HEIGHT)
found = camera.K
print("with the resolution set again: principal point", found[:2, 2].tolist())
assert found[:2, 2].tolist() == [WIDTH / 2, HEIGHT / 2] and np.allclose(camera.focal, 600.0)
aside = np.linalg.norm(found[:2, 2] - K[:2, 2]) / 600.0
print(f"  which is {1e3 * aside:.1f} mm aside at 1 m")
assert 0.02 < aside < 0.03

directions, pixels = rays(camera)
seen = directions[:, :2] / directions[:, 2:] * 600.0 + found[:2, 2]  # borders of the picture are at 0 and WIDTH
columns, rows = (seen - pixels).T
upwards = HEIGHT - 1 - pixels[:, 1]
print(f"pixel {pixels[0].tolist()} has a ray that K puts at {seen[0].round(2).tolist()}")
assert np.allclose(columns, 0.5) and np.allclose(seen[:, 1] - upwards, 0.5)
assert np.abs(rows).max() > HEIGHT - 2
print("as found: K is cut to a size, and rows begin below")
PYTHON
