"""The example that comes with the package: a carton in a path-traced scene."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from diffdope.geometry.pose import Pose
from diffdope.io.capture import read_capture
from diffdope.io.poses import read_start_pose
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
    rgb, depth, mask = (folder / f"{kind}.png" for kind in ("rgb", "depth", "mask"))
    capture = read_capture(folder / "camera.json", rgb=rgb, depth=depth, mask=mask)
    observation = Observation(capture.camera, **capture.images)
    mesh = Mesh.load(folder / "object.ply", unit="mm")
    start, truth = (read_start_pose(folder / f"{name}.json") for name in ("init", "truth"))
    return PackagedExample(mesh, observation, start, truth)
