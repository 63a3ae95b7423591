"""What is said where ROS, or the extras, are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
for name in {absent!r}:
    sys.modules[name] = None
{then}
"""


def ran(then: str, *absent: str) -> subprocess.CompletedProcess[str]:
    code = CODE.format(absent=absent, then=then)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)


def test_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_bytes(b"")
    words = ["track", "--bag", str(tmp_path / "a.mcap"), "--mesh", "m.ply", "--out", str(tmp_path / "out")]
    done = ran(f"from diffdope.cli.main import main; sys.exit(main({words!r}))", "rosbags", "mcap")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        'error: --bag: expected rosbags and mcap, to read a.mcap, got none; pip install "diffdope[ros]"'
    )


def test_folders_are_tracked_without_it() -> None:
    done = ran("from diffdope.cli.main import main; sys.exit(main(['track', '--help']))", "rosbags", "mcap", "rerun")
    assert done.returncode == 0, done.stderr
    assert "--bag" in done.stdout


def test_importing_the_converters_loads_no_library_of_ros() -> None:
    done = ran(
        "import diffdope.ros.node, diffdope.ros.write, diffdope.ros.bag_frames, diffdope.ros.follower\n"
        "print(sorted({'rosbags', 'mcap', 'rclpy'} & set(sys.modules)))"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_node_says_that_ros_is_missing() -> None:
    done = ran("import diffdope.ros.node; sys.exit(diffdope.ros.node.main())", "rclpy")
    assert done.returncode == 2
    assert done.stderr.startswith("error: rclpy: expected ROS 2 for Python")
