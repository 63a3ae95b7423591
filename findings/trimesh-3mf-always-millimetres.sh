#!/usr/bin/env bash
# trimesh 5.2.0, assimp-py 1.1.0 and pymeshlab 2025.7.post1: of the unit that a 3MF has to state, nothing is left.
#
# 3MF is what slicers and CAD give in place of STL, as it says its unit: micron, millimetre, centimetre, inch, foot or
# metre. trimesh reads that into `units`, and writes "millimeter" into each file, whatever `units` is: a part of 0.1 x
# 0.2 x 0.3 m, converted with convert_units("m"), is one of 0.1 x 0.2 x 0.3 mm for who reads it, trimesh too; one that
# came in inches and is saved again has shrunk to a 25th. Who writes the file otherwise than in mm has a model that is
# a thousand times too small, in the one format that should exclude it. assimp-py and pymeshlab give the numbers as they
# stand, with no word of the unit: 10 inches are 10, as 10 mm are. pymeshlab moreover leaves a part's place in its
# transform_matrix, and assimp-py nowhere: of a part that is built 100 mm aside, the vertices of both are at the origin,
# where trimesh places it. convert_units("mm") before export is the cure. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  trimesh==5.2.0 assimp-py==1.1.0 pymeshlab==2025.7.post1 numpy==2.4.6 lxml==6.1.3 networkx==3.6.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import re
import zipfile
from importlib.metadata import version

import assimp_py
import numpy as np
import pymeshlab
import trimesh

print(*(f"{name} {version(name)}" for name in ("trimesh", "assimp-py", "pymeshlab")), sep=", ")
SIZE = np.array([10.0, 20.0, 30.0])
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
)


def write(path, unit, transform=""):
    """A 3MF of one box."""
    box = trimesh.creation.box(SIZE)
    vertices = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in box.vertices)
    triangles = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in box.faces)
    model = (
        f'<model unit="{unit}" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"><resources>'
        f'<object id="1" type="model"><mesh><vertices>{vertices}</vertices><triangles>{triangles}</triangles></mesh>'
        f'</object></resources><build><item objectid="1" {transform}/></build></model>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("_rels/.rels", RELATIONS)
        archive.writestr("3D/3dmodel.model", '<?xml version="1.0" encoding="UTF-8"?>' + model)


def unit_of(path):
    """What the file states."""
    with zipfile.ZipFile(path) as archive:
        return re.search(r'unit="(\w+)"', archive.read("3D/3dmodel.model").decode()).group(1)


def by_assimp(path):
    scene = assimp_py.import_file(path, assimp_py.Process_Triangulate)
    return np.vstack([np.reshape(mesh.vertices, (-1, 3)) for mesh in scene.meshes])


def by_pymeshlab(path):
    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(path)
    return meshes.current_mesh().vertex_matrix()


write("inches.3mf", "inch")
scene = trimesh.load("inches.3mf")
print("10 x 20 x 30 inches; trimesh:", scene.extents.tolist(), scene.units)
assert np.allclose(scene.extents, SIZE) and scene.units == "inch"
scene.export("again.3mf")
again = trimesh.load("again.3mf")
print("  saved again:", again.extents.tolist(), unit_of("again.3mf"))
assert np.allclose(again.extents, SIZE) and unit_of("again.3mf") == "millimeter" and again.units == "millimeter"

metres = scene.convert_units("m")
metres.export("metres.3mf")
read = trimesh.load("metres.3mf")
print("  in metres:", metres.extents.round(4).tolist(), metres.units)
print("  saved:", read.extents.round(4).tolist(), read.units)
assert np.allclose(metres.extents, 0.0254 * SIZE) and metres.units == "m"
assert np.allclose(read.extents, 0.0254 * SIZE) and read.units == "millimeter"
part = trimesh.creation.box(0.01 * SIZE)
part.units = "m"
part.export("part.3mf")
assert unit_of("part.3mf") == "millimeter"

write("millimetres.3mf", "millimeter")
for way in (by_assimp, by_pymeshlab):
    sizes = [np.ptp(way(path), axis=0) for path in ("inches.3mf", "millimetres.3mf")]
    print(f"{way.__name__}: inches {sizes[0].tolist()}, millimetres {sizes[1].tolist()}")
    assert np.allclose(sizes, SIZE)

write("aside.3mf", "millimeter", 'transform="1 0 0 0 1 0 0 0 1 100 0 0"')
middles = [float(np.mean(way("aside.3mf")[:, 0])) for way in (by_assimp, by_pymeshlab)]
aside = trimesh.load("aside.3mf").bounds.mean(axis=0)
print(f"100 mm aside; trimesh: {aside[0]:.0f}; vertices of the others: {middles}")
assert np.allclose(aside, (100.0, 0.0, 0.0)) and np.allclose(middles, 0.0)
print("as found: what a file says of its unit is lost")
PYTHON
