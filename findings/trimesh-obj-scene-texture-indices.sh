#!/usr/bin/env bash
# trimesh 5.2.0: an OBJ of a scene whose first mesh has no texture coordinates points at wrong ones.
#
# `vt` indices of later meshes are counted on by the vertices written so far, not by the texture coordinates: after a plain
# box of 8 vertices, a textured plate of 4 begins at vt 9, while the file has 4 of them. Readers that look coordinates up
# fail, or, with a second textured mesh behind, show the wrong part of the picture without a word. trimesh itself reads the
# file back. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check trimesh==5.2.0 numpy==2.4.6 pillow==13.0.0 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

import numpy as np
import trimesh
from PIL import Image

print("trimesh", version("trimesh"))
plate = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]], process=False)
uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
plate.visual = trimesh.visual.TextureVisuals(uv=uv, image=Image.new("RGB", (4, 4), (255, 0, 0)))


def written(*meshes):
    """The number of texture coordinates, and the indices that faces have of them."""
    scene = trimesh.Scene()
    for mesh in meshes:
        scene.add_geometry(mesh)
    text = scene.export(file_type="obj")
    text = text if isinstance(text, str) else text[0] if isinstance(text, tuple) else text.decode()
    indices = [int(k) for line in text.splitlines() if line.startswith("f ") for k in re.findall(r"\d+/(\d+)", line)]
    return sum(line.startswith("vt ") for line in text.splitlines()), sorted(set(indices))


alone, behind = written(plate), written(trimesh.creation.box(), plate)
print(f"the plate alone: {alone[0]} texture coordinates, faces use {alone[1]}")
print(f"behind a plain box: {behind[0]} texture coordinates, faces use {behind[1]}")
assert alone == (4, [1, 2, 3, 4]), alone
assert behind == (4, [9, 10, 11, 12]), behind
print("as found: the indices begin behind the 8 vertices of the box, where there are no texture coordinates")
PYTHON
