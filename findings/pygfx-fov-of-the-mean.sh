#!/usr/bin/env bash
# pygfx 0.17.0: PerspectiveCamera's fov is neither that of the height nor of the width, and changes with both.
#
# With most viewers a camera's fov is vertical, with some it is horizontal. pygfx, with aspect as the second argument, takes it for the
# mean of width and height: of 60 degrees and 640 x 480, 66.8 are seen across and 52.7 upwards, so f is 485 pixels and not the
# 416 of a vertical fov. Drawn over a photograph, or read from a picture as depth, all is 14 % too near. In a window of another shape
# than aspect, the angles change again, so that the fov of one side must be wider: aspect left at 1 makes it vertical in a
# wide window and horizontal in a tall one. Nothing is drawn here: it is camera.projection_matrix. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pygfx==0.17.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pygfx

print("pygfx", version("pygfx"))
FIELD = 60.0


def focal_lengths(aspect, width, height):
    """fx and fy in pixels that a window of this size is drawn with."""
    camera = pygfx.PerspectiveCamera(FIELD, aspect)
    camera.set_view_size(width, height)
    matrix = camera.projection_matrix
    return matrix[0, 0] * width / 2, matrix[1, 1] * height / 2


def of(size):
    return size / 2 / np.tan(np.radians(FIELD / 2))


for aspect, width, height, expected in (
    (4 / 3, 640, 480, of((640 + 480) / 2)),
    (16 / 9, 1920, 1080, of((1920 + 1080) / 2)),
    (3 / 4, 480, 640, of((480 + 640) / 2)),
    (1.0, 640, 480, of(480)),
    (1.0, 480, 640, of(480)),
):
    fx, fy = focal_lengths(aspect, width, height)
    across, upwards = (np.degrees(2 * np.arctan(size / 2 / f)) for size, f in ((width, fx), (height, fy)))
    print(
        f"fov {FIELD:.0f}, aspect {aspect:.2f}, {width} x {height}: {across:.1f} degrees across, {upwards:.1f} upwards, "
        f"f = {fx:.1f} pixels; {of(height):.1f} if it were vertical, {of(width):.1f} if horizontal"
    )
    assert np.isclose(fx, fy) and np.isclose(fx, expected, rtol=1e-6), (fx, fy, expected)
print("as found: the fov is that of the mean of width and height")
PYTHON
