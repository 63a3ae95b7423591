"""Results as messages, against the definitions that rosbags ships and against samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.geometry.solids import box
from diffdope.pipelines.object_frame import ObjectFrame
from diffdope.ros.messages import (
    DETECTIONS,
    POSE,
    TF,
    FoundObject,
    StampedPose,
    TrackedObject,
    pose_message,
    ros_covariance,
)
from diffdope.ros.types import VISION_MSGS, ros2_types
from diffdope.ros.write import thing_of, write_moments
from diffdope.scene.mesh import Mesh

pytest.importorskip("rosbags")
mcap_reader = pytest.importorskip("mcap.reader")

STAMP = 1_700_000_000_123_456_789
RPY = np.array([0.3, -0.7, 1.1])
FRAME = "camera_optical"


def fixed_axes(roll: float, pitch: float, yaw: float) -> np.ndarray:
    """A turn about the fixed axis X, then the fixed Y, then the fixed Z."""
    return so3.exp(np.array([0, 0, yaw])) @ so3.exp(np.array([0, pitch, 0])) @ so3.exp(np.array([roll, 0, 0]))


def angles_of(R: np.ndarray) -> np.ndarray:
    return np.array([np.arctan2(R[2, 1], R[2, 2]), -np.arcsin(R[2, 0]), np.arctan2(R[1, 0], R[0, 0])])


def a_pose() -> Pose:
    return Pose(fixed_axes(*RPY), np.array([0.1, -0.2, 0.9]))


def a_covariance(rng: np.random.Generator, sigma_m: float = 1e-3, sigma_rad: float = 2e-3) -> np.ndarray:
    factor = rng.normal(size=(6, 6)) * np.array([sigma_m] * 3 + [sigma_rad] * 3)[:, None]
    return factor @ factor.T


def test_the_types_are_those_of_ros() -> None:
    fields = ros2_types().fielddefs
    assert [name for name, _ in fields["geometry_msgs/msg/PoseWithCovariance"][1]] == ["pose", "covariance"]
    kind, (element, count) = fields["geometry_msgs/msg/PoseWithCovariance"][1][1][1]
    assert (kind, element[1][0], count) == (3, "float64", 36)  # a row of 36 numbers, not 6 rows
    assert [name for name, _ in fields["vision_msgs/msg/Detection3D"][1]] == ["header", "results", "bbox", "id"]
    assert all(name in fields for name in VISION_MSGS)


def test_covariance_is_that_of_samples_in_the_terms_of_ros(rng: np.random.Generator) -> None:
    """x, y, z of the position, and the angles about fixed axes X, Y, Z that turn the mean into the sample."""
    pose, covariance = a_pose(), a_covariance(rng)
    samples = rng.multivariate_normal(np.zeros(6), covariance, 200_000)
    turns = np.array([angles_of(so3.exp(phi)) for phi in samples[:4000, 3:]])
    rows = np.hstack([samples[:4000, :3], turns])
    checked = [pose.retract(xi) for xi in samples[:50]]
    for xi, moved, row in zip(samples, checked, rows, strict=False):
        np.testing.assert_allclose(moved.t_m2c - pose.t_m2c, xi[:3], atol=1e-12)
        np.testing.assert_allclose(angles_of(moved.R_m2c @ pose.R_m2c.T), row[3:], atol=1e-12)
    measured = np.cov(rows.T)
    scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    given = ros_covariance(covariance).reshape(6, 6)
    # 4,000 samples leave a standard error of 1 / sqrt(4000) = 1.6 % of the scale.
    np.testing.assert_allclose(measured / scale, given / scale, atol=0.08)


def test_covariance_about_the_middle_becomes_that_of_the_files_origin(rng: np.random.Generator) -> None:
    """What is sure of the object's middle is unsure of an origin 0.3 m off: samples of whole poses say how much."""
    mesh = Mesh(*box((0.05, 0.04, 0.03))).moved(np.array([0.3, -0.1, 0.2]))
    own, pose = ObjectFrame.of(mesh), a_pose()
    middle = own.enter(pose)
    about_middle = a_covariance(rng, 1e-4, 2e-3)
    poses = [own.leave(middle.retract(xi)) for xi in rng.multivariate_normal(np.zeros(6), about_middle, 20_000)]
    rows = np.array([[*(one.t_m2c - pose.t_m2c), *angles_of(one.R_m2c @ pose.R_m2c.T)] for one in poses])
    motion = own.motion(middle)
    given = ros_covariance(motion @ about_middle @ motion.T).reshape(6, 6)
    scale = np.sqrt(np.outer(np.diag(given), np.diag(given)))
    assert np.sqrt(given[0, 0]) > 2 * np.sqrt(about_middle[0, 0])  # the test would see a forgotten lever
    np.testing.assert_allclose(np.cov(rows.T) / scale, given / scale, atol=0.04)


def test_covariance_lies_row_by_row_in_the_order_of_ros() -> None:
    numbered = np.zeros((6, 6))
    numbered[0, 4] = numbered[4, 0] = 7.0  # x with a turn about Y
    flat = ros_covariance(numbered)
    assert flat.shape == (36,)
    assert flat[0 * 6 + 4] == flat[4 * 6 + 0] == 7.0
    with pytest.raises(DiffDopeError, match=r"covariance: expected shape \(6, 6\)"):
        ros_covariance(np.eye(5))
    with pytest.raises(DiffDopeError, match="covariance: expected finite"):
        ros_covariance(np.full((6, 6), np.nan))


def test_a_lost_object_has_no_pose() -> None:
    types = ros2_types().types
    assert pose_message(StampedPose(STAMP, FRAME, None), types) is None
    assert pose_message(StampedPose(STAMP, FRAME, FoundObject(a_pose(), None, 0.9)), types) is None


def written(tmp_path: Path) -> list[tuple[str, str, int, Any]]:
    thing = TrackedObject("carton", np.array([0.01, 0.02, 0.03]), np.array([0.1, 0.2, 0.3]))
    seen = FoundObject(a_pose(), np.diag([1.0, 2, 3, 4, 5, 6]), 0.75)
    moments = [StampedPose(STAMP, FRAME, seen), StampedPose(STAMP + 10, FRAME, None)]
    write_moments(tmp_path / "poses.mcap", moments, thing)
    decoder = pytest.importorskip("mcap_ros2.decoder")
    with (tmp_path / "poses.mcap").open("rb") as file:
        reader = mcap_reader.make_reader(file, decoder_factories=[decoder.DecoderFactory()], validate_crcs=True)
        assert reader.get_header().profile == "ros2"
        return [
            (channel.topic, schema.name, message.log_time, decoded)
            for schema, channel, message, decoded in reader.iter_decoded_messages()
        ]


def test_another_reader_sees_what_was_written(tmp_path: Path) -> None:
    messages = written(tmp_path)
    first = {kind: message for _, kind, stamp, message in messages if stamp == STAMP}
    assert set(first) == {POSE, DETECTIONS, TF}
    pose = first[POSE]
    assert (pose.header.stamp.sec, pose.header.stamp.nanosec) == (1_700_000_000, 123_456_789)
    assert pose.header.frame_id == FRAME
    position, q = pose.pose.pose.position, pose.pose.pose.orientation
    np.testing.assert_allclose([position.x, position.y, position.z], a_pose().t_m2c)
    np.testing.assert_allclose(so3.matrix_from_wxyz(np.array([q.w, q.x, q.y, q.z])), a_pose().R_m2c, atol=1e-12)
    np.testing.assert_array_equal(np.reshape(pose.pose.covariance, (6, 6)), np.diag([1.0, 2, 3, 4, 5, 6]))
    (detection,) = first[DETECTIONS].detections
    assert (detection.results[0].hypothesis.class_id, detection.results[0].hypothesis.score) == ("carton", 0.75)
    centre = detection.bbox.center.position
    np.testing.assert_allclose([centre.x, centre.y, centre.z], a_pose().apply([0.01, 0.02, 0.03]))
    assert (detection.bbox.size.x, detection.bbox.size.z) == (0.1, 0.3)
    (transform,) = first[TF].transforms
    assert (transform.header.frame_id, transform.child_frame_id) == (FRAME, "carton")
    np.testing.assert_allclose(transform.transform.translation.z, 0.9)


def test_a_lost_moment_is_an_empty_array_and_nothing_else(tmp_path: Path) -> None:
    lost = [(topic, message) for topic, _, stamp, message in written(tmp_path) if stamp == STAMP + 10]
    assert [topic for topic, _ in lost] == ["/carton/detections"]
    assert lost[0][1].detections == []
    assert lost[0][1].header.frame_id == FRAME


def test_names_are_those_that_ros_allows() -> None:
    mesh = Mesh(*box((0.1, 0.2, 0.3)))
    assert thing_of(mesh, "my mug (1)").name == "my_mug_1"
    assert thing_of(mesh, "000001").name == "object_000001"
    assert thing_of(mesh, "...").name == "object"
    np.testing.assert_allclose(thing_of(mesh, "x").size_m, [0.1, 0.2, 0.3])
