"""Message types: from the definitions that a recording holds, or from those that rosbags ships."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from diffdope.errors import expected

# vision_msgs 4.1 (ROS 2 Humble and later), of which rosbags ships nothing: the fields of what is written here.
VISION_MSGS = {
    "vision_msgs/msg/ObjectHypothesis": "string class_id\nfloat64 score\n",
    "vision_msgs/msg/ObjectHypothesisWithPose": (
        "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose\n"
    ),
    "vision_msgs/msg/BoundingBox3D": "geometry_msgs/Pose center\ngeometry_msgs/Vector3 size\n",
    "vision_msgs/msg/Detection3D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox3D bbox\nstring id\n"
    ),
    "vision_msgs/msg/Detection3DArray": "std_msgs/Header header\nvision_msgs/Detection3D[] detections\n",
}


@cache
def ros2_types() -> Any:
    """The type store of ROS 2 that messages are written with: rosbags' newest, and vision_msgs."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.LATEST)
    for name, text in VISION_MSGS.items():
        store.register(get_types_from_msg(text, name))
    return store


def decoder(kind: str, definition: str, form: str, encoding: str) -> Callable[[bytes], Any]:
    """What turns stored bytes into a message.

    Args:
        kind: of the message: sensor_msgs/msg/Image.
        definition: text that the recording holds; empty where it holds none, as files of sqlite before ROS 2 Iron do.
        form: "msg" or "idl".
        encoding: of the bytes: "ros1" or "cdr".

    Raises:
        DiffDopeError: if neither the recording nor rosbags defines the message.
    """
    store = _store(kind, definition, form, encoding)
    if encoding == "ros1":
        return lambda data: store.deserialize_ros1(data, kind)
    return lambda data: store.deserialize_cdr(data, kind)


def _store(kind: str, definition: str, form: str, encoding: str) -> Any:
    from rosbags.typesys import Stores, TypesysError, get_types_from_idl, get_types_from_msg, get_typestore

    if not definition:
        store = get_typestore(Stores.ROS1_NOETIC if encoding == "ros1" else Stores.LATEST)
        if kind not in store.fielddefs:
            raise expected("bag", f"a definition of {kind}", "none, neither in the recording nor in rosbags")
        return store
    store = get_typestore(Stores.EMPTY)
    try:
        for types in _parts(definition) if form == "idl" else [definition]:
            store.register(get_types_from_idl(types) if form == "idl" else get_types_from_msg(types, kind))
    except TypesysError as error:
        raise expected("bag", f"a definition of {kind} that can be read", f"{error}") from error
    return store


def _parts(idl: str) -> list[str]:
    """The definitions of several files that a recording keeps in one text."""
    line = "=" * 80 + "\n"
    if not idl.startswith(f"{line}IDL: "):
        return [idl]
    return [part.split("\n", 1)[1] for part in idl.split(line)[1:]]


def ros2_name(name: str) -> str:
    """sensor_msgs/msg/Image of sensor_msgs/Image, as ROS 1 writes it, and of itself."""
    parts = name.split("/")
    return f"{parts[0]}/msg/{parts[1]}" if len(parts) == 2 else name
