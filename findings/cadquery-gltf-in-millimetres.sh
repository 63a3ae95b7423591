#!/usr/bin/env bash
# cadquery 2.8.0: a part that is exported as glTF is a thousand times as large as in the STEP of the same assembly.
#
# glTF has one unit, the metre. CadQuery's lengths are millimetres: that is what its STEP says. Assembly.export turns
# the part until y is up, as glTF wants it, but writes its numbers as they are: a box of 10 x 20 x 30 mm is one of 10 x
# 20 x 30 m for every reader, and one that lies 200 mm up lies 200 m up. No argument says otherwise. The STEP of the
# same assembly, read by the same trimesh (through cascadio, which gives metres), has 0.01 x 0.02 x 0.03, and
# build123d, which has the same kernel, writes metres into its glTF. So the unit of a .glb from CAD depends on the
# program that wrote it, and a pose that is looked for with it is a thousand times too far, or not found. Fails if any
# of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  cadquery==2.8.0 trimesh==5.2.0 cascadio==0.1.1 networkx==3.6.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import cadquery as cq
import numpy as np
import trimesh

print("cadquery", version("cadquery"))
assembly = cq.Assembly().add(cq.Workplane().box(10, 20, 30), name="part", loc=cq.Location((0, 0, 200)))
for name in ("part.glb", "part.gltf", "part.step"):
    assembly.export(name)
assert "SI_UNIT(.MILLI.,.METRE.)" in open("part.step").read()
found = {}
for name in ("part.glb", "part.gltf", "part.step"):
    bounds = trimesh.load(name).bounds
    found[name] = np.ptp(bounds, axis=0), bounds.mean(axis=0)
    size, middle = (np.round(values, 3).tolist() for values in found[name])
    print(f"{name}: {size} m, its middle at {middle} m")
UP = [0, 2, 1]  # z up to y up, sizes
for name in ("part.glb", "part.gltf"):
    assert np.allclose(found[name][0], np.array([10.0, 20.0, 30.0])[UP], atol=1e-3)
    assert np.allclose(found[name][1], [0.0, 200.0, 0.0], atol=1e-3)
sizes, middle = found["part.step"]  # with z up, as in CAD
assert np.allclose(sizes, [0.01, 0.02, 0.03], atol=1e-6) and np.allclose(middle, [0.0, 0.0, 0.2], atol=1e-6)
print("as found: millimetres are written as metres")
PYTHON
