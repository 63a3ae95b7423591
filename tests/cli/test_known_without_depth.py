"""What the summary of a photograph without depth says is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffdope.cli.main import main
from diffdope.cli.report import known_without_depth
from diffdope.geometry.pose import Pose
from tests.cli.conftest import arguments


def test_direction_orientation_and_distance_are_told_apart() -> None:
    """Beside the axis, where the view is none of the camera's axes."""
    t = np.array([0.3, -0.2, 0.6])
    away = float(np.linalg.norm(t))
    along = np.outer(t, t) / away**2
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = (0.03 * away) ** 2 * along + (np.radians(0.05) * away) ** 2 * (np.eye(3) - along)
    covariance[3:, 3:] = np.diag(np.radians([0.1, 0.4, 0.2]) ** 2)
    said = known_without_depth(Pose(np.eye(3), t), covariance)
    words = "the direction to its origin to 0.05 deg, its orientation to 0.40 deg, its distance to 3.0 %"
    assert said == f"{words} (1 sigma)"


def test_the_summary_says_so_without_depth_alone(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for depth in (None, inputs / "depth.png"):
        assert main(["locate", *arguments(inputs, init=None, depth=depth)[1:]]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert ("known the direction to its origin to 0." in said) == (depth is None)
        assert "that the surface is within" in said
