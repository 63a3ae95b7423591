#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: solvePnP, as it comes, puts objects behind the camera, with success and a small reprojection error.
#
# The default, ITERATIVE, starts from a linear solution (DLT), which has a sign to choose, and descends from there. Where noise
# makes the sign chance, it ends in a pose behind the camera, half a turn from the true one: t[2] is negative, and projectPoints
# divides by it without a word, so that the pixels fit nearly as well. Networks that mark the eight corners of a box are off by 1
# to 2 pixels: of a box of 20 x 14 x 10 cm at 2 to 3 m with a focal length of 600, one pose of four is behind the camera with 2
# pixels of noise and one of thirteen with 1, and its reprojection error is 2.3 and 1.1 pixels in the median, which no threshold stops;
# of one that is 1 cm thick, one of sixteen at 0.5 to 1 m, with 5 pixels. The first value returned is True. SQPNP and EPNP have none
# of it. A test of t[2] > 0 finds all. Points of a flat board start otherwise and are not concerned. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import itertools

import cv2
import numpy as np

cv2.setNumThreads(1)
print("opencv-python-headless", cv2.__version__)
K = np.array([[600.0, 0.0, 320.0], [0.0, 600.0, 240.0], [0.0, 0.0, 1.0]])
VIEWS = 400
CORNERS = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))
BOX, PLATE = CORNERS * [0.20, 0.14, 0.10], CORNERS * [0.20, 0.14, 0.01]


def views(points, noise, nearest, farthest):
    """Rotations, positions and pixels of points in all attitudes."""
    rng = np.random.default_rng(0)
    for _ in range(VIEWS):
        vector = rng.normal(size=3)
        R = cv2.Rodrigues(vector / np.linalg.norm(vector) * rng.uniform(0.0, np.pi))[0]
        t = np.array([*rng.uniform(-0.1, 0.1, 2), rng.uniform(nearest, farthest)])
        pixels = (points @ R.T + t) @ K.T
        yield R, pixels[:, :2] / pixels[:, 2:] + rng.normal(0.0, noise, (len(points), 2))


def behind(name, points, noise, distances, method):
    """The share of views whose pose is behind the camera, and the median of their reprojection errors."""
    errors, turns, whole = [], [], 0
    for R, pixels in views(points, noise, *distances):
        found, by, at = cv2.solvePnP(points, pixels, K, None, **method)
        assert found
        if at[2, 0] < 0.0:
            drawn = cv2.projectPoints(points, by, at, K, None)[0].reshape(-1, 2)
            errors.append(np.sqrt(np.mean(np.sum((drawn - pixels) ** 2, axis=1))))
            turns.append(np.degrees(np.linalg.norm(cv2.Rodrigues(cv2.Rodrigues(by)[0] @ R.T)[0])))
            whole += bool(((points @ cv2.Rodrigues(by)[0].T + at.ravel())[:, 2] < 0.0).all())
    print(f"{name}: {len(errors)} of {VIEWS} behind the camera")
    if errors:
        print(
            f"    {whole} of them with all points; reprojection error {np.median(errors):.1f} pixels in the median, "
            f"{np.median(turns):.0f} degrees off"
        )
    assert whole >= 0.9 * len(errors)
    return len(errors) / VIEWS, np.median(errors) if errors else 0.0


for name, points, noise, distances, least in (
    ("a box at 2 to 3 m, 2 pixels", BOX, 2.0, (2.0, 3.0), 0.15),
    ("a box at 2 to 3 m, 1 pixel", BOX, 1.0, (2.0, 3.0), 0.04),
    ("a plate of 1 cm at 0.5 to 1 m, 1 pixel", PLATE, 1.0, (0.5, 1.0), 0.03),
):
    share, error = behind(f"{name}, default", points, noise, distances, {})
    assert share > least and error < 6.0 * noise + 2.0
    for method in ("SQPNP", "EPNP"):
        share, _ = behind(f"  {method}", points, noise, distances, {"flags": getattr(cv2, f"SOLVEPNP_{method}")})
        assert share == 0.0
share, _ = behind("a box at 2 to 3 m, exact, default", BOX, 0.0, (2.0, 3.0), {})
assert share == 0.0
share, _ = behind("the top of the box, flat, 2 pixels, default", BOX * [1.0, 1.0, 0.0], 2.0, (2.0, 3.0), {})
assert share == 0.0
print("as found: the default needs a test of t[2]")
PYTHON
