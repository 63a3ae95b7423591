#!/usr/bin/env bash
# bpy (Blender) 5.0.1: a camera's angle_y, angle_x and sensor_height are not its picture's, and shift_y counts widths.
#
# Training pictures are rendered with Blender, and K is taken of its camera: angle_x and angle_y are "horizontal" and
# "vertical field of view", sensor_height the "vertical size of the image sensor". As it comes (sensor_fit AUTO), lens
# and sensor_width go with the longer side of the picture, pixels are square, and sensor_height is not used. It stays
# at 24 mm, and angle_y with it: at 640 x 480 and f = 600 pixels, angle_y says f = 675, at 1280 x 720 506. Of an
# upright picture of 480 x 640 both are wrong, angle_x says 450 and angle_y 900. Neither changes with the picture's
# size. shift_y, which moves the principal point, counts lengths of the longer side as well: 0.1 of 480 rows moves it
# by 64 and not by 48. What is drawn is read here from the camera's projection matrix. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.0.1
"$work/venv/bin/python" - <<'PYTHON'
import bpy
import numpy as np

print("bpy", bpy.app.version_string)
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
camera = bpy.data.cameras.new("camera")
placed = bpy.data.objects.new("camera", camera)
scene.collection.objects.link(placed)
scene.camera = placed
assert camera.sensor_fit == "AUTO"


def drawn(width, height):
    """Focal lengths and principal point (pixels, rows downwards) of what is drawn."""
    scene.render.resolution_x, scene.render.resolution_y = width, height
    bpy.context.view_layer.update()
    matrix = np.array(placed.calc_matrix_camera(bpy.context.evaluated_depsgraph_get(), x=width, y=height))
    half = np.array([width, height]) / 2.0
    return matrix[[0, 1], [0, 1]] * half, half + [-1.0, 1.0] * matrix[[0, 1], [2, 2]] * half


FOCAL = 600.0
for width, height, said in ((640, 480, (600.0, 675.0)), (1280, 720, (600.0, 506.25)), (480, 640, (450.0, 900.0))):
    camera.lens = FOCAL / max(width, height) * camera.sensor_width
    focal, principal = drawn(width, height)
    by_angles = np.array([width, height]) / 2.0 / np.tan(np.array([camera.angle_x, camera.angle_y]) / 2.0)
    print(f"{width} x {height}: f = {focal.round(1)} as drawn, {by_angles.round(1)} by angle_x and angle_y")
    assert np.allclose(focal, FOCAL, atol=0.01) and np.allclose(principal, [width / 2, height / 2], atol=0.01)
    assert np.allclose(by_angles, said, atol=0.1)
    assert abs(camera.lens * height / camera.sensor_height - by_angles[1]) < 0.1
camera.lens = FOCAL / 640 * camera.sensor_width
for shift, size, expected in (((0.1, 0.0), (640, 480), (-64.0, 0.0)), ((0.0, 0.1), (640, 480), (0.0, 64.0))):
    camera.shift_x, camera.shift_y = shift
    moved = drawn(*size)[1] - np.array(size) / 2.0
    print(f"shift_x, shift_y = {shift}, {size[0]} x {size[1]}: the principal point moves by {moved.round(1)}")
    assert np.allclose(moved, expected, atol=0.01)
print("as found: angles and sensor height are not the picture's")
PYTHON
