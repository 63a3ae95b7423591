#!/usr/bin/env bash
# zxing-cpp 3.1.1 (and opencv-python-headless 5.0.0.93): corners of a QR code are whole pixels, half of one to the lower right.
#
# A QR code on a part or a bin gives a pose by its four corners. zxing-cpp's `position` is of whole numbers, and pixels
# begin at them: in OpenCV's coordinates, where 0, 0 is the middle of the first pixel, they are half a pixel too far to
# the right and down. Of a code that is painted on the pixels 100 to 183, top_left is 100 and bottom_right 185, where
# its edges are at 99.5 and 183.5: it is a pixel larger, too. Of 60 codes of 30 mm, 15 to 20 cm away and tilted, the
# corners are 0.5 pixels aside on the mean, 0.6 about that, and poses made of them are a degree off, some more than
# three; by the true corners they are exact. The text is read, there is no error, and the corners are in the code's own
# order. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  zxing-cpp==3.1.1 opencv-python-headless==5.0.0.93 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import cv2
import numpy as np
import zxingcpp
from scipy.spatial.transform import Rotation

print("zxing-cpp", version("zxing-cpp"), "opencv", cv2.__version__)
code = cv2.QRCodeEncoder.create().encode("part 17")
rows, columns = np.nonzero(code == 0)
code = code[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
MODULES, QUIET, FINE, SIZE = len(code), 4, 4, 0.03  # modules, modules around, subpixels, metres
sheet = np.full((MODULES + 2 * QUIET,) * 2, 255, np.uint8)
sheet[QUIET:-QUIET, QUIET:-QUIET] = code
sheet = np.kron(sheet, np.ones((20, 20), np.uint8))
K = np.array([[600.0, 0.0, 319.5], [0.0, 600.0, 239.5], [0.0, 0.0, 1.0]])
square = SIZE / 2.0 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
on_sheet = np.array([[a, b] for a, b in ((QUIET, QUIET), (-QUIET, QUIET), (-QUIET, -QUIET), (QUIET, -QUIET))])
on_sheet = (on_sheet % (MODULES + 2 * QUIET)) * 20.0 - 0.5


def seen(R, t):
    """The picture of the code, of 640 x 480, and its corners with the middle of the first pixel at 0, 0."""
    points = (np.c_[square, np.zeros(4)] @ R.T + t) @ K.T
    corners = points[:, :2] / points[:, 2:]
    fine = (FINE * (corners + 0.5) - 0.5).astype(np.float32)
    warp = cv2.getPerspectiveTransform(on_sheet.astype(np.float32), fine)
    small = cv2.warpPerspective(sheet, warp, (640 * FINE, 480 * FINE), flags=cv2.INTER_AREA, borderValue=255)
    return cv2.resize(small, (640, 480), interpolation=cv2.INTER_AREA), corners


def pose(corners):
    model = np.c_[square, np.zeros(4)]
    _, rvec, tvec = cv2.solvePnP(model, corners, K, None, flags=cv2.SOLVEPNP_IPPE)
    rvec, tvec = cv2.solvePnPRefineLM(model, corners, K, None, rvec, tvec)
    return Rotation.from_rotvec(rvec[:, 0]), tvec[:, 0]


for start in (100, 101, 102):  # painted, not warped: the code fills the pixels from `start` on
    plain = np.full((400, 400), 255, np.uint8)
    plain[start : start + 4 * MODULES, start : start + 4 * MODULES] = np.kron(code, np.ones((4, 4), np.uint8))
    place = zxingcpp.read_barcodes(plain)[0].position
    x, y = place.top_left.x, place.top_left.y
    print(f"the first dark pixel is {start}, {start}, its edge {start - 0.5}: top_left is {x}, {y}")
    print(f"  the last is {start + 4 * MODULES - 1}: bottom_right is {place.bottom_right.x}, {place.bottom_right.y}")
    assert (x, y) == (start, start)
    assert (place.bottom_right.x, place.bottom_right.y) == (start + 4 * MODULES + 1,) * 2
rng = np.random.default_rng(0)
shifts, whole, turns, moves, exact = [], True, [], [], []
for _ in range(60):
    across = rng.uniform(-np.pi, np.pi)
    tilt = np.radians(rng.uniform(25.0, 40.0)) * np.array([np.cos(across), np.sin(across), 0.0])
    R = Rotation.from_rotvec(tilt) * Rotation.from_euler("z", rng.uniform(-np.pi, np.pi))
    t = np.array([*rng.uniform(-0.05, 0.05, 2), rng.uniform(0.15, 0.2)])
    picture, corners = seen(R.as_matrix(), t)
    found = zxingcpp.read_barcodes(picture)
    if not found:
        continue
    place = found[0].position
    answer = [(p.x, p.y) for p in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)]
    whole &= all(isinstance(number, int) for corner in answer for number in corner)
    answer = np.array(answer, dtype=float)
    shifts.append(answer - corners)
    rotation, position = pose(answer)
    turns.append(np.degrees((rotation * R.inv()).magnitude()))
    moves.append(1e3 * np.linalg.norm(position - t))
    exact.append(np.degrees((pose(corners)[0] * R.inv()).magnitude()))
shifts = np.array(shifts)
print(f"{len(shifts)} of 60 read; whole numbers: {whole}")
print(f"corners are off by {shifts.mean(axis=(0, 1)).round(2).tolist()} pixels on the mean, {shifts.std(axis=(0, 1)).round(2).tolist()} about it")
print(f"poses by {np.median(turns):.1f} degrees (median, at most {max(turns):.1f}) and {np.median(moves):.2f} mm; by true corners {max(exact):.4f}")
assert whole and len(shifts) >= 50
assert np.all(np.abs(shifts.mean(axis=(0, 1)) - 0.5) < 0.15) and shifts.std() > 0.3
assert 0.6 < np.median(turns) < 2.0 and max(turns) > 2.0 and max(exact) < 0.01
assert np.abs(shifts).max() < 4.0  # in the code's own order
print("as found: whole pixels, that begin at their numbers")
PYTHON
