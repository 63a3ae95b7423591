#!/usr/bin/env bash
# pycolmap 4.2.1: quaternions are x, y, z, w in Python, and w, x, y, z in the files that it writes.
#
# COLMAP's images.txt, which half the field reads and writes, has QW QX QY QZ. Rotation3d takes and gives x, y, z, w. Four numbers
# of a line of images.txt, given to it as they stand, are a valid rotation, only another one, and nothing is said: here 125
# degrees off. Writing and reading with pycolmap alone is consistent. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycolmap==4.2.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from pathlib import Path

import numpy as np
import pycolmap

print("pycolmap", pycolmap.__version__)
given = np.array([0.1, 0.2, 0.3, 0.9]) / np.linalg.norm([0.1, 0.2, 0.3, 0.9])
rotation = pycolmap.Rotation3d(given)
model = pycolmap.Reconstruction()
model.add_camera_with_trivial_rig(
    pycolmap.Camera(model="SIMPLE_PINHOLE", width=640, height=480, params=[600, 320, 240], camera_id=1)
)
image = pycolmap.Image(name="a.png", camera_id=1, image_id=1)
model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(rotation, np.array([1.0, 2.0, 3.0])))
model.write_text(".")
line = next(line for line in Path("images.txt").read_text().splitlines() if line.endswith("a.png"))
written = np.array([float(word) for word in line.split()[1:5]])
again = pycolmap.Rotation3d(written)
turn = again.matrix() @ rotation.matrix().T
angle = np.degrees(np.arccos(np.clip((np.trace(turn) - 1.0) / 2.0, -1.0, 1.0)))
print(f"given {given.round(3).tolist()}, in images.txt {written.round(3).tolist()}; read as Rotation3d: {angle:.0f} degrees off")
assert np.allclose(written, np.roll(given, 1)) and np.allclose(rotation.quat, given)
x, y, z, w = given
assert np.isclose(rotation.matrix()[1, 0], 2 * (x * y + z * w))  # so the last one is the real part
assert angle > 30.0
print("as found: two orders in one library")
PYTHON
