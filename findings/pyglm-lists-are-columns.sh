#!/usr/bin/env bash
# PyGLM 2.8.3: of the same 4 x 4, mat4(array) is the pose, and mat4(array.tolist()) and mat4(*array.ravel()) its transpose.
#
# GLM names columns first: mat4(c0, c1, c2, c3). So numbers in a row, and lists of lists, are read by columns, as in
# C++, and to_list() and list(m) give columns. Arrays of numpy are read by what they mean: row by row, a translation in
# the last column stays one; and numpy.array(m) gives it back so. A pose that comes from a JSON as nested lists and one
# that comes from numpy are transposes of each other: the point is turned by the inverse, and the translation stands in
# the last row, where with w = 1 it is lost for a point in the origin, and makes the w of others. Nor does a way through
# both come back: numpy.array(mat4(rows)) is its transpose, but mat4(rows).to_list() is rows. m[0] is the first column,
# numpy.array(m)[0] the first row. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check PyGLM==2.8.3 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import glm
import numpy as np

print("PyGLM", version("PyGLM"))
a = 0.3
pose = np.array([[np.cos(a), -np.sin(a), 0.0, 1.0], [np.sin(a), np.cos(a), 0.0, 2.0], [0.0, 0.0, 1.0, 3.0], [0.0, 0.0, 0.0, 1.0]])
point = np.array([0.1, 0.0, 0.0, 1.0])
ways = {
    "numpy, 64 bits": glm.mat4(pose),
    "numpy, 32 bits": glm.mat4(pose.astype(np.float32)),
    "numpy, by columns in memory": glm.mat4(np.asfortranarray(pose.astype(np.float32))),
    "lists of lists": glm.mat4(pose.tolist()),
    "16 numbers": glm.mat4(*pose.ravel()),
    "four vectors": glm.mat4(*(glm.vec4(row) for row in pose)),
}
for name, matrix in ways.items():
    moved = np.array(matrix * glm.vec4(point))
    transposed = not name.startswith("numpy")
    print(f"{name}: the point goes to {moved.round(3).tolist()}{', by the transpose' if transposed else ''}")
    assert np.allclose(moved, (pose.T if transposed else pose) @ point, atol=1e-6)
    assert np.allclose(np.array(matrix), pose.T if transposed else pose, atol=1e-6)
    assert np.allclose(matrix.to_list(), np.array(matrix).T) and np.allclose([list(c) for c in matrix], np.array(matrix).T)
    assert np.allclose(list(matrix[0]), np.array(matrix)[:, 0])
shifted = glm.translate(glm.vec3(1.0, 2.0, 3.0))
print(f"translate(1, 2, 3): numpy's last column {np.array(shifted)[:3, 3].tolist()}, to_list()'s last row {shifted.to_list()[3][:3]}")
assert np.array(shifted)[:3, 3].tolist() == shifted.to_list()[3][:3] == [1.0, 2.0, 3.0]
print("as found: lists are columns, arrays are rows")
PYTHON
