#!/usr/bin/env bash
# opencv-contrib-python-headless 5.0.0.93: cv2.linemod tells where a template is in steps of 5 pixels, all with a similarity of 100.
#
# LINEMOD is how much of the field gets a start pose: the best template gives the attitude, its place in the picture the position. A
# Match has whole pixels x and y, and a similarity of 100 is "the template, just here". The detector looks at one place of each
# 5 x 5 pixels (getT(0) is 5), spreads the gradients over the others, and says nothing of the rest: the columns 120 to 124
# come as 122, each with 100.0. Even the picture that the template was made from is found at (+2, +2). With a focal length of
# 600 that is up to 2.7 mm at 0.8 m in x and in y, and an object that creeps along a belt stands still, and jumps by 6.7 mm.
# With depth beside the colour it is the same. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-contrib-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

print("opencv-contrib-python-headless", cv2.__version__)
WIDTH, HEIGHT, SIDE = 320, 240, 60
rng = np.random.default_rng(0)
FACE = cv2.resize(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
HILL = np.hypot(*np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j])


def seen(x, y):
    """Colour and depth of a printed hill whose upper left corner is at x, y, on a grey table 0.8 m away."""
    colour, depth = np.full((HEIGHT, WIDTH, 3), 128, np.uint8), np.full((HEIGHT, WIDTH), 800, np.uint16)
    colour[y : y + SIDE, x : x + SIDE] = FACE
    depth[y : y + SIDE, x : x + SIDE] = (800 - 60 * np.clip(1.0 - HILL, 0.0, None)).astype(np.uint16)
    return colour, depth


def found(make, sources):
    """Where the template is said to be, for true places that go on by one pixel."""
    detector = make()
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[100 : 100 + SIDE, 120 : 120 + SIDE] = 255
    number, box = detector.addTemplate(seen(120, 100)[:sources], "hill", mask)
    assert number == 0
    assert detector.getT(0) == 5
    places = []
    for x in range(120, 131):
        matches = detector.match(seen(x, 100)[:sources], 80.0, ["hill"])[0]
        best = max(match.similarity for match in matches)
        at = [match.x for match in matches if match.similarity == best]
        assert all(match.y == box[1] + 2 for match in matches if match.similarity == best)
        places.append((x - 120 + box[0], at[0], round(best, 1), len(at)))
    return places


for name, make, sources in (("LINE", cv2.linemod.getDefaultLINE, 1), ("LINEMOD", cv2.linemod.getDefaultLINEMOD, 2)):
    places = found(make, sources)
    print(f"{name}: true column, found column, similarity:", [place[:3] for place in places])
    assert all(match == true // 5 * 5 + 2 and similarity == 100.0 and only == 1 for true, match, similarity, only in places)
print("as found: one place of five by five, with a similarity of 100 for all of them")
PYTHON
