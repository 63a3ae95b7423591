#!/usr/bin/env bash
# numpy-quaternion 2024.0.13: the mean of like attitudes is half a turn off, and a turntable stands still at 90 degrees.
#
# A quaternion and its negative are one attitude. from_rotation_matrix, as it comes, gives now one and now the other
# for matrices that are nearly the same: for parts that lie on a table, turned about z by any angle, with noise of 1
# degree, it is a third or half of each; of exact turns about x, y or z the sign changes at 90 degrees. Two functions
# of the same library, meant for what comes next, do not bear it. mean_rotor_in_chordal_metric is to be "closest to all
# R in the least-squares sense", and adds the numbers up: the mean of 40 such poses is some degrees off, and now and
# then 180. angular_velocity of a table that turns at 180 degrees a second, measured by its matrices, is 0 near 90
# degrees, and 290 beside it. Nothing in the help of the three speaks of signs; that of squad and unflip_rotors does.
# scipy's Rotation.mean of the same matrices is right, and so is nonorthogonal=False here. Fails if any of this
# changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  numpy-quaternion==2024.0.13 scipy==1.17.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

import numpy as np
import quaternion
from scipy.spatial.transform import Rotation

print("numpy-quaternion", version("numpy-quaternion"))


def apart(one, other):
    return np.degrees((one.inv() * other).magnitude())


def mean(matrices, **how):
    """The mean of rotation matrices, and how many of their quaternions have another sign than the first."""
    rotors = quaternion.from_rotation_matrix(matrices, **how)
    numbers = quaternion.as_float_array(rotors)
    other = np.count_nonzero(numbers @ numbers[0] < 0.0)
    rotor = quaternion.mean_rotor_in_chordal_metric(rotors)
    return Rotation.from_matrix(quaternion.as_rotation_matrix(rotor)), other


all_off = []
for degrees in (0.0, 40.0, 90.0, 120.0):
    lies = Rotation.from_euler("z", degrees, degrees=True)
    off, plain, scipys, others = [], [], [], []
    for seed in range(12):
        noise = np.radians(1.0) * np.random.default_rng(seed).normal(size=(40, 3))
        poses = lies * Rotation.from_rotvec(noise)
        found, other = mean(poses.as_matrix())
        off.append(apart(found, lies))
        others.append(int(other))
        plain.append(apart(mean(poses.as_matrix(), nonorthogonal=False)[0], lies))
        scipys.append(apart(poses.mean(), lies))
    print(f"turned by {degrees:.0f} degrees: of 40, {others} have the other sign")
    print(f"  means are {np.round(off, 1).tolist()} degrees off; scipy's {max(scipys):.1f}, plain {max(plain):.1f}")
    assert max(scipys) < 1.0 and max(plain) < 1.0
    assert np.median(off) > 2.0 and np.mean(others) > 5
    all_off += off
assert max(all_off) > 90.0

for axis in np.eye(3):
    angles = np.radians(np.arange(0.0, 180.0, 0.5))
    numbers = quaternion.as_float_array(
        quaternion.from_rotation_matrix(Rotation.from_rotvec(np.outer(angles, axis)).as_matrix())
    )
    changes = np.degrees(angles[1:][np.einsum("ij,ij->i", numbers[1:], numbers[:-1]) < 0.0])
    print(f"turns about {axis.astype(int).tolist()}: the sign changes at {changes.tolist()} degrees")
    assert len(changes) == 1 and abs(changes[0] - 90.0) < 1.0

times = np.linspace(0.0, 2.0, 60)
table = quaternion.from_rotation_matrix(Rotation.from_rotvec(np.outer(np.pi * times, [0.0, 0.0, 1.0])).as_matrix())
speeds = np.degrees(quaternion.angular_velocity(table, times)[:, 2])
near = np.abs(times - 0.5) < 0.1
print("a table at 180 degrees a second, near 90 degrees:", speeds[near].round().tolist())
assert np.abs(speeds[near]).min() < 10.0 and speeds.max() > 270.0
assert np.allclose(speeds[times > 0.9], 180.0, atol=1.0)
cured = np.degrees(quaternion.angular_velocity(quaternion.unflip_rotors(table), times)[:, 2])
assert np.allclose(cured, 180.0, atol=1.0)

for function in (
    quaternion.from_rotation_matrix,
    quaternion.mean_rotor_in_chordal_metric,
    quaternion.angular_velocity,
):
    assert not re.search("sign|flip|cover", function.__doc__, re.IGNORECASE), function
assert "closest to all R" in quaternion.mean_rotor_in_chordal_metric.__doc__
print("as found: its own signs are not minded")
PYTHON
