#!/usr/bin/env bash
# trimesh 5.2.0, yourdfpy 0.0.60, pin (pinocchio) 4.1.0 and assimp-py 1.1.0: one COLLADA file in two sizes and two attitudes.
#
# A .dae says how long its unit is and which axis points up; inches and z up are as good as centimetres and y up. What comes
# of a file of 10 x 20 x 30 in centimetres: trimesh gives 10 x 20 x 30 as it stands, with the unit beside it in
# `scene.units`, which no length was multiplied with. yourdfpy and pinocchio place the same numbers as metres, without any
# such note: a part of 30 cm in a URDF is one of 30 m. Assimp's own reader gives 0.1 x 0.2 x 0.3, and, with z up, 0.1 x 0.3 x
# 0.2, since it turns everything until y is up, which the others do not. So a pose that was found with the mesh of one is 90
# degrees, or a factor of 100, off for the mesh of another, and neither says so; and pinocchio reads by Assimp, but differs from
# it. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  trimesh==5.2.0 pycollada==0.9.3 yourdfpy==0.0.60 pin==4.1.0 assimp-py==1.1.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import assimp_py
import numpy as np
import pinocchio
import trimesh
import yourdfpy

print(", ".join(f"{name} {version(name)}" for name in ("trimesh", "yourdfpy", "pin", "assimp-py")))
COLLADA = """<?xml version="1.0" encoding="utf-8"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset><created>2026-01-01T00:00:00</created><modified>2026-01-01T00:00:00</modified>
<unit name="unit" meter="{unit}"/><up_axis>{up}</up_axis></asset>
<library_geometries><geometry id="shape"><mesh>
<source id="places"><float_array id="numbers" count="12">0 0 0 10 0 0 0 20 0 0 0 30</float_array>
<technique_common><accessor source="#numbers" count="4" stride="3"><param name="X" type="float"/>
<param name="Y" type="float"/><param name="Z" type="float"/></accessor></technique_common></source>
<vertices id="corners"><input semantic="POSITION" source="#places"/></vertices>
<triangles count="4"><input semantic="VERTEX" source="#corners" offset="0"/><p>0 2 1 0 1 3 0 3 2 1 2 3</p></triangles>
</mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="scene"><node id="node"><instance_geometry url="#shape"/></node></visual_scene>
</library_visual_scenes><scene><instance_visual_scene url="#scene"/></scene></COLLADA>"""
URDF = """<robot name="arm"><link name="base"><visual><geometry><mesh filename="part.dae"/></geometry></visual></link></robot>"""
Path("arm.urdf").write_text(URDF)


def by_pinocchio():
    model = pinocchio.buildModelFromUrdf("arm.urdf")
    kind = pinocchio.GeometryType.VISUAL
    shape = pinocchio.buildGeomFromUrdf(model, "arm.urdf", kind, package_dirs=["."]).geometryObjects[0]
    return np.ptp(shape.geometry.vertices(), axis=0) * shape.meshScale


def by_assimp():
    flags = assimp_py.Process_Triangulate | assimp_py.Process_PreTransformVertices
    scene = assimp_py.import_file("part.dae", flags)  # its arrays live as long as it does
    return np.ptp(np.array(scene.meshes[0].vertices).reshape(-1, 3), axis=0)


for unit in ("1", "0.01"):
    for up in ("Y_UP", "Z_UP"):
        Path("part.dae").write_text(COLLADA.format(unit=unit, up=up))
        scene = trimesh.load("part.dae")
        found = {
            "trimesh": scene.extents,
            "yourdfpy": yourdfpy.URDF.load("arm.urdf").scene.extents,
            "pinocchio": by_pinocchio(),
            "assimp-py": by_assimp(),
        }
        sizes = "; ".join(f"{name} {np.round(size, 3).tolist()}" for name, size in found.items())
        print(f"unit of {unit} m, {up}: {sizes}; units {scene.units!r}")
        for name in ("trimesh", "yourdfpy", "pinocchio"):
            assert np.allclose(found[name], [10.0, 20.0, 30.0]), name
        right = float(unit) * np.array([10.0, 20.0, 30.0] if up == "Y_UP" else [10.0, 30.0, 20.0])
        assert np.allclose(found["assimp-py"], right), found["assimp-py"]
print("as found: unit and up axis count for Assimp alone")
PYTHON
