"""What the node does, with messages of rosbags in place of those of ROS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.bop.metrics import add
from diffdope.errors import DiffDopeError
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.ros.follower import Follower, FollowerSettings
from diffdope.ros.messages import DETECTIONS, POSE, TF
from diffdope.ros.node import NodeArguments, follower_of, info_topic_of, topics_of
from diffdope.ros.types import ros2_types
from diffdope.scene.mesh import Mesh
from tests.cli.conftest import DEMO, truth
from tests.ros.recordings import IMAGE, INFO, image, info, made

pytest.importorskip("rosbags")
T0, STEP = 1_700_000_000_000_000_000, 33_333_333


@pytest.fixture(scope="module")
def drawn() -> list[dict[str, np.ndarray]]:
    mesh, frames = Mesh.load(DEMO / "object.ply", unit="mm"), []
    for k in range(3):
        seen = picture([(mesh, truth(k))], np.random.default_rng(k), noise=SensorNoise())
        assert seen.rgb is not None and seen.depth is not None and seen.mask is not None
        frames.append({
            "rgb": np.round(255 * seen.rgb).astype(np.uint8), "depth": np.round(1e3 * seen.depth).astype(np.uint16),
            "mask": (seen.mask > 0.5).astype(np.uint8) * 255,
        })  # fmt: skip
    return frames


ENCODINGS = {"rgb": "rgb8", "depth": "16UC1", "mask": "mono8"}


def message(kind: str, array: np.ndarray, stamp: int) -> Any:
    return made(ros2_types(), IMAGE, image(array, ENCODINGS[kind], stamp))


def camera_info() -> Any:
    return made(ros2_types(), INFO, info(CAMERA.K, CAMERA.width, CAMERA.height, T0))


def node(**changes: Any) -> Follower:
    given = {
        "mesh": DEMO / "object.ply",
        "rgb_topic": "/rgb",
        "depth_topic": "/depth",
        "mask_topic": "/mask",
        **changes,
    }
    return follower_of(NodeArguments(**given), ros2_types().types, (POSE, DETECTIONS, TF))


def position(published: list[tuple[str, Any]]) -> Pose:
    pose = dict(published)[POSE].pose.pose
    q, p = pose.orientation, pose.position
    return Pose.from_wxyz_xyz([q.w, q.x, q.y, q.z, p.x, p.y, p.z])


def test_an_object_is_found_in_a_late_mask_and_followed_without(drawn: list[dict[str, np.ndarray]]) -> None:
    mesh, follower = Mesh.load(DEMO / "object.ply", unit="mm"), node()
    assert follower.on_image("rgb", message("rgb", drawn[0]["rgb"], T0)) == []  # no camera yet
    follower.on_info(camera_info())
    assert follower.on_image("depth", message("depth", drawn[0]["depth"], T0 + 3_000_000)) == []
    published = follower.on_image("mask", message("mask", drawn[0]["mask"], T0))
    assert [kind for kind, _ in published] == [POSE, DETECTIONS, TF]
    assert add(position(published), truth(0), mesh.vertices_m) < 2e-3
    for k in (1, 2):
        assert follower.on_image("depth", message("depth", drawn[k]["depth"], T0 + k * STEP)) == []
        published = follower.on_image("rgb", message("rgb", drawn[k]["rgb"], T0 + k * STEP))
        assert add(position(published), truth(k), mesh.vertices_m) < 2e-3
        stamp = dict(published)[POSE].header.stamp
        assert stamp.sec * 10**9 + stamp.nanosec == T0 + k * STEP
    wall = {"rgb": np.full_like(drawn[0]["rgb"], 90), "depth": np.full_like(drawn[0]["depth"], 1200)}
    follower.on_image("depth", message("depth", wall["depth"], T0 + 3 * STEP))
    published = follower.on_image("rgb", message("rgb", wall["rgb"], T0 + 3 * STEP))
    assert [kind for kind, _ in published] == [DETECTIONS]
    assert published[0][1].detections == []


def test_a_clock_that_goes_back_starts_over(drawn: list[dict[str, np.ndarray]]) -> None:
    follower = node()
    follower.on_info(camera_info())
    for began in (T0 + 100 * STEP, T0):
        for kind in ("rgb", "depth"):
            follower.on_image(kind, message(kind, drawn[0][kind], began))
        assert len(follower.on_image("mask", message("mask", drawn[0]["mask"], began))) == 3


def test_pictures_that_came_out_of_turn_are_passed_over(drawn: list[dict[str, np.ndarray]]) -> None:
    follower = node(mask_topic=None, depth_topic=None, init=_init())
    follower.on_info(camera_info())
    assert follower.on_image("rgb", message("rgb", drawn[1]["rgb"], T0 + STEP))
    assert follower.on_image("rgb", message("rgb", drawn[0]["rgb"], T0)) == []


def test_depth_of_the_picture_before_is_not_taken_for_that_of_this_one(drawn: list[dict[str, np.ndarray]]) -> None:
    """At 60 Hz the last depth is within the tolerance, and the picture's own comes after the picture."""
    step, follower = 16_666_667, node(mask_topic=None, init=_init())
    follower.on_info(camera_info())
    for k in range(5):
        assert follower.on_image("rgb", message("rgb", drawn[1]["rgb"], T0 + k * step)) == []
        if k == 3:  # this one was lost on its way
            continue
        published = follower.on_image("depth", message("depth", drawn[1]["depth"], T0 + k * step))
        stamp = published[0][1].header.stamp
        assert stamp.sec * 10**9 + stamp.nanosec == T0 + k * step
    follower.on_image("depth", message("depth", drawn[1]["depth"], T0 + 5 * step))  # its picture was lost
    assert follower.on_image("rgb", message("rgb", drawn[1]["rgb"], T0 + 6 * step)) == []


def test_pictures_go_without_masks_that_do_not_come(drawn: list[dict[str, np.ndarray]]) -> None:
    follower = node()
    follower.on_info(camera_info())
    for kind in ("rgb", "depth", "mask"):
        published = follower.on_image(kind, message(kind, drawn[0][kind], T0))
    assert len(published) == 3
    wall = {"rgb": np.full_like(drawn[0]["rgb"], 90), "depth": np.full_like(drawn[0]["depth"], 1200)}
    kinds = []
    for k in range(1, 63):  # hidden for a moment; the masks end with it
        seen = wall if k < 3 else drawn[0]
        follower.on_image("depth", message("depth", seen["depth"], T0 + k * STEP))
        kinds.append(len(follower.on_image("rgb", message("rgb", seen["rgb"], T0 + k * STEP))))
    assert kinds[0] == 1  # lost
    assert kinds[1:30] == [0] * 29  # pictures wait
    assert kinds[30] == 3  # and one is looked at
    assert kinds[31:] == [3] * 31  # found, and followed


def test_images_without_a_time_are_refused(drawn: list[dict[str, np.ndarray]]) -> None:
    follower = node()
    follower.on_info(camera_info())
    with pytest.raises(DiffDopeError, match="rgb: expected images with the time .* set header.stamp"):
        follower.on_image("rgb", message("rgb", drawn[0]["rgb"], 0))


@pytest.mark.parametrize("corner", [(60, 40), (0, 0)])
def test_pictures_of_a_region_of_the_sensor(drawn: list[dict[str, np.ndarray]], corner: tuple[int, int]) -> None:
    """K of camera_info is of the whole sensor, and so says REP 104; the region has a corner and a size."""
    (x0, y0), width, height, follower = corner, 220, 190, node()
    roi = {"x_offset": x0, "y_offset": y0, "width": width, "height": height, "do_rectify": False}
    follower.on_info(made(ros2_types(), INFO, info(CAMERA.K, CAMERA.width, CAMERA.height, T0, roi=roi)))
    for kind in ("rgb", "depth", "mask"):
        part = np.ascontiguousarray(drawn[0][kind][y0 : y0 + height, x0 : x0 + width])
        published = follower.on_image(kind, message(kind, part, T0))
    assert add(position(published), truth(0), Mesh.load(DEMO / "object.ply", unit="mm").vertices_m) < 2e-3


def _init() -> Path:
    import json
    import tempfile

    R, t = truth(1).to_bop()
    path = Path(tempfile.mkdtemp()) / "init.json"
    path.write_text(json.dumps({"cam_R_m2c": R, "cam_t_m2c": t}))
    return path


def test_one_bad_image_is_an_error_and_the_next_is_followed(drawn: list[dict[str, np.ndarray]]) -> None:
    follower = node(mask_topic=None, depth_topic=None, init=_init())
    follower.on_info(camera_info())
    broken = message("rgb", drawn[1]["rgb"], T0)
    broken.encoding = "nv21"
    with pytest.raises(DiffDopeError, match="compressed topic"):
        follower.on_image("rgb", broken)
    assert follower.on_image("rgb", message("rgb", drawn[1]["rgb"], T0 + STEP))


def test_depth_of_another_frame_is_refused(drawn: list[dict[str, np.ndarray]]) -> None:
    follower = node()
    follower.on_info(camera_info())
    follower.on_image("rgb", message("rgb", drawn[0]["rgb"], T0))
    other = message("depth", drawn[0]["depth"], T0)
    other.header.frame_id = "depth_optical"
    follower.on_image("depth", other)
    with pytest.raises(DiffDopeError, match="aligned"):
        follower.on_image("mask", message("mask", drawn[0]["mask"], T0))


def test_arguments() -> None:
    given = NodeArguments(mesh=DEMO / "object.ply", rgb_topic="/cam/color/image_raw/compressed", mask_topic="/m")
    assert topics_of(given) == {"rgb": "/cam/color/image_raw/compressed", "mask": "/m"}
    assert info_topic_of(given, topics_of(given)) == "/cam/color/camera_info"
    with pytest.raises(DiffDopeError, match="init: expected a pose"):
        topics_of(NodeArguments(mesh=DEMO / "object.ply", rgb_topic="/a"))
    with pytest.raises(DiffDopeError, match="photographs or depth"):
        topics_of(NodeArguments(mesh=DEMO / "object.ply", mask_topic="/a"))
    with pytest.raises(DiffDopeError, match="topics: expected photographs"):
        Follower(lambda: None, None, FollowerSettings(("mask",)), {})  # type: ignore[arg-type, return-value]


def test_depth_without_the_lens_beside_photographs_that_show_it(drawn: list[dict[str, np.ndarray]]) -> None:
    follower = node(depth_rectified=True)
    fields = info(CAMERA.K, CAMERA.width, CAMERA.height, T0, D=[-0.2, 0.05, 0.0, 0.0, 0.0])
    follower.on_info(made(ros2_types(), INFO, fields))
    seen = follower._observation({kind: message(kind, array, T0) for kind, array in drawn[0].items()})
    assert seen.depth == pytest.approx(drawn[0]["depth"] * 1e-3)
    assert not np.array_equal(np.round(255 * seen.rgb), drawn[0]["rgb"])
    named = node(depth_topic="/depth_registered/image_rect")._settings
    assert named.depth_rectified and not named.rectified and not node()._settings.depth_rectified
