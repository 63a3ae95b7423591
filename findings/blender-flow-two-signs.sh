#!/usr/bin/env bash
# bpy (Blender) 5.0.1: motion vectors to the last frame point there, and those to the next frame point away from it.
#
# Films for training trackers and optical flow are rendered with Blender, whose Vector pass holds the motion of every
# pixel: X and Y with regard to the frame before, Z and W to the one after, in pixels. Of a wall that comes 2 pixels
# from the left and goes on by 4 to the right and 2 upwards, X and Y are (-2, 0), where it was. Z and W are (-4, -2):
# not where it will be, but the opposite. So both pairs look alike for steady motion, and forward flow that is taken
# from Z and W leads to the wrong side, 9 pixels away from the right place here. y counts upwards, and not by rows.
# With a camera that goes along with the wall all four are 0, so they are of the picture, as flow is. The help of the
# pass says "Deliver speed vector pass". Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.0.1 OpenEXR==3.5.3 numpy==1.26.4
cd "$work"
cat > render.py <<'PYTHON'
import sys

import bpy

with_camera = sys.argv[1] == "both"
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 1, False
scene.render.resolution_x, scene.render.resolution_y, scene.render.use_motion_blur = 64, 48, False
lens = bpy.data.cameras.new("eye")
lens.sensor_width, lens.lens = 36.0, 18.0  # a focal length of 32 pixels
eye = bpy.data.objects.new("eye", lens)  # looks along -z, x to the right and y upwards
scene.collection.objects.link(eye)
scene.camera = eye
bpy.ops.mesh.primitive_plane_add(size=4.0, location=(0.0, 0.0, -4.0))
wall = bpy.context.object
for frame, x, y in ((1, -0.25, 0.0), (2, 0.0, 0.0), (3, 0.5, 0.25)):  # 8 pixels for 1 m
    wall.location = (x, y, -4.0)
    wall.keyframe_insert("location", frame=frame)
    if with_camera:
        eye.location = (x, y, 0.0)
        eye.keyframe_insert("location", frame=frame)
scene.frame_set(int(sys.argv[2]))
layer = scene.view_layers[0]
layer.use_pass_vector = layer.use_pass_z = True
print("HELP", bpy.types.ViewLayer.bl_rna.properties["use_pass_vector"].description)
scene.render.image_settings.media_type = "MULTI_LAYER_IMAGE"
scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
scene.render.image_settings.color_depth = "32"
scene.render.filepath = sys.argv[3]
bpy.ops.render.render(write_still=True)
PYTHON
"$work/venv/bin/python" render.py wall 1 one.exr > one.log
"$work/venv/bin/python" render.py wall 2 two.exr > two.log
"$work/venv/bin/python" render.py wall 3 three.exr > three.log
"$work/venv/bin/python" render.py both 2 both.exr > both.log
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import numpy as np
import OpenEXR

print("bpy", version("bpy"))


def channels(path):
    found = {}
    with OpenEXR.File(path, separate_channels=True) as file:
        for part in file.parts:
            found |= {name.split(".", 1)[1]: channel.pixels for name, channel in part.channels.items()}
    return found


def outline(path):
    """First and last column and row of the wall in a frame."""
    wall = channels(path)["Depth.Z"] < 100.0
    rows, columns = np.flatnonzero(wall.any(axis=1)), np.flatnonzero(wall.any(axis=0))
    return np.array([columns[0], columns[-1], rows[0], rows[-1]])


one, two, three = (outline(f"{name}.exr") for name in ("one", "two", "three"))
print("first and last columns and rows of the wall:", one.tolist(), two.tolist(), three.tolist())
assert np.array_equal(two - one, (2, 2, 0, 0)) and np.array_equal(three - two, (4, 4, -2, -2))

of_two, steady = channels("two.exr"), channels("both.exr")
vector = {name: float(np.median(of_two[f"Vector.{name}"][two[2] + 1 : two[3], two[0] + 1 : two[1]])) for name in "XYZW"}
print({name: round(value, 3) for name, value in vector.items()})
back, ahead = np.array([vector["X"], vector["Y"]]), np.array([vector["Z"], vector["W"]])
assert np.allclose(back, (-2.0, 0.0), atol=1e-3)  # in columns, and in rows from below
assert np.allclose(ahead, (-4.0, -2.0), atol=1e-3)
told = Path("two.log").read_text()
assert "HELP Deliver speed vector pass" in told
both = [float(np.abs(steady[f"Vector.{name}"][two[2] + 1 : two[3], two[0] + 1 : two[1]]).max()) for name in "XYZW"]
print("with a camera that goes along:", np.round(both, 3).tolist())
assert np.allclose(both, 0.0, atol=1e-3)
print("as found: from the next frame, and to the last one")
PYTHON
