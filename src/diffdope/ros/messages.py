"""Results as messages: PoseWithCovarianceStamped, Detection3DArray and TFMessage.

Messages are made by whatever classes they are given: those of rosbags or those of ROS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import as_floats, check_finite, check_shape
from diffdope.geometry.pose import Pose
from diffdope.ros.pairing import NS_PER_S

F64 = NDArray[np.float64]
POSE = "geometry_msgs/msg/PoseWithCovarianceStamped"
DETECTIONS = "vision_msgs/msg/Detection3DArray"
TF = "tf2_msgs/msg/TFMessage"


class Types(Protocol):
    """Message classes by name; each takes its fields as keywords."""

    def __getitem__(self, name: str, /) -> Callable[..., Any]: ...


@dataclass(frozen=True)
class FoundObject:
    """An object that was found in a picture.

    Attributes:
        pose: model to camera, metres.
        covariance: (6, 6) in (rho [m], phi [rad]) of that pose; None where the solver gives none.
        confidence: in [0, 1].
    """

    pose: Pose
    covariance: F64 | None
    confidence: float


@dataclass(frozen=True, eq=False)
class StampedPose:
    """A picture and the object in it.

    Attributes:
        stamp_ns: of the picture, nanoseconds.
        frame_id: the optical frame of the camera, x right, y down, z forward.
        seen: the object; None where it is lost.
    """

    stamp_ns: int
    frame_id: str
    seen: FoundObject | None


@dataclass(frozen=True, eq=False)
class TrackedObject:
    """What is known of an object beforehand.

    Attributes:
        name: of the object: its class and its frame.
        center_m: (3,) the middle of its box in the model's frame.
        size_m: (3,) the sides of its box along the model's axes.
    """

    name: str
    center_m: F64
    size_m: F64


def ros_covariance(covariance: Any) -> F64:
    """The 36 numbers of geometry_msgs/PoseWithCovariance.

    ROS orders them x, y, z, then rotations about the fixed axes X, Y, Z, row by row. Ours is the covariance of
    (rho, phi) in t <- t + rho, R <- Exp(phi) R: rho is the position's error in the camera's axes, and phi, on the left
    of R, a turn about those axes, which do not move with the object. So the numbers are the same and in the same order.
    Both speak of the point t, the origin of the mesh file: where that lies beside the object, an uncertain rotation
    makes its position uncertain, and the off-diagonal blocks say how.

    Args:
        covariance: (6, 6) in (rho [m], phi [rad]).

    Raises:
        DiffDopeError: if it has another shape, or a number is not finite.
    """
    values = as_floats("covariance", covariance)
    check_shape("covariance", values, (6, 6))
    check_finite("covariance", values)
    return (0.5 * (values + values.T)).ravel()


def pose_message(moment: StampedPose, types: Types) -> Any | None:
    """A PoseWithCovarianceStamped; None where the object is lost, or no covariance is known.

    A pose without covariance would have to claim one: zeros stand for certainty.
    """
    if moment.seen is None or moment.seen.covariance is None:
        return None
    return types[POSE](header=_header(moment, types), pose=_with_covariance(moment.seen, types))


def detections_message(moment: StampedPose, thing: TrackedObject, types: Types) -> Any:
    """A Detection3DArray of one detection, or of none where the object is lost: a receiver sees that it was looked for.

    The score is the confidence. The box has the model's axes and the middle of the mesh; the hypothesis has the pose of
    the mesh file's frame. Its covariance is 0 where none is known.
    """
    found = [] if moment.seen is None else [_detection(moment, moment.seen, thing, types)]
    return types[DETECTIONS](header=_header(moment, types), detections=found)


def tf_message(moment: StampedPose, thing: TrackedObject, types: Types) -> Any | None:
    """A TFMessage from the camera's optical frame to the object's; None where the object is lost."""
    if moment.seen is None:
        return None
    pose = moment.seen.pose
    transform = types["geometry_msgs/msg/Transform"](
        translation=_vector("geometry_msgs/msg/Vector3", pose.t_m2c, types), rotation=_quaternion(pose, types)
    )
    stamped = types["geometry_msgs/msg/TransformStamped"](
        header=_header(moment, types), child_frame_id=thing.name, transform=transform
    )
    return types[TF](transforms=[stamped])


def moment_of(stamp_ns: int, frame_id: str, record: Mapping[str, Any], pose: Pose, *, lost: bool) -> StampedPose:
    """The moment of a tracked frame.

    Args:
        stamp_ns: of the picture.
        frame_id: of the camera.
        record: of the frame, as `io.results.encode` makes it.
        pose: of the record.
        lost: whether that is a guess.
    """
    if lost:
        return StampedPose(stamp_ns, frame_id, None)
    covariance = None if record["covariance"] is None else np.asarray(record["covariance"], float)
    return StampedPose(stamp_ns, frame_id, FoundObject(pose, covariance, float(record["confidence"] or 0.0)))


def _detection(moment: StampedPose, seen: FoundObject, thing: TrackedObject, types: Types) -> Any:
    hypothesis = types["vision_msgs/msg/ObjectHypothesis"](class_id=thing.name, score=seen.confidence)
    result = types["vision_msgs/msg/ObjectHypothesisWithPose"](
        hypothesis=hypothesis, pose=_with_covariance(seen, types)
    )
    middle = Pose(seen.pose.R_m2c, seen.pose.apply(thing.center_m))
    box = types["vision_msgs/msg/BoundingBox3D"](
        center=_pose(middle, types), size=_vector("geometry_msgs/msg/Vector3", thing.size_m, types)
    )
    return types["vision_msgs/msg/Detection3D"](
        header=_header(moment, types), results=[result], bbox=box, id=thing.name
    )


def _with_covariance(seen: FoundObject, types: Types) -> Any:
    numbers = np.zeros(36) if seen.covariance is None else ros_covariance(seen.covariance)
    return types["geometry_msgs/msg/PoseWithCovariance"](pose=_pose(seen.pose, types), covariance=numbers)


def _pose(pose: Pose, types: Types) -> Any:
    return types["geometry_msgs/msg/Pose"](
        position=_vector("geometry_msgs/msg/Point", pose.t_m2c, types), orientation=_quaternion(pose, types)
    )


def _vector(name: str, xyz: F64, types: Types) -> Any:
    x, y, z = (float(value) for value in xyz)
    return types[name](x=x, y=y, z=z)


def _quaternion(pose: Pose, types: Types) -> Any:
    w, x, y, z = (float(value) for value in pose.wxyz)
    return types["geometry_msgs/msg/Quaternion"](x=x, y=y, z=z, w=w)


def _header(moment: StampedPose, types: Types) -> Any:
    stamp = types["builtin_interfaces/msg/Time"](sec=moment.stamp_ns // NS_PER_S, nanosec=moment.stamp_ns % NS_PER_S)
    return types["std_msgs/msg/Header"](stamp=stamp, frame_id=moment.frame_id)
