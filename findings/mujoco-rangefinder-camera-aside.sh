#!/usr/bin/env bash
# mujoco 4.0.0: a rangefinder at a camera with a calibrated K looks half a picture aside of what the camera draws.
#
# MuJoCo's rangefinder can be given a camera, casts a ray for each pixel of its resolution and so makes a depth image
# with no graphics. Where the camera has a fovy, its rays are those of the picture, to the middle of each pixel. Where
# it has sensorsize and focalpixel, as of a calibration, they are not: the drawn picture takes principalpixel for an
# offset from its middle (0, 0 if left out), and the rays take it for the place counted from the upper left corner. So
# with the plainest of calibrated cameras, principal point in the middle, the optical axis goes through the first pixel:
# the depth image is what is to the right of the picture's middle and below it, a quarter of the picture and more that
# is not in it. It is smooth and has the right size, focal length and unit; of a table with some parts on it, other
# parts are at other places. Points that are asked for in place of depth (data="point") are where the rays are, and so
# do not fit the picture either. The same K as principalpixel="W/2 H/2" is right for the rays, and half a picture off
# for what is drawn. What is drawn is read here from the frustum that the renderer takes. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mujoco==4.0.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import mujoco
import numpy as np

print("mujoco", mujoco.__version__)
WIDTH, HEIGHT, FOCAL = 64, 48, 60.0
BALL = np.array([0.15, -0.1, -1.5])  # to the right of the axis, below it, ahead
MODEL = """
<mujoco>
  <worldbody>
    <camera name="camera" resolution="64 48" {lens}/>
    <body pos="0 0 -2.1"><geom type="box" size="9 9 0.1"/></body>
    <body pos="0.15 -0.1 -1.5"><geom type="sphere" size="0.1"/></body>
  </worldbody>
  <sensor><rangefinder camera="camera" data="{data}"/></sensor>
</mujoco>
"""
CALIBRATED = 'sensorsize="0.0064 0.0048" focalpixel="60 60"'  # the sensor's pixels are of 0.1 mm
FOVY = np.degrees(2.0 * np.arctan(HEIGHT / 2.0 / FOCAL))


def load(lens, data="depth"):
    model = mujoco.MjModel.from_xml_string(MODEL.format(lens=lens, data=data))
    state = mujoco.MjData(model)
    mujoco.mj_forward(model, state)
    return model, state


def by_rays(lens):
    """The middle of the ball in the depth image, column and row, or None where it is not in it."""
    depth = np.array(load(lens)[1].sensordata).reshape(HEIGHT, WIDTH)
    assert np.isclose(np.max(depth), 2.0)
    rows, columns = np.nonzero(depth < 1.9)
    return np.array([columns.mean(), rows.mean()]) if len(rows) else None


def drawn(lens):
    """The middle of the ball in the picture, by the renderer's frustum."""
    model, state = load(lens)
    scene, camera = mujoco.MjvScene(model, 10), mujoco.MjvCamera()
    camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
    everything = int(mujoco.mjtCatBit.mjCAT_ALL)
    mujoco.mjv_updateScene(model, state, mujoco.MjvOption(), mujoco.MjvPerturb(), camera, everything, scene)
    eye = scene.camera[0]  # two eyes, whose frusta are the same
    right, up = BALL[:2] / -BALL[2] * eye.frustum_near
    # Of a camera with a fovy, the width is left to the picture's.
    half_width = eye.frustum_width or (eye.frustum_top - eye.frustum_bottom) / 2.0 * WIDTH / HEIGHT
    column = (right - (eye.frustum_center - half_width)) / (2.0 * half_width) * WIDTH
    row = (eye.frustum_top - up) / (eye.frustum_top - eye.frustum_bottom) * HEIGHT
    return np.array([column, row]) - 0.5  # the middle of the first pixel is (0, 0)


plain = np.array([WIDTH / 2, HEIGHT / 2]) - 0.5 + FOCAL * BALL[:2] / -BALL[2] * [1.0, -1.0]
half = np.array([WIDTH / 2, HEIGHT / 2])
for name, lens, of_rays, of_picture in (
    ("fovy", f'fovy="{FOVY}"', plain, plain),
    ("K, principal point in the middle", CALIBRATED, plain - half, plain),
    ("K, principalpixel of W / 2 and H / 2", CALIBRATED + ' principalpixel="32 24"', plain, plain - half),
):
    rays, picture = by_rays(lens), drawn(lens)
    seen = "nowhere" if rays is None else rays.round(1).tolist()
    print(f"{name}: the ball is drawn at {picture.round(1).tolist()}; in the depth of the rays: {seen}")
    assert np.allclose(picture, of_picture, atol=0.01)
    if np.all(of_rays > 0.0):
        assert np.allclose(rays, of_rays, atol=0.5)
    else:
        assert rays is None
points = np.array(load(CALIBRATED, "point")[1].sensordata).reshape(HEIGHT, WIDTH, 3)
print("the first and the last pixel look at", points[0, 0].round(2).tolist(), "and", points[-1, -1].round(2).tolist())
assert np.allclose(points[0, 0], [0.5 / FOCAL * 2.0, -0.5 / FOCAL * 2.0, -2.0], atol=1e-6)
assert np.allclose(points[-1, -1], [63.5 / FOCAL * 2.0, -47.5 / FOCAL * 2.0, -2.0], atol=1e-6)
print("as found: rays of a calibrated camera count from the corner, its picture from the middle")
PYTHON
