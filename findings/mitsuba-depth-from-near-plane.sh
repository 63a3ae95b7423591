#!/usr/bin/env bash
# mitsuba 3.9.1: "depth" is counted from the near plane, along the ray; and the principal point's offset has the other sign.
#
# The field makes RGB-D pictures with Mitsuba, and takes the aov `depth` (or the integrator `depth`) for a depth camera's. It is the
# length of the ray, and the ray begins where it leaves the near plane: near_clip is missing. By default that is 10 mm of each
# object at any distance; with near_clip 0.1, 100 mm. z is depth * cos + near_clip, cos of the ray's angle with the axis. Who
# knows of the ray and multiplies by cos alone has a flat wall again, and a smooth one, only 10 mm too near; a pose fitted to
# it is off by that. The aov `position` beside it is right. principal_point_offset_x and _y are said to be "relative to the center
# of the film": 0.1 puts the principal point a tenth of the width to the left of it, or a tenth of the height above, so that
# (cx - W / 2) / W of a calibrated camera has to go in with a minus. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mitsuba==3.9.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import mitsuba
import numpy as np

print("mitsuba", mitsuba.__version__)
mitsuba.set_variant("scalar_rgb")
from mitsuba import ScalarTransform4f  # there once a variant is set

WIDTH, HEIGHT, WALL = 64, 48, 1.0
columns, rows = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)  # borders of the picture are at 0 and WIDTH


def seen(integrator, **camera):
    """A wall across the axis at z = 1 m; the camera has x to the right, y downwards and z forwards."""
    upright = ScalarTransform4f().look_at(origin=[0, 0, 0], target=[0, 0, 1], up=[0, -1, 0])
    film = {"type": "hdrfilm", "width": WIDTH, "height": HEIGHT, "rfilter": {"type": "box"}, "pixel_format": "rgb"}
    sampler = {"type": "independent", "sample_count": 1}
    sensor = {"type": "perspective", "fov": 60.0, "to_world": upright, "film": film, "sampler": sampler, **camera}
    wall = {"type": "rectangle", "to_world": ScalarTransform4f().translate([0, 0, WALL]).scale([5, 5, 1])}
    scene = {"type": "scene", "integrator": integrator, "sensor": sensor, "wall": wall}
    return np.array(mitsuba.render(mitsuba.load_dict(scene)), float)


AOV = {"type": "aov", "aovs": "d:depth,p:position"}
for near in (None, 0.001, 0.1, 0.3):
    image = seen(AOV, **({} if near is None else {"near_clip": near}))
    depth, position = image[..., -4], image[..., -3:]
    assert np.allclose(position[..., 2], WALL, atol=1e-5)
    ray = np.linalg.norm(position, axis=-1)
    cosine = WALL / ray
    missing = WALL - depth * cosine
    print(
        f"near_clip {near}: depth of the middle {depth[HEIGHT // 2, WIDTH // 2]:.4f}, of a corner {depth[0, 0]:.4f} "
        f"where the ray is {ray[0, 0]:.4f}; times cos, the wall at {WALL} m is {1e3 * missing.mean():.2f} mm too near"
    )
    assert np.allclose(missing, 0.01 if near is None else near, atol=1e-5)
assert np.allclose(seen({"type": "depth"})[..., 0], seen(AOV)[..., -4], atol=2e-3)  # the ray within the pixel differs

for offset in ((0.0, 0.0), (0.1, 0.0), (0.0, 0.1)):
    position = seen(AOV, principal_point_offset_x=offset[0], principal_point_offset_y=offset[1])[..., -3:]
    fx, cx = np.polyfit((position[..., 0] / position[..., 2]).ravel(), columns.ravel(), 1)
    fy, cy = np.polyfit((position[..., 1] / position[..., 2]).ravel(), rows.ravel(), 1)
    print(f"offset {offset}: principal point {cx - WIDTH / 2:+.2f}, {cy - HEIGHT / 2:+.2f} pixels from the middle")
    assert fx > 0 and fy > 0
    assert np.allclose([cx - WIDTH / 2, cy - HEIGHT / 2], [-WIDTH * offset[0], -HEIGHT * offset[1]], atol=0.05)
print("as found: depth begins at the near plane, and the principal point goes the other way")
PYTHON
