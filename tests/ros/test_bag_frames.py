"""Frames of recordings: the same from every container, paired by the headers' times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.note_codes import codes_of
from diffdope.ros.bag_frames import BagFrames
from diffdope.ros.cameras import camera_of_info
from diffdope.ros.pairing import partners, reach_ns
from diffdope.ros.stored import Topic
from diffdope.ros.topics import TopicNames, says_rectified
from tests.ros.recordings import (
    COMPRESSED,
    CONTAINERS,
    IMAGE,
    INFO,
    compressed,
    image,
    info,
    write_mcap,
    write_ros1_bag,
)

pytest.importorskip("rosbags")
pytest.importorskip("mcap")

T0 = 1_700_000_000_123_456_789
STEP = 33_333_333
K = [[50.0, 0.0, 9.5], [0.0, 50.0, 7.5], [0.0, 0.0, 1.0]]
RGB, DEPTH, CAMERA_INFO = "/camera/color/image_raw", "/camera/depth_registered/image", "/camera/color/camera_info"


def colours(k: int) -> np.ndarray:
    return np.full((16, 20, 3), (k, 100 + k, 200), np.uint8)


def depth_mm(k: int) -> np.ndarray:
    return np.full((16, 20), 500 + k, np.uint16)


def messages(count: int = 4, *, depth_after_ns: int = 4_000_000, **changed: Any) -> list[Any]:
    """Photographs and depth, recorded 5 ms later than taken, depth first recorded a frame late."""
    written = []
    for k in range(count):
        stamp = T0 + k * STEP
        camera = info(K, 20, 16, stamp, **changed)
        written.append((CAMERA_INFO, INFO, stamp + 5_000_000, camera))
        written.append((RGB, IMAGE, stamp + 5_000_000, image(colours(k), "rgb8", stamp)))
        depth = image(depth_mm(k), "16UC1", stamp + depth_after_ns)
        written.append((DEPTH, IMAGE, stamp + STEP + 6_000_000, depth))
    return sorted(written, key=lambda one: one[2])


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_holds_the_same_frames(tmp_path: Path, name: str) -> None:
    path = CONTAINERS[name](tmp_path / name, messages())
    frames = BagFrames(path)
    assert frames.count == 4
    assert frames.frame_id == "camera_color_optical_frame"
    assert frames.names[0] == "1700000000.123456789"  # to the nanosecond
    assert frames.fps == pytest.approx(30.0, rel=1e-6)
    read = list(frames.read())
    for k, frame in enumerate(read):
        assert frame.time_s == pytest.approx(k * STEP * 1e-9, abs=1e-12)
        np.testing.assert_array_equal(frame.rgb, colours(k))
        np.testing.assert_array_equal(frame.depth, depth_mm(k))
        assert frame.mask is None
    assert [frame.name for frame in frames.read(2)] == frames.names[2:]
    camera = camera_of_info(frames.info, read[0].size)
    assert (camera.fx, camera.cx, camera.cy, camera.width, camera.height) == (50.0, 9.5, 7.5, 20, 16)


def test_depth_that_is_too_late_is_told(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / "a.mcap", messages(depth_after_ns=40_000_000, count=1))
    with pytest.raises(DiffDopeError, match="depth within 0.02 s of a photograph, got none .* --tolerance-s"):
        BagFrames(path)
    assert BagFrames(path, tolerance_s=0.05).count == 1
    assert next(BagFrames(path, TopicNames(depth="none")).read()).depth is None


def test_photographs_without_depth_are_left_out_and_counted(tmp_path: Path) -> None:
    kept = [one for one in messages() if not (one[0] == DEPTH and one[3]["data"][0] == (502 & 255))]
    frames = BagFrames(write_mcap(tmp_path / "a.mcap", kept))
    assert [int(frame.depth[0, 0]) for frame in frames.read()] == [500, 501, 503]
    assert any("1 of 4 photographs have no depth" in note for note in frames.notes)
    assert codes_of(frames.notes) == ("frames-left-out",)


def test_images_with_the_time_of_another_are_left_out(tmp_path: Path) -> None:
    twice = messages(2)
    twice.append((RGB, IMAGE, T0 + 3 * STEP, image(colours(9), "rgb8", T0)))
    frames = BagFrames(write_mcap(tmp_path / "a.mcap", twice))
    assert frames.count == 2
    assert any("have the time of another one" in note for note in frames.notes)


def test_headers_without_time_give_the_time_of_recording(tmp_path: Path) -> None:
    bare = [(RGB, IMAGE, T0 + k * STEP, image(colours(k), "rgb8", 0)) for k in range(3)]
    bare.append((CAMERA_INFO, INFO, T0, info(K, 20, 16, 0)))
    frames = BagFrames(write_mcap(tmp_path / "a.mcap", sorted(bare, key=lambda one: one[2])))
    assert [frame.time_s for frame in frames.read()] == pytest.approx([0.0, STEP * 1e-9, 2 * STEP * 1e-9])
    assert any("no time" in note for note in frames.notes)
    assert codes_of(frames.notes) == ("stamps-missing",)


def test_a_recording_that_breaks_off_is_read_up_to_there(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / "a.mcap", messages(200))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    frames = BagFrames(path)
    assert 20 < (frames.count or 0) < 180
    assert any("breaks off" in note for note in frames.notes)
    assert "recording-cut" in codes_of(frames.notes)
    assert len(list(frames.read())) == frames.count


def test_depth_of_another_frame_is_refused(tmp_path: Path) -> None:
    other = [(t, kind, at, {**f, "header": {**f["header"], "frame_id": "/depth"}} if t == DEPTH else f)
             for t, kind, at, f in messages()]  # fmt: skip
    path = write_ros1_bag(tmp_path / "a.bag", other)
    with pytest.raises(DiffDopeError, match=r"frame camera_color_optical_frame.*got depth; choose the depth"):
        BagFrames(path)
    assert BagFrames(path, other_depth_frame=True).count == 4


def test_a_leading_slash_is_no_part_of_a_frame(tmp_path: Path) -> None:
    slashed = [(t, kind, at, {**f, "header": {**f["header"], "frame_id": "/cam"}}) for t, kind, at, f in messages()]
    assert BagFrames(write_ros1_bag(tmp_path / "a.bag", slashed)).frame_id == "cam"


def test_a_camera_that_changes_is_refused(tmp_path: Path) -> None:
    changed = [*messages(3), (CAMERA_INFO, INFO, T0 + 9 * STEP, info(np.array(K) * 2, 20, 16))]
    with pytest.raises(DiffDopeError, match="one camera, got another one"):
        BagFrames(write_mcap(tmp_path / "a.mcap", changed))


def test_topics_are_guessed_where_there_is_one_of_a_kind_and_listed_where_not(tmp_path: Path) -> None:
    second = [("/left/image_raw", IMAGE, at, f) for t, _, at, f in messages() if t == RGB]
    path = write_mcap(tmp_path / "a.mcap", [*messages(), *second])
    with pytest.raises(DiffDopeError, match=rf"rgb-topic: expected one of {RGB} .*/left/image_raw .*none chosen"):
        BagFrames(path)
    assert BagFrames(path, TopicNames(rgb="camera/color/image_raw")).topics.rgb == Topic(RGB, IMAGE)
    with pytest.raises(DiffDopeError, match=f"rgb-topic: .*did you mean {RGB}"):
        BagFrames(path, TopicNames(rgb="/camera/color/image_rav"))
    with pytest.raises(DiffDopeError, match="rgb-topic: expected messages sensor_msgs/msg/Image .*CameraInfo"):
        BagFrames(path, TopicNames(rgb=CAMERA_INFO))


def test_a_topic_may_be_named_without_its_transport_and_raw_wins(tmp_path: Path) -> None:
    squeezed = [
        (f"{RGB}/compressed", COMPRESSED, at, compressed(colours(0), "png", "rgb8; png compressed bgr8", T0))
        for t, _, at, _ in messages(1) if t == RGB
    ]  # fmt: skip
    both = BagFrames(write_mcap(tmp_path / "a.mcap", [*messages(1), *squeezed]))
    assert both.topics.rgb == Topic(RGB, IMAGE)
    alone = [one for one in messages(1) if one[0] != RGB]
    frames = BagFrames(write_mcap(tmp_path / "b.mcap", [*alone, *squeezed]), TopicNames(rgb=RGB))
    assert frames.topics.rgb == Topic(f"{RGB}/compressed", COMPRESSED)
    np.testing.assert_array_equal(next(frames.read()).rgb, colours(0))


def test_masks_belong_to_their_moment_and_may_be_missing(tmp_path: Path) -> None:
    mask = np.zeros((16, 20), np.uint8)
    mask[4:8, 5:9] = 255
    masks = [("/mask", IMAGE, T0 + 10, image(mask, "mono8", T0 + STEP + 1000))]
    frames = BagFrames(write_mcap(tmp_path / "a.mcap", [*messages(3), *masks]), TopicNames(mask="/mask"))
    read = list(frames.read())
    assert [frame.mask is not None for frame in read] == [False, True, False]
    np.testing.assert_array_equal(read[1].mask, mask > 0)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"nothing", "a.mcap", "an MCAP recording"),
        (b"nothing", "a.bag", "a recording"),
        (b"nothing", "a.db3", "a recording"),
        (b"", "a.mcap", "an MCAP recording"),
        (b"x", "a.avi", "a file that ends with .mcap"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, content: bytes, name: str, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DiffDopeError, match=f"bag: expected {words}"):
        BagFrames(tmp_path / name)


def test_an_uncalibrated_camera_is_told() -> None:
    from types import SimpleNamespace

    fields = info(np.zeros((3, 3)), 20, 16)
    message = SimpleNamespace(**{**fields, "roi": SimpleNamespace(**fields["roi"])})
    with pytest.raises(DiffDopeError, match="a calibrated camera, got K of zeros"):
        camera_of_info(message, (16, 20))


def test_distortion_is_that_of_the_message_and_p_that_of_rectified_images() -> None:
    from types import SimpleNamespace

    P = np.array([[40.0, 0, 9, 0], [0, 41, 8, 0], [0, 0, 1, 0]]).ravel()
    fields = info(K, 20, 16, D=[0.1, -0.02, 0.001, 0.002, 0.0], p=P)
    message = SimpleNamespace(**{**fields, "roi": SimpleNamespace(**fields["roi"])})
    bent = camera_of_info(message, (16, 20))
    assert bent.distortion is not None
    assert bent.distortion.coefficients[:2] == (0.1, -0.02)
    assert (bent.rectified.fx, bent.rectified.fy, bent.rectified.cx) == (40.0, 41.0, 9.0)
    flat = camera_of_info(message, (16, 20), rectified=True)
    assert flat.distortion is None
    assert (flat.fx, flat.fy) == (40.0, 41.0)
    assert says_rectified(Topic("/stereo/left/image_rect_color/compressed", COMPRESSED))
    assert not says_rectified(Topic(RGB, IMAGE))


def test_partners_are_the_closest_and_used_once() -> None:
    assert partners([0, 10, 20], [1, 12, 35], 5) == [0, 1, None]
    assert partners([0, 2], [1], 5) == [0, None]
    assert partners([0, 3], [2], 5) == [None, 0]
    assert partners([5, 0], [4, 1], 5) == [0, 1]
    assert partners([1, 2], [], 5) == [None, None]
    assert partners([0], [7], 5) == [None]


def test_partners_are_no_farther_than_half_of_a_step() -> None:
    """A neighbour does not stand for a message that was lost."""
    depths = [0, 17, 34, 68]  # milliseconds, at 60 Hz, one lost
    assert reach_ns(depths, 20) == 8
    assert partners([17, 34, 51, 68], depths, reach_ns(depths, 20)) == [1, 2, None, 3]
    assert reach_ns([0, 33, 66], 10) == 10
    assert reach_ns([5, 5], 20) == reach_ns([], 20) == 20


def test_partners_against_all_pairs(rng: np.random.Generator) -> None:
    for _ in range(50):
        times = np.sort(rng.integers(0, 1000, 20)).tolist()
        others = rng.permutation(rng.integers(0, 1000, 15)).tolist()
        found = partners(times, others, 30)
        used = [number for number in found if number is not None]
        assert len(set(used)) == len(used)
        for time, number in zip(times, found, strict=True):
            nearest = min(abs(time - other) for other in others)
            assert number is None or abs(time - others[number]) == nearest <= 30
