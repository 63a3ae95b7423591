#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: disparities of StereoSGBM, in sixteenths of a pixel, stick to whole pixels.
#
# StereoBM and StereoSGBM both give disparities with four bits for the part of a pixel, and SGBM is taken for the better
# one. Its P1 and P2, penalties for a change by one and by more, are "8" and "32 * channels * blockSize^2" in OpenCV's
# help and sample. With these, of a flat wall with texture, parallel to the picture, without noise, the disparity is
# pulled to the next whole number, by up to 0.3 pixels: 20.375 comes as 20.15 and 20.625 as 20.92, everywhere alike, as
# if it were smooth and exact. With f B = 30 pixel metres, the wall at 1.472 m is at 1.489 m; a wall that is seen at a
# slant is a staircase, and what stands in front of it is too far or too near by its place on a stair. 16 levels of a
# disparity look like an error of 1/16. Windows of 11 are no better. StereoBM is right to 0.06 on the same pictures, and
# so is SGBM with P1 = P2 = 0, its default, to 0.11. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

print("OpenCV", cv2.__version__)
WIDTH, HEIGHT, FINE = 320, 160, 8  # the texture has 8 samples to a pixel, so disparities in eighths are exact
TRUE = (20.0, 20.25, 20.375, 20.625, 20.75)
rng = np.random.default_rng(0)
texture = rng.random((HEIGHT, (WIDTH + 100) * FINE)).astype(np.float32)
texture = cv2.GaussianBlur(texture, (0, 0), sigmaX=1.5 * FINE, sigmaY=1.5)
texture = np.clip((texture - texture.mean()) / texture.std() * 40.0 + 128.0, 0.0, 255.0)


def view(start):
    """The wall from so many pixels on."""
    first = round(start * FINE)
    cut = texture[:, first : first + WIDTH * FINE]
    return cut.reshape(HEIGHT, WIDTH, FINE).mean(axis=2).round().astype(np.uint8)


def sgbm(size, penalties, mode=cv2.STEREO_SGBM_MODE_SGBM):
    one, more = (8 * size**2, 32 * size**2) if penalties else (0, 0)
    return cv2.StereoSGBM_create(0, 64, size, P1=one, P2=more, mode=mode)


right = view(40.0)
errors = {}
for name, matcher in {
    "StereoBM": cv2.StereoBM_create(64, 15),
    "StereoSGBM, no penalties": sgbm(5, False),
    "StereoSGBM": sgbm(5, True),
    "StereoSGBM, window of 11": sgbm(11, True),
    "StereoSGBM, all ways": sgbm(5, True, cv2.STEREO_SGBM_MODE_HH),
}.items():
    means = []
    for disparity in TRUE:
        found = matcher.compute(view(40.0 - disparity), right)[30:-30, 100:-60] / 16.0
        assert np.mean(found > 0.0) > 0.9
        means.append(found[found > 0.0].mean())
    errors[name] = np.array(means) - TRUE
    print(f"{name}: {errors[name].round(3).tolist()} off for {list(TRUE)}")
assert np.max(np.abs(errors["StereoBM"])) < 0.06
assert np.max(np.abs(errors["StereoSGBM, no penalties"])) < 0.12
for name in ("StereoSGBM", "StereoSGBM, window of 11", "StereoSGBM, all ways"):
    whole, quarter, less, more, three = errors[name]
    assert abs(whole) < 0.01 and quarter < -0.12 and less < -0.18 and more > 0.25 and three > 0.18, name
wrong = 30.0 / (TRUE[2] + errors["StereoSGBM"][2]) - 30.0 / TRUE[2]
print(f"with f B = 30, the wall at {30.0 / TRUE[2]:.3f} m is {1e3 * wrong:.0f} mm off")
assert wrong > 0.01
print("as found: sixteenths, pulled to the next whole pixel")
PYTHON
