"""Joint values of a recording: its messages sensor_msgs/JointState."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from diffdope.errors import expected, some_of
from diffdope.io.joints import JointTable
from diffdope.io.stamps import stamp_name
from diffdope.ros.bag_frames import stamp_ns
from diffdope.ros.recording import open_recording

KIND = "sensor_msgs/msg/JointState"


def read_joint_states(path: Path) -> JointTable:
    """The joint values of a recording, by their times; see `JointTable.of`.

    Drivers of an arm and of its gripper may use one topic: of messages with different joints, those with the most are
    taken. The time is that of the header, or that of recording where headers have none.

    Args:
        path: of a bag, or its folder.

    Raises:
        DiffDopeError: if it cannot be read, holds no such messages, or on several topics.
    """
    with open_recording(path) as recording:
        topics = [topic for topic in recording.topics if topic.kind == KIND]
        if len(topics) != 1:
            kinds = sorted({topic.kind for topic in recording.topics})
            got = (
                f"{len(topics)}: {some_of(topic.name for topic in topics)}"
                if topics
                else f"none beside {some_of(kinds)}"
            )
            raise expected("joints", f"one topic of {KIND} in {path}", got, "leave the others out of the recording")
        stored = [(one.logged_ns, one.message) for one in recording.messages(topics)]
    groups: dict[tuple[str, ...], dict[int, list[float]]] = {}
    stamped = all(stamp_ns(message) for _, message in stored)
    for logged_ns, message in stored:
        values = dict(zip(map(str, message.name), map(float, message.position), strict=False))
        names = tuple(sorted(values))
        time = stamp_ns(message) if stamped else logged_ns
        groups.setdefault(names, {})[time] = [values[name] for name in names]
    if not any(groups):
        raise expected("joints", f"messages of {topics[0].name} with joints in {path}", "none")
    names = max(groups, key=lambda one: (len(one), len(groups[one])))
    times = sorted(groups[names])
    positions = np.array([groups[names][time] for time in times])
    return JointTable(names, positions, tuple(map(stamp_name, times)))
