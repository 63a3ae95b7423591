#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: solvePnP with the last frame's pose as a guess writes the new pose into the last frame's.
#
# solvePnP returns rvec and tvec of 3 x 1, and a tracker gives them back to it for the next frame, with useExtrinsicGuess=True. They
# are the arrays that it answers in: what is returned is the same objects, and the pose of the frame before is gone. A list of
# poses holds the last one in every place; a motion between frames, a speed, a test for jumps is 0, whatever moved: below
# a jump of 0.30 m passes for 0. The same numbers as 1 x 3 or flat are left alone, so a test that types its guess does not see it.
# EPNP, SQPNP, P3P and AP3P, which have no use for a guess, write over it as well, and so do solvePnPRefineLM and
# solvePnPRefineVVS over what they refine, so that "before" and "after" compare as equal. copy() is the cure. Fails if any of
# this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

print("opencv-python-headless", cv2.__version__)
K = np.array([[600.0, 0.0, 319.5], [0.0, 600.0, 239.5], [0.0, 0.0, 1.0]])
POINTS = np.random.default_rng(0).uniform(-0.1, 0.1, (12, 3))
TURN = np.array([0.4, -0.3, 0.1])


def pixels(x):
    return cv2.projectPoints(POINTS, TURN, np.array([x, 0.0, 0.9]), K, None)[0]


# An object that moves by 1 cm a frame, and by 30 cm from the sixth to the seventh.
truth = [0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.35, 0.36]
for keep in ("as returned", "copied"):
    _, rvec, tvec = cv2.solvePnP(POINTS, pixels(truth[0]), K, None)
    poses, motions = [tvec], []
    for x in truth[1:]:
        guess = (rvec, tvec) if keep == "as returned" else (rvec.copy(), tvec.copy())
        found, rvec_new, tvec_new = cv2.solvePnP(POINTS, pixels(x), K, None, *guess, useExtrinsicGuess=True)
        assert found and abs(tvec_new[0, 0] - x) < 1e-5
        motions.append(float(np.linalg.norm(tvec_new - tvec)))
        rvec, tvec = rvec_new, tvec_new
        poses.append(tvec)
    list_of_x = [round(float(pose[0, 0]), 2) for pose in poses]
    print(f"guesses {keep}: x of all poses {list_of_x}, largest motion of a frame {max(motions):.3f} m")
    if keep == "copied":
        assert list_of_x == truth and abs(max(motions) - 0.3) < 1e-4
    else:
        assert list_of_x == [truth[-1]] * len(truth) and max(motions) == 0.0


def changed(shape, of=12, **how):
    """Whether the pose that was given is another one afterwards."""
    rvec, tvec = (TURN + 0.05).reshape(shape), np.array([0.02, 0.01, 0.85]).reshape(shape)
    before = tvec.copy()
    cv2.solvePnP(POINTS[:of], pixels(0.0)[:of], K, None, rvec, tvec, **how)
    return not np.array_equal(before, tvec)


shapes = {shape: changed(shape, useExtrinsicGuess=True) for shape in ((3, 1), (1, 3), (3,))}
print("written over, by shape:", shapes)
assert shapes == {(3, 1): True, (1, 3): False, (3,): False}
ways = {}
for name, of in (("ITERATIVE", 12), ("EPNP", 12), ("SQPNP", 12), ("P3P", 4), ("AP3P", 4)):
    flags = getattr(cv2, f"SOLVEPNP_{name}")
    ways[name] = [changed((3, 1), of, flags=flags, useExtrinsicGuess=use) for use in (True, False)]
print("written over, by method, with and without the flag:", ways)
assert all(all(both) for both in ways.values())
for refine in (cv2.solvePnPRefineLM, cv2.solvePnPRefineVVS):
    rvec, tvec = TURN.reshape(3, 1) + 0.05, np.array([[0.02], [0.01], [0.85]])
    before = tvec.copy()
    refine(POINTS, pixels(0.0), K, None, rvec, tvec)
    print(f"{refine.__name__}: the pose before is written over: {not np.array_equal(before, tvec)}")
    assert not np.array_equal(before, tvec)
print("as found: the pose before is the pose after")
PYTHON
