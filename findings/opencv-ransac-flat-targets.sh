#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: solvePnPRansac turns boards and labels, whose points lie in a plane, by tens of degrees.
#
# Of something flat that is seen from one side, with no outlier in it, RANSAC should be easy. A grid of 7 x 6 points of 20 x
# 16 cm under 5 to 60 degrees at 0.5 to 1 m, with 0.2 pixels of noise, comes back with the default settings more than 5 degrees
# off in three of five views, 47 in the median and up to 137, with success and 32 of 42 points called inliers. EPNP and
# AP3P named by flags are worse: AP3P finds all of the inliers, and the pose is wrong all the same. What makes the
# difference is a sign: these are boards whose z points at the camera, as the documented square of a marker has it
# (SOLVEPNP_IPPE_SQUARE). With z into the board, as of chessboards whose y is downwards, it is one view in twelve. solvePnP of
# the inliers, and flags=SOLVEPNP_SQPNP, are right either way; so is all of it for points of a solid. Fails if any of this
# changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

cv2.setNumThreads(1)
print("opencv-python-headless", cv2.__version__)
K = np.array([[600.0, 0.0, 319.5], [0.0, 600.0, 239.5], [0.0, 0.0, 1.0]])
VIEWS = 150
x, y = np.meshgrid(np.linspace(-0.1, 0.1, 7), np.linspace(-0.08, 0.08, 6))
FLAT = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
SOLID = np.random.default_rng(1).uniform(-1.0, 1.0, FLAT.shape) * [0.1, 0.08, 0.08]
AWAY, TOWARDS = np.eye(3), np.diag([1.0, -1.0, -1.0])


def views(points, facing):
    """Rotations, positions and noisy pixels of points seen from one side."""
    rng = np.random.default_rng(0)
    for _ in range(VIEWS):
        axis, roll = rng.normal(size=2), rng.uniform(-3.0, 3.0)
        tilt = np.radians(rng.uniform(5.0, 60.0)) * np.array([*axis, 0.0]) / np.linalg.norm(axis)
        R = cv2.Rodrigues(tilt)[0] @ cv2.Rodrigues(np.array([0.0, 0.0, roll]))[0] @ facing
        t = np.array([rng.uniform(-0.2, 0.2), rng.uniform(-0.15, 0.15), rng.uniform(0.5, 1.0)])
        exact = cv2.projectPoints(points, cv2.Rodrigues(R)[0], t, K, None)[0].reshape(-1, 2)
        yield R, t, exact + rng.normal(0.0, 0.2, exact.shape)


def degrees(by, R):
    return np.degrees(np.linalg.norm(cv2.Rodrigues(cv2.Rodrigues(by)[0] @ R.T)[0]))


def share(name, points, facing, method):
    """The share of views that are more than 5 degrees off."""
    turns, lengths, inliers, again = [], [], [], []
    for R, t, pixels in views(points, facing):
        found, by, at, within = cv2.solvePnPRansac(points, pixels, K, None, **method)
        assert found
        turns.append(degrees(by, R))
        lengths.append(1e3 * np.linalg.norm(at.ravel() - t))
        inliers.append(len(within))
        again.append(degrees(cv2.solvePnP(points[within.ravel()], pixels[within.ravel()], K, None)[1], R))
    wrong = float((np.array(turns) > 5.0).mean())
    print(
        f"{name}: {wrong:.0%} more than 5 degrees off; median {np.median(turns):.2f}, most {max(turns):.1f} degrees; "
        f"median {np.median(lengths):.1f}, most {max(lengths):.0f} mm; {np.median(inliers):.0f} of {len(points)} inliers; "
        f"solvePnP of these: at most {max(again):.1f} degrees off"
    )
    assert max(again) < 5.0
    return wrong


def named(method):
    return {"flags": getattr(cv2, f"SOLVEPNP_{method}")}


assert 0.4 < share("a flat grid, z towards the camera, default", FLAT, TOWARDS, {}) < 0.8
assert share("  EPNP", FLAT, TOWARDS, named("EPNP")) > 0.7
assert share("  AP3P", FLAT, TOWARDS, named("AP3P")) > 0.7
assert share("  SQPNP", FLAT, TOWARDS, named("SQPNP")) == 0.0
assert 0.01 < share("a flat grid, z away from the camera, default", FLAT, AWAY, {}) < 0.2
assert share("  SQPNP", FLAT, AWAY, named("SQPNP")) == 0.0
assert share("points of a solid, default", SOLID, TOWARDS, {}) == 0.0

print("as found: solvePnPRansac is no way to the pose of a flat board")
PYTHON
