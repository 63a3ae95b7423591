"""What docs/conventions.md says of poses in OpenCV, OpenGL, Unity and the base of a robot."""

import numpy as np
import pytest

from diffdope import Camera, Pose
from diffdope.errors import DiffDopeError
from diffdope.geometry import so3

CAMERA = Camera(610.0, 640.0, 301.3, 250.7, 640, 480)
POSE = Pose(so3.exp(np.array([0.4, -1.1, 2.0])), (0.03, -0.05, 0.6))
POINTS_M = np.random.default_rng(0).uniform(-0.05, 0.05, (50, 3))


def test_opencv_projects_to_the_same_pixels() -> None:
    cv2 = pytest.importorskip("cv2")
    coefficients = (0.1, -0.05, 0.001, -0.002, 0.01)
    lens = Camera(610.0, 640.0, 301.3, 250.7, 640, 480, coefficients)
    rvec = cv2.Rodrigues(POSE.R_m2c)[0]
    for camera, K, given in ((CAMERA, CAMERA.K, None), (lens, lens.K, np.array(coefficients))):
        pixels, _ = cv2.projectPoints(POINTS_M, rvec, POSE.t_m2c, K, given)
        np.testing.assert_allclose(np.stack(camera.project(POSE.apply(POINTS_M)), -1), pixels[:, 0], atol=1e-6)


@pytest.mark.parametrize("camera", [CAMERA, Camera(610.0, 640.0, 301.3, 250.7, 640, 480, (0.1, -0.05, 0.0, 0.0))])
def test_a_graphics_pipeline_draws_the_same_pixels(camera: Camera) -> None:
    near_m, far_m = 0.2, 3.0
    seen = np.c_[POINTS_M, np.ones(50)] @ POSE.to_opengl().T
    clip = seen @ camera.opengl_projection(near_m, far_m).T
    x, y, depth = (clip[:, :3] / clip[:, 3:]).T
    window_x, window_y = (x + 1) / 2 * camera.width, (y + 1) / 2 * camera.height  # from the bottom-left corner
    u, v = camera.rectified.project(POSE.apply(POINTS_M))
    np.testing.assert_allclose(window_x - 0.5, u, atol=1e-9)
    np.testing.assert_allclose(camera.height - window_y - 0.5, v, atol=1e-9)
    z = POSE.apply(POINTS_M)[:, 2]
    window = (depth + 1) / 2
    np.testing.assert_allclose(window, (1 / near_m - 1 / z) / (1 / near_m - 1 / far_m), atol=1e-9)


def test_to_opengl_is_the_way_back_from_opengl() -> None:
    T = POSE.to_opengl()
    np.testing.assert_allclose(Pose.from_opengl(T).matrix, POSE.matrix, atol=1e-15)
    assert T[2, 3] == -POSE.t_m2c[2]  # before a camera that looks along -z


def test_unity_draws_the_mirrored_model_at_the_same_place() -> None:
    """Its importers turn x of a model round; its camera has x right, y up, z forward, which is left-handed."""
    T = np.diag([1.0, -1.0, 1.0, 1.0]) @ POSE.matrix @ np.diag([-1.0, 1.0, 1.0, 1.0])
    w, x, y, z = Pose.from_matrix(T).wxyz
    v, q = POINTS_M * [-1.0, 1.0, 1.0], np.array([x, y, z])
    turned = v + 2.0 * np.cross(q, np.cross(q, v) + w * v)  # as Unity's Quaternion * Vector3, by its formula
    np.testing.assert_allclose(turned + T[:3, 3], POSE.apply(POINTS_M) * [1.0, -1.0, 1.0], atol=1e-12)


def test_planes_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(DiffDopeError, match="far_m: expected more than near_m, 2, got 1"):
        CAMERA.opengl_projection(2.0, 1.0)


def test_motions_of_the_object_in_the_robots_base_are_turned_and_nothing_else(rng: np.random.Generator) -> None:
    T_base_camera = Pose(so3.exp(np.array([1.0, 0.5, -0.7])), (0.9, 0.1, 0.5))
    turn = np.kron(np.eye(2), T_base_camera.R_m2c)
    for step in rng.normal(size=(20, 6)) * 1e-2:  # hence their covariance becomes turn @ covariance @ turn.T
        moved, expected = T_base_camera @ POSE.retract(step), (T_base_camera @ POSE).retract(turn @ step)
        np.testing.assert_allclose(moved.matrix, expected.matrix, atol=1e-12)


def test_a_grasp_in_the_robots_base() -> None:
    T_base_camera = Pose(so3.exp(np.array([1.0, 0.5, -0.7])), (0.9, 0.1, 0.5))
    T_object_gripper = Pose(so3.exp(np.array([0.0, 0.0, 1.0])), (0.0, 0.02, 0.1))
    T_base_gripper = T_base_camera @ POSE @ T_object_gripper
    tip = T_base_camera.apply(POSE.apply(T_object_gripper.t_m2c))
    np.testing.assert_allclose(T_base_gripper.t_m2c, tip, atol=1e-15)
