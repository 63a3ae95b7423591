#!/usr/bin/env bash
# pyvista 0.49.1 (and VTK 9.7.2): center_of_mass() of a mesh is the mean of its vertices.
#
# Models are centred by their centre of mass, and so are poses that are reported for grasping or for a simulator. CAD
# has 8 vertices for a block and a thousand for a round knob on its end. Of a block of 20 x 10 x 5 cm with a knob of 2
# cm, the centre of mass is 0.4 mm from the block's middle; center_of_mass() says 98.8 mm, which is inside the knob. The
# same shape in other triangles has another one: subdivided, it comes back near the middle. Its help says "center of
# mass of the mesh", and has a ball for its example, whose mean of vertices is that of mass. vtkCenterOfMass, which is
# below it, has the word too; mesh.volume of the same class is the volume, whatever the triangles. trimesh's center_mass
# is right. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  pyvista==0.49.1 vtk==9.7.2 trimesh==5.2.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

import numpy as np
import pyvista
import trimesh

print(*(f"{name} {version(name)}" for name in ("pyvista", "vtk", "trimesh")), sep=", ")
block = trimesh.creation.box((0.20, 0.10, 0.05))
knob = trimesh.creation.icosphere(3, 0.01)
knob.apply_translation((0.10, 0.0, 0.0))
shape = trimesh.util.concatenate([block, knob])
fine = trimesh.util.concatenate([block.subdivide().subdivide().subdivide().subdivide().subdivide(), knob])


def by_pyvista(mesh):
    return pyvista.PolyData.from_regular_faces(mesh.vertices, mesh.faces)


true = shape.center_mass
for name, mesh in (("as it is", shape), ("with a finer block", fine)):
    found = np.array(by_pyvista(mesh).center_of_mass())
    print(f"{name}: centre of mass at x = {1e3 * mesh.center_mass[0]:.1f} mm, by pyvista at {1e3 * found[0]:.1f} mm")
    assert np.allclose(found, mesh.vertices.mean(axis=0), atol=1e-6)
    assert np.allclose(mesh.center_mass, true, atol=1e-6)
    assert np.isclose(by_pyvista(mesh).volume, mesh.volume, rtol=1e-4)
coarse = by_pyvista(shape).center_of_mass()[0]
assert true[0] < 0.001 and coarse > 0.09 and by_pyvista(fine).center_of_mass()[0] < 0.02
assert not re.search(r"vert(ex|ices)|points", pyvista.PolyData.center_of_mass.__doc__)
print("as found: what has the most vertices is the heaviest")
PYTHON
