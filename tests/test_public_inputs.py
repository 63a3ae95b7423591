"""Whatever is given to a public function in place of what it takes is refused by the name of the argument."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

import diffdope as dd
from diffdope.errors import DiffDopeError
from diffdope.experiments.drawn_arm import drawn_arm
from diffdope.joint.asked import starts_of
from diffdope.scene.scene import Scene

CAMERA = dd.Camera(500.0, 500.0, 31.5, 23.5, 64, 48)
MESH = dd.Mesh([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]], [[0, 1, 2]], colors=np.full((3, 3), 0.5))
OBSERVATION = dd.Observation(CAMERA, rgb=np.zeros((48, 64, 3), np.uint8))
POSE = dd.Pose.from_bop(np.eye(3), [0, 0, 500])
PACKAGED = Path(dd.__file__).parent / "data" / "demo"
REFINER = dd.Refiner(MESH)
ENTRY = {"cam_K": CAMERA.K.ravel().tolist()}

NUMBERS = ("2", None, True, math.nan, math.inf, -math.inf, 1e300, 10**400, [1.0, 2.0], {}, object(), 1j)
COUNTS = (*NUMBERS, 0, -1, 1.5, 8.0, 10**30)
OPTIONAL_COUNTS = tuple(value for value in COUNTS if value is not None)
SEEDS = tuple(value for value in COUNTS if not (type(value) is int and value == 0))
SIGNED_COUNTS = tuple(value for value in SEEDS if not (type(value) is int and value == -1))
OBJECTS = ("text", 3, 1.5, [1.0], {}, np.eye(4))
# Of what takes a pose: what is no matrix of one, and what holds a scale, is transposed, or mirrors.
POSES = (*OBJECTS[:-1], np.eye(3), 2 * np.eye(4), np.eye(4) + np.eye(4)[3][:, None], np.diag([1, 1, -1, 1]), [POSE])
STARTS = (*OBJECTS[:-1], [], [3], ["text"], np.eye(3), 2 * np.eye(4), [POSE, None], [[POSE]], np.zeros((2, 4, 4)))
ARRAYS = ("text", None, {}, object(), [[1.0, 2.0], [3.0]], np.full((3, 3), np.nan), ["1", "2", "3"], 1j, np.zeros(5))
IMAGES = ("text", {}, object(), [[1, 2], [3]], np.full((48, 64), np.nan), np.full((48, 64), "a"), np.zeros(5), 3)
UNITS = ("text", "km", [1.0], {}, np.eye(4), None, True, 0, -1.0, math.nan, math.inf)
PATHS = (3, 1.5, {}, object(), True)

# (call with keyword arguments, argument, values of which none may pass)
CASES: list[tuple[Callable[..., Any], dict[str, Any], str, tuple[Any, ...]]] = []


def case(call: Callable[..., Any], good: dict[str, Any], **bad: tuple[Any, ...]) -> None:
    CASES.extend((call, good, name, values) for name, values in bad.items())


numbers_of_camera = dict(fx=500.0, fy=500.0, cx=31.5, cy=23.5, width=64, height=48)
positive = (*NUMBERS, 0, -1.0)
case(
    dd.Camera, numbers_of_camera,
    fx=positive, fy=positive, cx=NUMBERS, cy=NUMBERS, width=COUNTS, height=COUNTS,
)  # fmt: skip
LENSES = ("text", 3, {}, object(), [0.1, 0.2], [math.nan] * 4, np.eye(4), True)
case(dd.Camera, numbers_of_camera, distortion=LENSES)
case(dd.Camera.from_K, dict(K=CAMERA.K, width=64, height=48), distortion=LENSES)
case(dd.Camera, numbers_of_camera, focal_deviation=(*NUMBERS, -0.01, 1.0))
case(dd.Camera.from_K, dict(K=CAMERA.K, width=64, height=48), focal_deviation=(*NUMBERS, -0.01, 1.0))
case(dd.Camera.from_K, dict(K=CAMERA.K, width=64, height=48), K=ARRAYS, width=COUNTS, height=COUNTS)
case(
    dd.Camera.from_bop, dict(entry=ENTRY, width=64, height=48),
    entry=OBJECTS, width=OPTIONAL_COUNTS, height=OPTIONAL_COUNTS,
)  # fmt: skip
case(CAMERA.project, dict(x_c=np.ones(3)), x_c=("text", {}, object(), [[1, 2], [3]], np.zeros(5), 3))
case(CAMERA.back_project, dict(depth=np.ones((48, 64))), depth=("text", {}, object(), [[1, 2], [3]], np.zeros(5), 3))
case(
    CAMERA.crop, dict(x0=0, y0=0, width=8, height=8),
    x0=SIGNED_COUNTS, y0=SIGNED_COUNTS, width=COUNTS, height=COUNTS,
)  # fmt: skip
case(CAMERA.resize, dict(width=8, height=8), width=COUNTS, height=COUNTS)
case(dd.Pose, dict(R_m2c=np.eye(3), t_m2c=np.ones(3)), R_m2c=ARRAYS, t_m2c=ARRAYS)
case(dd.Pose.from_matrix, dict(T_m2c=np.eye(4)), T_m2c=ARRAYS)
case(CAMERA.opengl_projection, dict(near_m=0.1, far_m=5.0), near_m=positive, far_m=(*positive, 0.1))
case(dd.Pose.from_opengl, dict(T_m2gl=np.eye(4)), T_m2gl=ARRAYS)
case(dd.Pose.from_wxyz_xyz, dict(wxyz_xyz=np.ones(7)), wxyz_xyz=(*ARRAYS, np.zeros(7), np.full(7, np.inf)))
case(dd.Pose.from_bop, dict(cam_R_m2c=np.eye(3), cam_t_m2c=np.ones(3)), cam_R_m2c=ARRAYS, cam_t_m2c=ARRAYS)
case(POSE.apply, dict(x_m=np.ones(3)), x_m=("text", {}, object(), [[1, 2], [3]], np.zeros(5), 3))
case(POSE.retract, dict(xi=np.zeros(6)), xi=(*ARRAYS, np.full(6, np.nan), np.full(6, np.inf)))
case(POSE.angle_to, dict(other=POSE), other=(None, *POSES))
case(POSE.distance_to, dict(other=POSE), other=(None, *POSES))
case(POSE.__matmul__, dict(other=POSE), other=(None, *OBJECTS))
mesh = dict(vertices_m=MESH.vertices_m, faces=MESH.faces)
case(dd.Mesh, mesh, vertices_m=ARRAYS, faces=(*ARRAYS, [[0, 1, 7]], [[0, -1, 2]], [[0.5, 1, 2]], [[True] * 3]))
case(
    dd.Mesh, {**mesh, "uv": np.zeros((3, 2)), "texture": np.zeros((4, 4, 3), np.uint8)},
    uv=(*ARRAYS, np.full((3, 2), 2.0)), texture=("text", {}, object(), [[1, 2], [3]], np.zeros((4, 4, 3)), 3),
)  # fmt: skip
case(dd.Mesh, mesh, colors=("text", {}, object(), [[1, 2], [3]], np.full((3, 3), np.nan), np.full((3, 3), 255.0)))
case(MESH.scaled, dict(factor=1.0), factor=(*NUMBERS, 0, -1.0))
case(MESH.moved, dict(offset_m=np.zeros(3)), offset_m=(*ARRAYS, np.full(3, np.inf)))
case(dd.Mesh.load, dict(path="no.ply", unit="m"), path=PATHS, unit=UNITS, beside=("text", 3, ["a"]))
case(
    dd.Mesh.from_trimesh, dict(mesh=trimesh.creation.box((0.1, 0.2, 0.3))),
    mesh=(None, *OBJECTS), unit=UNITS,
)  # fmt: skip
case(dd.Observation, dict(camera=CAMERA, rgb=np.zeros((48, 64, 3), np.uint8)), camera=(None, *OBJECTS), rgb=IMAGES)
case(dd.Observation, dict(camera=CAMERA), depth=IMAGES, mask=IMAGES)
case(
    dd.Observation, dict(camera=CAMERA, rgb=np.zeros((48, 64, 3), np.uint8)), notes=("text", 3, [1], None),
)  # fmt: skip
case(
    dd.Observation, dict(camera=CAMERA, depth=np.full((48, 64), 500, np.uint16), depth_scale=0.001),
    depth_scale=(*NUMBERS, 0, -1.0), depth_rectified=(None, 1, "yes"),
)  # fmt: skip
case(dd.Observation.load, dict(camera=CAMERA, depth=PACKAGED / "depth.png"), depth_rectified=(None, 1, "yes"))
case(dd.Observation.load, dict(camera=CAMERA), camera=(None, 3, {}, object()), rgb=PATHS, depth=PATHS, mask=PATHS)
case(OBSERVATION.with_mask, dict(mask=np.ones((48, 64), bool)), mask=IMAGES)
DRAWN = (np.full((48, 64), -1.0), np.full((48, 64), 700.0), np.full((48, 64), math.nan))  # below 0, mm, not finite
case(OBSERVATION.with_others, dict(depth_m=np.ones((48, 64))), depth_m=(*IMAGES, *DRAWN))
case(dd.SceneObject, dict(mesh=MESH), mesh=(None, *OBJECTS), symmetries=OBJECTS)
SIGMAS = ("text", 3, {}, object(), (0.01,), (0.01, -1.0), (0.0, 1.0), (math.nan, 1.0), (50.0, 1.0), (0.01, True))
case(
    dd.View, dict(observation=OBSERVATION, T_w2c=POSE),
    observation=(None, *OBJECTS), T_w2c=POSES, sigma=SIGMAS,
)  # fmt: skip
case(
    dd.Refiner, dict(mesh=MESH),
    mesh=(None, *OBJECTS), camera=OBJECTS, preset=(None, 3, 1.5, [1.0], {}, "quick"), seed=SEEDS,
    threads=OPTIONAL_COUNTS[:-1], explain=(None, "off", 1),
)  # fmt: skip
given = dict(observation=OBSERVATION, pose=POSE)
case(
    REFINER.refine, given,
    observation=(None, *OBJECTS), pose=(None, *STARTS), progress=("text", 3, {}),
    start_counts=(None, "yes", 1, 0.5, {}),
)  # fmt: skip
case(
    REFINER.track, given,
    observation=(None, *OBJECTS), pose=POSES, time_s=tuple(value for value in NUMBERS if value is not None),
)  # fmt: skip
ROBOT = drawn_arm()
PLAIN = dd.Mesh(MESH.vertices_m, MESH.faces)
case(dd.Refiner(PLAIN).bend, dict(mesh=PLAIN), mesh=(None, *OBJECTS, MESH))
case(dd.RobotTracker(ROBOT).mesh_at, dict(joints=dict.fromkeys(ROBOT.needed, 0.0)), joints=(None, *OBJECTS, {}))
case(
    dd.RobotTracker, dict(robot=ROBOT),
    robot=(None, *OBJECTS), camera=OBJECTS, preset=(None, 3, 1.5, [1.0], {}, "quick"), seed=SEEDS,
    threads=OPTIONAL_COUNTS[:-1],
)  # fmt: skip
case(
    dd.RobotTracker(ROBOT).track, dict(observation=OBSERVATION, joints=dict.fromkeys(ROBOT.needed, 0.0), pose=POSE),
    observation=(None, *OBJECTS), joints=(None, *OBJECTS, {}, {"joint1": 0.0}), pose=POSES,
    time_s=tuple(value for value in NUMBERS if value is not None),
)  # fmt: skip
MASKED = OBSERVATION.with_mask(np.ones((48, 64), bool))
case(
    REFINER.locate,
    dict(observation=MASKED),
    observation=(None, *OBJECTS, OBSERVATION),
    progress=("text", 3, {}),
    near=POSES,
)
DEEP = dd.Observation(CAMERA, depth=np.ones((48, 64)))
case(
    REFINER.locate_all, dict(observation=DEEP),
    observation=(None, *OBJECTS, OBSERVATION), most=COUNTS, near=POSES, progress=("text", 3, {}),
    on_instance=("text", 3, {}),
)  # fmt: skip
case(
    dd.locate_objects, dict(refiners=[REFINER], observation=DEEP),
    refiners=(None, *OBJECTS, [], REFINER, [MESH]), observation=(None, *OBJECTS, OBSERVATION), most=COUNTS,
    on_instance=("text", 3, {}),
)  # fmt: skip
BOXES = (*OBJECTS, (1, 2, 3), (1, 2, 0, 4), (1, 2, 3, -4), (float("nan"), 1, 2, 3), (70, 1, 5, 5), (0, -9, 5, 5))
case(REFINER.locate, dict(observation=DEEP), box=BOXES)
case(REFINER.locate, dict(observation=MASKED), box=((1, 2, 9, 9),))
case(dd.locate, dict(mesh=MESH, observation=DEEP), box=BOXES)
case(
    dd.locate, dict(mesh=MESH, observation=MASKED),
    mesh=(None, *OBJECTS), observation=(None, *OBJECTS), preset=(None, 3, "quick", "paper"), seed=SEEDS,
    threads=OPTIONAL_COUNTS[:-1], progress=("text", 3, {}),
)  # fmt: skip
case(
    dd.refine, dict(mesh=MESH, **given),
    mesh=(None, *OBJECTS), observation=(None, *OBJECTS), pose=(None, *STARTS), preset=(None, 3, "quick"), seed=SEEDS,
    threads=OPTIONAL_COUNTS[:-1],
)  # fmt: skip
SCENE = dd.SceneRefiner([MESH])
MASK = {(0, 0): np.ones((48, 64), bool)}
seen = dict(views=dd.View(OBSERVATION), masks=MASK)
KEYED = (
    "text",
    3,
    [1.0],
    {(1, 0): POSE},
    {(0, 1): POSE},
    {"a": POSE},
    {(0, 0): 3},
    {0.5: POSE},
    {0: np.eye(3)},
    [POSE, POSE],
)
no_scene: dict[str, tuple[Any, ...]] = dict(
    views=(None, *OBJECTS, []), masks=("text", 3, [1.0], {0: MASK[0, 0]}, {(0, 0): "text"}, {(3, 0): MASK[0, 0]}),
    starts=(*KEYED, POSE), boxes=("text", 3, [1.0], {0: BOXES[-1]}, {(1, 0): BOXES[-1]}),
    contact=OBJECTS, find_places=(None, 1, "yes"),
)  # fmt: skip
case(
    dd.SceneRefiner, dict(objects=[MESH]),
    objects=(None, *OBJECTS, [], MESH), preset=(None, 3, 1.5, [1.0], {}, "quick", "paper"), seed=SEEDS,
    threads=OPTIONAL_COUNTS[:-1],
)  # fmt: skip
case(
    dd.SceneRefiner.of, dict(objects=SCENE.objects, refiners=SCENE.refiners),
    objects=(None, *OBJECTS, [], MESH), refiners=(None, *OBJECTS, [], [dd.Refiner(MESH)] * 2),
    threads=OPTIONAL_COUNTS[:-1],
)  # fmt: skip
case(SCENE.refine, seen, **no_scene)
case(
    dd.refine_scene, dict(objects=[MESH], **seen),
    objects=(None, *OBJECTS, [], MESH), preset=(None, 3, "quick", "paper"), seed=SEEDS,
    threads=OPTIONAL_COUNTS[:-1], **no_scene,
)  # fmt: skip
case(dd.RefinementResult.from_record, {}, record=(3, None, "{}", [], {}, {"cam_R_m2c": 3}, PATHS))
case(dd.set_threads, {}, threads=OPTIONAL_COUNTS[:-1])  # the last one is large, and is reduced
case(dd.load_camera, dict(path="no.json"), path=(None, *PATHS))
case(
    dd.load_camera, dict(path=PACKAGED / "camera.json", width=640, height=480),
    camera_size=(3, "64x48", (1,), (1.5, 2), {}), rectified=(3, "yes"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("call", "good", "name", "values"), CASES,
    ids=[f"{call.__qualname__}.{name}.{k}" for k, (call, _, name, _) in enumerate(CASES)],
)  # fmt: skip
def test_what_is_no_argument_is_refused_by_name(
    call: Callable[..., Any], good: dict[str, Any], name: str, values: tuple[Any, ...]
) -> None:
    for value in values:
        with pytest.raises(DiffDopeError) as refused:
            call(**{**good, name: value})
        text = str(refused.value)
        # What is read as a matrix of numbers may be none of a camera: then its focal length is named.
        assert name in text.split("expected")[0] or (name == "entry" and text.startswith("camera")), (value, text)
        assert "expected" in text and "got" in text, (value, text)


def test_a_matrix_does_wherever_a_pose_is_taken() -> None:
    matrix = POSE.matrix
    assert dd.View(OBSERVATION, matrix).T_w2c.matrix == pytest.approx(matrix)
    assert POSE.angle_to(matrix) == POSE.distance_to(matrix.tolist()) == 0.0
    assert REFINER.track(DEEP, matrix).initial_pose.matrix == pytest.approx(matrix)
    assert REFINER.locate(MASKED, near=matrix).status in dd.Status
    shot = dd.HandShot(OBSERVATION, T_base_flange=matrix)  # type: ignore[arg-type]
    assert isinstance(shot.T_base_flange, dd.Pose)
    assert np.array_equal(dd.overlay(MESH, OBSERVATION, matrix), dd.overlay(MESH, OBSERVATION, POSE))
    scene = Scene([dd.View(OBSERVATION)], [dd.SceneObject(MESH)])
    for starts in ([matrix], matrix[None], {0: matrix}, {(0, 0): matrix}):
        assert starts_of(starts, scene)[0, 0].matrix == pytest.approx(matrix)


@pytest.mark.parametrize("name", ["width", "height", "image_id", "camera_id"])
def test_numbers_of_a_camera_file_are_checked(tmp_path: Path, name: str) -> None:
    (tmp_path / "scene_camera.json").write_text(json.dumps({"7": ENTRY}))
    good = dict(width=64, height=48, **{name if name == "camera_id" else "image_id": 7})
    assert dd.load_camera(tmp_path / "scene_camera.json", **good)[0] == CAMERA  # type: ignore[arg-type]
    for value in (*OPTIONAL_COUNTS, "7"):
        with pytest.raises(DiffDopeError, match=name):
            dd.load_camera(tmp_path / "scene_camera.json", **{**good, name: value})  # type: ignore[arg-type]


def test_every_public_argument_is_tried() -> None:
    """A new argument needs a case; those that are left out take any value, or are checked elsewhere."""
    left_out = {
        "name", "source", "warnings",  # of a mesh: for messages
        "allow_missing_texture", "rgb", "shares", "window", "image_id", "camera_id", "width", "height",
        "unnamed",  # refused, whatever it is: see test_misplaced_inputs.py
    }  # fmt: skip
    tried = {(call.__qualname__, name) for call, _, name, _ in CASES}
    for public in (
        dd.Camera,
        dd.Mesh,
        dd.Observation,
        dd.Pose,
        dd.Refiner,
        dd.SceneObject,
        dd.SceneRefiner,
        dd.View,
        dd.locate,
        dd.refine,
        dd.refine_scene,
        dd.set_threads,
        dd.load_camera,
    ):
        members = [public, *(getattr(public, name) for name in vars(public) if not name.startswith("_"))]
        for member in (one for one in members if callable(one)):
            loads = member.__qualname__ == "Observation.load"  # its depth_scale is the constructor's
            for name in inspect.signature(member).parameters:
                if name not in ("self", *left_out, *(["depth_scale"] if loads else [])):
                    assert (member.__qualname__, name) in tried, f"{member.__qualname__}: {name} is not tried"
