#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: cv2.Odometry takes depth of 16 bits for fifths of a millimetre, so motions come five times too small.
#
# Depth of 16 bits is in millimetres with nearly every camera, and so it is in the same module: depthTo3d and rescaleDepth document
# it, and registerDepth keeps it. Odometry, which answers with the motion between two frames, divides by 5000, as one data set, TUM
# RGB-D, has it. Of a camera that moved 27 mm and turned by 1.5 degrees, the rotation is right and the translation is 5.4 mm,
# from depth alone and from depth and colour, and both report success; getProcessedDepth shows a wall at 1 m at 0.2 m. No help has
# the 5000, and OdometrySettings has no setter for it. The same depth as float32 in metres is exact to a hundredth of a millimetre.
# A path of such steps has the right shape, a fifth of the size, and turns too sharply for it. Fails if any of this changes.
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
K = np.array([[600.0, 0.0, 319.5], [0.0, 600.0, 239.5], [0.0, 0.0, 1.0]], np.float32)
rows, columns = np.mgrid[:480, :640]
RAYS = np.stack([(columns - 319.5) / 600.0, (rows - 239.5) / 600.0, np.ones((480, 640))], axis=-1)
noise = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(1200, 1200)).astype(np.float32), (0, 0), 4.0)
WALLPAPER = cv2.normalize(noise, None, 0.0, 255.0, cv2.NORM_MINMAX)


def seen(R, t):
    """Depth (480, 640) in m of a wall with bumps at about 1 m, and its picture, of a camera at R, t in the world."""
    rays = RAYS @ R.T
    z = np.ones((480, 640))
    for _ in range(40):
        points = t + rays * z[..., None]
        z += 0.7 * (1.0 + 0.08 * np.sin(9.0 * points[..., 0]) * np.cos(8.0 * points[..., 1]) - points[..., 2])
    paper = (400.0 * points[..., :2] + 600.0).astype(np.float32)
    picture = cv2.remap(WALLPAPER, paper[..., 0], paper[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return z, cv2.cvtColor(picture.round().astype(np.uint8), cv2.COLOR_GRAY2BGR)


R, t = cv2.Rodrigues(np.array([0.01, -0.02, 0.015]))[0], np.array([0.02, -0.01, 0.015])
(first, picture), (second, other) = seen(np.eye(3), np.zeros(3)), seen(R, t)
TRUE = np.eye(4)  # takes points from the first frame to the second, as documented
TRUE[:3, :3], TRUE[:3, 3] = R.T, -R.T @ t
settings = cv2.OdometrySettings()
settings.setCameraMatrix(K)
assert not [name for name in dir(settings) if "factor" in name.lower() or "scale" in name.lower() and "Sobel" not in name]

KINDS = {"float32, m": lambda z: z.astype(np.float32), "uint16, mm": lambda z: np.round(1000.0 * z).astype(np.uint16)}
for kind, of in KINDS.items():
    by_depth = cv2.Odometry(cv2.OdometryType_DEPTH, settings, cv2.OdometryAlgoType_COMMON)
    by_both = cv2.Odometry(cv2.OdometryType_RGB_DEPTH, settings, cv2.OdometryAlgoType_COMMON)
    answers = {
        "depth": by_depth.compute(of(first), of(second)),
        "depth and colour": by_both.compute(of(first), picture, of(second), other),
    }
    for name, (found, motion) in answers.items():
        assert found
        turn = np.degrees(np.linalg.norm(cv2.Rodrigues(motion[:3, :3] @ TRUE[:3, :3].T)[0]))
        length = 1e3 * np.linalg.norm(motion[:3, 3])
        print(
            f"{kind}, {name}: success, {turn:.3f} degrees off, moved by {length:.2f} mm of {1e3 * np.linalg.norm(TRUE[:3, 3]):.2f}"
        )
        assert turn < 0.05
        assert np.allclose(motion[:3, 3], TRUE[:3, 3] / (5.0 if "uint16" in kind else 1.0), atol=2e-4)
    frame = cv2.OdometryFrame(of(first), picture)
    by_both.prepareFrame(frame)
    taken = np.nanmedian(frame.getProcessedDepth())
    print(f"  a wall at {np.median(first):.3f} m is taken for one at {taken:.3f} m")
    assert abs(taken * (5.0 if "uint16" in kind else 1.0) - np.median(first)) < 0.01

millimetres = KINDS["uint16, mm"](first)
assert abs(np.median(cv2.depthTo3d(millimetres, K)[..., 2]) - np.median(first)) < 0.01
assert abs(np.median(cv2.rescaleDepth(millimetres, cv2.CV_32F)) - np.median(first)) < 0.01
print("as found: in one function of the module, 16 bits are no millimetres")
PYTHON
