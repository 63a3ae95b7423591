"""Forward kinematics by hand, screws by differences, and what makes no robot."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.experiments.drawn_arm import drawn_arm, looking_at, random_joints
from diffdope.geometry import solids
from diffdope.geometry.camera import Camera
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.kinematic_tree import Joint, Link
from diffdope.scene.robot import Robot


def link(name: str, *, solid: bool = True) -> Link:
    vertices, faces = solids.box((0.1, 0.1, 0.1)) if solid else (np.empty((0, 3)), np.empty((0, 3), np.int64))
    return Link(name, vertices, faces)


def joint(name: str, parent: str, child: str, kind: str = "revolute", **more: object) -> Joint:
    origin = np.eye(4)
    origin[:3, 3] = 0.0, 0.0, 1.0
    return Joint(name, kind, parent, child, origin, np.array([0.0, 1.0, 0.0]), **more)  # type: ignore[arg-type]


def chain(**more: object) -> Robot:
    joints = [joint("a", "zero", "one"), joint("slide", "one", "two", "prismatic"), joint("b", "two", "three", **more)]
    return Robot([link(name) for name in ("zero", "one", "two", "three")], joints)


def test_forward_kinematics_by_hand() -> None:
    """One metre up, a quarter turn about y (z becomes x), one metre and 0.2 m sideways, one metre more."""
    T = chain().forward({"a": np.pi / 2, "slide": 0.2, "b": 0.0})
    assert T[1, :3, 3] == pytest.approx([0, 0, 1]) and T[1, :3, :3] @ [0, 0, 1] == pytest.approx([1, 0, 0])
    assert T[2, :3, 3] == pytest.approx([1, 0.2, 1])
    assert T[3, :3, 3] == pytest.approx([2, 0.2, 1])


def test_poses_are_told_in_the_base_that_is_asked_for() -> None:
    robot = chain()
    values = {"a": 0.4, "slide": -0.1, "b": 0.7}
    other = Robot(robot.links, robot.joints, base="two")
    T, U = robot.forward(values), other.forward(values)
    assert pytest.approx(np.linalg.inv(T[2]) @ T, abs=1e-12) == U
    assert U[2] == pytest.approx(np.eye(4), abs=1e-12)


@pytest.mark.parametrize("base", ["link0", "link3"])
def test_screws_are_derivatives(base: str, rng: np.random.Generator) -> None:
    arm = drawn_arm()
    robot = Robot(arm.links, arm.joints, base=base)
    values, point = random_joints(robot, rng), np.array([0.1, -0.2, 0.3, 1.0])
    T, screws = robot.forward(values), robot.screws(values)
    for j, moving in enumerate(robot.moving):
        ends = [robot.forward({**values, moving.name: values[moving.name] + step}) for step in (1e-6, -1e-6)]
        want = ((ends[0] - ends[1]) @ point)[:, :3] / 2e-6
        here = (T @ point)[:, :3]
        assert np.cross(screws.axis[j], here) + screws.shift[j] == pytest.approx(want, abs=1e-8)


def test_a_joint_that_mimics_moves_with_its_leader_and_counts_for_it() -> None:
    robot = chain(mimic=("a", -2.0, 0.1))
    assert [one.name for one in robot.moving] == ["a", "slide"]
    values = {"a": 0.3, "slide": 0.0}
    T = robot.forward(values)
    turn = T[2, :3, :3].T @ T[3, :3, :3]
    assert np.arctan2(turn[0, 2], turn[0, 0]) == pytest.approx(-2.0 * 0.3 + 0.1)
    screws, here = robot.screws(values), T[3, :3, :3] @ [0.1, 0.2, 0.3] + T[3, :3, 3]
    ends = [robot.forward({**values, "a": 0.3 + step})[3] for step in (1e-6, -1e-6)]
    want = ((ends[0] - ends[1]) @ [0.1, 0.2, 0.3, 1.0])[:3] / 2e-6
    assert np.cross(screws.axis[0, 3], here) + screws.shift[0, 3] == pytest.approx(want, abs=1e-8)


def test_joints_that_mimic_a_joint_that_mimics() -> None:
    """Fingers of many bars: each follows the one before."""
    zero, one, two, three = link("zero"), link("one"), link("two"), link("three")
    a = joint("a", "zero", "one")
    b, c = joint("b", "one", "two", mimic=("c", -2.0, 0.1)), joint("c", "two", "three", mimic=("a", 0.5, 0.2))
    robot = Robot([zero, one, two, three], [a, b, c])
    assert [one.name for one in robot.moving] == ["a"]
    assert {one.name: one.mimic for one in robot.joints}["b"] == pytest.approx(("a", -1.0, -0.3))
    plain = Robot([zero, one, two, three], [a, joint("b", "one", "two"), joint("c", "two", "three")])
    assert robot.forward({"a": 0.4}) == pytest.approx(plain.forward({"a": 0.4, "b": -0.7, "c": 0.4}))
    for ring in ("b", "c"):
        with pytest.raises(DiffDopeError, match="mimicked joint: expected one that moves, got a ring through"):
            Robot([zero, one, two, three], [a, b, joint("c", "two", "three", mimic=(ring, 1.0, 0.0))])


def test_the_surface_goes_where_the_links_go(rng: np.random.Generator) -> None:
    robot = drawn_arm()
    values = random_joints(robot, rng)
    posed, T = robot.posed(values), robot.forward(values)
    for n, one in enumerate(robot.links):
        own = np.unique(posed.mesh.faces[posed.link == n])
        want = one.vertices_m @ T[n, :3, :3].T + T[n, :3, 3]
        assert posed.mesh.vertices_m[own] == pytest.approx(want[own - own[0]], abs=1e-12)
    assert posed.mesh.diameter == pytest.approx(type(posed.mesh)(posed.mesh.vertices_m, posed.mesh.faces).diameter)


def test_simplified_robots_stay_within_their_tolerances() -> None:
    from scipy.spatial import cKDTree

    robot = drawn_arm()
    fine, coarse = robot.simplified(0.0005, 0.005)
    counts = [sum(len(one.faces) for one in r.links) for r in (robot, fine, coarse)]
    assert counts[0] >= counts[1] > counts[2]
    for tolerance, other in ((0.0005, fine), (0.005, coarse)):
        for one, two in zip(robot.links, other.links, strict=True):
            assert cKDTree(one.vertices_m).query(two.vertices_m)[0].max() < tolerance + 1e-9


def test_links_that_no_joint_moves_stand_still() -> None:
    assert drawn_arm().still == (0,)
    links = [link("world", solid=False), link("zero"), link("one"), link("cover")]
    joints = [joint("f", "world", "zero", "fixed"), joint("a", "zero", "one"), joint("g", "zero", "cover", "fixed")]
    assert Robot(links, joints).still == (0, 1, 3)


def test_what_is_missing_or_misspelt_is_named() -> None:
    robot = drawn_arm()
    values = dict.fromkeys(robot.needed, 0.1)
    del values["joint3"]
    with pytest.raises(DiffDopeError, match=r"joints: expected values of the joints joint1, .* got none for joint3"):
        robot.checked(values)
    with pytest.raises(DiffDopeError, match="jiont3 are no joints of it; did you mean joint3 by jiont3"):
        robot.checked({**values, "jiont3": 0.0})
    assert robot.checked({**values, "joint3": 0.5, "finger": 1.0})["joint3"] == 0.5


def test_joints_that_move_nothing_need_no_value() -> None:
    links = [link("zero"), link("one"), link("frame", solid=False)]
    robot = Robot(links, [joint("a", "zero", "one"), joint("b", "one", "frame")])
    assert robot.needed == ("a",)
    assert robot.checked({"a": 0.2}) == {"a": 0.2, "b": 0.0}


def test_links_and_joints_that_make_no_robot_are_refused() -> None:
    zero, one, two = link("zero"), link("one"), link("two")
    with pytest.raises(DiffDopeError, match="joint a: link: expected one of zero, one, got onee; did you mean one"):
        Robot([zero, one], [joint("a", "zero", "onee")])
    with pytest.raises(DiffDopeError, match="expected one root, got zero, two"):
        Robot([zero, one, two], [joint("a", "zero", "one")])
    with pytest.raises(DiffDopeError, match="expected a tree, got a ring through"):
        Robot([zero, one, two], [joint("a", "two", "one"), joint("b", "one", "two")])
    with pytest.raises(DiffDopeError, match="expected each name and each child link once"):
        Robot([zero, one], [joint("a", "zero", "one"), joint("b", "zero", "one")])
    with pytest.raises(DiffDopeError, match="robot: expected links with a surface, got none"):
        Robot([link("zero", solid=False)], [])
    with pytest.raises(DiffDopeError, match="base link: expected one of zero, one, got base"):
        Robot([zero, one], [joint("a", "zero", "one")], base="base")
    with pytest.raises(DiffDopeError, match="joint b: mimicked joint: expected one of a, got c"):
        Robot([zero, one, two], [joint("a", "zero", "one"), joint("b", "one", "two", mimic=("c", 1.0, 0.0))])


def test_flat_triangles_and_stray_vertices_of_a_link_move_nothing_else() -> None:
    points, faces = solids.box((0.1, 0.2, 0.3))
    stray = np.vstack([[[9.0, 9.0, 9.0]], points])
    spoilt = np.vstack([faces + 1, [[1, 1, 2]]])
    joint = Joint("j", "revolute", "a", "b", np.eye(4), np.array([0.0, 0.0, 1.0]))
    clean, dirty = (
        Robot([Link("a", *first), Link("b", points, faces)], [joint]).posed({"j": 0.3})
        for first in ((points, faces), (stray, spoilt))
    )
    assert np.array_equal(clean.mesh.vertices_m, dirty.mesh.vertices_m)
    assert np.array_equal(clean.mesh.faces, dirty.mesh.faces) and np.array_equal(clean.link, dirty.link)


def test_bent_buffers_draw_what_new_ones_draw() -> None:
    robot, camera = drawn_arm(), Camera(300.0, 300.0, 79.5, 59.5, 160, 120)
    values = {joint.name: 0.0 for joint in robot.moving}  # links share places here: they are not welded
    bent = (
        Buffers(robot.apart, threads=1).bent(robot.posed(values | {"joint2": 0.4}).mesh).bent(robot.posed(values).mesh)
    )
    pose = looking_at(np.random.default_rng(1))
    ours, new = (
        Renderer(robot.posed(values).mesh, camera, buffers=buffers).render(pose.R_m2c, pose.t_m2c)
        for buffers in (bent, None)
    )
    assert np.array_equal(ours.triangle_id, new.triangle_id) and np.array_equal(ours.depth, new.depth)
    assert bent.addresses == bent.origin.addresses
