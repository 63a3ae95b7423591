"""Refines many poses of several objects: keeps one `Refiner` per object, so that only the first picture is slow.

    python examples/03_loop_over_objects.py

A `Refiner` holds what does not change from picture to picture: the mesh's tables, the buffers, the threads. The very
first refinement of a process also loads the compiled kernels (and the first after an installation compiles them).
"""

import json
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import trimesh

import diffdope as dd

rng = np.random.default_rng(0)
folder = Path(str(files("diffdope"))) / "data" / "demo"
camera, _ = dd.load_camera(folder / "camera.json")


def photograph() -> tuple[dd.Mesh, dd.Observation, dd.Pose]:
    """The packaged example: a carton, its picture and its true pose."""
    observation = dd.Observation.load(
        folder / "camera.json", rgb=folder / "rgb.png", depth=folder / "depth.png", mask=folder / "mask.png"
    )
    truth = json.loads((folder / "truth.json").read_text())
    pose = dd.Pose.from_bop(truth["cam_R_m2c"], truth["cam_t_m2c"])
    return dd.Mesh.load(folder / "object.ply", unit="mm"), observation, pose


def drawing() -> tuple[dd.Mesh, dd.Observation, dd.Pose]:
    """An object from arrays, with a colour at every vertex, and a picture of it that our own renderer makes."""
    shape = trimesh.creation.box((0.08, 0.05, 0.12)).subdivide().subdivide()
    colors = 0.5 + 0.4 * np.sin(shape.vertices @ rng.normal(0.0, 60.0, (3, 3)))
    mesh = dd.Mesh(np.asarray(shape.vertices), np.asarray(shape.faces), colors=colors, name="box")
    pose = dd.Pose(np.eye(3), np.array([0.05, 0.02, 0.6])).retract([0, 0, 0, 0.7, -0.6, 0.2])
    images = dd.Renderer(mesh, camera).render(pose.R_m2c, pose.t_m2c)
    # Antialiasing may overshoot a little where the object is thinner than a pixel; a picture may not.
    rgb, depth, mask = images.rgb[0].clip(0.0, 1.0), images.depth[0], images.coverage[0] > 0.5
    return mesh, dd.Observation(camera, rgb=rgb, depth=depth, mask=mask), pose


def disturbed(pose: dd.Pose, degrees: float, metres: float) -> dd.Pose:
    """A rough pose: turned about a random axis, moved in a random direction."""
    axis, direction = rng.normal(size=(2, 3))
    turn = np.radians(degrees) * axis / np.linalg.norm(axis)
    return pose.retract(np.concatenate([metres * direction / np.linalg.norm(direction), turn]))


objects = {"carton": photograph(), "box": drawing()}
refiners: dict[str, dd.Refiner] = {}
seconds: list[float] = []

for _ in range(5):
    for name, (mesh, observation, truth) in objects.items():
        start = disturbed(truth, degrees=10.0, metres=0.01)
        began = time.perf_counter()
        if name not in refiners:
            refiners[name] = dd.Refiner(mesh, camera, seed=0)
        result = refiners[name].refine(observation, start)
        seconds.append(time.perf_counter() - began)
        degrees, millimetres = np.degrees(result.pose.angle_to(truth)), 1e3 * result.pose.distance_to(truth)
        print(f"{name:6s} {seconds[-1]:6.3f} s  10 degrees, 10 mm -> {degrees:.2f} degrees, {millimetres:.2f} mm")

warm = np.median(seconds[len(objects) :])
print(f"the first took {seconds[0]:.3f} s, one from a warm refiner {warm:.3f} s (median)")
