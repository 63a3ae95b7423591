#!/usr/bin/env bash
# python-fcl 0.7.0.11: of a shape and a mesh, nearest points and contacts have another order, other frames and other signs.
#
# fcl.distance(o1, o2) gives the distance and, in nearest_points, a point of o1 and one of o2, in the world: so it is for
# two meshes and for two shapes. Of a box, a cylinder or a capsule as o1 and a mesh as o2, the points are the other way
# round, the mesh's first. Of a ball and a mesh, in any order, each is in the frame of its own object: at 2 m from the
# origin, they lie 2 m from both. The distance beside them is right. fcl.collide has normals from o1 to o2 for shapes; of a
# shape as o1 and a mesh as o2 they go from o2 to o1, and a ball that is 10 mm deep in a mesh has a penetration_depth of -10
# mm, where all others have 10. Who moves a part out of a bin's wall along normal * depth may move it further in; of a ball
# before a mesh, both signs are wrong, and it does not. Distances that are asked for with a sign are -1.0, a metre, for a
# box that is 20 mm deep in a mesh. The readme has no word on any of it. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-fcl==0.7.0.11 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import fcl
import numpy as np

print("python-fcl", version("python-fcl"))
# A cube of 0.1 m as 12 triangles.
CORNERS = np.array([[x, y, z] for x in (-0.05, 0.05) for y in (-0.05, 0.05) for z in (-0.05, 0.05)])
SQUARES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
FACES = np.array([[a, b, c] for a, b, c, _ in SQUARES] + [[a, c, d] for a, _, c, d in SQUARES])
HERE, GAP = np.array([1.0, 0.0, 2.0]), 0.2


def mesh():
    model = fcl.BVHModel()
    model.beginModel(len(CORNERS), len(FACES))
    model.addSubModel(CORNERS, FACES)
    model.endModel()
    return model


# All are 0.05 m from their middle to the right and to the left.
SHAPES = {
    "mesh": mesh,
    "box": lambda: fcl.Box(0.1, 0.1, 0.1),
    "cylinder": lambda: fcl.Cylinder(0.05, 0.1),
    "capsule": lambda: fcl.Capsule(0.05, 0.1),
    "ball": lambda: fcl.Sphere(0.05),
}


def pair(left, right, gap):
    """Two objects beside each other at HERE, `gap` m between them along x."""
    away = HERE + [0.1 + gap, 0.01, 0.01]
    return (
        fcl.CollisionObject(SHAPES[left](), fcl.Transform(np.eye(3), HERE)),
        fcl.CollisionObject(SHAPES[right](), fcl.Transform(np.eye(3), away)),
    )


def nearest(left, right):
    result = fcl.DistanceResult()
    distance = fcl.distance(*pair(left, right, GAP), fcl.DistanceRequest(enable_nearest_points=True), result)
    assert abs(distance - GAP) < 1e-3
    return np.array(result.nearest_points)


print(f"o1 ends at x = {HERE[0] + 0.05:.2f}, o2 begins at x = {HERE[0] + 0.05 + GAP:.2f}; x of the nearest points:")
for left, right in (("mesh", "mesh"), ("box", "box"), ("ball", "box"), ("cylinder", "box")):
    first, second = nearest(left, right)
    print(f"  {left} and {right}: {first[0]:.2f} and {second[0]:.2f}")
    assert np.allclose([first[0], second[0]], [HERE[0] + 0.05, HERE[0] + 0.05 + GAP], atol=1e-3)
for shape in ("box", "cylinder", "capsule"):
    (first, second), (third, fourth) = nearest(shape, "mesh"), nearest("mesh", shape)
    print(f"  {shape} and mesh: {first[0]:.2f} and {second[0]:.2f}; mesh and {shape}: {third[0]:.2f} and {fourth[0]:.2f}")
    assert np.allclose([first[0], second[0]], [HERE[0] + 0.05 + GAP, HERE[0] + 0.05], atol=1e-3)
    assert np.allclose([third[0], fourth[0]], [HERE[0] + 0.05, HERE[0] + 0.05 + GAP], atol=1e-3)
for left, right in (("ball", "mesh"), ("mesh", "ball")):
    points = nearest(left, right)
    print(f"  {left} and {right}: {np.round(points[0], 2).tolist()} and {np.round(points[1], 2).tolist()}")
    assert np.linalg.norm(points, axis=1).max() < 0.1  # of what is more than 2 m from the origin

print("10 mm deep, normals along x and depths of the contacts:")
for left, right in (("box", "box"), ("ball", "box"), ("mesh", "ball"), ("box", "mesh"), ("capsule", "mesh"), ("ball", "mesh")):
    result = fcl.CollisionResult()
    fcl.collide(*pair(left, right, -0.01), fcl.CollisionRequest(num_max_contacts=100, enable_contact=True), result)
    along = {(round(float(c.normal[0])), round(1e3 * float(c.penetration_depth))) for c in result.contacts if abs(c.normal[0]) > 0.99}
    print(f"  {left} and {right}: " + ", ".join(f"{normal:+d} and {depth} mm" for normal, depth in sorted(along)))
    forwards = "mesh" not in (left, right) or left == "mesh"
    ball = {left, right} == {"ball", "mesh"}
    assert along == {(1 if forwards else -1, -10 if ball else 10)}

result = fcl.DistanceResult()
signed = fcl.DistanceRequest(enable_nearest_points=True, enable_signed_distance=True)
for left, right, depth in (("box", "box", -0.02), ("mesh", "box", -1.0)):
    distance = fcl.distance(*pair(left, right, -0.02), signed, fcl.DistanceResult())
    print(f"20 mm deep, {left} and {right}: signed distance {distance:.3f} m")
    assert abs(distance - depth) < 1e-3
print("as found: a mesh has to be compared with meshes")
PYTHON
