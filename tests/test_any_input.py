"""Inputs that Hypothesis thinks of: an answer, or a DiffDopeError; skipped where Hypothesis is not installed."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest

import diffdope as dd
from diffdope.errors import DiffDopeError
from diffdope.io.camera_entries import camera_of
from diffdope.io.pose_texts import entries_of

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies
BUDGET = hypothesis.settings(max_examples=60, deadline=None, database=None, derandomize=True)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
NAMES = st.sampled_from(
    ["cam_K", "K", "fx", "fy", "cx", "cy", "width", "height", "D", "k1", "k4", "distortion_model", "P", "R",
     "cam_R_m2c", "cam_t_m2c", "TWO", "position", "orientation", "x", "y", "z", "w", "0", "obj_id", "cam_model", "pose",
     "data"]
)  # fmt: skip
JSON = st.recursive(
    LEAVES | st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=16),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=20,
)  # fmt: skip


@BUDGET
@hypothesis.given(st.dictionaries(NAMES, JSON, max_size=8))
def test_any_json_is_a_camera_or_refused(entry: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            camera = camera_of(entry, width=32, height=24)
        except DiffDopeError:
            return
    assert np.isfinite(camera.K).all()


@BUDGET
@hypothesis.given(JSON)
def test_any_json_is_poses_or_refused(entry: Any) -> None:
    entry = json.loads(json.dumps(entry))
    try:
        found = entries_of(entry, "file")
    except DiffDopeError:
        return
    assert all(one.R.shape == (3, 3) and one.t.shape == (3,) for one in found)


@BUDGET
@hypothesis.given(st.lists(st.floats(width=32), min_size=16, max_size=16))
def test_any_matrix_is_a_pose_or_refused(numbers: list[float]) -> None:
    try:
        pose = dd.Pose.from_matrix(np.reshape(numbers, (4, 4)))
    except DiffDopeError:
        return
    assert np.isfinite(pose.matrix).all()


@BUDGET
@hypothesis.given(st.lists(st.floats(-2, 2), min_size=4, max_size=12), st.sampled_from(["opencv", "fisheye"]))
def test_any_lens_rectifies_or_is_refused(coefficients: list[float], model: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            camera = dd.Camera(20.0, 20.0, 15.5, 11.5, 32, 24, dd.Distortion(tuple(coefficients), model))  # type: ignore[arg-type]
            seen = dd.Observation(camera, depth=np.ones((24, 32)))
        except DiffDopeError:
            return
    assert seen.depth is not None and np.isfinite(seen.depth).all()
