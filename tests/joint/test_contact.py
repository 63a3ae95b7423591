"""Objects that rest on one plane, and do not run through each other, against poses that are known with a covariance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.joint.body import SolidBody
from diffdope.joint.contact import ContactSettings
from diffdope.joint.contact_update import ContactUpdate, Knowledge
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.joint.support_surface import SupportSurface, lowest, plane_of_depth, plane_of_objects
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.scene import Scene, SceneObject
from diffdope.scene.view import View
from tests.joint.conftest import Drawn, starts
from tests.oracle import shapes

SIZE = (0.06, 0.08, 0.05)
CAMERA = Camera(200.0, 200.0, 79.5, 59.5, 160, 120)
TABLE_M = 0.5  # along the camera's axis, which looks straight down
DOWN = SupportSurface(np.array([0.0, 0.0, TABLE_M]), np.array([0.0, 0.0, -1.0]), np.diag([1e-4, 1e-4, 1e-4]) ** 2)


def box() -> Mesh:
    shape = shapes.box(SIZE, cells=4)
    return Mesh(shape.vertices_m, shape.faces, name="box")


def standing(x: float, y: float, *, yaw: float = 0.3, lifted: float = 0.0) -> Pose:
    """A box with its 5 cm side upright on the table."""
    return Pose(so3.exp(np.array([0.0, 0.0, yaw])), np.array([x, y, TABLE_M - 0.5 * SIZE[2] - lifted]))


def covariance_of(deviations_m: Sequence[float]) -> np.ndarray:
    """Of boxes whose place is off by so much, and their turn by a tenth of a degree; of a plane as good as known."""
    values = [value for one in deviations_m for value in (*[one] * 3, *[np.radians(0.1)] * 3)]
    return np.diag([*values, 1e-4, 1e-4, 1e-4]) ** 2


def update(
    poses: list[Pose], deviations_m: Sequence[float], *, plane: SupportSurface | None = None,
    margin_m: float | None = None,
) -> ContactUpdate:  # fmt: skip
    body = SolidBody.of(box())
    names = tuple(f"box {n}" for n in range(len(poses)))
    return ContactUpdate(
        Knowledge((body,) * len(poses), names, plane, 0.001, margin_m), poses, covariance_of(deviations_m)
    )


def test_what_images_leave_open_comes_to_the_plane_and_what_they_know_stays() -> None:
    solved = update([standing(0.0, 0.0, lifted=0.006), standing(0.1, 0.0, lifted=0.0002)], (0.005, 0.0001), plane=DOWN)
    (open_, known), body = solved.solved().poses, SolidBody.of(box())
    assert abs(lowest(body, open_, DOWN)[0]) < 0.0006
    assert 0.00015 < lowest(body, known, DOWN)[0] < 0.00025
    covariance = solved.solved().covariance
    assert covariance[2, 2] < 0.06 * 0.005**2 and covariance[0, 0] == pytest.approx(0.005**2, rel=0.05)
    assert np.linalg.eigvalsh(covariance).min() > 0.0


def test_what_contradicts_the_images_is_told_and_does_not_count() -> None:
    poses = [standing(0.0, 0.0, lifted=0.03), standing(0.1, 0.0, lifted=-0.02)]
    solved = update(poses, (0.001, 0.001), plane=DOWN).solved()
    assert solved.touched == set() and [one.t_m2c.tolist() for one in solved.poses] == [p.t_m2c.tolist() for p in poses]
    assert "30.0 mm above the plane" in solved.notes[0][0] and "20.0 mm below the plane" in solved.notes[1][0]


def test_boxes_are_pushed_apart_to_the_margin_and_the_one_less_known_moves() -> None:
    """They overlap by 3 mm along x; 1 mm is allowed."""
    poses = [standing(0.0, 0.0, yaw=0.0), standing(0.057, 0.0, yaw=0.0)]
    solved = update(poses, (0.0002, 0.004), margin_m=0.001).solved()
    apart = solved.poses[1].t_m2c[0] - solved.poses[0].t_m2c[0]
    assert apart == pytest.approx(0.059, abs=2e-4)
    assert abs(solved.poses[0].t_m2c[0]) < 1e-4
    free = [standing(0.0, 0.0, yaw=0.0), standing(0.0595, 0.0, yaw=0.0)]
    assert update(free, (0.001, 0.001), margin_m=0.001).solved().touched == set()


def test_deep_overlap_of_sure_poses_is_told() -> None:
    poses = [standing(0.0, 0.0, yaw=0.0), standing(0.05, 0.0, yaw=0.0)]
    solved = update(poses, (0.0003, 0.0003), margin_m=0.0).solved()
    assert solved.touched == set()
    assert "the images have it 10." in solved.notes[0][0] and "mm deep in box 1" in solved.notes[0][0]
    assert "mm deep in box 0" in solved.notes[1][0]


def test_depth_of_a_body_in_another() -> None:
    body, away = SolidBody.of(box()), Pose(np.eye(3), np.array([0.055, 0.0, 0.0]))
    found = body.deepest_of(body, Pose.identity(), away)
    assert found is not None and found.depth_m == pytest.approx(0.005, abs=1e-6)
    assert np.allclose(found.normal_w, [1.0, 0.0, 0.0], atol=1e-6)
    assert body.deepest_of(body, Pose.identity(), Pose(np.eye(3), np.array([0.061, 0.0, 0.0]))) is None


def test_three_objects_tell_a_plane_and_two_do_not() -> None:
    body = SolidBody.of(box())
    poses = [standing(-0.1, 0.0), standing(0.1, 0.02), standing(0.0, 0.12), standing(0.1, 0.02, lifted=0.05)]
    plane = plane_of_objects([Pose.identity()], [body] * 4, poses)
    assert plane is not None and plane.touching == (0, 1, 2)
    assert np.allclose(plane.equation, (0.0, 0.0, -1.0, -TABLE_M), atol=1e-6)
    assert plane_of_objects([Pose.identity()], [body] * 2, poses[:2]) is None
    behind = Pose(np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 1.0]))  # from below, what is under them is their tops
    below = plane_of_objects([behind], [body] * 3, poses[:3])
    assert below is not None and np.allclose(below.equation, (0.0, 0.0, 1.0, TABLE_M - SIZE[2]), atol=1e-6)


def test_depth_tells_a_plane_of_one_object() -> None:
    depth = np.full((120, 160), TABLE_M) + np.random.default_rng(0).normal(0.0, 0.0004, (120, 160))
    pose, refiner = standing(0.0, 0.0), Refiner(box(), preset="fast")
    view = View(Observation(CAMERA, depth=depth))
    scene = Scene([view], [SceneObject(refiner.mesh)])
    plane = plane_of_depth(scene, [Pose.identity()], [refiner], [SolidBody.of(box())], [pose])
    assert plane is not None and np.allclose(plane.equation, (0.0, 0.0, -1.0, -TABLE_M), atol=2e-3)
    assert abs(lowest(SolidBody.of(box()), pose, plane)[0]) < 0.0005
    blind = Scene([View(Observation(CAMERA, rgb=np.full((120, 160, 3), 0.5)))], [SceneObject(refiner.mesh)])
    assert plane_of_depth(blind, [Pose.identity()], [refiner], [SolidBody.of(box())], [pose]) is None


def test_the_front_end_takes_it_and_says_where_there_is_no_plane(drawn: Drawn) -> None:
    refiner, fast = SceneRefiner(drawn.meshes), SceneRefiner(drawn.meshes, preset="fast")
    masks = {where: mask for where, mask in drawn.masks.items() if where[0] == 0}
    photo = View(Observation(drawn.views[0].camera, rgb=drawn.views[0].observation.rgb))
    plain = refiner.refine(photo, masks, starts=starts(drawn))
    same = refiner.refine(photo, masks, starts=starts(drawn), contact=ContactSettings())
    assert plain.plane is None and all(
        np.array_equal(a.pose.matrix, b.pose.matrix) for a, b in zip(plain.objects, same.objects, strict=True)
    )
    asked = refiner.refine(photo, masks, starts=starts(drawn), contact=ContactSettings(plane=True, penetration_m=0.0))
    assert asked.plane is None and "no plane was found on which the objects rest" in asked.notes[-1]
    assert asked.objects[0].status is Status.CONVERGED
    without = fast.refine(photo, masks, starts=starts(drawn), contact=ContactSettings(plane=True))
    assert "a preset that has a covariance" in without.notes[-1]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"plane": 1}, "plane: expected"),
        ({"plane_tolerance_m": 0.0}, "plane_tolerance_m"),
        ({"penetration_m": -0.001}, "penetration_m: expected a length from 0"),
        ({"penetration_m": 2.0}, "it is in metres"),
        ({"penetration_m": float("nan")}, "penetration_m"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(DiffDopeError, match=told):
        ContactSettings(**wrong)  # type: ignore[arg-type]
