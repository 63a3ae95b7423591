#!/usr/bin/env bash
# scikit-image 0.26.0, PyMCubes 0.1.6, pyvista 0.49.1 and libigl 2.6.3: one field of signed distances, surfaces inside out.
#
# Of a ball's signed distances, negative inside as a TSDF and most networks have them, all give the ball. Faces look outwards with
# scikit-image and libigl, and inwards with PyMCubes and VTK's contour, whose volume comes out negative: a renderer that leaves out back
# faces shows the far wall of the object, and its depth is too large by the object's thickness. scikit-image contradicts itself: of the
# normals and faces that it returns together, one looks out and the other in, whatever the sign of the field; with
# gradient_direction="ascent" faces change and normals do not. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-image==0.26.0 PyMCubes==0.1.6 pyvista==0.49.1 libigl==2.6.3 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import igl
import mcubes
import numpy as np
import pyvista
from skimage.measure import marching_cubes

print(*(f"{name} {version(name)}" for name in ("scikit-image", "PyMCubes", "pyvista", "vtk", "libigl")))
NUMBER, RADIUS = 41, 0.6
axis = np.linspace(-1.0, 1.0, NUMBER)
X, Y, Z = np.meshgrid(axis, axis, axis, indexing="ij")
distance = np.sqrt(X**2 + Y**2 + Z**2) - RADIUS  # negative inside
step = axis[1] - axis[0]
ball = 4.0 / 3.0 * np.pi * RADIUS**3


def volume(vertices, faces):
    """Of a closed surface; negative if its faces look inwards."""
    a, b, c = (np.asarray(vertices, float)[np.asarray(faces, int)[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


def by_skimage(field, direction="descent"):
    vertices, faces, normals, _ = marching_cubes(field, 0.0, spacing=(step,) * 3, gradient_direction=direction)
    outwards = np.mean(np.sum(normals * (vertices - 1.0), axis=1) > 0.0)
    assert outwards in (0.0, 1.0), outwards
    return volume(vertices - 1.0, faces), "out" if outwards else "in"


def by_mcubes(field):
    vertices, faces = mcubes.marching_cubes(field, 0.0)
    return volume(vertices * step - 1.0, faces), None


def by_vtk(field):
    grid = pyvista.ImageData(dimensions=(NUMBER,) * 3, spacing=(step,) * 3, origin=(-1.0,) * 3)
    grid["field"] = field.ravel(order="F")
    surface = grid.contour([0.0], scalars="field")
    return volume(surface.points, surface.faces.reshape(-1, 4)[:, 1:]), None


def by_igl(field):
    places = np.stack([c.ravel(order="F") for c in (X, Y, Z)], axis=1)
    vertices, faces = igl.marching_cubes(field.ravel(order="F"), places, NUMBER, NUMBER, NUMBER, 0.0)[:2]
    return volume(vertices, faces), None


CASES = {
    "scikit-image": (by_skimage(distance), "out", "in"),
    "scikit-image, positive inside": (by_skimage(-distance), "in", "out"),
    'scikit-image, "ascent"': (by_skimage(distance, "ascent"), "in", "in"),
    "libigl": (by_igl(distance), "out", None),
    "PyMCubes": (by_mcubes(distance), "in", None),
    "VTK": (by_vtk(distance), "in", None),
}
for name, ((size, normals), faces_look, normals_look) in CASES.items():
    print(f"{name}: volume {size:+.3f} of {ball:.3f}" + (f", normals look {normals}" if normals else ""))
    assert abs(abs(size) - ball) < 0.02 * ball, name
    assert (size > 0.0) == (faces_look == "out"), name
    assert normals == normals_look, name
print("as found: half of them inside out")
PYTHON
