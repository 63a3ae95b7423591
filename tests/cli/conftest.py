"""A folder with a good set of inputs, from the packaged example."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

DEMO = Path(str(files("diffdope") / "data" / "demo"))


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
