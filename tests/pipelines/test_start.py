"""Start poses as people have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose, as_pose
from diffdope.pipelines.start import poses_of

POSE = Pose.identity().retract([0.1, 0.2, 0.7, 0.3, -0.2, 0.9])
T = POSE.matrix


class Tensor:
    """As those of torch, JAX and the like turn into arrays."""

    def __init__(self, values: np.ndarray, error: Exception | None = None) -> None:
        self.values, self.error = values, error

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if self.error is not None:
            raise self.error
        return self.values


@pytest.mark.parametrize(
    "given", [T, T[:3], T.tolist(), T[:3].tolist(), T.astype(">f8"), np.asfortranarray(T), Tensor(T), Tensor(T[:3])]
)
def test_one_start_is_taken_in_any_form(given: Any) -> None:
    (pose,), notes = poses_of(given)
    assert np.array_equal(pose.matrix, T) and notes == ()
    assert np.array_equal(as_pose("pose", given).matrix, T)


@pytest.mark.parametrize("given", [np.stack([T, T]), np.stack([T, T])[:, :3], [T, POSE], [Tensor(T), T[:3]]])
def test_several_starts_are_taken_in_any_form(given: Any) -> None:
    poses, _ = poses_of(given)
    assert [np.array_equal(pose.matrix, T) for pose in poses] == [True, True]


def test_a_rotation_and_a_translation_are_told_what_takes_them() -> None:
    with pytest.raises(DiffDopeError, match=r"Pose\(R, t\) a rotation matrix and a translation in metres"):
        poses_of((POSE.R_m2c, POSE.t_m2c))


def test_a_tensor_that_cannot_be_an_array_says_why() -> None:
    grown = Tensor(T, RuntimeError("use tensor.detach()"))
    with pytest.raises(DiffDopeError, match=r"pose: expected an array of numbers, got Tensor; use tensor.detach\(\)"):
        as_pose("pose", grown)
