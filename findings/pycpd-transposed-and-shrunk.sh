#!/usr/bin/env bash
# pycpd 2.0.0: RigidRegistration gives the transposed rotation, and makes an object smaller when one side of it is seen.
#
# register() returns the moved points and (s, R, t). R is for points as rows, s * Y @ R + t; neither help nor readme says so. As
# a pose, R @ p + t, it turns the other way: of an object that is turned by 18 degrees it is 37 degrees off, while the position
# and the points that are returned beside it are right. And the "rigid" has a scale, with no argument to leave it out: of
# points of three sides of a box of 20 x 14 x 10 cm, as a depth camera sees them, and its model, the model comes back 5
# to 8 % smaller, and its points 8 to 13 mm off; points of all sides leave 1 % and 2 mm. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycpd==2.0.0 numpy==2.4.6 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import inspect
from importlib.metadata import version

import numpy as np
from pycpd import RigidRegistration
from scipy.spatial.transform import Rotation

print("pycpd", version("pycpd"))
SIZE = np.array([0.20, 0.14, 0.10])
TRUE, PLACE = Rotation.from_euler("xyz", [10.0, 5.0, 15.0], degrees=True), np.array([0.02, -0.01, 0.03])


def surface(number, rng):
    """Points of a box, evenly over all of its sides, and their normals."""
    areas = np.prod(SIZE) / SIZE
    axis, side = rng.choice(3, number, p=areas / areas.sum()), rng.choice([-1.0, 1.0], number)
    points, normals = rng.uniform(-0.5, 0.5, (number, 3)), np.zeros((number, 3))
    points[np.arange(number), axis] = side / 2.0
    normals[np.arange(number), axis] = side
    return points * SIZE, normals


def degrees(R):
    return np.degrees((Rotation.from_matrix(R) * TRUE.inv()).magnitude())


assert not {"scale", "with_scale", "estimate_scale"} & set(inspect.signature(RigidRegistration.__init__).parameters)
for seed in range(2):
    rng = np.random.default_rng(seed)
    model, _ = surface(400, rng)
    true = TRUE.apply(model) + PLACE
    moved, (s, R, t) = RigidRegistration(X=true, Y=model, max_iterations=300, tolerance=1e-9).register()
    print(
        f"a box turned by {np.degrees(TRUE.magnitude()):.1f} degrees, its own points: points {1e3 * np.abs(moved - true).max():.3f} mm "
        f"and t {1e3 * np.linalg.norm(t - PLACE):.3f} mm off, R {degrees(R):.1f} degrees, R.T {degrees(R.T):.1f}"
    )
    assert np.abs(moved - true).max() < 1e-4 and np.linalg.norm(t - PLACE) < 1e-4
    assert degrees(R.T) < 0.1 and abs(degrees(R) - 2.0 * np.degrees(TRUE.magnitude())) < 1.0
    camera, normals = surface(800, rng)  # other points of the same box
    for name, points in (("all sides", camera), ("three sides", camera[normals.sum(axis=1) > 0.0])):
        moved, (s, R, t) = RigidRegistration(X=TRUE.apply(points) + PLACE, Y=model, max_iterations=300).register()
        off = 1e3 * np.linalg.norm(moved - true, axis=1)
        print(f"  {len(points)} points of {name}: {100.0 * (s - 1.0):+.1f} % in size, points {off.mean():.1f} mm off in the mean")
        assert (0.88 < s < 0.965 and off.mean() > 6.0) if name == "three sides" else (0.97 < s < 1.01 and off.mean() < 4.0)
print("as found: R is to be transposed, and s is not 1")
PYTHON
