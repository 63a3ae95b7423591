"""The packaged example as library objects."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from diffdope.geometry.camera import load_camera
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation


def demo_case() -> tuple[Mesh, Observation, Pose]:
    """Mesh, observation and start pose."""
    folder = Path(str(files("diffdope"))) / "data" / "demo"
    camera, depth_scale = load_camera(folder / "camera.json")
    images = {name: folder / f"{name}.png" for name in ("rgb", "depth", "mask")}
    observation = Observation.load(camera, **images, depth_scale=1e-3 * depth_scale)
    start = json.loads((folder / "init.json").read_text())
    return (
        Mesh.load(folder / "object.ply", unit="mm"),
        observation,
        Pose.from_bop(start["cam_R_m2c"], start["cam_t_m2c"]),
    )
