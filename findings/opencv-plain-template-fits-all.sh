#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: a template of one grey has the best score, 1.0, all over every picture.
#
# A view of the model is cut out and looked for with cv2.matchTemplate; TM_CCOEFF_NORMED, the correlation coefficient,
# is the method that is taken for its scale from -1 to 1. It has no value where the template does not vary, as with the
# plain front of a box or a wall of a part that is lit from the front; what is returned is 1.0 for all places, in a
# picture of noise, of anything, of another grey. A threshold of 0.9 passes all, and minMaxLoc's best place is the
# upper left corner. With one pixel that differs by one grey, the same call answers with less than 0.1. With a mask of
# the part's outline, which is to leave the background out, it is NaN at all places instead; NaN >= 0.9 is False, and
# NaN < 0.9 too. A plain picture under a template that does vary has 0. Squared differences (TM_SQDIFF_NORMED) find the
# box. Fails if any of this changes.
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
rng = np.random.default_rng(0)
noise = rng.integers(0, 256, (240, 320), dtype=np.uint8)
steps = np.tile(np.arange(320, dtype=np.uint8) // 2, (240, 1))
scene = np.full((240, 320), 90, np.uint8)
cv2.rectangle(scene, (200, 100), (259, 159), 210, -1)  # the box, 60 x 60
plain = np.full((60, 60), 210, np.uint8)
almost = plain.copy()
almost[30, 30] += 1
inside = np.zeros((60, 60), np.uint8)
cv2.circle(inside, (30, 30), 25, 1, -1)

black = np.zeros_like(scene)
for name, picture in (("noise", noise), ("a ramp", steps), ("the box on a table", scene), ("all black", black)):
    scores = cv2.matchTemplate(picture, plain, cv2.TM_CCOEFF_NORMED)
    _, best, _, place = cv2.minMaxLoc(scores)
    print(f"{name}: scores from {scores.min():.1f} to {scores.max():.1f}, the best at {place}")
    assert (scores == 1.0).all() and place == (0, 0) and best == 1.0
    masked = cv2.matchTemplate(picture, plain, cv2.TM_CCOEFF_NORMED, mask=inside)
    print(f"    with a mask, {np.mean(np.isnan(masked)):.0%} are NaN")
    assert np.isnan(masked).all()
scores = cv2.matchTemplate(noise, almost, cv2.TM_CCOEFF_NORMED)
print(f"one pixel of the template one grey brighter, in noise: {scores.min():.2f} to {scores.max():.2f}")
assert np.abs(scores).max() < 0.1
scores = cv2.matchTemplate(np.zeros_like(scene), almost, cv2.TM_CCOEFF_NORMED)
assert (scores == 0.0).all()
scores = cv2.matchTemplate(scene, plain, cv2.TM_SQDIFF_NORMED)
assert cv2.minMaxLoc(scores)[2] == (200, 100)  # squared differences do find it
print("as found: nothing to compare is the best score")
PYTHON
