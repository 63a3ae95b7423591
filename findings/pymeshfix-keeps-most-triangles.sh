#!/usr/bin/env bash
# pymeshfix 0.18.1: repair() of an object of several parts keeps the part with the most triangles, be it the smallest.
#
# A scan or a CAD export is to be closed before it is used as a model. By default repair() keeps the largest component alone, and
# the largest is not that of the greatest extent, area or volume, but of the most triangles. CAD has 12 triangles for a box and a
# thousand for the knob on it: of a case of 100 x 60 x 40 mm with a round knob of 8 mm, both closed and without a fault, the knob
# is left, valid and closed, with no message. Of the same case in smaller triangles, the case is left, and the knob goes.
# remove_smallest_components=False keeps both. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pymeshfix==0.18.1 trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import trimesh
from pymeshfix import MeshFix

print("pymeshfix", version("pymeshfix"))
KNOB = trimesh.creation.icosphere(radius=0.004).apply_translation([0.0, 0.0, 0.030])  # 6 mm above the lid
CASE = trimesh.creation.box((0.10, 0.06, 0.04))
FINER = CASE.subdivide().subdivide().subdivide().subdivide()


def repaired(case, **how):
    """Extents in mm of what repair() leaves of a case and its knob."""
    whole = trimesh.util.concatenate([case, KNOB])
    assert whole.is_watertight and whole.body_count == 2
    fix = MeshFix(np.array(whole.vertices), np.array(whole.faces, np.int32))
    fix.repair(**how)
    left = trimesh.Trimesh(fix.points, fix.faces)
    assert left.is_watertight
    print(
        f"a case of {len(case.faces)} triangles, its knob of {len(KNOB.faces)}, {how or 'as it comes'}: "
        f"{np.round(1e3 * whole.extents).tolist()} mm become {np.round(1e3 * left.extents).tolist()}, {len(left.faces)} triangles"
    )
    return np.round(1e3 * left.extents).tolist()


assert repaired(CASE) == [8, 8, 8]
assert repaired(FINER) == [100, 60, 40]
assert repaired(CASE, remove_smallest_components=False) == [100, 60, 54]
print("as found: triangles are counted, not millimetres")
PYTHON
