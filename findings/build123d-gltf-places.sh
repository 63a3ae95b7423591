#!/usr/bin/env bash
# build123d 0.13.0: a part that is exported as glTF lies elsewhere, and turned otherwise, than in the same export of its assembly.
#
# CAD has z up, glTF y, so export_gltf turns by -90 degrees about x. It turns the part about its own origin, inside its location,
# and not what is located: a part at z = 100 mm, exported by itself, is 100 mm towards the viewer in glTF's frame and not 100 mm
# up, and one that is turned by 30 degrees about the vertical is turned about the line of sight. Parts below a Compound are right,
# as the compound has no location; a compound with one is wrong with all its parts. The file is valid, and the part looks right by
# itself; a pose that is found with it is off by the difference, which is 141 mm for those 100. A part that is
# taken from an assembly (children[1]) becomes a file with no mesh at all, and export_gltf returns True. STEP and STL of the
# same parts are right; cascadio's GLB of the STEP keeps z up, against glTF's word. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  build123d==0.13.0 cascadio==0.1.1 trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

import numpy as np

warnings.simplefilter("ignore")
import cascadio
import trimesh
from build123d import Box, Compound, Location, Pos, Rot, export_gltf, export_step

print("build123d", version("build123d"), "cascadio", version("cascadio"))
UP = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])  # z up to y up


def corners(shape):
    """Of the file, as a viewer places them, in millimetres and in order."""
    assert export_gltf(shape, "part.glb", binary=True)
    return ordered(1e3 * trimesh.load("part.glb").to_geometry().vertices)


def ordered(points):
    return np.unique(np.round(np.asarray(points, float), 3) + 0.0, axis=0)


def by_hand(size, location):
    """Corners of a box where build123d has it, turned to y up."""
    turned = location.wrapped.Transformation()
    matrix = np.array([[turned.Value(row, column) for column in range(1, 5)] for row in range(1, 4)])
    signs = np.array(np.meshgrid([-0.5, 0.5], [-0.5, 0.5], [-0.5, 0.5])).reshape(3, -1).T
    points = (signs * size) @ matrix[:, :3].T + matrix[:, 3]
    return ordered(points @ UP[:3, :3].T)


SIZE = (40.0, 20.0, 10.0)
PLACES = {
    "at the origin": Location(),
    "100 mm up": Pos(0, 0, 100),
    "turned by 30 degrees about the vertical": Rot(0, 0, 30),
    "turned about x": Rot(30, 0, 0),
}
for name, place in PLACES.items():
    true = by_hand(SIZE, place)
    alone = corners(place * Box(*SIZE))
    within = corners(Compound(children=[place * Box(*SIZE)]))
    moved = np.linalg.norm(alone.mean(0) - true.mean(0))
    print(
        f"{name}: alone, extents {np.ptp(alone, axis=0).round(1).tolist()} and middle {alone.mean(0).round(1).tolist()}; "
        f"in an assembly {np.ptp(within, axis=0).round(1).tolist()}, {within.mean(0).round(1).tolist()}"
    )
    assert np.allclose(within, true, atol=0.01)
    assert np.allclose(alone, true, atol=0.01) == (name in ("at the origin", "turned about x"))
    if name == "100 mm up":
        assert np.isclose(moved, 100.0 * np.sqrt(2.0)) and np.allclose(alone.mean(0), [0.0, 0.0, 100.0])

whole = Compound(children=[Box(*SIZE), Pos(0, 0, 50) * Box(*SIZE)])
assert np.allclose(corners(whole).mean(0), [0.0, 25.0, 0.0])
placed = corners(Pos(0, 0, 100) * Compound(children=[Box(*SIZE), Pos(0, 0, 50) * Box(*SIZE)]))
print("an assembly that is put 100 mm up: middle", placed.mean(0).round(1).tolist())
assert np.allclose(placed.mean(0), [0.0, 25.0, 100.0])

said = export_gltf(whole.children[1], "child.glb", binary=True)
print("a part of an assembly: export_gltf returns", said, "and the file has", len(trimesh.load("child.glb").geometry), "meshes")
assert said is True and len(trimesh.load("child.glb").geometry) == 0

export_step(Pos(0, 0, 100) * Box(*SIZE), "part.step")
cascadio.step_to_glb("part.step", "step.glb")
step = ordered(1e3 * trimesh.load("step.glb").to_geometry().vertices)
print("cascadio's GLB of the STEP: middle", step.mean(0).round(1).tolist())
assert np.allclose(step.mean(0), [0.0, 0.0, 100.0], atol=0.01) and np.allclose(np.ptp(step, axis=0), SIZE, atol=0.01)
print("as found: alone, a part is turned inside its location")
PYTHON
