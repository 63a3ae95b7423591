#!/usr/bin/env bash
# opencv-python-headless 4.13.0.92: calibrateHandEye does not find a camera that sits half a turn from the gripper's axes.
#
# Cameras are screwed on in quarter turns, and half a turn, about z with the cable the other way or about x to look back, is
# one of four. The default method, TSAI, writes a rotation as a vector that is infinite there. Of exact poses, as of a simulation
# or one's own test, the answer to a camera at 180 degrees is one at 0 degrees, in all trials, 22 cm off in the median: a
# matrix as proper as any. Of poses with noise of 0.2 degrees and 1 mm, it is 2 to 3 degrees off in the median and in one of ten
# more than 10, where PARK and HORAUD are 0.2 off; within half a degree of 180 it is three times as far off as they are. At all other
# angles TSAI is as good as these. There is no residual among the answers, and the help does not name the case. method=CALIB_HAND_EYE_PARK
# is the cure. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==4.13.0.92 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

cv2.setNumThreads(1)
print("opencv-python-headless", cv2.__version__)
TRIALS, POSES = 40, 12
MOUNT = np.array([0.03, 0.05, 0.10])  # of the camera in the gripper's frame, m


def turn(*vector):
    return cv2.Rodrigues(np.array(vector, float))[0]


def pose(R, t):
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = R, t
    return matrix


BOARD = pose(turn(3.0, 0.2, 0.1), [0.6, 0.1, 0.05])  # in the frame of the robot's base


def errors(degrees, axis, noise, method):
    """Degrees and mm that the camera is off, (TRIALS, 2)."""
    camera = pose(turn(*(np.radians(degrees) * np.array(axis))), MOUNT)
    off = []
    for trial in range(TRIALS):
        rng = np.random.default_rng(trial)
        grippers, boards = [], []
        for _ in range(POSES):
            R = turn(*(0.4 * rng.normal(size=3))) @ turn(np.pi, 0.0, 0.0)
            gripper = pose(R, np.array([0.5, 0.0, 0.6]) + 0.1 * rng.normal(size=3))
            shake = pose(turn(*(noise * np.radians(0.2) * rng.normal(size=3))), noise * 1e-3 * rng.normal(size=3))
            grippers.append(gripper)
            boards.append(np.linalg.inv(gripper @ camera) @ BOARD @ shake)
        found = cv2.calibrateHandEye(
            [T[:3, :3] for T in grippers], [T[:3, 3] for T in grippers], [T[:3, :3] for T in boards], [T[:3, 3] for T in boards],
            **({} if method is None else {"method": method}),
        )  # fmt: skip
        assert abs(np.linalg.det(found[0]) - 1.0) < 1e-6
        cosine = (np.trace(found[0] @ camera[:3, :3].T) - 1.0) / 2.0
        off.append([np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))), 1e3 * np.linalg.norm(found[1].ravel() - MOUNT)])
    return np.array(off)


for axis in ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)):
    for degrees in (90, 179.5, 180):
        for noise in (0.0, 1.0):
            default, park = errors(degrees, axis, noise, None), errors(degrees, axis, noise, cv2.CALIB_HAND_EYE_PARK)
            (middle, mm), worse = np.median(default, axis=0), np.percentile(default[:, 0], 90)
            usual, usual_mm = np.median(park, axis=0)
            print(
                f"{degrees} degrees about {'xyz'[int(np.argmax(axis))]}, {'noise' if noise else 'exact'}: by default {middle:.2f} degrees "
                f"and {mm:.1f} mm off, one of ten more than {worse:.1f} degrees; PARK {usual:.2f} degrees and {usual_mm:.1f} mm"
            )
            assert park[:, 0].max() < (1.0 if noise else 1e-3)
            if degrees == 90:
                assert default[:, 0].max() < (1.0 if noise else 1e-3)
            elif degrees == 179.5:
                assert (2.0 * usual < middle < 6.0 * usual) if noise else default[:, 0].max() < 1e-3
            elif noise:
                assert middle > 8.0 * usual and worse > 5.0
            else:
                assert default[:, 0].min() > 179.9 and mm > 100.0
print("as found: half a turn is not to be found by default")
PYTHON
