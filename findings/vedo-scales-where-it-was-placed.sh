#!/usr/bin/env bash
# vedo 2026.6.3: two meshes with the same vertices are scaled to two places: what was placed stays there, what lies there does not.
#
# A mesh in metres that goes to millimetres is scaled by 1000, and its vertices are 1000 times as far from the origin.
# So does vedo.Mesh.scale with a mesh whose vertices lie half a metre from the origin in the file. But if the same mesh
# came there by pos(), shift() or apply_transform(), scale() acts about the sum of these moves (origin=True): it grows
# 1000 times and stays at 0.5, so that a scene of posed parts has them all in one place. rotate_z(), which takes no such
# argument, turns both about the origin. scale(..., origin=False) is about the origin for both. Fails if any of this
# changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check vedo==2026.6.3 vtk==9.6.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import vedo

print("vedo", version("vedo"))
SHIFT = np.array([0.5, 0.2, 0.1])
box = vedo.Box(pos=(0, 0, 0), size=(0.06, 0.04, 0.02))
matrix = np.eye(4)
matrix[:3, 3] = SHIFT


def placed(how):
    """The box at SHIFT."""
    if how == "in the file":
        return vedo.Mesh([box.vertices + SHIFT, box.cells])
    one = vedo.Mesh([box.vertices, box.cells])
    if how == "pos":
        return one.pos(*SHIFT)
    return one.shift(*SHIFT) if how == "shift" else one.apply_transform(matrix)


for how in ("in the file", "pos", "shift", "apply_transform"):
    before = placed(how).vertices.mean(axis=0)
    scaled, about = placed(how).scale(1000), placed(how).scale(1000, origin=False)
    middle, size = scaled.vertices.mean(axis=0), np.ptp(scaled.vertices, axis=0)
    turned = placed(how).rotate_z(90).vertices.mean(axis=0)
    print(f"{how}: {before.round(3)} -> {middle.round(2)}, size {size.round(1)}; turned by 90 degrees {turned.round(3)}")
    assert np.allclose(before, SHIFT, atol=1e-6) and np.allclose(size, [60.0, 40.0, 20.0], atol=1e-2)
    assert np.allclose(middle, 1000 * SHIFT if how == "in the file" else SHIFT, atol=1e-2)
    assert np.allclose(turned, [-0.2, 0.5, 0.1], atol=1e-6)
    assert np.allclose(about.vertices.mean(axis=0), 1000 * SHIFT, atol=1e-2)
print("as found: scale() depends on how a mesh came to its place")
PYTHON
