#!/usr/bin/env bash
# mitsuba 3.9.1: a camera at the identity has x to the left, so a pose turned into OpenGL's axes shows nothing, or a mirror image.
#
# Mitsuba's to_world of a sensor is a pose as others have it, of a camera that looks along its z. x is to the left and y upwards:
# neither OpenCV's camera (x right, y down, z ahead) nor OpenGL's (x right, y up, looking along -z). From a pose of OpenCV, the change
# for OpenGL, y and z the other way, makes it look backwards. The nearest guess then, y alone, is a mirror and no rotation; it
# is taken without a word, and the picture is the other way round in x. x and y the other way is right. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mitsuba==3.9.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import mitsuba
import numpy as np

mitsuba.set_variant("scalar_rgb")
print("mitsuba", mitsuba.__version__)
WIDTH, HEIGHT, FIELD, BALL = 64, 48, 60.0, np.array([0.4, 0.3, 2.0])  # a bright ball, in OpenCV's frame of the camera


def seen(signs):
    """Where the ball is drawn, if the pose of a camera at the world's origin is changed by these signs; None if nowhere."""
    scene = mitsuba.load_dict({
        "type": "scene",
        "integrator": {"type": "direct"},
        "sensor": {
            "type": "perspective",
            "fov": FIELD,
            "to_world": mitsuba.ScalarTransform4f(np.diag([*signs, 1.0])),
            "film": {"type": "hdrfilm", "width": WIDTH, "height": HEIGHT, "rfilter": {"type": "box"}},
            "sampler": {"type": "independent", "sample_count": 16},
        },
        "ball": {
            "type": "sphere",
            "center": BALL.tolist(),
            "radius": 0.1,
            "light": {"type": "area", "radiance": {"type": "rgb", "value": 1.0}},
        },
    })
    light = np.array(mitsuba.render(scene))[..., 0]
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    total = light.sum()
    return None if total == 0.0 else np.array([(light * (columns + 0.5)).sum(), (light * (rows + 0.5)).sum()]) / total


focal = WIDTH / 2 / np.tan(np.radians(FIELD / 2))  # fov is that of the width
step = focal * BALL[:2] / BALL[2]
middle = np.array([WIDTH / 2, HEIGHT / 2])
CASES = {
    "the pose as it stands": ((1.0, 1.0, 1.0), middle + step * (-1, -1)),
    "y and z turned round, as for OpenGL": ((1.0, -1.0, -1.0), None),
    "y turned round": ((1.0, -1.0, 1.0), middle + step * (-1, 1)),
    "x and y turned round": ((-1.0, -1.0, 1.0), middle + step),
}
print(f"by OpenCV's camera the ball is at {(middle + step).round(1).tolist()}")
for name, (signs, expected) in CASES.items():
    place = seen(signs)
    print(f"{name}: {'not in the picture' if place is None else place.round(1).tolist()}")
    assert (place is None) == (expected is None)
    # A ball's outline is an ellipse whose middle is a little farther out than the middle of the ball.
    assert place is None or np.abs(place - expected).max() < 0.3, (name, place, expected)
print("as found: x is to the left")
PYTHON
