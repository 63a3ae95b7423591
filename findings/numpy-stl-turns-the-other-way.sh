#!/usr/bin/env bash
# numpy-stl 4.1.1: rotate() and rotate_using_matrix() turn a mesh by the inverse, and transform(), beside them, by the matrix.
#
# rotate([0, 0, 1], angle) takes +x to -y for a quarter turn, the other way round than the right hand's rule. Its
# rotation_matrix(axis, angle) is the matrix of the right hand's rule; but rotate_using_matrix(R), also by itself, applies
# the transpose of the R that it is given. transform(T), of a rotation R and a translation t, gives R x + t, as one would
# think: so a pose given as a 4 x 4, and the same pose given as its rotation and then a step of translate(), are two
# attitudes, twice the angle apart. The help of rotate_using_matrix warns that it turns clockwise; that of rotate, the
# usual way in, only of another argument, `point`. A part that is put into a scene, or into the axes of its CAD file, by
# rotate has the inverse rotation; half turns show nothing. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check numpy-stl==4.1.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from stl.mesh import Mesh

print("numpy-stl", version("numpy-stl"))
rng = np.random.default_rng(0)
corners = rng.uniform(-0.1, 0.1, (20, 3, 3))


def part():
    triangles = np.zeros(len(corners), dtype=Mesh.dtype)
    triangles["vectors"] = corners
    return Mesh(triangles)


def right_handed(axis, angle):
    """Rodrigues' formula: R x turns by `angle` about `axis` as the right hand does."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def turn_of(mesh):
    """The rotation that took the part's corners to the mesh's, as R in R x."""
    found = np.linalg.lstsq(corners.reshape(-1, 3), mesh.vectors.reshape(-1, 3).astype(float), rcond=None)[0].T
    assert np.allclose(found @ found.T, np.eye(3), atol=1e-4)
    return found


def apart(one, other):
    return np.degrees(np.arccos(np.clip((np.trace(one.T @ other) - 1.0) / 2.0, -1.0, 1.0)))


for axis, degrees in (((0.0, 0.0, 1.0), 90.0), ((1.0, 0.0, 0.0), 20.0), ((0.6, 0.0, 0.8), 50.0), ((0.0, 1.0, 0.0), 180.0)):
    R, angle = right_handed(axis, np.radians(degrees)), np.radians(degrees)
    about, by_matrix, by_pose = part(), part(), part()
    assert np.allclose(Mesh.rotation_matrix(np.array(axis), angle), R)
    about.rotate(np.array(axis), angle)
    by_matrix.rotate_using_matrix(R)
    pose = np.eye(4)
    pose[:3, :3] = R
    by_pose.transform(pose)
    off = [apart(turn_of(mesh), R) for mesh in (about, by_matrix, by_pose)]
    print(f"{degrees:.0f} degrees about {axis}: rotate, rotate_using_matrix and transform are {np.round(off, 1).tolist()} degrees off")
    assert np.allclose(turn_of(about), R.T, atol=1e-5)
    assert np.allclose(turn_of(by_matrix), R.T, atol=1e-5)
    assert np.allclose(turn_of(by_pose), R, atol=1e-5)
assert "clockwise" in Mesh.rotate_using_matrix.__doc__ and "clockwise" not in Mesh.rotate.__doc__
print("as found: two of three turn the other way")
PYTHON
