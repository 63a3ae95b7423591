from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.scene.observation import Observation
from diffdope.scene.view import View

CAMERA = Camera(50, 50, 3.5, 2.5, 8, 6)
SEEN = Observation(CAMERA, depth=np.ones((6, 8)))
T_W2C = Pose(so3.exp(np.array([0.1, -0.2, 0.3])), np.array([0.1, 0.2, 0.7]))


def test_one_view_is_the_world() -> None:
    view = View(SEEN)
    assert view.camera is CAMERA and view.observation is SEEN
    assert not view.placed and view.name == ""
    np.testing.assert_array_equal(view.T_w2c.matrix, np.eye(4))


def test_a_point_of_the_world_is_seen_through_its_place() -> None:
    view = View(SEEN, T_W2C, name="left")
    assert view.placed and view.name == "left"
    T_m2w = Pose(so3.exp(np.array([0.5, 0.0, 0.0])), np.array([0.0, 0.0, 0.2]))
    x_m = np.array([0.01, 0.02, 0.03])
    x_w = T_m2w.R_m2c @ x_m + T_m2w.t_m2c
    x_c = T_W2C.R_m2c @ x_w + T_W2C.t_m2c
    np.testing.assert_allclose((view.T_w2c @ T_m2w).apply(x_m), x_c, atol=1e-12)


def test_is_immutable_and_pickles() -> None:
    view = View(SEEN, T_W2C, name="left")
    with pytest.raises(dataclasses.FrozenInstanceError):
        view.T_w2c = Pose.identity()  # type: ignore[misc]
    twin = pickle.loads(pickle.dumps(view))
    assert twin.name == "left" and twin.placed and twin.camera == CAMERA
    np.testing.assert_array_equal(twin.T_w2c.matrix, T_W2C.matrix)
    np.testing.assert_array_equal(twin.observation.depth, SEEN.depth)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"observation": np.ones((6, 8))}, "observation: expected an Observation, got ndarray"),
        ({"observation": SEEN, "T_w2c": 3}, r"T_w2c: expected a Pose or a matrix \(4, 4\), got int; Pose.from_matrix"),
        ({"observation": SEEN, "T_w2c": np.eye(3)}, r"T_w2c: expected shape \(4, 4\), got \(3, 3\)"),
        ({"observation": SEEN, "name": 3}, "name: expected a text, got int"),
    ],
)
def test_what_is_no_view_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        View(**given)


def test_says_how_far_off_its_place_may_be() -> None:
    assert View(SEEN, T_W2C).sigma is None
    assert View(SEEN, T_W2C, sigma=(0.01, 1)).sigma == (0.01, 1.0)


@pytest.mark.parametrize(
    ("sigma", "said"),
    [
        (0.01, r"sigma: expected \(metres, degrees\)"), ((0.01,), r"sigma: expected \(metres, degrees\)"),
        ((0.0, 1.0), r"sigma \(metres\): expected a positive number"),
        ((0.01, float("nan")), r"sigma \(degrees\): expected a positive number"),
        ((10.0, 1.0), "sigma: expected at most 1 m and 30 degrees.*not millimetres"),
    ],
)  # fmt: skip
def test_a_sigma_that_is_none(sigma: Any, said: str) -> None:
    with pytest.raises(DiffDopeError, match=said):
        View(SEEN, T_W2C, sigma=sigma)


def test_a_sigma_without_a_place() -> None:
    with pytest.raises(DiffDopeError, match="sigma: expected T_w2c beside it, got none"):
        View(SEEN, sigma=(0.01, 1.0))
