"""A small arm as a URDF of primitives, written where a test wants it."""

from __future__ import annotations

from pathlib import Path

ORIGIN = '<origin xyz="{}" rpy="{}"/>'


def _visual(geometry: str, xyz: str = "0 0 0", rpy: str = "0 0 0", kind: str = "visual") -> str:
    return f"<{kind}>{ORIGIN.format(xyz, rpy)}<geometry>{geometry}</geometry></{kind}>"


def _joint(number: int, kind: str, parent: str, child: str, xyz: str, axis: str, extra: str = "") -> str:
    limit = '<limit lower="-1.5" upper="1.5" effort="1" velocity="1"/>' if kind in ("revolute", "prismatic") else ""
    return (
        f'<joint name="j{number}" type="{kind}">{ORIGIN.format(xyz, "0 0 0.1")}<parent link="{parent}"/>'
        f'<child link="{child}"/><axis xyz="{axis}"/>{limit}{extra}</joint>'
    )


PARTS = [
    '<?xml version="1.0"?><robot name="small_arm">',
    '<link name="foot">' + _visual('<box size="0.24 0.2 0.06"/>', "0.01 0 0.03") + "</link>",
    '<link name="post">' + _visual('<cylinder radius="0.05" length="0.3"/>', "0 0 0.15"),
    _visual('<box size="0.05 0.09 0.05"/>', "0.05 0 0.1") + "</link>",
    '<link name="upper">' + _visual('<box size="0.07 0.06 0.36"/>', "0 0 0.18", "0 0 0.2", "collision") + "</link>",
    '<link name="fore">' + _visual('<sphere radius="0.05"/>') + _visual('<box size="0.28 0.05 0.04"/>', "0.14 0 0"),
    _visual('<box size="0.05 0.14 0.03"/>', "0.26 0.02 0") + "</link>",
    '<link name="tool"/>',
    _joint(1, "continuous", "foot", "post", "0 0 0.06", "0 0 2"),
    _joint(2, "revolute", "post", "upper", "0 0 0.3", "0 1 0"),
    _joint(3, "revolute", "upper", "fore", "0 0 0.36", "0 1 0"),
    _joint(4, "fixed", "fore", "tool", "0.3 0 0", "1 0 0"),
    "</robot>",
]
URDF = "".join(PARTS)
JOINTS = ("j1", "j2", "j3")


def write_arm(folder: Path) -> Path:
    """The file."""
    path = folder / "arm.urdf"
    path.write_text(URDF, encoding="utf-8")
    return path
