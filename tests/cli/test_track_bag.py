"""`diffdope track --bag`: a recording in, poses in every form out, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from diffdope.bop.metrics import add
from diffdope.cli.help_text import parsed
from diffdope.cli.main import main
from diffdope.cli.track_bag import read_bag
from diffdope.cli.track_flags import TrackArguments
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.io.poses import pose_of
from diffdope.jobs.journal import read_journal
from diffdope.scene.mesh import Mesh
from tests.cli.conftest import DEMO, truth
from tests.ros.recordings import IMAGE, INFO, image, info, write_mcap, write_ros1_bag
from tests.viz.rerun_reader import columns

pytest.importorskip("rosbags")
mcap_reader = pytest.importorskip("mcap.reader")

T0, STEP, FRAMES, EMPTY = 1_700_000_000_123_456_789, 33_333_333, 4, 2
RGB, DEPTH, MASK, CAMERA_INFO = "/cam/color/image_raw", "/cam/depth/image", "/mask", "/cam/color/camera_info"


@pytest.fixture(scope="module")
def messages() -> list[tuple]:
    """The object in four frames, then gone for two."""
    mesh, written = Mesh.load(DEMO / "object.ply", unit="mm"), []
    for k in range(FRAMES + EMPTY):
        seen = picture([(mesh, truth(k))], np.random.default_rng(k), noise=SensorNoise())
        assert seen.rgb is not None and seen.depth is not None and seen.mask is not None
        rgb, depth = np.round(255 * seen.rgb).astype(np.uint8), np.float32(seen.depth)
        if k >= FRAMES:  # nothing but a wall
            rgb, depth = np.full_like(rgb, 90), np.full_like(depth, 1.2)
        stamp = T0 + k * STEP
        written += [
            (CAMERA_INFO, INFO, stamp, info(CAMERA.K, CAMERA.width, CAMERA.height, stamp)),
            (RGB, IMAGE, stamp + 1, image(rgb, "rgb8", stamp)),
            (DEPTH, IMAGE, stamp + 2, image(depth, "32FC1", stamp + 2_000_000)),
        ]
        if k == 0:
            written.append((MASK, IMAGE, stamp + 3, image((seen.mask > 0.5).astype(np.uint8) * 255, "mono8", stamp)))
    return written


def words(recording: Path, out: Path, **changes: object) -> list[str]:
    given = {"mesh": DEMO / "object.ply", "bag": recording, "out": out, "mask_topic": MASK, **changes}
    flags = [(f"--{name.replace('_', '-')}", value) for name, value in given.items() if value is not None]
    return ["track", "--no-film", *(word for flag, value in flags for word in (flag, str(value)))]


def stamps_of(path: Path) -> dict[str, list[int]]:
    with path.open("rb") as file:
        found: dict[str, list[int]] = {}
        for _, channel, message in mcap_reader.make_reader(file, validate_crcs=True).iter_messages():
            found.setdefault(channel.topic, []).append(message.log_time)
    return found


def test_a_recording_is_tracked_and_lost_frames_have_no_pose(
    tmp_path: Path, messages: list[tuple], capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_mcap(tmp_path / "a.mcap", messages)
    assert main(words(bag, tmp_path / "out")) == 1  # lost at the end
    assert f"topics: rgb {RGB}, depth {DEPTH}, mask {MASK}" in capsys.readouterr().out
    _, records, complete = read_journal(tmp_path / "out" / "poses.jsonl")
    assert complete
    assert list(records) == [f"{(T0 + k * STEP) // 10**9}.{(T0 + k * STEP) % 10**9:09d}" for k in range(len(records))]
    rows = list(records.values())
    mesh = Mesh.load(DEMO / "object.ply", unit="mm")
    for k in range(FRAMES):
        assert add(pose_of(rows[k], "row"), truth(k), mesh.vertices_m) < 2e-3, k
    assert rows[-1]["status"] == "lost"
    found = [T0 + k * STEP for k, row in enumerate(rows) if row["status"] != "lost"]
    stamps = stamps_of(tmp_path / "out" / "poses.mcap")
    assert stamps["/object/pose"] == stamps["/tf"] == found
    assert stamps["/object/detections"] == [T0 + k * STEP for k in range(FRAMES + EMPTY)]


def test_depth_in_whole_millimetres_needs_no_camera_file(tmp_path: Path, messages: list[tuple]) -> None:
    """REP 118: images of kind 16UC1 hold millimetres."""
    mesh, whole = Mesh.load(DEMO / "object.ply", unit="mm"), []
    for one in messages:
        if one[0] == DEPTH:
            k = (one[2] - 2 - T0) // STEP
            seen = picture([(mesh, truth(k))], np.random.default_rng(k), noise=SensorNoise())
            assert seen.depth is not None
            depth = (
                np.round(1e3 * seen.depth).astype(np.uint16)
                if k < FRAMES
                else np.full(seen.depth.shape, 1200, np.uint16)
            )
            one = (DEPTH, IMAGE, one[2], image(depth, "16UC1", one[2] + 2_000_000 - 2))
        whole.append(one)
    assert main(words(write_mcap(tmp_path / "a.mcap", whole), tmp_path / "out")) == 1  # lost at the end
    _, records, _ = read_journal(tmp_path / "out" / "poses.jsonl")
    for k, row in enumerate(list(records.values())[:FRAMES]):
        assert add(pose_of(row, "row"), truth(k), mesh.vertices_m) < 2e-3, k


def test_the_recording_for_rerun_has_the_object_where_it_is_not_lost(tmp_path: Path, messages: list[tuple]) -> None:
    pytest.importorskip("rerun")
    bag = write_mcap(tmp_path / "a.mcap", messages)
    assert main(words(bag, tmp_path / "out", rerun=tmp_path / "a.rrd")) == 1
    rows = list(read_journal(tmp_path / "out" / "poses.jsonl")[1].values())
    drawn = columns(tmp_path / "a.rrd")["/view/object", "Transform3D:translation"]
    assert [frame for frame, _ in drawn] == [k for k, row in enumerate(rows) if row["status"] != "lost"]


def test_bags_of_ros_1_and_mcap_give_the_same_poses_to_the_bit(tmp_path: Path, messages: list[tuple]) -> None:
    few = [one for one in messages if one[2] < T0 + 2 * STEP]
    poses = []
    for name, write in (("a.mcap", write_mcap), ("a.bag", write_ros1_bag)):
        assert main(words(write(tmp_path / name, few), tmp_path / f"out_{name}")) == 0
        records = read_journal(tmp_path / f"out_{name}" / "poses.jsonl")[1]
        poses.append([record["T_m2c_metres"] for record in records.values()])
    assert len(poses[0]) == 2
    assert poses[0] == poses[1]


@pytest.mark.parametrize(("topic", "flags"), [("/depth/image_rect", []), (DEPTH, ["--depth-rectified"])])
def test_depth_without_the_lens_is_told_by_its_topic_or_a_flag(
    tmp_path: Path, messages: list[tuple], topic: str, flags: list[str]
) -> None:
    lens = [-0.2, 0.05, 0.0, 0.0, 0.0]
    bent = [
        (topic if name == DEPTH else name, kind, at, fields | {"d": np.array(lens)} if kind == INFO else fields)
        for name, kind, at, fields in messages[:8]
    ]
    bag = write_mcap(tmp_path / "a.mcap", bent)
    given = parsed(TrackArguments, [*words(bag, tmp_path / "out")[1:], *flags], "diffdope track")
    video = read_bag(given, bag, Console())
    frame = next(video.frames.read())
    seen = video.observation(frame)
    assert frame.depth is not None and frame.rgb is not None
    assert seen.depth == pytest.approx(frame.depth, abs=1e-6)
    assert not np.array_equal(np.round(255 * seen.rgb), frame.rgb)
    assert any("removed from all but depth" in note for note in video.notes)


def test_a_run_goes_on_only_with_the_same_topics(tmp_path: Path, messages: list[tuple]) -> None:
    bag = write_mcap(tmp_path / "a.mcap", [one for one in messages if one[2] < T0 + STEP])
    assert main(words(bag, tmp_path / "out")) == 0
    before = (tmp_path / "out" / "poses.jsonl").read_bytes()
    assert main(words(bag, tmp_path / "out")) == 0
    assert (tmp_path / "out" / "poses.jsonl").read_bytes() == before
    assert main(words(bag, tmp_path / "out", depth_topic="none")) == 2


def test_the_camera_file_wins_and_is_needed_without_camera_info(
    tmp_path: Path, messages: list[tuple], capsys: pytest.CaptureFixture[str]
) -> None:
    bare = [one for one in messages if one[0] != CAMERA_INFO and one[2] < T0 + STEP]
    bag = write_mcap(tmp_path / "a.mcap", bare)
    assert main(words(bag, tmp_path / "out")) == 2
    assert "info-topic: expected messages sensor_msgs/msg/CameraInfo, got none" in capsys.readouterr().err
    camera = {"cam_K": CAMERA.K.ravel().tolist(), "width": CAMERA.width, "height": CAMERA.height}
    (tmp_path / "camera.json").write_text(json.dumps(camera))
    assert main(words(bag, tmp_path / "out", camera=tmp_path / "camera.json")) == 0


@pytest.mark.parametrize(
    ("changes", "words_of_error"),
    [
        ({"rgb": "folder"}, "rgb: expected no folder beside --bag"),
        ({"bag": None, "rgb": "folder"}, "camera: expected a camera file, got none"),
        ({"bag": None, "rgb": "folder", "camera": "camera.json"}, "mask-topic: expected --bag beside it"),
        ({"tolerance_s": -1}, "tolerance-s: expected a positive number"),
        ({"rgb_topic": "/nothing"}, "rgb-topic: expected a topic of a.mcap, got /nothing"),
        ({"bag": "none.mcap"}, "bag: expected a recording, but there is none at none.mcap"),
    ],
)
def test_what_does_not_go_together(
    tmp_path: Path, messages: list[tuple], capsys: pytest.CaptureFixture[str], changes: dict, words_of_error: str
) -> None:
    bag = write_mcap(tmp_path / "a.mcap", messages[:4])
    assert main(words(bag, tmp_path / "out", **changes)) == 2
    assert words_of_error in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
