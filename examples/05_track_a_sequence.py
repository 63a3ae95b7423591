"""Follows one object through a short synthetic sequence, in which a card hides it for a while.

    python examples/05_track_a_sequence.py [FOLDER]

With a folder, the sequence is written there as well, ready for the command line:

    diffdope track --rgb FOLDER/rgb --depth FOLDER/depth --mesh FOLDER/object.ply --camera FOLDER/camera.json \
        --init FOLDER/init.json --out FOLDER/out
"""

import json
import shutil
import sys
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

import diffdope as dd
from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture

FRAMES, HIDDEN = 45, range(18, 27)  # the card passes in front of the object in these
demo = Path(str(files("diffdope") / "data" / "demo"))
mesh = dd.Mesh.load(demo / "object.ply", unit="mm")
card = painted("card", *grid_box(np.array([0.11, 0.3, 0.01]), 8), mottled)


def true_pose(frame: int) -> dd.Pose:
    """A hand's movement: 15 cm a second at most, turning by up to 60 degrees a second."""
    s = frame / 30.0
    sway = np.array([0.05 * np.sin(2.0 * s), 0.02 * np.sin(3.0 * s), 0.65 + 0.05 * np.sin(1.5 * s)])
    return dd.Pose(np.eye(3), sway).retract([0, 0, 0, 1.9, 0.3, 0.2]).retract([0, 0, 0, 0.3 * np.sin(2 * s), s, 0])


def photograph(frame: int) -> dd.Observation:
    """Colour and depth; no mask."""
    parts = [(mesh, true_pose(frame))]
    if frame in HIDDEN:
        parts.insert(0, (card, dd.Pose(np.eye(3), np.array([0.03 * (frame - 22), 0.0, 0.45]))))
    made = picture(parts, np.random.default_rng(0), noise=SensorNoise())
    return dd.Observation(CAMERA, rgb=made.rgb, depth=made.depth)


def write(folder: Path, frame: int, observation: dd.Observation) -> None:
    """A frame as files: 8-bit colour, depth in tenths of a millimetre."""
    for kind, image, scale, dtype in (
        ("rgb", observation.rgb, 255, np.uint8),
        ("depth", observation.depth, 1e4, np.uint16),
    ):
        if image is not None:
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.round(scale * image).astype(dtype)).save(folder / kind / f"{frame:06d}.png")


refiner = dd.Refiner(mesh, CAMERA, preset="fast")
states = []
for frame in range(FRAMES):
    observation = photograph(frame)
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]), frame, observation)
    # The first frame needs a pose, here a few degrees and millimetres off; the others continue from the last one.
    start = true_pose(0).retract([0.003, -0.002, 0.004, 0.04, 0.03, -0.02]) if frame == 0 else None
    began = time.perf_counter()
    result = refiner.track(observation, pose=start)
    milliseconds = 1e3 * (time.perf_counter() - began)
    error = 1e3 * result.pose.distance_to(true_pose(frame))
    states.append(result.status)
    if frame % 5 == 0 or result.notes[-1].startswith("found") or result.status == "lost":
        sure = f"confidence {result.confidence:.2f}" if result.confidence is not None else "nothing to compare"
        print(f"frame {frame:2d}: {result.status:15s} {sure}, {error:5.1f} mm off, {milliseconds:6.1f} ms")

lost = [frame for frame, state in enumerate(states) if state == "lost"]
print(f"hidden in frames {HIDDEN[0]} to {HIDDEN[-1]}, lost in {lost}")

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
    for name in ("object.ply", "object.png"):
        shutil.copy(demo / name, folder / name)
    camera = {"cam_K": CAMERA.K.ravel().tolist(), "depth_scale": 0.1, "width": CAMERA.width, "height": CAMERA.height}
    (folder / "camera.json").write_text(json.dumps(camera))
    R, t_mm = true_pose(0).retract([0.003, -0.002, 0.004, 0.04, 0.03, -0.02]).to_bop()
    (folder / "init.json").write_text(json.dumps({"cam_R_m2c": R, "cam_t_m2c": t_mm}))
