"""Camera and images of one moment."""

from __future__ import annotations

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
