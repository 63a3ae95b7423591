"""COLLADA: unit, up axis, nodes, polygons, materials."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh
from tests.scene.readers.plates import CORNERS, GREEN, RED, area, assert_upright, color_at, save_quadrants

SPEC = "http://www.collada.org/2005/11/COLLADASchema"


def numbers(values: object) -> str:
    return " ".join(f"{k:g}" for k in np.ravel(np.array(values, float)))


def float_source(key: str, rows: object, names: str) -> str:
    array = np.array(rows, float)
    params = "".join(f'<param name="{name}" type="float"/>' for name in names)
    return (
        f'<source id="{key}"><float_array id="{key}-a" count="{array.size}">{numbers(array)}</float_array>'
        f'<technique_common><accessor source="#{key}-a" count="{len(array)}" stride="{array.shape[1]}">{params}'
        "</accessor></technique_common></source>"
    )


PLACES = [(x, y, 0) for x, y in CORNERS]
TRIANGLES = '<triangles material="s" count="2">{}<p>{}</p></triangles>'
VERTEX = '<input semantic="VERTEX" source="#v" offset="0"/>'
UV = '<input semantic="TEXCOORD" source="#uv" offset="1" set="0"/>'
BIND = """<bind_material><technique_common><instance_material symbol="s" target="#m">{}</instance_material>
</technique_common></bind_material>"""


def geometry(polygons: str, more: str = "", places: object = PLACES) -> str:
    return (
        '<library_geometries><geometry id="g"><mesh>' + float_source("p", places, "XYZ") + more
        + f'<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>{polygons}</mesh></geometry>'
        + "</library_geometries>"
    )  # fmt: skip


def effect(diffuse: str, params: str = "", shader: str = "lambert") -> str:
    return (
        '<library_materials><material id="m"><instance_effect url="#e"/></material></library_materials>'
        f'<library_effects><effect id="e"><profile_COMMON>{params}<technique sid="common">'
        f"<{shader}>{diffuse}</{shader}></technique></profile_COMMON></effect></library_effects>"
    )


SAMPLER = """<newparam sid="surface"><surface type="2D"><init_from>i</init_from></surface></newparam>
<newparam sid="sampler"><sampler2D><source>surface</source>{}</sampler2D></newparam>"""


def picture(name: str = "tex.png", wrap: str = "") -> str:
    image = f'<library_images><image id="i"><init_from>{name}</init_from></image></library_images>'
    return image + effect('<diffuse><texture texture="sampler" texcoord="CHANNEL"/></diffuse>', SAMPLER.format(wrap))


def colored(rgb: str) -> str:
    return effect(f"<diffuse><color>{rgb} 1</color></diffuse>")


def document(
    body: str, node: str = "", bind: str = BIND.format(""), asset: str = '<unit meter="1"/><up_axis>Z_UP</up_axis>'
) -> str:
    return (
        f'<?xml version="1.0"?><COLLADA xmlns="{SPEC}" version="1.4.1"><asset>{asset}</asset>{body}'
        f'<library_visual_scenes><visual_scene id="scene"><node>{node}<instance_geometry url="#g">{bind}'
        "</instance_geometry></node></visual_scene></library_visual_scenes>"
        '<scene><instance_visual_scene url="#scene"/></scene></COLLADA>'
    )


PLAIN = geometry(TRIANGLES.format(VERTEX, "0 1 2 0 2 3"))
WITH_UV = geometry(
    TRIANGLES.format(VERTEX + UV, "0 0 1 1 2 2 0 0 2 2 3 3"), float_source("uv", CORNERS, "ST")
)  # fmt: skip


def load(folder: Path, text: str, **options: str) -> Mesh:
    (folder / "m.dae").write_text(text)
    return Mesh.load(folder / "m.dae", **options)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_quadrants(tmp_path)
    return tmp_path


# ---------------- unit and axes


@pytest.mark.parametrize(("meter", "side"), [("1", 1.0), ("0.01", 0.01), ("0.0254", 0.0254), ("0.001", 0.001)])
def test_the_file_states_its_unit(folder: Path, meter: str, side: float) -> None:
    text = document(PLAIN, asset=f'<unit name="u" meter="{meter}"/><up_axis>Z_UP</up_axis>')
    mesh = load(folder, text)
    np.testing.assert_allclose(mesh.bounds[1], [side, side, 0])
    assert mesh.warnings == ()


def test_another_unit_than_the_files_is_told(folder: Path) -> None:
    text = document(PLAIN, asset='<unit meter="0.01"/><up_axis>Z_UP</up_axis>')
    assert load(folder, text, unit="cm").warnings == ()
    mesh = load(folder, text, unit="m")
    np.testing.assert_allclose(mesh.bounds[1], [0.01, 0.01, 0])
    assert mesh.warnings == ("the file states its unit, 0.01 m; unit='m' was not used",)


def test_without_a_unit_the_given_one_counts(folder: Path) -> None:
    text = document(PLAIN, asset="<up_axis>Z_UP</up_axis>")
    assert load(folder, text).bounds[1].tolist() == [1, 1, 0]
    np.testing.assert_allclose(load(folder, text, unit="cm").bounds[1], [0.01, 0.01, 0])


@pytest.mark.parametrize(
    ("axis", "places", "told"),
    [
        ("Z_UP", [[1, 2, 3]], False),
        ("Y_UP", [[1, -3, 2]], True),
        ("X_UP", [[-2, -3, 1]], True),
        ("", [[1, 2, 3]], True),
    ],
)
def test_z_points_up(folder: Path, axis: str, places: object, told: bool) -> None:
    text = document(
        geometry(TRIANGLES.format(VERTEX, "0 1 2"), places=[(1, 2, 3), (0, 0, 0), (0.5, 0, 0)]),
        asset=f'<unit meter="1"/><up_axis>{axis}</up_axis>',
    )
    mesh = load(folder, text)
    np.testing.assert_allclose(mesh.vertices_m[:1], places, atol=1e-12)
    assert bool(mesh.warnings) == told


def test_turning_keeps_the_outside_out() -> None:
    from diffdope.scene.readers.collada import _TURNS

    for turn in _TURNS.values():
        np.testing.assert_allclose(turn @ turn.T, np.eye(3))
        assert np.linalg.det(turn) == pytest.approx(1.0)


# ---------------- nodes


@pytest.mark.parametrize(
    ("node", "corner"),
    [
        ("<translate>1 2 3</translate>", (2, 2, 3)),
        ("<matrix>1 0 0 1 0 1 0 2 0 0 1 3 0 0 0 1</matrix>", (2, 2, 3)),
        ("<scale>2 3 4</scale>", (2, 0, 0)),
        ("<rotate>0 0 1 90</rotate>", (0, 1, 0)),
        ("<translate>1 0 0</translate><rotate>0 0 2 90</rotate><scale>2 2 2</scale>", (1, 2, 0)),
        ("<lookat>0 0 5  0 0 0  0 1 0</lookat>", (1, 0, 5)),
    ],
)
def test_transforms_of_nodes(folder: Path, node: str, corner: tuple[float, ...]) -> None:
    mesh = load(folder, document(PLAIN, node))
    np.testing.assert_allclose(mesh.vertices_m[1], corner, atol=1e-12)


def test_nodes_in_nodes_and_nodes_by_reference(folder: Path) -> None:
    inner = '<node><translate>0 0 1</translate><instance_geometry url="#g"/></node><instance_node url="#lib"/>'
    library = (
        '<library_nodes><node id="lib"><translate>0 0 9</translate><instance_geometry url="#g"/></node></library_nodes>'
    )
    mesh = load(folder, document(PLAIN + library, "<translate>0 0 10</translate>" + inner))
    assert sorted(set(mesh.vertices_m[:, 2])) == [10.0, 11.0, 19.0]


def test_a_node_that_mirrors_keeps_the_outside_out(folder: Path) -> None:
    mesh = load(folder, document(PLAIN, "<scale>-1 1 1</scale>"))
    a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces], 1, 0)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_a_skin_at_rest(folder: Path) -> None:
    controller = (
        '<library_controllers><controller id="c"><skin source="#g"><bind_shape_matrix>1 0 0 5 0 1 0 0 0 0 1 0 0 0 0 1'
        "</bind_shape_matrix></skin></controller></library_controllers>"
    )
    text = document(PLAIN + controller).replace('instance_geometry url="#g"', 'instance_controller url="#c"')
    mesh = load(folder, text.replace("/instance_geometry", "/instance_controller"))
    assert mesh.bounds[1].tolist() == [6, 1, 0] and "skeleton" in mesh.warnings[0]


def controlled(controller: str, nodes: str = "", skeleton: str = "") -> str:
    """A document that shows its plate by a controller `c`, beside other nodes."""
    text = document(PLAIN + f'<library_controllers><controller id="c">{controller}</controller></library_controllers>')
    text = text.replace('<instance_geometry url="#g"', '<instance_controller url="#c"')
    text = text.replace("</instance_geometry>", f"{skeleton}</instance_controller>")
    return text.replace("</visual_scene>", nodes + "</visual_scene>")


def names_source(key: str, names: str, kind: str = "Name_array") -> str:
    return f'<source id="{key}"><{kind} id="{key}-a" count="{len(names.split())}">{names}</{kind}></source>'


@pytest.mark.parametrize(
    "method, weight, height", [("NORMALIZED", 0.25, 0.25), ("RELATIVE", 0.25, 0.25), ("NORMALIZED", 0.0, 0.0)]
)
def test_shapes_that_are_on_at_rest(folder: Path, method: str, weight: float, height: float) -> None:
    """A geometry that a morph shows was left out as a whole."""
    moves = [(0, 0, 1)] * 4 if method == "RELATIVE" else [(x, y, 1) for x, y in CORNERS]
    target = geometry("", places=moves).replace('"g"', '"h"').replace('"p', '"p2').replace('"#p', '"#p2')
    morph = (
        f'<morph source="#g" method="{method}">' + names_source("t", "h", "IDREF_array")
        + float_source("w", [[weight]], "W") + '<targets><input semantic="MORPH_TARGET" source="#t"/>'
        '<input semantic="MORPH_WEIGHT" source="#w"/></targets></morph>'
    )  # fmt: skip
    text = controlled(morph).replace("<library_controllers>", target + "<library_controllers>")
    mesh = load(folder, text)
    np.testing.assert_allclose(mesh.bounds, [[0, 0, height], [1, 1, height]], atol=1e-12)
    assert any("morph" in note for note in mesh.warnings)


def skin_of_two_bones(joints: str = "a b") -> str:
    """Bound at x = 0 and x = 100 to a plate that its bind shape matrix makes 100 wide."""
    away = np.eye(4)
    away[0, 3] = -100.0
    bind = numbers(np.diag([100.0, 100.0, 100.0, 1.0]))
    inverse = f'<source id="i"><float_array count="32">{numbers([np.eye(4), away])}</float_array></source>'
    return (
        f'<skin source="#g"><bind_shape_matrix>{bind}</bind_shape_matrix>' + names_source("j", joints) + inverse
        + float_source("w", [[1.0], [0.5]], "W") + '<joints><input semantic="JOINT" source="#j"/>'
        '<input semantic="INV_BIND_MATRIX" source="#i"/></joints><vertex_weights count="4">'
        '<input semantic="JOINT" source="#j" offset="0"/><input semantic="WEIGHT" source="#w" offset="1"/>'
        "<vcount>1 1 1 2</vcount><v>0 0 0 0 1 0 0 1 1 1</v></vertex_weights></skin>"
    )  # fmt: skip


BONES = """<node id="arm"><scale>{} 0.01 0.01</scale><node id="n" sid="a"/>
<node id="m" sid="b"><translate>100 0 50</translate></node></node>"""


def test_bones_place_what_they_hold(folder: Path) -> None:
    """The node that shows it does not, which is what its bind shape matrix repeats."""
    text = controlled(skin_of_two_bones(), BONES.format(0.01), "<skeleton>#arm</skeleton>")
    mesh = load(folder, text.replace("<node><", "<node><translate>9 9 9</translate><", 1))
    np.testing.assert_allclose(mesh.vertices_m, [(0, 0, 0), (1, 0, 0), (1, 1, 0.5), (0, 1, 0.25)], atol=1e-12)
    assert any("skeleton" in note for note in mesh.warnings)


def test_bones_that_mirror_keep_the_outside_out(folder: Path) -> None:
    mesh = load(folder, controlled(skin_of_two_bones(), BONES.format(-0.01), "<skeleton>#arm</skeleton>"))
    a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces], 1, 0)
    assert mesh.vertices_m[:, 0].min() == -1.0 and (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_weights_of_other_vertices_are_refused(folder: Path) -> None:
    skin = skin_of_two_bones().replace("1 1 1 2", "1 1 1")
    with pytest.raises(DiffDopeError, match="weights of 4 vertices, got 3"):
        load(folder, controlled(skin, BONES.format(0.01)))


def test_other_versions_of_the_namespace(folder: Path) -> None:
    assert len(load(folder, document(PLAIN).replace(SPEC, "http://www.collada.org/2008/03/COLLADASchema")).faces) == 2


# ---------------- polygons

CHANNEL = [(0, 0), (8, 0), (8, 6), (7, 6), (7, 1), (1, 1), (1, 6), (0, 6)]  # area 18
INDICES = " ".join(map(str, range(8)))


@pytest.mark.parametrize(
    "polygons",
    [
        f'<polylist count="1">{VERTEX}<vcount>8</vcount><p>{INDICES}</p></polylist>',
        f'<polygons count="1">{VERTEX}<p>{INDICES}</p></polygons>',
    ],
)
def test_concave_polygons(folder: Path, polygons: str) -> None:
    mesh = load(folder, document(geometry(polygons, places=[(x / 10, y / 10, 0) for x, y in CHANNEL])))
    assert area(mesh) == pytest.approx(0.18) and len(mesh.faces) == 6


@pytest.mark.parametrize(
    "polygons",
    [
        f'<tristrips count="1">{VERTEX}<p>0 1 3 2</p></tristrips>',
        f'<trifans count="1">{VERTEX}<p>0 1 2 3</p></trifans>',
        f'<polylist count="2">{VERTEX}<vcount>3 3</vcount><p>0 1 2 0 2 3</p></polylist>',
        f'<lines count="1">{VERTEX}<p>0 1</p></lines><polygons count="1">{VERTEX}<p>0 1 2 3</p></polygons>',
    ],
)
def test_kinds_of_polygons(folder: Path, polygons: str) -> None:
    mesh = load(folder, document(geometry(polygons)))
    a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces], 1, 0)
    np.testing.assert_allclose(0.5 * np.cross(b - a, c - a), [[0, 0, 0.5]] * 2)


def test_vertices_that_no_face_uses(folder: Path) -> None:
    mesh = load(folder, document(geometry(TRIANGLES.format(VERTEX, "0 1 2 0 2 3"), places=[*PLACES, (0, 0, 99)])))
    assert mesh.warnings == ("1 of 5 vertices belong to no triangle and were dropped",)


# ---------------- colours


def test_a_diffuse_colour(folder: Path) -> None:
    assert color_at(load(folder, document(PLAIN + colored("1 0 0"))), 0.5, 0.3) == RED
    black = load(folder, document(PLAIN + colored("0 0 0")))
    assert black.has_color and color_at(black, 0.5, 0.3) == (0, 0, 0)


def test_a_constant_shader_shows_what_it_emits(folder: Path) -> None:
    text = effect("<emission><color>0 1 0 1</color></emission>", shader="constant")
    assert color_at(load(folder, document(PLAIN + text)), 0.5, 0.3) == GREEN


@pytest.mark.parametrize("materials", ["", effect(""), effect("<ambient><color>1 0 0 1</color></ambient>")])
def test_a_material_without_a_colour_has_none(folder: Path, materials: str) -> None:
    assert not load(folder, document(PLAIN + materials)).has_color


@pytest.mark.parametrize("name", ["tex.png", "./tex.png", "file:///home/me/tex.png", "C:\\me\\tex.png", "my%20tex.png"])
def test_a_texture(folder: Path, name: str) -> None:
    save_quadrants(folder, "my tex.png")
    mesh = load(folder, document(WITH_UV + picture(name)))
    assert_upright(mesh)
    assert mesh.warnings == ()


def test_a_texture_named_without_sampler(folder: Path) -> None:
    image = '<library_images><image id="i"><init_from>tex.png</init_from></image></library_images>'
    assert_upright(load(folder, document(WITH_UV + image + effect('<diffuse><texture texture="i"/></diffuse>'))))


def test_the_set_of_coordinates_that_the_material_names(folder: Path) -> None:
    inputs = VERTEX + '<input semantic="TEXCOORD" source="#one" offset="1" set="0"/>' + UV.replace('set="0"', 'set="1"')
    sources = float_source("one", [(0.1, 0.1)] * 4, "ST") + float_source("uv", CORNERS, "ST")
    bound = BIND.format('<bind_vertex_input semantic="CHANNEL" input_semantic="TEXCOORD" input_set="1"/>')
    body = geometry(TRIANGLES.format(inputs, "0 0 1 1 2 2 0 0 2 2 3 3"), sources) + picture()
    assert_upright(load(folder, document(body, bind=bound)))


@pytest.mark.parametrize(("wrap", "beyond"), [("", RED), ("CLAMP", GREEN), ("MIRROR", GREEN)])
def test_wraps(folder: Path, wrap: str, beyond: tuple[int, ...]) -> None:
    body = WITH_UV.replace(numbers(CORNERS), numbers([(2 * u, v) for u, v in CORNERS]))
    mesh = load(folder, document(body + picture(wrap=f"<wrap_s>{wrap}</wrap_s>" if wrap else "")))
    assert color_at(mesh, 0.4, 0.9) == GREEN and color_at(mesh, 0.6, 0.9) == beyond


def test_colours_at_corners(folder: Path) -> None:
    inputs = VERTEX + '<input semantic="COLOR" source="#c" offset="1"/>'
    body = geometry(
        TRIANGLES.format(inputs, "0 0 1 0 2 0 0 1 2 1 3 1"), float_source("c", [(1, 0, 0), (0, 1, 0)], "RGB")
    )
    mesh = load(folder, document(body + colored("0.8 0.8 0.8")))
    assert color_at(mesh, 0.9, 0.5) == RED and color_at(mesh, 0.1, 0.5) == GREEN
    assert "those of the corners are taken" in mesh.warnings[0]


def test_a_missing_texture(folder: Path) -> None:
    text = document(WITH_UV + picture("gone.png"))
    with pytest.raises(DiffDopeError, match=r"m.dae names gone.png, but that is not in"):
        load(folder, text)
    (folder / "m.dae").write_text(text)
    assert not Mesh.load(folder / "m.dae", allow_missing_texture=True).has_color
    assert not load(folder, document(WITH_UV + picture("gone.png"), bind="")).has_color  # no face uses it


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<COLLADA><asset>", "expected XML: "),
        ("<svg></svg>", "expected the XML of COLLADA, got <svg>"),
        (document(PLAIN.replace("0 1 2 0 2 3", "0 1 2 0 2 9")), "indices of points from 0 to 3, got 0 to 9"),
        (document(PLAIN.replace("0 1 2 0 2 3", "0 1 two")), "expected a number, got 'two'"),
        (document(PLAIN.replace('source="#p"/></v', 'source="#q"/></v')), "expected a <source> 'q', got none"),
        (document(PLAIN, "<translate>1 2</translate>"), "expected 3 numbers in <translate>, got 2"),
        (document(PLAIN, "<skew>45 0 1 0 1 0 0</skew>"), "skewed"),
        (
            document(PLAIN.replace("<triangles", "<lines").replace("/triangles", "/lines")),
            "expected triangles, got none",
        ),
    ],
)
def test_damaged_files(folder: Path, text: str, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        load(folder, text)
