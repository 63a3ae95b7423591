#!/usr/bin/env bash
# PyYAML 6.0.2 on camera files of ROS and OpenCV: numbers become text, and OpenCV's files are no YAML to it.
#
# ROS writes a small distortion coefficient as 1e-05, without a dot. YAML 1.1, which PyYAML reads, asks for one: the
# coefficient comes as the text '1e-05', beside numbers, and no error says so. OpenCV 4 begins its YAML with
# '%YAML:1.0', at which PyYAML stops; OpenCV 5 with '%YAML 1.2', after which it stops at the tag !!opencv-matrix. So a
# reader of camera files has to turn texts into numbers itself, drop lines that begin with %, and know that tag.
# Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyyaml==6.0.2 numpy==2.2.6 opencv-python-headless==4.11.0.86
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import yaml

print("PyYAML", version("pyyaml"), "OpenCV", cv2.__version__)
ros = "distortion_coefficients:\n  rows: 1\n  cols: 5\n  data: [-0.118, 1e-05, -5e-2, 1.0e-05, 0.0]\n"
data = yaml.safe_load(ros)["distortion_coefficients"]["data"]
print("ROS:", data)
assert data == [-0.118, "1e-05", "-5e-2", 1e-05, 0.0], data

with TemporaryDirectory() as folder:
    path = Path(folder) / "calibration.yml"
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("camera_matrix", 600.0 * np.eye(3))
    storage.release()
    text = path.read_text()
print("OpenCV 4 begins with", repr(text.splitlines()[0]))
assert text.startswith("%YAML:1.0")
for name, content in {"OpenCV 4": text, "OpenCV 5": text.replace("%YAML:1.0", "%YAML 1.2")}.items():
    try:
        yaml.safe_load(content)
    except yaml.YAMLError as error:
        print(f"{name}: {type(error).__name__}: {' '.join(str(error).split())[:90]}")
    else:
        raise AssertionError(f"{name}: was read")
print("as found: texts in place of numbers, and no OpenCV file is read")
PYTHON
