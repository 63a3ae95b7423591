#!/usr/bin/env bash
# pyquaternion 0.9.9: rates "about the global x, y and z axes" turn about the body's, and the distance of attitudes is half of it.
#
# integrate(rate, timestep) and derivative(rate) say in their help that the rates are about the global axes. They are
# taken about the axes that turn with the body: q * exp, not exp * q. A gyroscope on the body wants just that; rates in
# the world, as a simulation or a tracker that turns its poses on has them, move the object otherwise: of one that lies
# on its side, a roll becomes a turn about the vertical, and after 90 degrees of it is 120 off. Quaternion.distance, the
# "geodesic distance", is half of the angle between two attitudes, so errors of poses measured by it are half of what
# they are; with the sign of one quaternion changed, which is the same attitude, it is pi less that. absolute_distance
# minds the sign, and is a chord: half of the angle too where that is small. (one.inverse * other).angle is the angle.
# Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyquaternion==0.9.9 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pyquaternion import Quaternion

print("pyquaternion", version("pyquaternion"))


def apart(one, other):
    """The angle between two attitudes, from their matrices, in degrees."""
    trace = np.trace(one.rotation_matrix.T @ other.rotation_matrix)
    return np.degrees(np.arccos(np.clip((trace - 1.0) / 2.0, -1.0, 1.0)))


for function in (Quaternion.integrate, Quaternion.derivative):
    assert "global x, y and z axes" in " ".join(function.__doc__.split())
lying = Quaternion(axis=[0.0, 1.0, 0.0], degrees=90.0)
for start, degrees in ((Quaternion(), 90.0), (lying, 10.0), (lying, 90.0), (Quaternion(axis=[1.0, 2.0, 2.0], degrees=70.0), 40.0)):
    rate = np.radians([degrees, 0.0, 0.0])  # about x, in one second
    turn = Quaternion(axis=[1.0, 0.0, 0.0], degrees=degrees)
    end = Quaternion(start)
    end.integrate(rate, 1.0)
    steps = Quaternion(start)
    for _ in range(1000):
        steps.integrate(rate, 1e-3)
    of_world, of_body = apart(end, turn * start), apart(end, start * turn)
    print(f"{degrees:.0f} degrees about x from {start}: {of_world:.1f} degrees off as of the world, {of_body:.1f} as of the body")
    assert of_body < 1e-4 and apart(steps, end) < 0.1
    assert (of_world < 1e-4) == (start == Quaternion())
    small = start.derivative(rate)
    assert np.allclose(small.elements, (0.5 * start * Quaternion(vector=rate)).elements)

for degrees in (2.0, 30.0, 120.0):
    one = Quaternion(axis=[1.0, 2.0, 2.0], degrees=25.0)
    other = one * Quaternion(axis=[0.0, 0.6, 0.8], degrees=degrees)
    found = np.degrees([Quaternion.distance(one, other), Quaternion.distance(one, -other), Quaternion.absolute_distance(one, other)])
    angle = np.degrees((one.inverse * other).angle)
    print(f"{degrees:.0f} degrees apart: distance {found[0]:.2f}, with -q {found[1]:.2f}, absolute {found[2]:.2f}, `angle` {angle:.2f}")
    assert np.isclose(apart(one, other), degrees) and np.isclose(angle, degrees)
    assert np.isclose(found[0], degrees / 2.0) and np.isclose(found[1], 180.0 - degrees / 2.0)
    assert np.isclose(found[2], np.degrees(2.0 * np.sin(np.radians(degrees / 4.0))))
print("as found: the body's axes, and half of the angle")
PYTHON
