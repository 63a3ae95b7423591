"""3MF: unit, objects and components in place, colours."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh
from tests.scene.readers.plates import CORNERS, FACES, GREEN, ORANGE, RED, assert_upright, color_at, encoded

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
MATERIALS = "http://schemas.microsoft.com/3dmanufacturing/material/2015/02"
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" '
    'Target="/3D/model.model" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
)
VERTICES = "".join(f'<vertex x="{100 * x}" y="{100 * y}" z="0"/>' for x, y in CORNERS)
TRIANGLES = '<triangle v1="0" v2="1" v3="2"/><triangle v1="0" v2="2" v3="3"/>'


def mesh_object(triangles: str = TRIANGLES, key: str = "1", more: str = "", vertices: str = VERTICES) -> str:
    return (
        f'<object id="{key}" type="model" {more}><mesh><vertices>{vertices}</vertices>'
        f"<triangles>{triangles}</triangles></mesh></object>"
    )


def model(resources: str, build: str = '<item objectid="1"/>', attributes: str = 'unit="millimeter"') -> str:
    return (
        f'<model {attributes} xmlns="{CORE}" xmlns:m="{MATERIALS}" xmlns:p="urn:production"><resources>{resources}'
        f"</resources><build>{build}</build></model>"
    )


def load(folder: Path, text: str, parts: dict[str, bytes] | None = None, **options: str) -> Mesh:
    path = folder / "m.3mf"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("_rels/.rels", RELATIONS)
        package.writestr("3D/model.model", text)
        for name, content in (parts or {}).items():
            package.writestr(name, content)
    return Mesh.load(path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attributes", "side"),
    [
        ('unit="millimeter"', 0.1),
        ("", 0.1),
        ('unit="inch"', 2.54),
        ('unit="micron"', 0.001),
        ('unit="meter"', 10.0),
        ('unit="centimeter"', 1.0),
        ('unit="foot"', 30.48),
    ],
)
def test_the_file_states_its_unit(tmp_path: Path, attributes: str, side: float) -> None:
    side_in_file = {'unit="micron"': "1000", 'unit="meter"': "10"}.get(attributes, "100")
    vertices = VERTICES.replace('"100"', f'"{side_in_file}"')
    mesh = load(tmp_path, model(mesh_object(vertices=vertices), attributes=attributes))
    np.testing.assert_allclose(mesh.bounds[1], [side, side, 0])


def test_another_unit_than_the_files_is_told(tmp_path: Path) -> None:
    mesh = load(tmp_path, model(mesh_object()), unit="m")
    np.testing.assert_allclose(mesh.bounds[1], [0.1, 0.1, 0])
    assert "states its unit, 0.001 m" in mesh.warnings[0]
    assert load(tmp_path, model(mesh_object()), unit="mm").warnings == ()


def test_the_unit_that_a_message_proposes_is_one_that_helps(tmp_path: Path) -> None:
    micron = model(mesh_object(vertices=VERTICES.replace('"100"', '"255"')), attributes='unit="micron"')
    for options in ({}, {"unit": "m"}):
        with pytest.raises(DiffDopeError, match=r'load it with unit="mm" .*read in units of 1e-06 m, as the file says'):
            load(tmp_path, micron, **options)
    assert load(tmp_path, micron, unit="mm").diameter == pytest.approx(0.255 * np.sqrt(2))
    for side, unit in (('"0.0001"', "no unit makes it"), ('"1e7"', "no unit makes it .* given in parts")):
        with pytest.raises(DiffDopeError, match=unit):
            load(tmp_path, model(mesh_object(vertices=VERTICES.replace('"100"', side))))


def test_a_stated_unit_that_cannot_be_gives_way_to_the_given_one(tmp_path: Path) -> None:
    tiny = model(mesh_object(vertices=VERTICES.replace('"100"', '"0.1"')))
    with pytest.raises(DiffDopeError, match='got 0.0001414 m; the file is probably in metres: load it with unit="m"'):
        load(tmp_path, tiny)
    mesh = load(tmp_path, tiny, unit="m")
    np.testing.assert_allclose(mesh.bounds[1], [0.1, 0.1, 0])
    assert mesh.warnings == ("the file states its unit, 0.001 m, which makes 0.000141 m; m was taken",)


def test_items_and_components_are_in_place(tmp_path: Path) -> None:
    component = '<component objectid="1" transform="0 1 0 -1 0 0 0 0 1 10 0 0"/>'
    group = f'<object id="2"><components>{component}</components></object>'
    build = '<item objectid="2" transform="1 0 0 0 1 0 0 0 1 0 0 7"/><item objectid="1"/>'
    mesh = load(tmp_path, model(mesh_object() + group, build))
    # (100, 0, 0) as a row, times the matrix: a quarter turn, then 10 along x and 7 along z.
    np.testing.assert_allclose(mesh.vertices_m[1], [0.01, 0.1, 0.007])
    assert len(mesh.faces) == 4


def test_objects_in_other_parts_of_the_package(tmp_path: Path) -> None:
    group = '<object id="8"><components><component p:path="/3D/Objects/a.model" objectid="1"/></components></object>'
    parts = {"3D/Objects/a.model": model(mesh_object(), "").encode()}
    assert len(load(tmp_path, model(group, '<item objectid="8"/>'), parts).faces) == 2


def test_supports_are_left_out_with_a_word(tmp_path: Path) -> None:
    text = model(
        mesh_object() + mesh_object(key="2").replace('"model"', '"support"'), '<item objectid="1"/><item objectid="2"/>'
    )
    mesh = load(tmp_path, text)
    assert len(mesh.faces) == 2 and mesh.warnings == ("supports for printing are left out",)


def test_the_colour_of_an_object_and_of_a_triangle(tmp_path: Path) -> None:
    red, green = '<base name="a" displaycolor="#FF0000"/>', '<base name="b" displaycolor="#00FF00FF"/>'
    base = f'<basematerials id="5">{red}{green}</basematerials>'
    triangles = TRIANGLES.replace('v3="3"/>', 'v3="3" pid="5" p1="1"/>')
    mesh = load(tmp_path, model(base + mesh_object(triangles, more='pid="5" pindex="0"')))
    assert color_at(mesh, 0.09, 0.05) == RED and color_at(mesh, 0.01, 0.05) == GREEN


def test_colours_at_corners(tmp_path: Path) -> None:
    group = '<m:colorgroup id="5"><m:color color="#FF8000"/><m:color color="#000000"/></m:colorgroup>'
    triangles = TRIANGLES.replace("/>", ' pid="5" p1="0" p2="0" p3="1"/>', 1).replace(
        'v3="3"/>', 'v3="3" pid="5" p1="0"/>'
    )
    mesh = load(tmp_path, model(group + mesh_object(triangles)))
    assert color_at(mesh, 0.01, 0.05) == ORANGE
    assert color_at(mesh, 0.05, 0.0) == ORANGE  # between its first two corners
    assert color_at(mesh, 0.1, 0.05) == (128, 64, 0)


TEXTURE = (
    '<m:texture2d id="3" path="/3D/Textures/t.png" contenttype="image/png" {}/><m:texture2dgroup id="5" texid="3">'
    + "".join(f'<m:tex2coord u="{u}" v="{v}"/>' for u, v in CORNERS)
    + "</m:texture2dgroup>"
)
TEXTURED = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}" pid="5" p1="{a}" p2="{b}" p3="{c}"/>' for a, b, c in FACES)
LARGE = VERTICES.replace('"100"', '"1000"')


def test_a_texture(tmp_path: Path) -> None:
    text = model(TEXTURE.format("") + mesh_object(TEXTURED, vertices=LARGE))
    mesh = load(tmp_path, text, {"3D/Textures/t.png": encoded()})
    assert_upright(mesh)
    assert mesh.warnings == ()


@pytest.mark.parametrize(
    ("style", "beyond"), [("", RED), ('tilestyleu="clamp"', GREEN), ('tilestyleu="mirror"', GREEN)]
)
def test_wraps(tmp_path: Path, style: str, beyond: tuple[int, ...]) -> None:
    texture = TEXTURE.format(style).replace('u="1"', 'u="2"')
    mesh = load(tmp_path, model(texture + mesh_object(TEXTURED, vertices=LARGE)), {"3D/Textures/t.png": encoded()})
    assert color_at(mesh, 0.4, 0.9) == GREEN and color_at(mesh, 0.6, 0.9) == beyond


def test_a_broken_texture(tmp_path: Path) -> None:
    text = model(TEXTURE.format("") + mesh_object(TEXTURED, vertices=LARGE))
    with pytest.raises(DiffDopeError, match=r"m.3mf has a texture that cannot be read: .*allow_missing_texture"):
        load(tmp_path, text, {"3D/Textures/t.png": b"no picture"})
    mesh = Mesh.load(tmp_path / "m.3mf", allow_missing_texture=True)
    assert not mesh.has_color and len(mesh.faces) == 2


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ('<basematerials id="5"><base name="a"/></basematerials>' + mesh_object(more='pid="5" pindex="0"'), False),
        ('<m:multiproperties id="5" pids="1 2"/>' + mesh_object(more='pid="5" pindex="0"'), True),
        (mesh_object(TRIANGLES.replace("/>", ' paint_color="4"/>')), True),
    ],
    ids=["no colour stated", "layers", "painted by a slicer"],
)
def test_no_colour_or_one_that_is_not_read(tmp_path: Path, resources: str, told: bool) -> None:
    mesh = load(tmp_path, model(resources))
    assert not mesh.has_color and bool(mesh.warnings) == told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<model", "expected XML: "),
        (model(mesh_object(), '<item objectid="7"/>'), "names an object '7', but holds none"),
        (model(mesh_object(), attributes='unit="ell"'), "expected a unit of 3MF .*, got 'ell'"),
        (model(mesh_object(TRIANGLES.replace('v3="3"', 'v3="9"'))), "indices of points from 0 to 3, got 0 to 9"),
        (model(mesh_object(), '<item objectid="1" transform="1 0 0"/>'), "a transform of 12 numbers, got 3"),
        (model('<object id="1"><components><component objectid="1"/></components></object>'), "holds itself"),
        (model(TEXTURE.format("") + mesh_object(TEXTURED)), "names /3D/Textures/t.png, but holds no such part"),
        (model(""), "holds none"),
        (model(mesh_object(), ""), "expected triangles, got none"),
    ],
)
def test_damaged_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        load(tmp_path, text)


def test_no_package(tmp_path: Path) -> None:
    (tmp_path / "m.3mf").write_bytes(b"no package")
    with pytest.raises(DiffDopeError, match=r"expected a 3MF package: .*m\.3mf"):
        Mesh.load(tmp_path / "m.3mf")
