#!/usr/bin/env bash
# open3d-cpu 0.20.0: rotate(R) turns about the mean of the vertices, so rotate and translate are not R and t.
#
# A pose is R @ p + t. For meshes, point clouds and boxes, Open3D has transform(matrix), and rotate(R) and translate(t),
# which look like its two halves. rotate(R) is said to "apply rotation to the geometry coordinates". It turns them about
# get_center(), the mean of the vertices, which is the origin of few models, and neither the middle of the box nor of
# mass: a mug whose origin is its foot lies elsewhere by up to twice the way to it, here 8 cm. It is not even a place of
# the object: of the same mug with a finer handle, the mean is elsewhere, and the same two calls put it 3 cm from the
# first. Models that were centred by their vertices, and balls, hide it. `center` is an argument of a second overload,
# which does not say what holds without it; scale has it without a default, and so has rotate of open3d.t.
# rotate(R, center=(0, 0, 0)) is the cure. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  open3d-cpu==0.20.0 trimesh==5.2.0 scipy==1.17.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

import numpy as np
import open3d
import trimesh
from scipy.spatial.transform import Rotation

print(*(f"{name} {version(name)}" for name in ("open3d-cpu", "trimesh")), sep=", ")
R = Rotation.from_euler("xyz", (100.0, 20.0, -50.0), degrees=True).as_matrix()
T = np.array([0.1, -0.2, 0.8])


def mug(steps):
    """A can of 10 cm whose origin is the middle of its foot, and a handle of so many steps."""
    can = trimesh.creation.cylinder(radius=0.04, height=0.10, sections=64)
    can.apply_translation((0.0, 0.0, 0.05))
    handle = trimesh.creation.torus(0.03, 0.005, major_sections=steps, minor_sections=steps // 2)
    handle.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2.0, (1.0, 0.0, 0.0)))
    handle.apply_translation((0.05, 0.0, 0.05))
    return trimesh.util.concatenate([can, handle])


def placed(shape):
    """The corner that is the can's foot, and all, after rotate and translate."""
    shape.rotate(R)
    shape.translate(T)
    return np.asarray(shape.vertices if hasattr(shape, "vertices") else shape.points)


off = []
for steps in (8, 64):
    mesh = mug(steps)
    points = open3d.utility.Vector3dVector(mesh.vertices)
    shape = open3d.geometry.TriangleMesh(points, open3d.utility.Vector3iVector(mesh.faces))
    right = mesh.vertices @ R.T + T
    middle = mesh.vertices.mean(axis=0)
    found, cloud = placed(shape), placed(open3d.geometry.PointCloud(points))
    off.append(found[0] - right[0])
    length = 1e3 * np.linalg.norm(off[-1])
    print(f"handle of {steps} steps: vertices' mean {np.round(1e3 * middle, 1)} mm; the mug is {length:.0f} mm off")
    assert np.allclose(found - right, middle - R @ middle, atol=1e-9) and np.allclose(cloud, found)
    assert length > 50.0

    whole = open3d.geometry.TriangleMesh(points, open3d.utility.Vector3iVector(mesh.faces))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = R, T
    assert np.allclose(np.asarray(whole.transform(matrix).vertices), right)
    named = open3d.geometry.PointCloud(points)
    named.rotate(R, center=(0.0, 0.0, 0.0))
    named.translate(T)
    assert np.allclose(np.asarray(named.points), right)
apart = 1e3 * np.linalg.norm(off[1] - off[0])
print(f"one mug and the other are {apart:.0f} mm apart")
assert apart > 10.0
try:
    open3d.geometry.TriangleMesh().scale(1.0)
except TypeError:
    print("scale has no default for its centre")
else:
    raise AssertionError("scale")
told = open3d.geometry.TriangleMesh.rotate.__doc__
assert not re.search(r"get_center|default|mean|average", told)
print("as found: a rotation is about the mean of the vertices")
PYTHON
