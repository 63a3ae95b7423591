"""An MCAP file of ROS 2 messages: what was found in the pictures of a recording."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.io.files import atomic
from diffdope.ros.messages import (
    DETECTIONS,
    POSE,
    TF,
    StampedPose,
    TrackedObject,
    detections_message,
    pose_message,
    tf_message,
)
from diffdope.ros.types import ros2_types
from diffdope.scene.mesh import Mesh

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]+")


def thing_of(mesh: Mesh, name: str) -> TrackedObject:
    """What messages say of a mesh.

    Args:
        mesh: of the object.
        name: of the object; what ROS does not allow in names becomes an underscore.
    """
    low, high = mesh.vertices_m.min(axis=0), mesh.vertices_m.max(axis=0)
    return TrackedObject(plain_name(name), np.asarray(0.5 * (low + high), float), np.asarray(high - low, float))


def plain_name(name: str) -> str:
    """A name as ROS allows it: letters, digits and underscores, no digit in front."""
    plain = _NOT_IN_NAMES.sub("_", name).strip("_") or "object"
    return f"object_{plain}" if plain[0].isdigit() else plain


def write_moments(path: Path, moments: Iterable[StampedPose], thing: TrackedObject) -> None:
    """Writes topics NAME/pose, NAME/detections and /tf; the file is there when it is whole.

    Args:
        path: of the .mcap file.
        moments: in the order of their times.
        thing: the object.
    """
    from mcap.writer import Writer

    topics = {POSE: f"/{thing.name}/pose", DETECTIONS: f"/{thing.name}/detections", TF: "/tf"}
    with atomic(path) as unfinished, unfinished.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="ros2", library="diffdope")
        channels = {kind: _channel(writer, topic, kind) for kind, topic in topics.items()}
        for number, moment in enumerate(moments):
            stamp = moment.stamp_ns
            for kind, message in _messages(moment, thing):
                data = bytes(ros2_types().serialize_cdr(message, kind))
                writer.add_message(channels[kind], stamp, data, publish_time=stamp, sequence=number)
        writer.finish()
        file.flush()
        os.fsync(file.fileno())


def _messages(moment: StampedPose, thing: TrackedObject) -> list[tuple[str, Any]]:
    types = ros2_types().types
    made = [
        (POSE, pose_message(moment, types)),
        (DETECTIONS, detections_message(moment, thing, types)),
        (TF, tf_message(moment, thing, types)),
    ]
    return [(kind, message) for kind, message in made if message is not None]


def _channel(writer: Any, topic: str, kind: str) -> int:
    store = ros2_types()
    text, _ = store.generate_msgdef(kind, ros_version=2)
    schema = writer.register_schema(name=kind, encoding="ros2msg", data=text.encode())
    how = {"offered_qos_profiles": "", "topic_type_hash": store.hash_rihs01(kind)}
    return int(writer.register_channel(topic=topic, message_encoding="cdr", schema_id=schema, metadata=how))
