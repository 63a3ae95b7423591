#!/usr/bin/env bash
# laspy 2.7.0: points put into `xyz` are rounded to centimetres, under a header that says hundredths of a millimetre.
#
# LAS holds whole numbers, a scale and an offset, and laspy.create() has a scale of 0.01: of metres, centimetres. Who
# knows sets header.scales to 1e-5. Then x, y and z are written with it, but the three at once, cloud.xyz = points, with
# the 0.01 of before, in memory and in the file, whose header says 1e-5 all the same: who reads it has no sign that a
# centimetre is the step. Giving xyz again does not help. A patch of 20 cm, tilted by 2 degrees, comes back as two level
# steps, so a normal that a part's pose or a hand-eye calibration takes of its middle is 2 degrees off. A LasHeader that
# has its scales before LasData is made of it, or change_scaling(), or x, y and z each, are right. Nothing warns. Fails if
# any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check laspy==2.7.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import laspy
import numpy as np

print("laspy", version("laspy"))
rng = np.random.default_rng(0)
patch = np.c_[rng.uniform(0.0, 0.2, (2000, 2)), np.zeros(2000)]
patch[:, 2] = 0.3 + np.tan(np.radians(2.0)) * patch[:, 0]  # metres
FINE = [1e-5] * 3


def tilt(points):
    """Degrees of the plane of the points within 4 cm of the patch's middle."""
    near = points[np.linalg.norm(points[:, :2] - 0.1, axis=1) < 0.04]
    slopes = np.linalg.lstsq(np.c_[near[:, :2], np.ones(len(near))], near[:, 2], rcond=None)[0]
    return float(np.degrees(np.arctan(np.hypot(*slopes[:2]))))


def in_turn(cloud):
    cloud.x, cloud.y, cloud.z = patch.T


def at_once(cloud):
    cloud.xyz = patch


def as_created(cloud):
    at_once(cloud)


def fine_then_xyz(cloud):
    cloud.header.scales = FINE
    at_once(cloud)


def fine_then_xyz_twice(cloud):
    fine_then_xyz(cloud)
    at_once(cloud)


def fine_then_xyz_then_x_y_z(cloud):
    fine_then_xyz(cloud)
    in_turn(cloud)


def fine_then_x_y_z(cloud):
    cloud.header.scales = FINE
    in_turn(cloud)


def change_scaling_then_xyz(cloud):
    cloud.change_scaling(scales=FINE)
    at_once(cloud)


def header_first():
    header = laspy.LasHeader()
    header.scales = FINE
    return laspy.LasData(header)


COARSE = (as_created, fine_then_xyz, fine_then_xyz_twice)
cases = [(laspy.create, put) for put in (*COARSE, fine_then_xyz_then_x_y_z, fine_then_x_y_z, change_scaling_then_xyz)] + [(header_first, at_once)]
for make, put in cases:
    cloud = make()
    put(cloud)
    cloud.write("patch.las")
    read = laspy.read("patch.las")
    points = np.array(read.xyz)
    worst = 1e3 * np.abs(points - patch).max()
    says = float(read.header.scales[0])
    print(f"{make.__name__} and {put.__name__}: the header says {says:g} m; {worst:.3f} mm off, a tilt of {tilt(points):.2f} degrees")
    assert np.allclose(points, np.array(cloud.xyz), atol=1e-9)  # in memory as in the file
    assert says == (0.01 if put is as_created else 1e-5)
    if put in COARSE:
        assert 4.9 < worst <= 5.001 and tilt(points) < 0.1
    else:
        assert worst < 0.0051 and abs(tilt(points) - 2.0) < 0.01
print("as found: the header's step is not the points'")
PYTHON
