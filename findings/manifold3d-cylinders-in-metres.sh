#!/usr/bin/env bash
# manifold3d 3.5.4: a cylinder or a ball that is made in metres is a square rod or a double pyramid.
#
# Cylinders and balls are the first models of a test, of a gripper, of the forbidden space around a camera, and this
# library makes them for its exact differences and unions. How many sides a circle has is chosen for its radius: sides
# of at least 1, whatever the unit, and of at least 10 degrees. In millimetres that is fine. In metres, as robots and
# depth cameras have it, every circle below half a metre has 4 sides: a can of 33 mm radius has 64 % of its volume, and
# its wall is up to 10 mm inside of the can's; a ball is an octahedron, with 32 % of its volume. Extents,
# watertightness and the middle are those of a can and a ball. The help of cylinder and sphere says that the number is
# "calculated by the static Defaults". A given circular_segments, or set_min_circular_edge_length, whose help alone has
# the 1, is the cure. Holes that are cut with such a cylinder are square. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check manifold3d==3.5.4 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import manifold3d
import numpy as np
from manifold3d import Manifold

print("manifold3d", version("manifold3d"))
RADIUS, HEIGHT = 0.033, 0.12  # a can, in metres


def looked_at(unit, **how):
    """Shares of the true volumes of a can and a ball, its sides, and how far its wall is inside, in mm."""
    radius, height = RADIUS * unit, HEIGHT * unit
    can, ball = Manifold.cylinder(height, radius, **how), Manifold.sphere(radius, **how)
    assert np.allclose(can.bounding_box(), (-radius, -radius, 0.0, radius, radius, height))
    assert np.allclose(ball.bounding_box(), (-radius,) * 3 + (radius,) * 3)
    sides = can.num_vert() // 2
    inside = 1e3 * RADIUS * (1.0 - np.cos(np.pi / sides))
    return can.volume() / (np.pi * radius**2 * height), ball.volume() / (4.0 / 3.0 * np.pi * radius**3), sides, inside


def told(name, found):
    can, ball, sides, inside = found
    print(f"{name}: {sides} sides, the wall up to {inside:.1f} mm inside; {can:.2f} and {ball:.2f} of the volumes")
    return found


can, ball, sides, inside = told("in metres", looked_at(1.0))
assert sides == 4 and abs(can - 0.637) < 0.001 and abs(ball - 0.318) < 0.001 and 9.0 < inside < 10.5
can, ball, sides, inside = told("in millimetres", looked_at(1e3))
assert sides >= 32 and can > 0.99 and ball > 0.97 and inside < 0.2
can, ball, sides, inside = told("in metres, circular_segments=64", looked_at(1.0, circular_segments=64))
assert sides == 64 and can > 0.99

block = Manifold.cube((0.1, 0.1, 0.02), True)
drilled = block - Manifold.cylinder(0.1, 0.02, center=True)
hole = (block.volume() - drilled.volume()) / 0.02
print(f"a hole of 40 mm, drilled in metres: {1e6 * hole:.0f} mm2 of {1e6 * np.pi * 0.02**2:.0f}")
assert abs(hole - 2.0 * 0.02**2) < 1e-9
manifold3d.set_min_circular_edge_length(0.001)
can, ball, sides, inside = told("in metres, set_min_circular_edge_length(0.001)", looked_at(1.0))
assert sides >= 32
print("as found: circles below half a unit have four sides")
PYTHON
