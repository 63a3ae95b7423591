"""Recordings as ROS writes them, for tests: the same messages in every container."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
INFO = "sensor_msgs/msg/CameraInfo"
FRAME = "camera_color_optical_frame"
_TYPES = {"rgb8": ("|u1", 3), "bgr8": ("|u1", 3), "rgba8": ("|u1", 4), "mono8": ("|u1", 1), "16UC1": ("<u2", 1)}
_TYPES |= {"32FC1": ("<f4", 1), "mono16": ("<u2", 1), "bayer_rggb8": ("|u1", 1), "8UC3": ("|u1", 3)}

Written = tuple[str, str, int, dict[str, Any]]
"""Topic, type, when it was recorded (ns), fields."""


def header(stamp_ns: int, frame: str = FRAME) -> dict[str, Any]:
    return {"stamp": {"sec": stamp_ns // 10**9, "nanosec": stamp_ns % 10**9}, "frame_id": frame}


def image(
    array: np.ndarray, encoding: str, stamp_ns: int = 1, *, frame: str = FRAME, big: bool = False, padding: int = 0
) -> dict[str, Any]:
    """The fields of a sensor_msgs/Image; `array` has the channels in the encoding's own order."""
    kind = np.dtype(_TYPES[encoding][0]).newbyteorder(">" if big else "<")
    rows = np.ascontiguousarray(array.astype(kind)).view(np.uint8).reshape(len(array), -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=170)
    return {
        "header": header(stamp_ns, frame), "height": array.shape[0], "width": array.shape[1], "encoding": encoding,
        "is_bigendian": int(big), "step": rows.shape[1], "data": rows.ravel(),
    }  # fmt: skip


def compressed(array: np.ndarray, how: str, said: str, stamp_ns: int = 1, *, before: bytes = b"") -> dict[str, Any]:
    """The fields of a sensor_msgs/CompressedImage; `before` stands before the file."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, how, **({"quality": 95} if how == "jpeg" else {}))
    data = np.frombuffer(before + file.getvalue(), np.uint8)
    return {"header": header(stamp_ns), "format": said, "data": data}


def compressed_depth(
    metres: np.ndarray, stamp_ns: int = 1, *, quantisation: float = 100.0, most_m: float = 10.0
) -> Any:
    """32FC1 as compressed_depth_image_transport quantises it: a / depth + b as 16 bits, a and b in the header."""
    a = quantisation * (quantisation + 1.0)
    b = 1.0 - a / most_m
    with np.errstate(divide="ignore", invalid="ignore"):
        stored = np.where((metres > 0) & (metres < most_m), a / metres + b, 0.0)
    before = struct.pack("<iff", 0, a, b)
    return compressed(stored.astype(np.uint16), "png", "32FC1; compressedDepth png", stamp_ns, before=before)


def info(K: Any, width: int, height: int, stamp_ns: int = 1, *, D: Any = (), frame: str = FRAME, **more: Any) -> Any:
    """The fields of a sensor_msgs/CameraInfo."""
    K = np.asarray(K, float).reshape(3, 3)
    P = np.hstack([K, np.zeros((3, 1))])
    return {
        "header": header(stamp_ns, frame), "height": height, "width": width, "distortion_model": "plumb_bob",
        "d": np.asarray(D, float), "k": K.ravel(), "r": np.eye(3).ravel(), "p": P.ravel(), "binning_x": 0,
        "binning_y": 0,
        "roi": {"x_offset": 0, "y_offset": 0, "height": 0, "width": 0, "do_rectify": False}, **more,
    }  # fmt: skip


def made(store: Any, kind: str, fields: dict[str, Any]) -> Any:
    """A message of a type store; ROS 1's fields that ROS 2 names otherwise, or lacks, are filled."""
    values = {}
    for name, (node, what) in store.fielddefs[kind][1]:
        value = 0 if name == "seq" else fields[name if name in fields else name.lower()]
        values[name] = made(store, what, value) if node == 2 else value
    return store.types[kind](**values)


def write_ros1_bag(path: Path, messages: Iterable[Written]) -> Path:
    from rosbags.rosbag1 import Writer
    from rosbags.typesys import Stores, get_typestore

    store, known = get_typestore(Stores.ROS1_NOETIC), {}
    with Writer(path) as writer:
        for topic, kind, logged_ns, fields in messages:
            if topic not in known:
                known[topic] = writer.add_connection(topic, kind, typestore=store)
            writer.write(known[topic], logged_ns, store.serialize_ros1(made(store, kind, fields), kind))
    return path


def write_ros2_bag(path: Path, messages: Iterable[Written], storage: str = "SQLITE3") -> Path:
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store, known = get_typestore(Stores.ROS2_HUMBLE), {}
    with Writer(path, version=9, storage_plugin=getattr(StoragePlugin, storage)) as writer:
        for topic, kind, logged_ns, fields in messages:
            if topic not in known:
                known[topic] = writer.add_connection(topic, kind, typestore=store)
            writer.write(known[topic], logged_ns, store.serialize_cdr(made(store, kind, fields), kind))
    return path


def write_db3(path: Path, messages: Iterable[Written]) -> Path:
    """A bare file of sqlite, without its folder."""
    folder = write_ros2_bag(path.with_suffix(""), messages)
    next(folder.glob("*.db3")).rename(path)
    return path


def write_mcap(path: Path, messages: Iterable[Written], *, ros1: bool = False, profile: str | None = None) -> Path:
    """An MCAP file of ROS 2, or of ROS 1 as converters of bags write it."""
    from mcap.writer import Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_HUMBLE)
    known: dict[str, int] = {}
    with path.open("wb") as file:
        writer = Writer(file, chunk_size=64 * 1024)
        writer.start(profile=("ros1" if ros1 else "ros2") if profile is None else profile, library="test")
        for topic, kind, logged_ns, fields in messages:
            if topic not in known:
                text = store.generate_msgdef(kind, ros_version=1 if ros1 else 2)[0].encode()
                name = kind.replace("/msg/", "/") if ros1 else kind
                schema = writer.register_schema(name, "ros1msg" if ros1 else "ros2msg", text)
                known[topic] = writer.register_channel(topic, "ros1" if ros1 else "cdr", schema)
            serialise = store.serialize_ros1 if ros1 else store.serialize_cdr
            data = bytes(serialise(made(store, kind, fields), kind))
            writer.add_message(known[topic], logged_ns, data, publish_time=logged_ns)
        writer.finish()
    return path


CONTAINERS: dict[str, Callable[[Path, Iterable[Written]], Path]] = {
    "ros1.bag": write_ros1_bag,
    "folder": write_ros2_bag,
    "ros2.db3": write_db3,
    "ros2.mcap": write_mcap,
    "ros1.mcap": lambda path, messages: write_mcap(path, messages, ros1=True),
    "other.mcap": lambda path, messages: write_mcap(path, messages, profile=""),
    "mcap_folder": lambda path, messages: write_ros2_bag(path, messages, "MCAP"),
}
