#!/usr/bin/env bash
# opencv-contrib-python-headless 5.0.0.93: ppf_match_3d.loadPLYSimple takes the first six numbers of a line, whatever the header calls them.
#
# loadPLYSimple(file, withNormals=1) reads models and scenes for PPF3DDetector. A PLY's header names its columns, in any order. It
# reads that header, counts vertices and faces in it, and takes columns 1 to 3 for the position and 4 to 6 for the normal. Of
# a model whose colours stand before its normals ("x y z red green blue nx ny nz"), the colours are made the normals, of
# length 1, and all normals of a model of one colour are alike: point pair features are all of pairs, distance and three angles,
# so the model has no shape then. Of one whose normals stand first, they are made the points: a cube of 12 cm comes as six
# points, 1 m from the origin. Nothing is said. cv2.loadPointCloud, of the same package, reads all three right. Fails if any
# of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-contrib-python-headless==5.0.0.93 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from pathlib import Path

import cv2
import numpy as np

print("opencv-contrib-python-headless", cv2.__version__)
rng = np.random.default_rng(0)
# Points of the sides of a cube of 0.12 m, of one green.
NUMBER = 300
axis, side = rng.integers(0, 3, NUMBER), rng.choice([-1.0, 1.0], NUMBER)
points, normals = rng.uniform(-0.06, 0.06, (NUMBER, 3)), np.zeros((NUMBER, 3))
points[np.arange(NUMBER), axis] = 0.06 * side
normals[np.arange(NUMBER), axis] = side
COLOUR = (10, 200, 30)
COLUMNS = {"x y z": ("float", points), "nx ny nz": ("float", normals), "red green blue": ("uchar", np.tile(COLOUR, (NUMBER, 1)))}


def written(*order):
    """The name of a PLY file with these columns."""
    header = ["ply", "format ascii 1.0", f"element vertex {NUMBER}"]
    for names in order:
        header += [f"property {COLUMNS[names][0]} {name}" for name in names.split()]
    cells = [[f"{number:g}" for number in row] for row in np.column_stack([COLUMNS[names][1] for names in order])]
    Path("model.ply").write_text("\n".join([*header, "end_header", *map(" ".join, cells)]) + "\n")
    return "model.ply"


ORDERS = {
    "x y z, normals, colours": ("x y z", "nx ny nz", "red green blue"),
    "x y z, colours, normals": ("x y z", "red green blue", "nx ny nz"),
    "normals, x y z": ("nx ny nz", "x y z"),
}
for name, order in ORDERS.items():
    file = written(*order)
    read = cv2.ppf_match_3d.loadPLYSimple(file, 1)
    places, directions = (np.asarray(part).reshape(-1, 3) for part in cv2.loadPointCloud(file)[:2])
    assert np.allclose(places, points, atol=1e-5) and np.allclose(directions, normals, atol=1e-5)
    wide = np.ptp(read[:, :3], axis=0)
    print(f"{name}: {np.round(wide, 3).tolist()} m wide, {len(np.unique(np.round(read[:, 3:], 4), axis=0))} normals")
    if name == "x y z, normals, colours":
        assert np.allclose(read, np.column_stack([points, normals]), atol=1e-5)
    elif name == "x y z, colours, normals":
        assert np.allclose(read[:, :3], points, atol=1e-5)
        assert np.allclose(read[:, 3:], np.array(COLOUR) / np.linalg.norm(COLOUR), atol=1e-3)
    else:
        assert np.allclose(read[:, :3], normals, atol=1e-5) and np.allclose(wide, 2.0)
print("as found: columns go by their place")
PYTHON
