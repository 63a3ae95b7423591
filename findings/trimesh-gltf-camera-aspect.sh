#!/usr/bin/env bash
# trimesh 5.2.0: a camera that is read from a glTF, or written to one, has another fx than fy, by 5 %.
#
# glTF has the vertical angle of a camera, yfov, and aspectRatio, "width over height" of the picture, which is that of
# the tangents of the half angles. trimesh takes it for the ratio of the angles themselves. Of a camera of 640 x 480
# with square pixels and f = 554, scene.camera.fov is 62.4 degrees across, where it is 60; set to that size, K has fx =
# 528 beside fy = 554: what is drawn or cast with it is 5 % narrower than the picture of the file's camera, and a pose
# that is fitted to it is wrong. Of 16 : 9 and 70 degrees, fx is 34 % less than fy. The other way, a camera of 640 x 480
# whose K has square pixels is written with an aspectRatio of 1.28. trimesh's own writing and reading agree, so a test
# of both is right. fovx = 2 atan(aspectRatio tan(yfov / 2)) is the cure. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check trimesh==5.2.0 numpy==2.4.6 networkx==3.6.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import base64
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import trimesh

print("trimesh", version("trimesh"))


def read(width, height, yfov):
    """The camera of a glTF of one triangle, at a size of the picture."""
    lens = {"aspectRatio": width / height, "yfov": yfov, "znear": 0.01}
    corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], np.float32)
    data = base64.b64encode(corners.tobytes()).decode()
    gltf = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0, 1]}],
        "nodes": [{"mesh": 0}, {"camera": 0, "name": "eye"}],
        "cameras": [{"type": "perspective", "perspective": lens}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]}
        ],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "buffers": [{"byteLength": 36, "uri": "data:application/octet-stream;base64," + data}],
    }
    Path("scene.gltf").write_text(json.dumps(gltf))
    camera = trimesh.load_scene("scene.gltf").camera
    fov = np.array(camera.fov)
    camera.resolution = (width, height)
    return fov, camera.K


for width, height, yfov, apart in ((640, 480, 46.83, 0.04), (1280, 720, 70.0, 0.3)):
    fov, K = read(width, height, np.radians(yfov))
    focal = height / 2.0 / np.tan(np.radians(yfov) / 2.0)
    across = 2.0 * np.degrees(np.arctan(width / 2.0 / focal))
    print(
        f"{width} x {height}, yfov {yfov}: {across:.1f} degrees across, read as {fov[0]:.1f}; "
        f"f {focal:.1f}, K has {K[0, 0]:.1f} and {K[1, 1]:.1f}"
    )
    assert np.isclose(fov[1], yfov) and np.isclose(fov[0], yfov * width / height)
    assert np.isclose(K[1, 1], focal) and K[0, 0] < (1.0 - apart) * focal

scene = trimesh.Scene(trimesh.creation.box((0.1, 0.2, 0.3)))
scene.camera = trimesh.scene.Camera(resolution=(640, 480), focal=(555.0, 555.0))
tree = json.loads(scene.export(file_type="gltf")["model.gltf"])
written = tree["cameras"][0]["perspective"]
print("written for 640 x 480 and square pixels: aspectRatio", round(written["aspectRatio"], 3))
assert np.isclose(written["aspectRatio"], scene.camera.fov[0] / scene.camera.fov[1])
assert written["aspectRatio"] < 0.97 * 640 / 480
print("as found: a ratio of widths is taken for one of angles")
PYTHON
