"""USD and USDZ, where the package that reads them is there, and a true reason where it is not."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh

SIZES = np.array([10.0, 30.0, 20.0])
POINTS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * SIZES
SIDES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
CORNERS = [k for side in SIDES for k in side]
NEEDED = pytest.mark.skipif(find_spec("pxr") is None, reason="usd-core is not installed")


def triples(rows: Any) -> str:
    return "[" + ", ".join(f"({', '.join(f'{x:g}' for x in row)})" for row in rows) + "]"


def stage(inner: str = "", beside: str = "", *, metres: float = 0.01, moved: str = "") -> str:
    """A box as text."""
    return f"""#usda 1.0
(
    defaultPrim = "top"
    metersPerUnit = {metres}
    upAxis = "Y"
)
def Xform "top"
{{
    {moved}
    def Mesh "box" (prepend apiSchemas = ["MaterialBindingAPI"])
    {{
        point3f[] points = {triples(POINTS)}
        int[] faceVertexCounts = [4, 4, 4, 4, 4, 4]
        int[] faceVertexIndices = {CORNERS}
        {inner}
    }}
    {beside}
}}
"""


def loaded(folder: Path, text: str, **options: Any) -> Mesh:
    path = folder / "box.usda"
    path.write_text(text)
    return Mesh.load(path, **options)


@NEEDED
def test_a_box_in_its_own_unit_and_axes(tmp_path: Path) -> None:
    mesh = loaded(tmp_path, stage())
    np.testing.assert_allclose(mesh.bounds, np.array([(0, 0, 0), SIZES / 100]), atol=1e-9)
    assert mesh.is_closed and len(mesh.faces) == 12 and not mesh.has_color and mesh.warnings == ()
    told = loaded(tmp_path, stage(), unit="mm")
    assert told.warnings[0].startswith("the file states its unit, 0.01 m; unit='mm' was not used")


@NEEDED
def test_nodes_place_their_meshes_and_hands_are_heeded(tmp_path: Path) -> None:
    turn = (
        "matrix4d xformOp:transform = ((0, 2, 0, 0), (-1, 0, 0, 0), (0, 0, 1, 0), (5, 6, 7, 1))\n"
        'uniform token[] xformOpOrder = ["xformOp:transform"]'
    )  # rows: x becomes 2 y, y becomes -x
    mesh = loaded(tmp_path, stage(moved=turn))
    np.testing.assert_allclose(mesh.bounds, np.array([(5 - 30, 6, 7), (5, 6 + 20, 7 + 20)]) / 100, atol=1e-9)
    for text in (
        stage(),
        stage(moved=turn.replace("-1, 0", "1, 0")),
        stage('uniform token orientation = "leftHanded"'),
    ):
        mesh = loaded(tmp_path, text)
        a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces] - mesh.vertices_m.mean(axis=0), 1, 0)
        volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0
        assert (volume < 0.0) == ("leftHanded" in text) and abs(volume) > 1e-9


@NEEDED
def test_what_is_not_rendered_is_left_out_with_a_note(tmp_path: Path) -> None:
    extra = 'def Sphere "ball"\n{\n}\ndef Mesh "stand"\n{\nuniform token purpose = "proxy"\n}'
    mesh = loaded(tmp_path, stage(beside=extra))
    assert len(mesh.faces) == 12
    assert "a Sphere is left out, for it is no mesh: ball" in mesh.warnings
    assert "what is invisible, a proxy or a guide is left out: stand" in mesh.warnings


@NEEDED
@pytest.mark.parametrize("way", ["constant", "uniform", "vertex", "faceVarying"])
def test_colours_in_linear_light(tmp_path: Path, way: str) -> None:
    count = {"constant": 1, "uniform": 6, "vertex": 8, "faceVarying": 24}[way]
    light = np.tile([0.0, 0.2140411, 1.0], (count, 1))
    inner = f'color3f[] primvars:displayColor = {triples(light)} (interpolation = "{way}")'
    mesh = loaded(tmp_path, stage(inner))
    assert mesh.colors is not None
    np.testing.assert_allclose(mesh.colors, np.tile([0.0, 0.5, 1.0], (len(mesh.vertices_m), 1)), atol=1e-3)


def material(texture: str) -> str:
    return f"""def Material "paint"
    {{
        token outputs:surface.connect = </top/paint/surface.outputs:surface>
        def Shader "surface"
        {{
            uniform token info:id = "UsdPreviewSurface"
            color3f inputs:diffuseColor.connect = </top/paint/picture.outputs:rgb>
            token outputs:surface
        }}
        def Shader "picture"
        {{
            uniform token info:id = "UsdUVTexture"
            asset inputs:file = @{texture}@
            token inputs:wrapS = "repeat"
            token inputs:wrapT = "repeat"
            float2 inputs:st.connect = </top/paint/place.outputs:result>
            float3 outputs:rgb
        }}
        def Shader "place"
        {{
            uniform token info:id = "UsdPrimvarReader_float2"
            string inputs:varname = "uv"
            float2 outputs:result
        }}
    }}"""


UV = 'texCoord2f[] primvars:uv = {} (interpolation = "faceVarying")\nrel material:binding = </top/paint>'


def painted(folder: Path) -> str:
    """A box whose sides show the lower left of a picture that is red there."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[4:, :4] = (255, 0, 0)
    Image.fromarray(pixels).save(folder / "p.png")
    return stage(UV.format(triples([(0.1, 0.1), (0.4, 0.1), (0.4, 0.4), (0.1, 0.4)] * 6)), material("p.png"))


def assert_red(mesh: Mesh) -> None:
    assert mesh.texture is not None and mesh.uv is not None
    height, width = mesh.texture.shape[:2]
    u, v = mesh.uv.T
    seen = mesh.texture[(v * height).astype(int), (u * width).astype(int)]
    assert (seen == (255, 0, 0)).all()


@NEEDED
def test_a_texture_beside_the_file_and_in_usdz(tmp_path: Path) -> None:
    mesh = loaded(tmp_path, painted(tmp_path))
    assert_red(mesh)
    from pxr import Sdf, UsdUtils

    packed = tmp_path / "phone.usdz"
    assert UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(tmp_path / "box.usda")), str(packed))
    (tmp_path / "p.png").unlink()
    assert_red(Mesh.load(packed))
    with pytest.raises(DiffDopeError, match="box.usda names p.png, but that is not in .*; put it there"):
        Mesh.load(tmp_path / "box.usda")
    assert not Mesh.load(tmp_path / "box.usda", allow_missing_texture=True).has_color


@NEEDED
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "PK" + text, "it is no USD, or damaged"),
        (lambda text: text.replace("[4, 4, 4,", "[4, 4,"), "as many corners as the faces of /top/box have"),
        (lambda text: text.replace("[0, 1, 3,", "[0, 99, 3,"), "indices of points from 0 to 7, got 0 to 99"),
        (lambda text: text.split("def Mesh")[0] + "}", "expected triangles, got none"),
    ],
)
def test_damaged_usd(tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message + ".*box.usda"):
        loaded(tmp_path, change(stage()))


@NEEDED
def test_a_file_that_was_sent_reads_no_other_of_the_machine(tmp_path: Path) -> None:
    loaded(tmp_path, stage())
    whole = tmp_path / "sent.usda"
    whole.write_text('#usda 1.0\ndef "a" (references = @box.usda@) {}\n')
    assert len(Mesh.load(whole).faces) == 12
    with pytest.raises(DiffDopeError, match="it refers to other files; flatten it"):
        Mesh.load(whole, beside={})


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(
        DiffDopeError, match=r'expected usd-core, which reads USD, got none; pip install "diffdope\[usd\]"'
    ):
        loaded(tmp_path, stage())
