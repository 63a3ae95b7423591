"""Camera and images of one moment."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.capture import read_capture
from diffdope.scene.observation import Observation

DEMO = Path(str(files("diffdope") / "data" / "demo"))


def test_what_is_read_is_what_an_observation_takes() -> None:
    capture = read_capture(DEMO / "camera.json", rgb=DEMO / "rgb.png", depth=DEMO / "depth.png", mask=DEMO / "mask.png")
    observation = Observation(capture.camera, **capture.images)
    loaded = Observation.load(
        capture.camera, rgb=DEMO / "rgb.png", depth=DEMO / "depth.png", mask=DEMO / "mask.png",
        depth_scale=capture.depth_scale,
    )  # fmt: skip
    for name in ("rgb", "depth", "mask"):
        assert np.array_equal(getattr(observation, name), getattr(loaded, name))


def test_a_given_scale_wins_and_float_metres_have_none(tmp_path: Path) -> None:
    depth = np.asarray(Image.open(DEMO / "depth.png"))
    given = read_capture(DEMO / "camera.json", depth=DEMO / "depth.png", depth_scale_mm=2.0)
    assert given.depth_scale == pytest.approx(2e-3) and given.mask is None and given.rgb is None
    np.save(tmp_path / "d.npy", depth * 1e-4)
    assert read_capture(DEMO / "camera.json", depth=tmp_path / "d.npy").depth_scale is None


def test_without_images() -> None:
    with pytest.raises(DiffDopeError, match="images: expected at least one of --rgb, --depth and --mask, got none"):
        read_capture(DEMO / "camera.json")


def resized(name: str, folder: Path, times: float) -> Path:
    with Image.open(DEMO / name) as image:
        path = folder / name
        image.resize((round(image.width * times), round(image.height * times)), Image.Resampling.NEAREST).save(path)
    return path


def test_half_a_photograph_beside_whole_depth(tmp_path: Path) -> None:
    small = resized("rgb.png", tmp_path, 0.5)
    with pytest.raises(DiffDopeError, match="the pictures were resized by 0.5: give --camera-size 640x480"):
        read_capture(DEMO / "camera.json", rgb=small, depth=DEMO / "depth.png")
    how = {"rgb": small, "depth": DEMO / "depth.png", "camera_size": (640, 480)}
    capture = read_capture(DEMO / "camera.json", **how)
    assert "K of 640 x 480 pictures was converted to 320 x 240: times 0.5" in capture.notes
    assert "depth of 640 x 480 pixels was reduced to 320 x 240" in capture.notes
    assert Observation(capture.camera, **capture.images).depth is not None
    with pytest.raises(DiffDopeError, match="320 x 240 pixels as the photograph, got 640 x 480; .* 2 times as large"):
        read_capture(DEMO / "camera.json", **how, mask=DEMO / "mask.png")
    with pytest.raises(DiffDopeError, match="got 1280x960; the pictures are 320x240, 0.5 times as large: give"):
        read_capture(DEMO / "camera.json", **(how | {"camera_size": (1280, 960)}))


def test_k_is_not_squeezed_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "K.txt").write_text("830 0 324 0 830 236 0 0 1")
    with pytest.raises(DiffDopeError, match="camera_size: expected the shape of the 640x480 picture, got 1280x720; "):
        read_capture(tmp_path / "K.txt", rgb=DEMO / "rgb.png", camera_size=(1280, 720))


def test_depth_beside_ros_is_millimetres_and_says_so(tmp_path: Path) -> None:
    eye = "[1, 0, 0, 0, 1, 0, 0, 0, 1]"
    text = (
        f"height: 480\nwidth: 640\ndistortion_model: plumb_bob\nd: [0, 0, 0, 0, 0]\nr: {eye}\n"
        "k: [830, 0, 324, 0, 830, 236, 0, 0, 1]\np: [830, 0, 324, 0, 0, 830, 236, 0, 0, 0, 1, 0]\n"
    )
    (tmp_path / "info.yaml").write_text(text)
    depth = np.asarray(Image.open(DEMO / "depth.png")) // 10
    Image.fromarray(depth.astype(np.uint16)).save(tmp_path / "depth.png")
    capture = read_capture(tmp_path / "info.yaml", depth=tmp_path / "depth.png")
    assert capture.depth_scale == pytest.approx(1e-3)
    assert any("taken for millimetres, as ROS has it" in note for note in capture.notes)
    told = read_capture(tmp_path / "info.yaml", depth=tmp_path / "depth.png", depth_scale_mm=1.0)
    assert not any("ROS" in note for note in told.notes)


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((400, 300, 240, 180), None), ((600, 300, 240, 100), "200 pixels at the right"),
        ((-30, 300, 100, 100), "30 pixels at the left"),
        ((300, 200, 500, 400), "if its last two numbers are the right and the bottom edge, .* is 300,200,200,200"),
    ],
)  # fmt: skip
def test_boxes_that_are_cut_say_so(box: tuple[float, ...], said: str | None) -> None:
    notes = read_capture(DEMO / "camera.json", depth=DEMO / "depth.png", box=box).notes
    cut = [note for note in notes if "reaches beyond the image" in note]
    assert (said is None) == (cut == [])
    assert said is None or re.search(said, cut[0])


def test_depth_that_was_rectified_already_beside_a_photograph_that_was_not(tmp_path: Path) -> None:
    entry = json.loads((DEMO / "camera.json").read_text())
    (tmp_path / "camera.json").write_text(json.dumps(entry | {"dist_coeffs": [-0.2, 0.05, 0.0, 0.0]}))
    files = {"rgb": DEMO / "rgb.png", "depth": DEMO / "depth.png"}
    stays = read_capture(tmp_path / "camera.json", **files, depth_rectified=True)
    plain = read_capture(DEMO / "camera.json", **files)
    seen, straight = Observation(stays.camera, **stays.images), Observation(plain.camera, **plain.images)
    assert np.array_equal(seen.depth, straight.depth) and not np.array_equal(seen.rgb, straight.rgb)
    assert any(note.startswith("lens distortion (opencv) was removed from all but depth") for note in stays.notes)
    # Distances along rays are turned into those along the axis by the pinhole's rays, not by those of the lens.
    rays = read_capture(tmp_path / "camera.json", **files, depth_rectified=True, depth_kind="ray")
    straight_rays = read_capture(DEMO / "camera.json", **files, depth_kind="ray")
    assert np.array_equal(rays.depth, straight_rays.depth)
    np.savetxt(tmp_path / "T.txt", np.eye(4))
    with pytest.raises(DiffDopeError, match="depth-rectified: expected none beside --depth-camera, got both; leave"):
        read_capture(
            tmp_path / "camera.json", **files, depth_rectified=True, depth_camera=DEMO / "camera.json",
            depth_extrinsics=tmp_path / "T.txt",
        )  # fmt: skip
