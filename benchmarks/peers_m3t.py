"""Beside M3T on the same images: `python -m benchmarks.peers_m3t DRIVER`. Prints markdown tables.

M3T (Stoiber et al., IJCV 2023) is C++. Neither it nor anything of it is part of the project: build its library
(`M3T` in github.com/DLR-RM/3DObjectTracking, CMake, Eigen, OpenCV, GLFW, GLEW), and against it
`benchmarks/peers/m3t_driver.cpp`, which is ours; DRIVER is the program that comes of it. It needs an OpenGL display for
a mesh that it has not seen: `xvfb-run` where there is none.

Both get one thread and the same starts, and are timed by processor time, without the decoding of files: of M3T, its
tracking step; of ours, in the film the `Observation` from arrays and `Refiner.track`, in HOPE's scene `Refiner.refine`.
The numbers of M3T are its defaults.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import real_film
from benchmarks.report import table
from benchmarks.shared_data import HOPE2, LEVELS, evaluation_points, load_mesh
from diffdope.bop.metrics import add
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.mesh import Mesh

# Of correspondences: what M3T itself takes for a frame, and for a rough start.
TRACKING_ROUNDS, REFINING_ROUNDS = 5, 7
CLOSE_MM = 5.0


@dataclass(frozen=True)
class Step:
    """A frame for the driver: where to begin anew, or None to go on."""

    number: int
    start: Pose | None
    rounds: int = TRACKING_ROUNDS


@dataclass(frozen=True)
class Images:
    """Folders of colours and depth (or None), the colours' file type, and metres per unit of depth."""

    colours: Path
    kind: str
    depth: Path | None
    depth_m: float = 1e-3


def write_obj(mesh: Mesh, path: Path) -> None:
    """Vertices and faces, metres."""
    lines = ["v {:.9g} {:.9g} {:.9g}".format(*vertex) for vertex in mesh.vertices_m]
    lines += ["f {} {} {}".format(*(face + 1)) for face in mesh.faces]
    path.write_text("\n".join(lines) + "\n")


def followed(
    driver: Path, mesh: Mesh, camera: Camera, images: Images, steps: Sequence[Step], *, folder: Path, divides: int
) -> tuple[list[Pose], list[float]]:
    """Poses and milliseconds of M3T, a frame each; `folder` keeps what it makes of the mesh."""
    write_obj(mesh, folder / "object.obj")
    numbers = (camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height)
    words = [
        str(folder / "object.obj"), "1", str(folder), str(divides), str(images.colours), images.kind,
        str(images.depth or "-"), f"{images.depth_m:.9g}", *(f"{number:.9g}" for number in numbers), str(len(steps)),
    ]  # fmt: skip
    for step in steps:
        pose = step.start or Pose.identity()
        words += [str(step.number), str(int(step.start is not None)), str(step.rounds)]
        words += [f"{value:.9g}" for value in (*pose.R_m2c.ravel(), *pose.t_m2c)]
    (folder / "job.txt").write_text("\n".join(words) + "\n")
    done = subprocess.run([driver, folder / "job.txt"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{driver} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    rows = [[float(word) for word in line.split()] for line in done.stdout.splitlines() if line[:1].isdigit()]
    return [Pose(np.reshape(row[2:11], (3, 3)), row[11:14]) for row in rows], [row[1] for row in rows]


def film_table(driver: Path, folder: Path, divides: int, every: Sequence[int]) -> None:
    """The real film of a cube: what both are off in its good frames, and what a frame takes."""
    camera, frames = real_film.film()
    mesh, out = real_film.model("none"), []
    same = real_film.symmetries()
    for name in ("RGB-D", "RGB"):
        depth = real_film.FOLDER / "depth" if name == "RGB-D" else None
        images = Images(real_film.FOLDER / "rgb", "jpg", depth)
        for skip in every:
            numbers = range(0, real_film.FRAMES, skip)
            steps = [Step(n, frames[n].truth if n == 0 else None) for n in numbers]
            poses, ms = followed(driver, mesh, camera, images, steps, folder=folder, divides=divides)
            theirs = [
                real_film.Row(n, frames[n].good, *real_film.errors(pose, frames[n].truth, same), False, 0.0, each)
                for n, pose, each in zip(numbers, poses, ms, strict=True)
            ]
            real_film.follow(mesh, "fast", real_film.IMAGES[name], numbers[:3])  # whatever is made once
            ours = real_film.follow(mesh, "fast", real_film.IMAGES[name], numbers)
            ratio = np.median([row.ms for row in ours]) / np.median(ms)
            for who, rows in (("M3T", theirs), ("`fast`", ours)):
                lost, gone = sum(row.lost for row in rows), sum(row.mm > real_film.GONE_MM for row in rows)
                good = [row for row in rows if row.good and not row.lost]
                mm, degrees = np.median([row.mm for row in good]), np.median([row.degrees for row in good])
                took = np.median([row.ms for row in rows])
                told = str(lost) if rows is ours else "-"  # M3T does not say
                ended = f"{ratio:.1f}" if rows is ours else ""
                row = [name, str(skip), who, told, str(gone), f"{mm:.1f}", f"{degrees:.2f}", f"{took:.2f}", ended]
                out.append(row)
    table(["images", "every", "", "lost", f"> {real_film.GONE_MM:g} mm", "good: mm", "degrees", "ms", "times M3T"], out)


def scene_table(driver: Path, folder: Path, divides: int, level: str, objects: int) -> None:
    """HOPE scene 2, RGB-D without a mask: ADD from perturbed starts."""
    errors: dict[str, list[float]] = {"M3T": [], "`fast`": []}
    times: dict[str, list[float]] = {"M3T": [], "`fast`": []}
    cases = list(HOPE2.cases(level, "rgbd"))
    paths = list(dict.fromkeys(case.mesh_path for case in cases))[:objects]
    for path in paths:
        mine, points, mesh = (
            [case for case in cases if case.mesh_path == path],
            evaluation_points(path),
            load_mesh(path),
        )
        refiner = Refiner(mesh, preset="fast", threads=1)
        refiner.refine(mine[0].observation, mine[0].start)
        own = folder / path.stem
        own.mkdir(exist_ok=True)
        for number, case in enumerate(mine):
            seen = case.observation
            assert seen.rgb is not None and seen.depth is not None
            Image.fromarray(np.round(255 * seen.rgb).astype(np.uint8)).save(own / f"{number:06d}.png")
            (own / "depth").mkdir(exist_ok=True)
            Image.fromarray(np.round(1e4 * seen.depth).astype(np.uint16)).save(own / "depth" / f"{number:06d}.png")
        steps = [Step(number, case.start, REFINING_ROUNDS) for number, case in enumerate(mine)]
        images = Images(own, "png", own / "depth", 1e-4)
        poses, ms = followed(driver, mesh, mine[0].observation.camera, images, steps, folder=own, divides=divides)
        times["M3T"] += ms
        errors["M3T"] += [1e3 * add(pose, case.truth, points) for pose, case in zip(poses, mine, strict=True)]
        for case in mine:
            began = time.process_time()
            pose = refiner.refine(case.observation, case.start).pose
            times["`fast`"].append(1e3 * (time.process_time() - began))
            errors["`fast`"].append(1e3 * add(pose, case.truth, points))
    out = []
    for who, mm in errors.items():
        close = 100 * np.mean(np.array(mm) < CLOSE_MM)
        out.append([who, str(len(mm)), f"{np.median(mm):.1f}", f"{close:.0f} %", f"{np.median(times[who]):.2f}"])
    table(["", "starts", "ADD median, mm", f"< {CLOSE_MM:g} mm", "ms"], out)


def main(words: Sequence[str] | None = None) -> None:
    """Runs both over the same images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("driver", type=Path, help="the program that was built of benchmarks/peers/m3t_driver.cpp")
    parser.add_argument("--keep", type=Path, help="folder for what M3T makes of meshes, which takes minutes")
    parser.add_argument("--divides", type=int, default=4, help="how often M3T divides its sphere of views")
    parser.add_argument("--every", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--objects", type=int, default=4, help="of HOPE scene 2; 0 for the film alone")
    parser.add_argument("--level", default="10", choices=LEVELS, help="of HOPE's starts: degrees")
    args = parser.parse_args(words)
    if not args.driver.is_file():
        raise SystemExit(f"{args.driver} is not there: this benchmark needs M3T, built outside of the project")
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if real_film.FOLDER.is_dir():
            film_table(args.driver, folder, args.divides, args.every)
        else:
            print(f"{real_film.FOLDER} is not there: no film")
        if args.objects and HOPE2.there:
            scene_table(args.driver, folder, args.divides, args.level, args.objects)


if __name__ == "__main__":
    main()
