#!/usr/bin/env bash
# small_gicp 1.0.1: align() of an object of six centimetres compares eight points of four thousand, and says that it converged.
#
# small_gicp.align(target, source) takes two clouds as arrays, as one would call any ICP. Without further arguments both
# are first thinned to one point in a cell of 0.25 m (downsampling_resolution), and neighbours are looked for within 1 m:
# sizes of a lidar's street. Of 4000 points on a box of 60 x 40 x 20 mm, in metres, 8 are left. The result has
# converged = True and counts all of what is left as inliers (num_inliers = 8), but hardly turns the box: of 7 degrees
# about 4 are left, where less than 0.1 are with cells of 2 mm. The eight points are only told on the standard error
# output, and nothing of a result says what the cells were. The same in millimetres is right. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check small_gicp==1.0.1 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import small_gicp
from scipy.spatial.transform import Rotation

print("small_gicp", version("small_gicp"))
SIDES = np.array([0.06, 0.04, 0.02])
turn = Rotation.from_euler("xyz", [4.0, -3.0, 5.0], degrees=True)
shift = np.array([0.004, -0.003, 0.002])


def on_a_box(seed):
    """4000 points on the surface, metres; faces by their areas."""
    rng = np.random.default_rng(seed)
    areas = np.repeat(np.prod(SIDES) / SIDES, 2)
    face = rng.choice(6, 4000, p=areas / areas.sum())
    points = rng.uniform(-0.5, 0.5, (4000, 3))
    points[np.arange(4000), face // 2] = face % 2 - 0.5
    return points * SIDES


def left_deg(scale, **settings):
    """Degrees that a registration leaves of the turn, and its result."""
    target, source = on_a_box(1), turn.inv().apply(on_a_box(2) - shift)
    result = small_gicp.align(target * scale, source * scale, **settings)
    found = Rotation.from_matrix(result.T_target_source[:3, :3])
    return np.degrees((found * turn.inv()).magnitude()), result


given = np.degrees(turn.magnitude())
plain, result = left_deg(1.0)
print(f"metres, as it is: {plain:.1f} of {given:.1f} degrees left, converged {result.converged}, inliers {result.num_inliers}")
assert result.converged and result.num_inliers == 8 and plain > 2.0
told, fine = left_deg(1.0, downsampling_resolution=0.002, max_correspondence_distance=0.02)
print(f"cells of 2 mm: {told:.2f} degrees left, converged {fine.converged}, inliers {fine.num_inliers}")
assert fine.converged and fine.num_inliers > 1000 and told < 0.2
near, small = left_deg(1000.0)
print(f"millimetres, as it is: {near:.2f} degrees left, inliers {small.num_inliers}")
assert small.num_inliers > 1000
street, large = left_deg(100.0)
print(f"a box of 6 m, as it is: {street:.2f} degrees left, inliers {large.num_inliers}")
assert large.num_inliers > 1000 and street < 0.2
print("as found: defaults are a street's, and what is smaller converges on its corners")
PYTHON
