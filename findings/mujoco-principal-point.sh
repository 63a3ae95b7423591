#!/usr/bin/env bash
# mujoco 4.0.0: a camera's `principalpixel` moves the picture the other way, and the sensor `camprojection` not at all.
#
# `principalpixel` is said to be the principal point in pixels, and is an offset from the middle of the image. With K of a
# calibration, one would write cx - W / 2 and cy - H / 2. What is drawn then has its principal point at W / 2 - 40 for 40, and
# at H / 2 + 25, counted downwards, for -25: both signs are the opposite. A real camera whose principal point is 12 pixels
# off is drawn 24 pixels off, which is 4 cm at 1 m with a focal length of 600, everywhere and with no warning. The same
# model's camprojection, which is to tell where a site is seen by that camera, leaves the offset out, so picture and sensor
# differ as well. The minus of both is right for the picture. No graphics is needed here: the frustum that the renderer takes
# is read, and it draws just so (seen with EGL). Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mujoco==4.0.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import mujoco
import numpy as np

print("mujoco", mujoco.__version__)
WIDTH, HEIGHT, FOCAL, DISTANCE = 640, 480, 600.0, 2.0
SITE = np.array([0.3, 0.2, 0.0])
MODEL = """
<mujoco>
  <worldbody>
    <camera name="camera" pos="0 0 {distance}" resolution="{width} {height}" sensorsize="0.0064 0.0048"
            focalpixel="{focal} {focal}" principalpixel="{x} {y}"/>
    <site name="site" pos="0.3 0.2 0"/>
  </worldbody>
  <sensor><camprojection site="site" camera="camera"/></sensor>
</mujoco>
"""


def seen(x, y):
    """The principal point as drawn, where the site is drawn, and where camprojection says it is; rows downwards."""
    text = MODEL.format(distance=DISTANCE, width=WIDTH, height=HEIGHT, focal=FOCAL, x=x, y=y)
    model = mujoco.MjModel.from_xml_string(text)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    scene, camera = mujoco.MjvScene(model, 10), mujoco.MjvCamera()
    camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
    everything = int(mujoco.mjtCatBit.mjCAT_ALL)
    mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), mujoco.MjvPerturb(), camera, everything, scene)
    # Two eyes, whose middle is drawn; their frusta are the same: left to right, bottom to top, on the near plane.
    eye = scene.camera[0]
    left, high = eye.frustum_center - eye.frustum_width, eye.frustum_top - eye.frustum_bottom

    def pixel(right, up):
        """Of a place on the near plane."""
        return np.array([(right - left) / (2.0 * eye.frustum_width) * WIDTH, (eye.frustum_top - up) / high * HEIGHT])

    near = SITE[:2] / DISTANCE * eye.frustum_near
    return pixel(0.0, 0.0), pixel(*near), np.array(data.sensordata)


middle = np.array([WIDTH / 2, HEIGHT / 2])
plain = middle + np.array([SITE[0], -SITE[1]]) * FOCAL / DISTANCE
for offset in ((0.0, 0.0), (40.0, -25.0)):
    principal, drawn, said = seen(*offset)
    print(
        f"principalpixel {offset}: principal point drawn at {principal.round(2).tolist()}; "
        f"a site at {drawn.round(2).tolist()}, by camprojection at {said.round(2).tolist()}"
    )
    assert np.allclose(principal, middle - offset, atol=0.01)
    assert np.allclose(drawn, plain - offset, atol=0.01)
    assert np.allclose(said, plain, atol=0.01)
print("as found: the picture moves against the offset, and the sensor does not know it")
PYTHON
