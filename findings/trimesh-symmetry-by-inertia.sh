#!/usr/bin/env bash
# trimesh 5.2.0: Trimesh.symmetry calls a propeller, a nut and a cube bodies of revolution.
#
# `symmetry` is said to tell rotational symmetry around an axis ("radial") or a point ("spherical"), and `symmetry_axis` the
# axis around which a profile was revolved. What is compared is the moments of inertia alone, and two of them are equal for
# all that repeats three or more times around an axis: a propeller of three blades is "radial", like a cylinder, and a cube
# "spherical", like a ball. Whoever writes a continuous symmetry of BOP (models_info.json) from it allows poses that put a
# blade where there is none; an answer of None misses symmetries of half a turn, of a box and a propeller of two blades.
# Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import trimesh
from scipy.spatial import cKDTree
from trimesh.creation import box, cylinder, icosphere
from trimesh.transformations import rotation_matrix

print("trimesh", version("trimesh"))


def propeller(blades):
    parts = [cylinder(0.025, 0.05, sections=48)]
    for k in range(blades):
        turn = rotation_matrix(2 * np.pi * k / blades, [0, 0, 1])
        parts.append(box((0.02, 0.1, 0.02)).apply_translation((0, 0.08, 0)).apply_transform(turn))
    return trimesh.util.concatenate(parts)


def gap(mesh, angle, axis):
    """How far the surface of a turned mesh is from that of the mesh, at most, as a part of its size."""
    points = mesh.sample(20000, seed=0)
    turned = mesh.copy().apply_transform(rotation_matrix(angle, axis, mesh.center_mass))
    other = turned.sample(20000, seed=1)
    return float(cKDTree(points).query(other)[0].max() / mesh.scale)


SHAPES = {
    "cylinder": (cylinder(0.05, 0.2, sections=96), "radial"),
    "ball": (icosphere(subdivisions=4), "spherical"),
    "propeller of 3 blades": (propeller(3), "radial"),
    "propeller of 4 blades": (propeller(4), "radial"),
    "hexagonal nut": (cylinder(0.05, 0.04, sections=6), "radial"),
    "box 10 x 10 x 20": (box((0.1, 0.1, 0.2)), "radial"),
    "cube": (box((0.1, 0.1, 0.1)), "spherical"),
    "propeller of 2 blades": (propeller(2), None),
    "box 10 x 15 x 20": (box((0.1, 0.15, 0.2)), None),
}
# Half of the angle at which a shape comes back onto itself, where it would do so at any if it were revolved.
BETWEEN = {"propeller of 3 blades": 60, "propeller of 4 blades": 45, "hexagonal nut": 30, "box 10 x 10 x 20": 45, "cube": 45}
for name, (mesh, expected) in SHAPES.items():
    said = mesh.symmetry
    axis = [0.0, 0.0, 1.0] if mesh.symmetry_axis is None else np.asarray(mesh.symmetry_axis)
    angle = BETWEEN.get(name, 180 if said is None else 37)
    part = gap(mesh, np.radians(angle), axis)
    print(f"{name}: {said}; turned by {angle} degrees it is up to {100 * part:.1f} % of its size from itself")
    assert said == expected, (name, said)
    # Sampled surfaces are about one per cent apart where they are the same.
    assert part > 0.025 if name in BETWEEN else part < 0.02, (name, part)
print("as found: equal moments of inertia are taken for symmetry")
PYTHON
