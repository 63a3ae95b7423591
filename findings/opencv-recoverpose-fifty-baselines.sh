#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: recoverPose of two near frames answers with any of four poses, half a turn off among them.
#
# An essential matrix stands for four motions, and recoverPose takes the one with the points in front of both cameras. Those that
# are more than 50 baselines away are not counted for any of the four; the argument that says so, distanceThresh, is in another
# overload. An object at 0.8 m in a film whose camera moves 1 cm between frames is 80 baselines away: no point counts, the counts
# are 0, 0, 0, 0, and what comes back is one of the four, with R up to 180 degrees off and t backwards in half of them, from exact
# pixels. The first value returned is then 0, which is all that tells; at 65 baselines it is still so, at 40 all is right.
# With distanceThresh of 1000, the same essential matrix gives the right one. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

print("OpenCV", cv2.__version__)
K = np.array([[600.0, 0.0, 320.0], [0.0, 600.0, 240.0], [0.0, 0.0, 1.0]])
DISTANCE, MOTIONS = 0.8, 40
rng = np.random.default_rng(0)
points = rng.uniform(-0.12, 0.12, (300, 3)) + [0.0, 0.0, DISTANCE]


def pixels(at):
    return at[:, :2] / at[:, 2:] * 600.0 + [320.0, 240.0]


def cross(t):
    return np.array([[0.0, -t[2], t[1]], [t[2], 0.0, -t[0]], [-t[1], t[0], 0.0]])


def trial(baseline):
    """Of motions with this baseline: points counted, and degrees that R and t are off, each as it comes and told."""
    found = []
    for _ in range(MOTIONS):
        R = cv2.Rodrigues(rng.normal(0.0, 0.02, 3))[0]
        t = rng.normal(size=3)
        t *= baseline / np.linalg.norm(t)
        before, after = pixels(points), pixels(points @ R.T + t)
        essential = cross(t / baseline) @ R  # the exact one, so that only the choice is looked at
        for told in ({}, {"distanceThresh": 1000.0}):
            number, R_found, t_found, *_ = cv2.recoverPose(essential, before, after, K, **told)
            turn = np.degrees(np.linalg.norm(cv2.Rodrigues(R_found @ R.T)[0]))
            side = np.degrees(np.arccos(np.clip(t_found.ravel() @ t / baseline, -1.0, 1.0)))
            found.append((number, turn, side))
    return np.array(found).reshape(MOTIONS, 2, 3)


for baselines in (20, 40, 65, 80):
    found = trial(DISTANCE / baselines)
    wrong = (found[..., 1:] > 90.0).sum(axis=0)
    for name, (turned, backwards), counts in zip(("as it comes", "distanceThresh=1000"), wrong, found[..., 0].T):
        print(
            f"{baselines} baselines away, {name}: R half a turn off in {turned} of {MOTIONS}, t backwards in {backwards}; "
            f"{counts.min():.0f} to {counts.max():.0f} points counted"
        )
    assert not wrong[1].any() and (found[:, 1, 0] == len(points)).all()
    if baselines < 50:
        assert not wrong[0].any()
    else:
        assert (wrong[0] > MOTIONS / 5).all() and (found[:, 0, 0] == 0).all()
print("as found: beyond 50 baselines the pose is one of four by chance")
PYTHON
