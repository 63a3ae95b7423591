"""Files damaged at random: each is read, or refused by name; no reader lets another error out."""

from __future__ import annotations

import random
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh
from tests.scene.readers.plates import CORNERS, DOWN, Glb, save_quadrants, textured

TOKENS = (b"0", b"-1", b"1e9", b"nan", b"99999999999", b"", b"inf", b'"', b"<", b"\0", b"\xff", b"[]", b"{}", b"null")
ROWS = "".join(f"{x} {y} 0 {x} {y}\n" for x, y in CORNERS)
PLY = f"""ply
format ascii 1.0
comment TextureFile tex.png
element vertex 4
property float x
property float y
property float z
property float s
property float t
element face 2
property list uchar int vertex_indices
property int texnumber
end_header
{ROWS}3 0 1 2 0
4 0 1 2 3 0
""".encode()
OBJ = (
    "mtllib m.mtl\n" + "".join(f"v {x} {y} 0 1 0 0\nvt {x} {y}\n" for x, y in CORNERS)
    + "usemtl m\nf 1/1 2/2 3/3 4/4\nf -4/-4 -3/-3 -2/-2\n"
).encode()  # fmt: skip
DAE = b"""<COLLADA><asset><unit meter="1"/><up_axis>Z_UP</up_axis></asset><library_geometries><geometry id="g"><mesh>
<source id="p"><float_array id="a" count="12">0 0 0 1 0 0 1 1 0 0 1 0</float_array><technique_common><accessor
source="#a" count="4" stride="3"><param name="X"/><param name="Y"/><param name="Z"/></accessor></technique_common>
</source><vertices id="v"><input semantic="POSITION" source="#p"/></vertices><polylist material="s" count="1"><input
semantic="VERTEX" source="#v" offset="0"/><vcount>4</vcount><p>0 1 2 3</p></polylist></mesh></geometry>
</library_geometries><library_visual_scenes><visual_scene id="w"><node><rotate>0 0 1 90</rotate><instance_geometry
url="#g"/></node></visual_scene></library_visual_scenes></COLLADA>"""
STL = bytes(80) + struct.pack("<I", 1) + struct.pack("<12fH", 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0)


def glb(folder: Path) -> bytes:
    made = Glb().plate().attribute("TEXCOORD_0", DOWN).attribute("COLOR_0", np.eye(4, 3)).material(**textured())
    return made.picture().save(folder / "m.glb").read_bytes()


def damaged(data: bytes, chance: random.Random) -> bytes:
    content = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(content) + 1)
        match chance.randrange(5):
            case 0 if content:
                content[chance.randrange(len(content))] = chance.randrange(256)
            case 1:
                del content[place : place + chance.randrange(1, 20)]
            case 2:
                content[place:place] = chance.choice(TOKENS)
            case 3:
                found = list(re.finditer(rb'-?\d+\.?\d*|"[^"]{0,20}"', bytes(content[:4000])))
                if found:
                    one = chance.choice(found)
                    content[one.start() : one.end()] = chance.choice(TOKENS)
            case 4:
                content = content[:place]
    return bytes(content)


@pytest.mark.parametrize("name", ["m.ply", "m.obj", "m.dae", "m.stl", "m.glb"])
def test_no_other_error(tmp_path: Path, name: str) -> None:
    save_quadrants(tmp_path)
    (tmp_path / "m.mtl").write_text("newmtl m\nKd 1 0 0\nmap_Kd -s 1 1 1 -clamp on tex.png\n")
    whole = {"m.ply": PLY, "m.obj": OBJ, "m.dae": DAE, "m.stl": STL, "m.glb": glb(tmp_path)}[name]
    path = tmp_path / name
    path.write_bytes(whole)
    assert len(Mesh.load(path, unit="m").faces) >= 1
    chance = random.Random(name)
    read = refused = 0
    for _ in range(150):
        path.write_bytes(damaged(whole, chance))
        try:
            mesh = Mesh.load(path, unit="m", allow_missing_texture=chance.random() < 0.5)
            assert np.isfinite(mesh.vertices_m).all()
            read += 1
        except DiffDopeError as error:
            assert name in str(error)
            refused += 1
    assert read > 0 and refused > 20
