"""Tracking a real hand-held film: `python -m benchmarks.real_film`. Prints a markdown table.

A cube of 85 mm without colours in its model, 99 RGB-D frames, fitted truth that is good to 2 mm and 1 degree in its
`good` frames. Errors are modulo the cube's 24 turns. A tracker starts at the truth of its first frame, gets the true
times, and sees every frame, or every second, third or fourth one: from each first frame that there is then.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from benchmarks.report import table
from benchmarks.shared_data import DATA, load_mesh
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

FOLDER = DATA / "video_cube"
IMAGES = {"RGB-D": ("rgb", "depth"), "depth": ("depth",), "RGB": ("rgb",)}
FRAMES = 99
FRAME_S = 1.0 / 30.0
GONE_MM = 60.0  # farther off is not on the object
SURE = 0.5


@dataclass(frozen=True)
class Frame:
    """One frame, and where the object is in it."""

    number: int
    rgb: np.ndarray
    depth_m: np.ndarray
    truth: Pose
    good: bool


@dataclass(frozen=True)
class Row:
    """What a tracker said of a frame."""

    frame: int
    good: bool
    mm: float
    degrees: float
    lost: bool
    confidence: float
    ms: float


@cache
def film() -> tuple[Camera, tuple[Frame, ...]]:
    """All of it."""
    camera = json.loads((FOLDER / "camera.json").read_text())
    poses = json.loads((FOLDER / "poses.json").read_text())
    frames = []
    for number in range(FRAMES):
        entry = poses[str(number)]
        with Image.open(FOLDER / "rgb" / f"{number:06d}.jpg") as image:
            rgb = np.asarray(image)
        with Image.open(FOLDER / "depth" / f"{number:06d}.png") as image:
            depth_m = 1e-3 * camera["depth_scale"] * np.asarray(image, dtype=np.float32)
        truth = Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])
        frames.append(Frame(number, rgb, depth_m, truth, entry["good"]))
    height, width = frames[0].rgb.shape[:2]
    fx, fy, cx, cy = (camera[name] for name in ("fx", "fy", "cx", "cy"))
    return Camera(fx=fx, fy=fy, cx=cx, cy=cy, width=width, height=height), tuple(frames)


def model(colour: str) -> Mesh:
    """The cube with no colour, or the one of a file whose material says grey."""
    mesh = load_mesh(FOLDER / "models" / "cube.ply")
    if colour == "none":
        return mesh
    return Mesh(mesh.vertices_m, mesh.faces, colors=np.full((len(mesh.vertices_m), 3), 0.4))


def symmetries() -> Symmetries:
    """The cube's 24 turns."""
    return Symmetries.from_bop(json.loads((FOLDER / "models" / "models_info.json").read_text())["cube"])


def errors(pose: Pose, truth: Pose, same: Symmetries) -> tuple[float, float]:
    """Millimetres and degrees, modulo symmetry; the symmetries turn about the origin."""
    turned = np.einsum("ij,sjk->sik", truth.R_m2c, same.R)
    trace = np.einsum("ij,sij->s", pose.R_m2c, turned).max()
    return 1e3 * pose.distance_to(truth), float(np.degrees(np.arccos(np.clip((trace - 1.0) / 2.0, -1.0, 1.0))))


def follow(mesh: Mesh, preset: str, images: tuple[str, ...], numbers: range) -> list[Row]:
    """One tracker over some frames."""
    camera, frames = film()
    same = symmetries()
    refiner, rows = Refiner(mesh, camera, preset=preset, threads=1), []
    for number in numbers:
        frame = frames[number]
        given = {"rgb": frame.rgb, "depth": frame.depth_m}
        start = frame.truth if number == numbers.start else None
        began = time.process_time()
        seen = Observation(camera, **{name: given[name] for name in images})
        result = refiner.track(seen, start, time_s=number * FRAME_S)
        ms = 1e3 * (time.process_time() - began)
        mm, degrees = errors(result.pose, frame.truth, same)
        sure = result.confidence if result.ok and result.confidence is not None else 0.0
        rows.append(Row(number, frame.good, mm, degrees, result.status == Status.LOST, sure, ms))
    return rows


def summary(name: list[str], rows: list[Row]) -> list[str]:
    """A row of the table."""
    told = [row for row in rows if row.good and not row.lost]
    return [
        *name,
        str(len(rows)),
        str(sum(row.lost for row in rows)),
        str(sum(row.mm > GONE_MM for row in rows)),
        str(sum(row.mm > GONE_MM / 4 and not row.lost and row.confidence >= SURE for row in rows)),
        "{:.1f} / {:.1f}".format(*np.percentile([row.mm for row in told], (50, 90))) if told else "-",
        f"{np.median([row.degrees for row in told]):.2f}" if told else "-",
        f"{np.median([row.ms for row in rows]):.1f} / {np.mean([row.ms for row in rows]):.1f}",
    ]


def main() -> None:
    """Runs trackers over the film."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presets", nargs="+", default=["fast", "default"])
    parser.add_argument("--images", nargs="+", default=["RGB-D", "depth"], choices=IMAGES)
    parser.add_argument("--colours", nargs="+", default=["none", "grey"], choices=["none", "grey"])
    parser.add_argument("--every", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--show", action="store_true", help="print each frame that is lost or far off")
    args = parser.parse_args()
    if not FOLDER.is_dir():
        raise SystemExit(f"{FOLDER} is not there: this benchmark needs the film beside the project")
    head = ["preset", "images", "colour", "every", "frames", "lost", f"> {GONE_MM:g} mm", f"> {GONE_MM / 4:g} mm, sure",
            "good frames: mm median / p90", "degrees", "ms median / mean"]  # fmt: skip
    out = []
    for preset in args.presets:
        for images in args.images:
            for colour in args.colours:
                for every in args.every:
                    rows: list[Row] = []
                    for first in range(every):
                        rows += follow(model(colour), preset, IMAGES[images], range(first, FRAMES, every))
                    out.append(summary([preset, images, colour, str(every)], rows))
                    print("  ".join(out[-1]), flush=True)
                    for row in rows if args.show else []:
                        if row.lost or row.mm > GONE_MM / 4 or row.degrees > 5:
                            print(f"    {row}")
    table(head, out)


if __name__ == "__main__":
    main()
