"""Joint values of recordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.cli.calibration_flags import CalibrationFlags
from diffdope.errors import DiffDopeError
from diffdope.ros.joint_states import KIND, read_joint_states
from tests.ros.recordings import CONTAINERS, Written, header

pytest.importorskip("rosbags")
pytest.importorskip("mcap")

BEGIN_NS = 1_700_000_000 * 10**9
NAMES = ["j2", "j1"]


def state(time_ns: int, names: list[str], values: list[float], *, stamped: bool = True, topic: str = "/js") -> Written:
    none = np.zeros(0)
    fields: dict[str, Any] = {
        "header": header(time_ns if stamped else 0, ""), "name": names, "position": np.array(values, float),
        "velocity": none, "effort": none,
    }  # fmt: skip
    return topic, KIND, time_ns + 5, fields


def states(*, stamped: bool = True) -> list[Written]:
    """An arm's values ten times a second, and its gripper's on the same topic."""
    arm = [state(BEGIN_NS + k * 10**8, NAMES, [0.1 * k, -0.1 * k], stamped=stamped) for k in range(20)]
    return [*arm, state(BEGIN_NS + 42, ["finger"], [0.02], stamped=stamped)]


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("stamped", [True, False])
def test_values_at_the_times_of_pictures(tmp_path: Path, kind: str, stamped: bool) -> None:
    table = read_joint_states(CONTAINERS[kind](tmp_path / kind, states(stamped=stamped)))
    assert table.names == ("j1", "j2") and table.positions.shape == (20, 2)
    one, two = table.of(["1700000001.21", "1700000000.500000000"])
    assert one == pytest.approx({"j1": -1.2, "j2": 1.2}) and two == pytest.approx({"j1": -0.5, "j2": 0.5})
    with pytest.raises(DiffDopeError, match=r"joints: expected values within 0.1 s of the picture 1700000009.0"):
        table.of(["1700000009.0"])


def test_the_command_takes_recordings_and_files(tmp_path: Path) -> None:
    flags = CalibrationFlags(camera=tmp_path, out=tmp_path, fix=("finger=0.01",))
    bag = CONTAINERS["ros2.mcap"](tmp_path / "run.mcap", states())
    (one,) = flags.joints_of(bag, ["rgb_1700000000300000000"])
    assert one == pytest.approx({"j1": -0.3, "j2": 0.3, "finger": 0.01})
    with pytest.raises(DiffDopeError, match="joint-unit: expected rad, as recordings of ROS have it, got deg"):
        replace(flags, joint_unit="deg").joints_of(bag, [])
    table = tmp_path / "joints.csv"
    table.write_text("frame,j1\n5,90\n")
    assert replace(flags, joint_unit="deg").joints_of(table, ["5"])[0]["j1"] == pytest.approx(np.pi / 2)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    path = CONTAINERS["ros2.mcap"](tmp_path / "two.mcap", [*states(), state(BEGIN_NS, ["a"], [1.0], topic="/other")])
    with pytest.raises(DiffDopeError, match=r"joints: expected one topic of sensor_msgs/msg/JointState .* got 2: /js"):
        read_joint_states(path)
    empty = CONTAINERS["ros2.mcap"](tmp_path / "none.mcap", [state(BEGIN_NS, ["a"], [])])
    with pytest.raises(DiffDopeError, match="joints: expected messages of /js with joints in .*none.mcap, got none"):
        read_joint_states(empty)
