"""Tracking along real hand-held paths, on drawn pictures: `python -m benchmarks.sequence`.

All trackers see the same frames: RGB-D without a mask, RGB-D with a noisy mask, and RGB alone. One thread. A frame's
time is the least of several trackers that do the same in turn, because machines have other things to do.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks import trajectories
from benchmarks.drawn_film import CAMERA, Film, Shot
from benchmarks.shared_data import evaluation_points, load_mesh
from diffdope.bop.metrics import add
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.pipelines.settings import Preset, preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

IMAGES = {"RGB-D": ("rgb", "depth"), "RGB-D, mask": ("rgb", "depth", "mask"), "RGB": ("rgb",)}
WRONG = 0.1  # of the diameter: an ADD above it is a lost object
HIDDEN = 0.3  # less of the object visible than this: nobody could tell
AT_REST = 1e-9  # memory of the motion model, seconds: a velocity that is forgotten at once


@dataclass
class Log:
    """What one tracker did, a row a frame."""

    add_mm: list[float] = field(default_factory=list)
    wrong: list[bool] = field(default_factory=list)
    lost: list[bool] = field(default_factory=list)
    doubtful: list[bool] = field(default_factory=list)
    visible: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    prepared_ms: list[float] = field(default_factory=list)

    def take(self, other: Log) -> None:
        """Appends another sequence."""
        for name, values in vars(other).items():
            getattr(self, name).extend(values)


def observed(shot: Shot, images: tuple[str, ...]) -> Observation:
    """The frame with only some of its images; a mask that holds nothing is none."""
    given = {name: getattr(shot, name) for name in images if name != "mask" or shot.mask.any()}
    return Observation(CAMERA, **given)


class Runner:
    """One tracker on one sequence."""

    def __init__(
        self, mesh: Mesh, settings: Preset, images: tuple[str, ...], points: np.ndarray, *, passes: int = 1
    ) -> None:
        self._refiners = [Refiner(mesh, CAMERA, preset=settings, threads=1) for _ in range(passes)]
        self._images, self._points, self._length_m = images, points, mesh.diameter
        self._doubt = settings.tracking.doubt
        self.log = Log()

    def see(self, shot: Shot, start: Pose | None) -> None:
        """Tracks one frame, timed."""
        began = time.perf_counter()
        observation = observed(shot, self._images)
        prepared = time.perf_counter()
        taken = []
        for refiner in self._refiners:
            called = time.perf_counter()
            result = refiner.track(observation, start, time_s=shot.time_s)
            taken.append(time.perf_counter() - called)
        error = add(result.pose, shot.truth, self._points)
        self.log.add_mm.append(1e3 * error)
        self.log.wrong.append(error > WRONG * self._length_m)
        self.log.lost.append(result.status is Status.LOST)
        self.log.doubtful.append(result.ok and (result.confidence or 0.0) < self._doubt)
        self.log.visible.append(shot.visible)
        self.log.milliseconds.append(1e3 * min(taken))
        self.log.prepared_ms.append(1e3 * (prepared - began))


def run(name: str, settings: Preset, arguments: argparse.Namespace, speed: float) -> dict[str, Log]:
    """All trackers over one path."""
    path = trajectories.model_path(name)
    mesh, points = load_mesh(path), evaluation_points(path)
    poses = trajectories.poses(name, arguments.frames, speed=speed)
    film = Film(mesh, poses, seed=arguments.seed, occluder=arguments.occluder, drop=arguments.drop)
    still = replace(settings, tracking=replace(settings.tracking, memory_s=AT_REST))
    kinds = {"": settings} | ({", no motion": still} if arguments.no_motion else {})
    chosen = {k: IMAGES[k] for k in arguments.images.split(";")}
    runners = {
        kind + motion: Runner(mesh, numbers, images, points, passes=arguments.passes)
        for kind, images in chosen.items()
        for motion, numbers in kinds.items()
    }
    rng = np.random.default_rng(arguments.seed)
    start: Pose | None = perturb(poses[0], angle_rad=np.radians(3.0), distance_m=0.003, rng=rng)
    for shot in film:
        for runner in runners.values():
            runner.see(shot, start)
        start = None
    return {kind: runner.log for kind, runner in runners.items()}


def first_wrong(log: Log) -> int:
    """Frames until the pose was wrong for the first time while the object could be seen."""
    wrong = np.array(log.wrong) & (np.array(log.visible) >= HIDDEN)
    return int(np.argmax(wrong)) if wrong.any() else len(wrong)


def until_found(log: Log) -> list[int]:
    """Frames that it took, after each time that the object was hidden, until its pose was right and not `lost`."""
    hidden, right = np.array(log.visible) < HIDDEN, ~np.array(log.wrong) & ~np.array(log.lost)
    back = np.flatnonzero(hidden[:-1] & ~hidden[1:]) + 1
    return [int(np.argmax(right[k:])) if right[k:].any() else len(right) - int(k) for k in back]


def summary(logs: list[Log]) -> str:
    """A row of the table."""
    all_of = Log()
    for log in logs:
        all_of.take(log)
    errors, lost, wrong = (np.array(values) for values in (all_of.add_mm, all_of.lost, all_of.wrong))
    doubtful, seen = np.array(all_of.doubtful), np.array(all_of.visible) >= HIDDEN
    said = errors[~lost]
    until = [first_wrong(log) for log in logs]
    unbroken = np.mean([end == len(log.add_mm) for end, log in zip(until, logs, strict=True)])
    times, found = np.array(all_of.milliseconds), [frames for log in logs for frames in until_found(log)]
    recovery = f"{np.median(found):.0f} / {np.max(found)}" if found else "-"
    return (
        f"{np.median(said):.2f} / {np.percentile(said, 90):.2f} | {np.mean(errors[seen] < 5.0):.1%} | "
        f"{np.mean(lost):.1%} | {np.mean(lost & seen):.1%} | {np.median(until):.0f} ({unbroken:.0%} never) | "
        f"{np.mean(wrong & ~lost & ~doubtful):.2%} | {np.mean(wrong & ~lost):.2%} | {recovery} | "
        f"{np.median(times):.1f} / {np.percentile(times, 90):.1f} | {np.median(all_of.prepared_ms):.1f}"
    )


HEADER = (
    "| images | ADD median / p90 mm, of frames not lost | < 5 mm, of visible | lost | lost though visible | "
    "frames until wrong | wrong and not said | wrong, at most in doubt | "
    "frames until found after it was hidden, median / most | ms a frame, median / p90 | Observation, ms |"
)


def main() -> None:
    """Prints a table a speed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", default=",".join(list(trajectories.PATHS)[:6]))
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--speeds", default="1,3", help="how many times as fast the paths are played")
    parser.add_argument("--images", default=";".join(IMAGES))
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--occluder", action="store_true", help="a card passes in front of the object")
    parser.add_argument("--drop", type=float, default=0.0, help="share of frames that are missing")
    parser.add_argument("--no-motion", action="store_true", help="also each frame from the last pose, no motion model")
    parser.add_argument("--passes", type=int, default=3, help="trackers whose least time counts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", action="store_true", help="a row for each path as well")
    arguments = parser.parse_args()
    if not trajectories.FOLDER.is_dir():
        print(f"skipped: no paths at {trajectories.FOLDER}; they are not part of the project")
        return
    settings = preset(arguments.preset)
    for speed in (float(word) for word in arguments.speeds.split(",")):
        occluder = ", a card passes" if arguments.occluder else ""
        print(f"\nspeed {speed:g}, {arguments.frames} frames a path{occluder}, {arguments.drop:.0%} dropped\n")
        print(f"{HEADER}\n{'|---' * HEADER.count(' | ')}|---|", flush=True)
        logs: dict[str, list[Log]] = {}
        for name in arguments.paths.split(","):
            for kind, log in run(name, settings, arguments, speed).items():
                logs.setdefault(kind, []).append(log)
                if arguments.each:
                    print(f"| {name}: {kind} | {summary([log])} |", flush=True)
        for kind, found in logs.items():
            print(f"| {kind} | {summary(found)} |", flush=True)


if __name__ == "__main__":
    main()
