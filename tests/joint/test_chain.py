"""How objects move in cameras, against differences of the poses themselves."""

from __future__ import annotations

import numpy as np

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose, difference
from diffdope.joint.chain import (
    ScenePoses,
    Unknowns,
    as_tangent_of_pose,
    camera_difference,
    moved_camera,
)

STATE = ScenePoses(
    (Pose(so3.exp(np.array([0.3, -0.5, 0.9])), np.array([0.2, -0.1, 0.4])),
     Pose(so3.exp(np.array([-0.7, 0.1, 0.2])), np.array([-0.3, 0.2, 0.1]))),
    (Pose(so3.exp(np.array([0.1, 0.2, -0.3])), np.array([0.0, 0.1, 0.6])),
     Pose(so3.exp(np.array([-0.4, 0.6, 0.1])), np.array([0.3, -0.2, 0.8]))),
)  # fmt: skip
UNKNOWNS = Unknowns(2, (1,))
STEP = 1e-6


def test_columns_of_objects_come_before_those_of_free_cameras() -> None:
    assert UNKNOWNS.size == 18
    assert (UNKNOWNS.of_object(1), UNKNOWNS.of_camera(1)) == (slice(6, 12), slice(12, 18))
    columns, J = UNKNOWNS.chain(STATE, 0, 1)
    assert columns == [slice(6, 12)] and J.shape == (6, 6)
    columns, J = UNKNOWNS.chain(STATE, 1, 0)
    assert columns == [slice(0, 6), slice(12, 18)] and J.shape == (6, 12)


def test_derivatives_of_every_chain() -> None:
    for view in (0, 1):
        for obj in (0, 1):
            columns, J = UNKNOWNS.chain(STATE, view, obj)
            whole = np.zeros((6, UNKNOWNS.size))
            for n, part in enumerate(columns):
                whole[:, part] = J[:, 6 * n : 6 * n + 6]
            for k in range(UNKNOWNS.size):
                step = np.zeros(UNKNOWNS.size)
                step[k] = STEP
                ahead = STATE.moved(step, UNKNOWNS).in_camera(view, obj)
                behind = STATE.moved(-step, UNKNOWNS).in_camera(view, obj)
                np.testing.assert_allclose(difference(ahead, behind) / (2 * STEP), whole[:, k], atol=1e-8)


def test_a_camera_turns_about_its_own_centre() -> None:
    camera = STATE.cameras[1]
    turned = moved_camera(camera, np.array([0.0, 0.0, 0.0, 0.1, -0.2, 0.05]))
    np.testing.assert_allclose(turned.inverse().t_m2c, camera.inverse().t_m2c, atol=1e-12)
    step = np.array([0.01, -0.02, 0.03, 0.1, -0.2, 0.05])
    np.testing.assert_allclose(camera_difference(moved_camera(camera, step), camera), step, atol=1e-12)


def test_tangents_of_cameras_as_poses_have_them() -> None:
    camera = STATE.cameras[1]
    for k in range(6):
        step = np.zeros(6)
        step[k] = STEP
        ahead, behind = moved_camera(camera, step), moved_camera(camera, -step)
        np.testing.assert_allclose(difference(ahead, behind) / (2 * STEP), as_tangent_of_pose(camera)[:, k], atol=1e-8)
