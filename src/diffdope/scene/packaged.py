"""The example that comes with the package: a carton in a path-traced scene."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from diffdope.geometry.camera import load_camera
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation


class PackagedExample(NamedTuple):
    """The carton, what the camera saw, a start 20 degrees and 15 mm off, and the truth."""

    mesh: Mesh
    observation: Observation
    start: Pose
    truth: Pose


def packaged_example() -> PackagedExample:
    """Reads the files of the package."""
    folder = Path(str(files("diffdope") / "data" / "demo"))
    camera, scale_mm = load_camera(folder / "camera.json")
    observation = Observation.load(
        camera, rgb=folder / "rgb.png", depth=folder / "depth.png", mask=folder / "mask.png",
        depth_scale=(scale_mm or 1.0) * 1e-3,
    )  # fmt: skip
    mesh = Mesh.load(folder / "object.ply", unit="mm")
    return PackagedExample(mesh, observation, _pose(folder / "init.json"), _pose(folder / "truth.json"))


def _pose(path: Path) -> Pose:
    entry = json.loads(path.read_text(encoding="utf-8"))
    return Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])
