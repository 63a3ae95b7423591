#!/usr/bin/env bash
# spatialmath-python 1.1.18 and pyquaternion 0.9.9: the angle between two attitudes is half the angle between them, or all of it.
#
# angdist of spatialmath says how far two attitudes are apart, in radians, as a method of UnitQuaternion, SO3 and SE3. Of two that are
# 60 degrees apart, the first says 30 and the others 60: the number of `metric` that each takes by default is another one, and 1 to 3
# are angles between four-vectors, which are half of those in space. pyquaternion's distance and sym_distance are half, too, and its
# absolute_distance is a chord, which for small angles is as good as half. A threshold of 5 degrees, as in "5 cm, 5 degrees",
# lets 10 pass. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  spatialmath-python==1.1.18 pyquaternion==0.9.9 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pyquaternion import Quaternion
from spatialmath import SE3, SO3, UnitQuaternion

print(*(f"{name} {version(name)}" for name in ("spatialmath-python", "pyquaternion")))
AXIS = np.array([0.6, 0.0, 0.8])
for degrees in (2.0, 10.0, 60.0, 90.0):
    angle = np.radians(degrees)
    first, second = SO3.Rz(0.4), SO3.Rz(0.4) * SO3.AngVec(angle, AXIS)
    q, p = (Quaternion(matrix=attitude.R) for attitude in (first, second))
    said = {
        "UnitQuaternion.angdist": (UnitQuaternion(first).angdist(UnitQuaternion(second)), angle / 2),
        "SO3.angdist": (first.angdist(second), angle),
        "SE3.angdist": (SE3.Rt(first).angdist(SE3.Rt(second)), angle),
        "pyquaternion distance": (Quaternion.distance(q, p), angle / 2),
        "pyquaternion sym_distance": (Quaternion.sym_distance(q, p), angle / 2),
        "pyquaternion absolute_distance": (Quaternion.absolute_distance(q, p), 2 * np.sin(angle / 4)),
    }
    print(f"{degrees:.0f} degrees: " + ", ".join(f"{name} {np.degrees(value):.2f}" for name, (value, _) in said.items()))
    for name, (value, expected) in said.items():
        assert np.isclose(value, expected, atol=1e-7), (name, value, expected)
print("as found: half, or all")
PYTHON
