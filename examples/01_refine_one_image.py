"""Refines the pose of one object in one picture, with the example that comes with the package.

    python examples/01_refine_one_image.py

You need: the object's mesh, a calibrated picture (colour, depth or the object's mask: any of them will do, all three
are best), and a rough pose, say within 20 degrees and 2 cm.
"""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np

import diffdope as dd

folder = Path(str(files("diffdope"))) / "data" / "demo"

# The object. Files do not say what their numbers mean, so `unit` is required.
mesh = dd.Mesh.load(folder / "object.ply", unit="mm")

# What the camera saw. The camera's file holds focal lengths and principal point in pixels, and what a unit of depth is.
# From numbers and arrays of your own: camera = dd.Camera.from_K(K, width=640, height=480), then
# dd.Observation(camera, rgb=rgb, depth=depth, mask=mask), with depth in metres.
observation = dd.Observation.load(
    folder / "camera.json",
    rgb=folder / "rgb.png",
    depth=folder / "depth.png",
    mask=folder / "mask.png",
)


def read_pose(path: Path) -> dd.Pose:
    """A pose as BOP writes it: nine numbers of the rotation, three of the translation in millimetres."""
    entry = json.loads(path.read_text())
    return dd.Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])


start = read_pose(folder / "init.json")
result = dd.refine(mesh, observation, start)

# Always look at the status: a start pose outside the image is no crash, but no refined pose either.
print(f"{result.status}: {result.message}")
for name, cost in result.cost_per_modality.items():
    print(f"  {name:6s} cost {result.initial_cost_per_modality[name]:.4f} -> {cost:.4f}")

# This example comes with the true pose, so the error can be told.
truth = read_pose(folder / "truth.json")
for label, pose in (("start", start), ("refined", result.pose)):
    degrees, millimetres = np.degrees(pose.angle_to(truth)), 1e3 * pose.distance_to(truth)
    print(f"{label:8s} {degrees:6.2f} degrees and {millimetres:6.2f} mm from the truth")

print("model to camera, metres:")
print(np.round(result.pose.matrix, 5))
