#!/usr/bin/env bash
# open3d 0.19.0 and 0.20.0: a cloud of the same float depth image is in metres with the one, and a thousand times smaller with the other.
#
# PointCloud.create_from_depth_image(image, intrinsic) has depth_scale = 1000 in both. 0.19.0 divides 16-bit depth by it
# and takes 32-bit floats as they are, whatever depth_scale is given, so that a renderer's depth in metres is right
# without a word. 0.20.0 divides floats, too: the same call puts an object 1.2 m away at 1.2 mm, and depth_scale = 1 is
# needed. RGBDImage.create_from_color_and_depth divides floats in both, so in 0.19.0 one image has two units: it is
# metres for a cloud of depth, and a thousandth for one of depth and colours; depth in millimetres is right in the
# second, and at 1234 m in the first. 16-bit depth is the same in all four. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >clouds.py <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import open3d as o3d

told = version("open3d-cpu")
pinhole = o3d.camera.PinholeCameraIntrinsic(8, 6, 8.0, 8.0, 3.5, 2.5)
photograph = o3d.geometry.Image(np.zeros((6, 8, 3), np.uint8))


def of_depth(depth, **settings):
    """The farthest point of a cloud of depth."""
    image = o3d.geometry.Image(depth)
    cloud = o3d.geometry.PointCloud.create_from_depth_image(image, pinhole, depth_trunc=1e4, **settings)
    return float(np.asarray(cloud.points)[:, 2].max())


def of_pair(depth):
    """The same of a cloud of depth and colours."""
    pair = o3d.geometry.RGBDImage.create_from_color_and_depth(photograph, o3d.geometry.Image(depth), depth_trunc=1e4)
    return float(np.asarray(o3d.geometry.PointCloud.create_from_rgbd_image(pair, pinhole).points)[:, 2].max())


flat = np.ones((6, 8))
whole, metres, millimetres = (1234 * flat).astype(np.uint16), *((s * flat).astype(np.float32) for s in (1.234, 1234.0))
for name, depth in (("uint16, millimetres", whole), ("float, metres", metres), ("float, millimetres", millimetres)):
    print(f"open3d {told}, {name}: depth {of_depth(depth):.6g} m, with colours {of_pair(depth):.6g} m")
assert np.allclose([of_depth(whole), of_pair(whole), of_pair(millimetres)], 1.234)
assert np.isclose(of_pair(metres), 0.001234)
divided = sys.argv[1] == "divides"
assert np.isclose(of_depth(metres), 0.001234 if divided else 1.234)
assert np.isclose(of_depth(metres, depth_scale=1.0), 1.234)
assert np.isclose(of_depth(metres, depth_scale=5000.0), 0.0002468 if divided else 1.234)
PYTHON
for case in 0.19.0:keeps 0.20.0:divides; do
  "${PYTHON:-python3}" -m venv "$work/${case%:*}"
  "$work/${case%:*}/bin/pip" install --quiet --disable-pip-version-check "open3d-cpu==${case%:*}" numpy==2.4.6
  "$work/${case%:*}/bin/python" clouds.py "${case#*:}"
done
echo "as found: floats have changed their unit"
