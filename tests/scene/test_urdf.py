"""Robots from URDF and xacro files, where yourdfpy is installed."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3, solids
from diffdope.scene.urdf import load_robot
from tests.oracle.arm import JOINTS, URDF, write_arm

yourdfpy = pytest.importorskip("yourdfpy", reason="yourdfpy (diffdope[robot]) is not installed")


def write_stl(path: Path, size: tuple[float, float, float]) -> None:
    vertices, faces = solids.box(size)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(bytes(80) + struct.pack("<I", len(faces)))
        for corners in vertices[faces]:
            file.write(struct.pack("<12fH", 0, 0, 0, *corners.ravel(), 0))


def with_mesh(folder: Path, name: str, scale: str = "") -> Path:
    """A robot of one link with a mesh."""
    path = folder / "robot.urdf"
    size = f'scale="{scale}"' if scale else ""
    mesh = f'<mesh filename="{name}" {size}/>'
    path.write_text(f'<robot name="r"><link name="a"><visual><geometry>{mesh}</geometry></visual></link></robot>')
    return path


def test_kinematics_are_yourdfpys(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_arm(tmp_path)
    robot = load_robot(path)
    assert (robot.name, robot.base, robot.needed) == ("small_arm", "foot", JOINTS)
    other = yourdfpy.URDF.load(str(path), load_meshes=False)
    for _ in range(5):
        values = rng.uniform(-1.5, 1.5, 3)
        other.update_cfg(values)
        T = robot.forward(dict(zip(JOINTS, values.tolist(), strict=True)))
        for n, link in enumerate(robot.links):
            assert T[n] == pytest.approx(other.get_transform(link.name, "foot"), abs=1e-9)


def test_axes_that_are_left_out_or_not_of_length_1(tmp_path: Path) -> None:
    """By the format, (1, 0, 0); and a slide by 0.2 m is one of 0.2 m, however long its axis is written."""
    path = tmp_path / "robot.urdf"
    joints = "".join(
        f'<joint name="{name}" type="{kind}"><parent link="a"/><child link="{name}"/>{axis}'
        '<limit lower="-3" upper="3" effort="1" velocity="1"/></joint>'
        for name, kind, axis in (
            ("hinge", "revolute", ""), ("slide", "prismatic", '<axis xyz="1 1 0"/>'),
            ("skew", "revolute", '<axis xyz="1 1 0"/>'),
        )
    )  # fmt: skip
    names = ("a", "hinge", "slide", "skew")
    box = '<visual><geometry><box size="0.1 0.1 0.1"/></geometry></visual>'
    links = "".join(f'<link name="{name}">{box}</link>' for name in names)
    path.write_text(f'<robot name="r">{links}{joints}</robot>')
    robot = load_robot(path)
    T = dict(zip(names, robot.forward({"hinge": 0.7, "slide": 0.2, "skew": 0.7}), strict=True))
    assert T["hinge"][:3, :3] == pytest.approx(so3.exp(np.array([0.7, 0.0, 0.0])))
    assert np.linalg.norm(T["slide"][:3, 3]) == pytest.approx(0.2)
    assert np.linalg.norm(so3.log(T["skew"][:3, :3])) == pytest.approx(0.7)


def test_primitives_origins_and_limits(tmp_path: Path) -> None:
    robot = load_robot(write_arm(tmp_path))
    links = {link.name: link for link in robot.links}
    assert links["foot"].vertices_m.min(axis=0) == pytest.approx([-0.11, -0.1, 0.0])
    assert np.ptp(links["post"].vertices_m, axis=0)[2] == pytest.approx(0.3)
    assert len(links["upper"].faces) == 12 and len(links["tool"].faces) == 0  # the upper one has collision alone
    limits = {joint.name: (joint.lower, joint.upper) for joint in robot.joints}
    assert limits["j1"] == (-np.inf, np.inf) and limits["j2"] == (-1.5, 1.5)
    assert robot.joints[0].axis == pytest.approx([0, 0, 1])


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("meshes/box.stl", "pkg/urdf/meshes/box.stl"),
        ("package://pkg/meshes/box.stl", "pkg/meshes/box.stl"),
        ("package://other/box.stl", "somewhere/box.stl"),
        ("file://{root}/far/box.stl", "far/box.stl"),
        ("{root}/far/box.stl", "far/box.stl"),
    ],
)
def test_meshes_are_found_and_scaled(tmp_path: Path, name: str, place: str) -> None:
    write_stl(tmp_path / place, (100.0, 200.0, 300.0))
    (tmp_path / "pkg" / "urdf").mkdir(parents=True, exist_ok=True)
    path = with_mesh(tmp_path / "pkg" / "urdf", name.format(root=tmp_path), "0.001 0.001 0.002")
    robot = load_robot(path, packages={"other": tmp_path / "somewhere"})
    assert np.ptp(robot.links[0].vertices_m, axis=0) == pytest.approx([0.1, 0.2, 0.6], rel=1e-6)
    assert len(robot.links[0].vertices_m) == 8  # corners that STL repeats are one


def test_a_mesh_of_a_kind_that_is_not_read_gives_way_to_the_collision_geometry(tmp_path: Path) -> None:
    path = with_mesh(tmp_path, "shiny.blend")
    with pytest.raises(DiffDopeError, match="link a: expected the mesh shiny.blend"):
        load_robot(path)
    box = '<collision><geometry><box size="1 2 3"/></geometry></collision></link>'
    path.write_text(path.read_text().replace("</link>", box))
    assert np.ptp(load_robot(path).links[0].vertices_m, axis=0) == pytest.approx([1, 2, 3])


def test_ros_package_path_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stl(tmp_path / "install" / "share" / "pkg" / "box.stl", (0.1, 0.1, 0.1))
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "install"))
    (tmp_path / "deep").mkdir()
    assert len(load_robot(with_mesh(tmp_path / "deep", "package://pkg/box.stl")).links[0].faces) == 12


def test_a_mirrored_mesh_stays_wound_outwards(tmp_path: Path) -> None:
    write_stl(tmp_path / "box.stl", (0.1, 0.2, 0.3))
    robot = load_robot(with_mesh(tmp_path, "box.stl", "-1 1 1"))
    a, b, c = np.moveaxis(robot.links[0].vertices_m[robot.links[0].faces], 1, 0)
    assert np.einsum("fk,fk->", a, np.cross(b, c)) / 6.0 == pytest.approx(0.006, rel=1e-5)


def test_a_mesh_in_millimetres_is_told_with_its_scale(tmp_path: Path) -> None:
    write_stl(tmp_path / "arm.stl", (300.0, 80.0, 60.0))
    with pytest.raises(DiffDopeError, match=r"urdf: expected lengths in metres.*of 300 m.*scale=\"0.001 0.001 0.001\""):
        load_robot(with_mesh(tmp_path, "arm.stl"))
    scaled = load_robot(with_mesh(tmp_path, "arm.stl", "0.001 0.001 0.001"))
    assert np.ptp(scaled.links[0].vertices_m, axis=0).max() == pytest.approx(0.3)


def test_bad_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match="link a: expected the mesh package://pkg/x.stl, got no file at"):
        load_robot(with_mesh(tmp_path, "package://pkg/x.stl"))
    with pytest.raises(DiffDopeError, match="there is none at"):
        load_robot(tmp_path / "none.urdf")
    broken = tmp_path / "broken.urdf"
    broken.write_text("<robot")
    with pytest.raises(DiffDopeError, match="urdf: cannot read"):
        load_robot(broken)
    floating = tmp_path / "floating.urdf"
    floating.write_text(URDF.replace('type="continuous"', 'type="floating"'))
    with pytest.raises(DiffDopeError, match="joint j1: expected one of the kinds .* got floating; it has no"):
        load_robot(floating)
    with pytest.raises(DiffDopeError, match="base link: expected one of .* got fooot; did you mean foot"):
        load_robot(write_arm(tmp_path), base="fooot")


@pytest.mark.parametrize("kind", ["floating", "planar"])
def test_the_world_below_a_mobile_base_is_left_out(tmp_path: Path, kind: str) -> None:
    """And so is what is not seen beyond a joint that no value tells."""
    drive = f'<joint name="drive" type="{kind}"><parent link="odom"/><child link="foot"/><axis xyz="0 0 1"/></joint>'
    odom = '<joint name="slip" type="fixed"><parent link="map"/><child link="odom"/></joint>'
    hung = f'<joint name="rope" type="{kind}"><parent link="foot"/><child link="hook"/></joint>'
    empty = "".join(f'<link name="{name}"/>' for name in ("map", "odom", "hook"))
    path = tmp_path / "mobile.urdf"
    path.write_text(URDF.replace("</robot>", f"{empty}{drive}{odom}{hung}</robot>"))
    robot, plain = load_robot(path), load_robot(write_arm(tmp_path))
    assert (robot.base, robot.needed) == (plain.base, plain.needed)
    values = dict.fromkeys(JOINTS, 0.3)
    assert robot.forward(values) == pytest.approx(plain.forward(values))
    with pytest.raises(DiffDopeError, match="base link: expected one of .* got odom"):
        load_robot(path, base="odom")


def test_xacro_is_expanded(tmp_path: Path) -> None:
    pytest.importorskip("xacrodoc", reason="xacrodoc (diffdope[robot]) is not installed")
    path = tmp_path / "arm.urdf.xacro"
    head = '<robot name="r" xmlns:xacro="http://www.ros.org/wiki/xacro"><xacro:property name="w" value="0.2"/>'
    link = '<link name="a"><visual><geometry><box size="${w} ${2 * w} 0.1"/></geometry></visual></link>'
    path.write_text(f"{head}{link}</robot>")
    assert np.ptp(load_robot(path).links[0].vertices_m, axis=0) == pytest.approx([0.2, 0.4, 0.1])


def xacro_of(folder: Path, included: str, width: float) -> Path:
    """A package with a link's width, and a robot that includes it."""
    head = '<robot name="r" xmlns:xacro="http://www.ros.org/wiki/xacro">'
    parts, arm = folder / "parts", folder / "arm" / "urdf" / "arm.urdf.xacro"
    for one in (parts, arm.parent):
        one.mkdir(parents=True)
    (parts / "width.xacro").write_text(f'{head}<xacro:property name="w" value="{width}"/></robot>')
    link = '<link name="a"><visual><geometry><box size="${w} 1 1"/></geometry></visual></link>'
    arm.write_text(f'{head}<xacro:include filename="$(find {included})/width.xacro"/>{link}</robot>')
    return arm


def test_xacro_finds_packages_as_meshes_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of the same name, one robot after the other."""
    pytest.importorskip("xacrodoc", reason="xacrodoc (diffdope[robot]) is not installed")
    for width in (0.2, 0.3):
        robot = load_robot(xacro_of(tmp_path / str(width), "parts", width))  # beside its own package
        assert np.ptp(robot.links[0].vertices_m, axis=0)[0] == pytest.approx(width)
    path = xacro_of(tmp_path / "named", "widths", 0.4)
    with pytest.raises(DiffDopeError, match="urdf: cannot expand .* --package widths=DIR says where it is"):
        load_robot(path)
    robot = load_robot(path, packages={"widths": tmp_path / "named" / "parts"})
    assert np.ptp(robot.links[0].vertices_m, axis=0)[0] == pytest.approx(0.4)
    (tmp_path / "install" / "share").mkdir(parents=True)
    (tmp_path / "named" / "parts").rename(tmp_path / "install" / "share" / "widths")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "install"))
    assert np.ptp(load_robot(path).links[0].vertices_m, axis=0)[0] == pytest.approx(0.4)


def test_a_rail_in_a_file_of_degrees_stays_where_it_is(tmp_path: Path) -> None:
    from diffdope.cli.calibration_flags import CalibrationFlags

    rail = URDF.replace('name="j1" type="continuous"', 'name="j1" type="prismatic"')
    (tmp_path / "rail.urdf").write_text(rail, encoding="utf-8")
    robot = load_robot(tmp_path / "rail.urdf")
    assert robot.sliding == ("j1",)
    table = tmp_path / "joints.csv"
    table.write_text("frame,j1,j2,j3\n0,0.2,90,0\n1,0.2,45,10\n2,0.2,30,10\n")
    flags = CalibrationFlags(camera=tmp_path / "camera.json", out=tmp_path / "out", joint_unit="deg")
    assert flags.joints_of(table, ["0"], robot) == [{"j1": 0.2, "j2": pytest.approx(np.pi / 2), "j3": 0.0}]


def test_joints_without_names_are_those_of_the_description(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from diffdope.cli.calibration_flags import CalibrationFlags

    table = tmp_path / "log.txt"
    table.write_text("0.1 0.2\n0.3 0.4\n")
    flags = CalibrationFlags(camera=tmp_path / "camera.json", out=tmp_path / "out", fix=("j2=0.5",))
    found = flags.joints_of(table, ["0", "1"], load_robot(write_arm(tmp_path)))
    assert found == [{"j1": 0.1, "j3": 0.2, "j2": 0.5}, {"j1": 0.3, "j3": 0.4, "j2": 0.5}]
    assert capsys.readouterr().out == f"note: {table} does not name its columns: they were taken for j1, j3\n"


def test_suggested_poses_name_the_unit_of_what_slides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from types import SimpleNamespace

    from rich.console import Console

    from diffdope.cli.report_of_pictures import print_suggestions

    (tmp_path / "rail.urdf").write_text(URDF.replace('name="j1" type="continuous"', 'name="j1" type="prismatic"'))
    pose = SimpleNamespace(joints={"j1": 0.02, "j2": np.pi / 2})
    result = SimpleNamespace(suggestions=[pose])
    print_suggestions(result, load_robot(tmp_path / "rail.urdf"), Console(width=200))  # type: ignore[arg-type]
    assert capsys.readouterr().out == "pose that tells more, 1: j2 90 (degrees), j1 20 mm\n"


def test_hulls_of_visible_links_are_not_seen(tmp_path: Path) -> None:
    box = '<geometry><box size="{0} {0} {0}"/></geometry>'
    hull = f'<link name="{{}}"><collision>{box.format(0.5)}</collision></link>'
    fixed = '<joint name="{0}_{1}" type="fixed"><parent link="{0}"/><child link="{1}"/></joint>'
    moved = fixed.replace("fixed", "revolute")
    path = tmp_path / "r.urdf"
    path.write_text(
        f'<robot name="r"><link name="a"><visual>{box.format(0.1)}</visual></link>'
        + "".join(map(hull.format, ("shell", "outer", "arm", "palm")))
        + fixed.format("a", "shell") + fixed.format("shell", "outer")
        + moved.format("outer", "arm") + fixed.format("arm", "palm") + "</robot>"
    )  # fmt: skip
    faces = {link.name: len(link.faces) for link in load_robot(path).links}
    assert faces == {"a": 12, "shell": 0, "outer": 0, "arm": 12, "palm": 12}  # nothing that moves with the arm is seen
    faces = {link.name: len(link.faces) for link in load_robot(path, surface="collision").links}
    assert set(faces.values()) == {12}


def of_geometry(folder: Path, visual: str, collision: str = "") -> Path:
    """A robot of one link."""
    path = folder / "robot.urdf"
    kinds = {"visual": visual, "collision": collision}
    parts = "".join(
        f'<{kind}><origin xyz="0 0 1" rpy="0 0 0"/><geometry>{inner}</geometry></{kind}>'
        for kind, inner in kinds.items()
        if inner
    )
    path.write_text(f'<robot name="r" xmlns:d="http://d"><link name="a">{parts}</link></robot>')
    return path


@pytest.mark.parametrize("name", ["capsule", "d:capsule"])
def test_a_capsule_is_a_cylinder_with_two_halves_of_a_ball(tmp_path: Path, name: str) -> None:
    link = load_robot(of_geometry(tmp_path, f'<{name} radius="0.1" length="0.4"/>')).links[0]
    low, high = link.vertices_m.min(axis=0), link.vertices_m.max(axis=0)
    assert low == pytest.approx([-0.1, -0.1, 0.7]) and high == pytest.approx([0.1, 0.1, 1.3])
    a, b, c = (link.vertices_m[link.faces[:, k]] for k in range(3))
    volume = float(np.sum(a * np.cross(b, c)) / 6.0)  # positive if wound outwards
    assert volume == pytest.approx(np.pi * 0.1**2 * (0.4 + 4 / 3 * 0.1), rel=0.005)
    edges = np.sort(np.concatenate([link.faces[:, [0, 1]], link.faces[:, [1, 2]], link.faces[:, [2, 0]]]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()  # closed


def test_a_geometry_that_is_not_read_gives_way_or_is_named(tmp_path: Path) -> None:
    box = '<box size="0.1 0.2 0.3"/>'
    for visual in ("<!-- nothing else -->" + box, '<ellipsoid radii="1 1 1"/>'):
        assert len(load_robot(of_geometry(tmp_path, visual, box)).links[0].faces) == 12
    with pytest.raises(DiffDopeError, match="link a, geometry: expected a mesh, .* capsule, got <ellipsoid>; give the"):
        load_robot(of_geometry(tmp_path, '<ellipsoid radii="1 1 1"/>'))
    with pytest.raises(DiffDopeError, match="link a, geometry: expected a mesh, .* capsule, got none"):
        load_robot(of_geometry(tmp_path, " "))
    with pytest.raises(DiffDopeError, match="link a, capsule: expected a radius and a length .* got '0.1' and ''"):
        load_robot(of_geometry(tmp_path, '<capsule radius="0.1"/>'))
