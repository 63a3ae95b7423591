"""COLLADA visuals of a robot: in metres where they state their unit, and not turned, as rviz shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("yourdfpy", reason="needs diffdope[robot]")

from diffdope.scene.urdf import mesh_triangles

DAE = """<?xml version="1.0"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset><unit name="millimeter" meter="0.001"/><up_axis>Y_UP</up_axis></asset>
<library_geometries><geometry id="g"><mesh>
<source id="p"><float_array id="a" count="9">0 0 0 100 0 0 0 50 0</float_array><technique_common>
<accessor source="#a" count="3" stride="3"><param name="X" type="float"/><param name="Y" type="float"/>
<param name="Z" type="float"/></accessor></technique_common></source>
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<triangles count="1"><input semantic="VERTEX" source="#v" offset="0"/><p>0 1 2</p></triangles>
</mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="s"><node id="n"><instance_geometry url="#g"/></node></visual_scene>
</library_visual_scenes><scene><instance_visual_scene url="#s"/></scene></COLLADA>
"""


def test_a_visual_is_in_metres_and_not_turned(tmp_path: Path) -> None:
    path = tmp_path / "link.dae"
    path.write_text(DAE)
    vertices, faces = mesh_triangles(path)
    assert len(faces) == 1
    assert np.allclose(np.sort(vertices[:, 0]), [0.0, 0.0, 0.1])
    assert np.allclose(np.sort(vertices[:, 1]), [0.0, 0.0, 0.05])
    assert np.allclose(vertices[:, 2], 0.0)
