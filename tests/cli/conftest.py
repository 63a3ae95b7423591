"""A folder with a good set of inputs, from the packaged example."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from diffdope.geometry.pose import Pose

DEMO = Path(str(files("diffdope") / "data" / "demo"))


def truth(frame: int) -> Pose:
    """Of the object in a frame of a film."""
    start = Pose(np.eye(3), np.array([0.0, 0.0, 0.6])).retract([0, 0, 0, 1.9, 0.3, 0.2])
    return start.retract(frame * np.array([0.003, 0.001, -0.002, 0.0, 0.02, 0.01]))


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    folder = tmp_path / "inputs"
    shutil.copytree(DEMO, folder)
    return folder


def arguments(folder: Path, **changes: object) -> list[str]:
    """Flags of `diffdope refine` for that folder; a flag changed to None is left out."""
    given: dict[str, object] = {
        "mesh": folder / "object.ply", "camera": folder / "camera.json", "init": folder / "init.json",
        "rgb": folder / "rgb.png", "depth": folder / "depth.png", "mask": folder / "mask.png",
        "out": folder.parent / "out",
    }  # fmt: skip
    given |= changes
    words = ["refine"]
    for name, value in given.items():
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words
