"""What `benchmarks.against` sends to both interpreters: times one build of diffdope, a request at a time.

It uses only what every build offers (`Refiner`, `Observation`, `Pose`, `Mesh`, `Camera`, `packaged_example`) and reads
its inputs by itself; nothing of the benchmarks is imported, since the other build has others.

Requests come as JSON, a line each, and so do the answers. `{"case": ..., "threads": n, "prepare": count}` makes a case
ready and runs all its starts once; `{"case": ..., "threads": n, "start": k}` times start k and answers seconds by the
clock and by the processor. With an argument, `CASE THREADS INPUTS`, the file measures that case once in this process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Work = Callable[[], object]
_STATUS = Path("/proc/self/status")


class Inputs:
    """The folder that `benchmarks.against_inputs` filled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.plan: dict[str, Any] = json.loads((folder / "plan.json").read_text())

    @cache  # noqa: B019 - lives as long as the process
    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of a file."""
        with np.load(self._folder / f"{name}.npz") as file:
            return {key: file[key] for key in file.files}

    def poses(self, name: str) -> list[Any]:
        """Poses of a file, in its order."""
        import diffdope as dd

        found = self.arrays(name)
        return [dd.Pose(R, t) for R, t in zip(found["R"], found["t"], strict=True)]


# ---------------------------------------------------------------- what is refined


class Packaged:
    """The packaged example from drawn starts."""

    def __init__(self, inputs: Inputs, level: str) -> None:
        from diffdope.scene.packaged import packaged_example

        self._mesh, self._observation, _, _ = packaged_example()
        self._starts = inputs.poses(f"starts-{level}")

    def start(self, k: int) -> tuple[str, Any, Any, Any]:
        """Key of the object, its mesh, a fresh observation, and start k."""
        import diffdope as dd

        seen = self._observation
        fresh = dd.Observation(seen.camera, rgb=seen.rgb, depth=seen.depth, mask=seen.mask)
        return "packaged", self._mesh, fresh, self._starts[k % len(self._starts)]


class Hope:
    """The objects of HOPE's scene 2, image 0, from published starts; start k is another object each time."""

    def __init__(self, inputs: Inputs, level: str) -> None:
        self._root = Path(inputs.plan["hope"])
        self._folder = self._root / "val" / "000002"
        self._truth = self._json(self._folder / "scene_gt.json")["0"]
        self._camera = self._json(self._folder / "scene_camera.json")["0"]
        # The images of a scene differ in light alone, so the starts of all of them serve for the first.
        self._starts = self._json(self._root / "init_poses" / "000002" / f"scene_error_deg_{level}.json")
        self._rgb = np.asarray(Image.open(next((self._folder / "rgb").glob("000000.*"))).convert("RGB"))
        depth = np.asarray(Image.open(self._folder / "depth" / "000000.png")).astype(np.float32)
        self._depth = depth * np.float32(self._camera["depth_scale"] * 1e-3)

    @staticmethod
    def _json(path: Path) -> Any:
        return json.loads(path.read_text())

    @property
    def objects(self) -> int:
        """How many there are."""
        return len(self._truth)

    def mesh(self, instance: int) -> Any:
        """A fresh mesh."""
        import diffdope as dd

        name = f"obj_{self._truth[instance]['obj_id']:06d}.ply"
        path = self._root / "models" / name
        return dd.Mesh.load(path if path.exists() else self._root / "models_eval" / name, unit="mm")

    @cache  # noqa: B019 - lives as long as the process
    def _kept(self, instance: int) -> Any:
        return self.mesh(instance)

    def start(self, k: int) -> tuple[str, Any, Any, Any]:
        """Key of the object, its mesh, a fresh observation, and its start."""
        import diffdope as dd

        turn, i = divmod(k, self.objects)
        entry = self._starts[str(turn % len(self._starts))][i]
        K, (height, width) = np.reshape(self._camera["cam_K"], (3, 3)), self._depth.shape
        mask = np.asarray(Image.open(self._folder / "mask_visib" / f"000000_{i:06d}.png")) > 0
        seen = dd.Observation(
            dd.Camera.from_K(K, width=width, height=height), rgb=self._rgb, depth=self._depth, mask=mask
        )
        return f"hope-{i}", self._kept(i), seen, dd.Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])


SOURCES: dict[str, Callable[[Inputs, str], Any]] = {"packaged": Packaged, "hope": Hope}


class Refinements:
    """Single refinements; making the observation is not timed, but each is refined only once."""

    def __init__(self, inputs: Inputs, threads: int, preset: str, source: str, level: str) -> None:
        self._source, self._preset, self._threads = SOURCES[source](inputs, level), preset, threads

    @cache  # noqa: B019 - lives as long as the process
    def _refiner(self, key: str, mesh: Any) -> Any:
        import diffdope as dd

        return dd.Refiner(mesh, preset=self._preset, threads=self._threads)

    def work(self, k: int) -> Work:
        """Start k, ready."""
        key, mesh, observation, start = self._source.start(k)
        refiner = self._refiner(key, mesh)
        return lambda: refiner.refine(observation, start)


class Film:
    """Frames of a film, tracked one after the other; the making of the observation is timed, as in a live tracker."""

    def __init__(self, inputs: Inputs, threads: int, images: list[str]) -> None:
        import diffdope as dd
        from diffdope.scene.packaged import packaged_example

        self._mesh, seen, _, _ = packaged_example()
        self._camera, self._frames, self._poses = seen.camera, inputs.arrays("film"), inputs.poses("film")
        self._images = images
        self._refiner = dd.Refiner(self._mesh, preset="fast", threads=threads)

    def work(self, k: int) -> Work:
        """Frame k + 1; the first one, not timed, begins the film anew."""
        import diffdope as dd

        def track(frame: int, pose: Any = None) -> Any:
            given = {name: self._frames[name][frame] for name in self._images}
            return self._refiner.track(dd.Observation(self._camera, **given), pose)

        if k == 0:
            track(0, self._poses[0])
        return lambda: track(k + 1)


class Photograph:
    """Observation and refinement of a drawn photograph of some size."""

    def __init__(self, inputs: Inputs, threads: int, size: str) -> None:
        import diffdope as dd
        from diffdope.scene.packaged import packaged_example

        self._mesh = packaged_example().mesh
        found = inputs.arrays(f"photograph-{size}")
        height, width = found["depth"].shape
        self._camera = dd.Camera.from_K(found["K"], width=width, height=height)
        self._images = {name: found[name] for name in ("rgb", "depth", "mask")}
        self._starts = inputs.poses("photograph-starts")
        self._refiner = dd.Refiner(self._mesh, threads=threads)

    def work(self, k: int) -> Work:
        """Start k."""
        import diffdope as dd

        start = self._starts[k % len(self._starts)]

        def both() -> Any:
            return self._refiner.refine(dd.Observation(self._camera, **self._images, depth_scale=1e-4), start)

        return both


class OnePass:
    """One evaluation of 32 poses: cost, gradient and normal matrix."""

    def __init__(self, inputs: Inputs, threads: int) -> None:
        import diffdope as dd

        ball, seen = inputs.arrays("ball"), inputs.arrays("ball-seen")
        mesh = dd.Mesh(ball["vertices"], ball["faces"], uv=ball["uv"], texture=ball["texture"])
        height, width = seen["depth"].shape
        camera = dd.Camera.from_K(seen["K"], width=width, height=height)
        observation = dd.Observation(camera, rgb=seen["rgb"], depth=seen["depth"], mask=seen["mask"])
        self._evaluate = evaluator(mesh, observation, seen["mask"], threads)
        poses = inputs.arrays("ball-poses")
        self._R, self._t = poses["R"], poses["t"]

    def work(self, k: int) -> Work:
        """The same each time."""
        return lambda: self._evaluate(self._R, self._t)


def evaluator(mesh: Any, observation: Any, weight: np.ndarray, threads: int) -> Callable[[Any, Any], object]:
    """The fused pass of this build over poses (B, 3, 3) and (B, 3), at the one place where builds differ.

    Args:
        mesh: the object.
        observation: the crop.
        weight: (H, W), how much each pixel counts.
        threads: to use.
    """
    import importlib.util

    if importlib.util.find_spec("diffdope.problem") is None:
        return evaluator_of_0_1(mesh, observation, weight, threads)
    from diffdope.problem.factor import ImageFactor
    from diffdope.problem.problem import Problem
    from diffdope.problem.responsibility import Responsibility
    from diffdope.problem.variables import Variables
    from diffdope.render.buffers import Buffers
    from diffdope.terms.registry import ObjectiveSettings

    counts = np.asarray(weight, np.float32)
    responsibility = Responsibility(counts, np.ones_like(counts), float(counts.sum()))
    settings, buffers, length_m = ObjectiveSettings(edge_weight=0.0), Buffers(mesh, threads=threads), mesh.diameter
    factor = ImageFactor(buffers, observation, responsibility, settings, length_m=length_m, with_normal=True)
    return Problem(Variables.one_object(length_m), [factor]).evaluate


def evaluator_of_0_1(mesh: Any, observation: Any, weight: np.ndarray, threads: int) -> Callable[[Any, Any], object]:
    """The same of builds in which the objective was one class."""
    import importlib

    home = importlib.import_module("diffdope.objective.objective")
    settings = importlib.import_module("diffdope.objective.settings").ObjectiveSettings(edge_weight=0.0)
    buffers = home.Buffers(mesh, threads=threads)
    evaluate: Callable[[Any, Any], object] = home.Objective(
        buffers, observation, weight, settings, length_m=mesh.diameter, with_normal=True
    )
    return evaluate


KINDS: dict[str, Callable[..., Any]] = {
    "refine": Refinements, "film": Film, "photograph": Photograph, "pass": OnePass,
}  # fmt: skip


# ---------------------------------------------------------------- measured once in a process


def preparation(inputs: Inputs, threads: int) -> dict[str, float]:
    """Seconds by which the first refinements of all objects of a picture exceed second ones from the same starts."""
    import diffdope as dd

    warm = Refinements(inputs, threads, "default", "packaged", "040_trans_016")
    for k in range(3):  # loads the kernels
        warm.work(k)()
    source = Hope(inputs, "010_trans_004")
    extra = {"wall": 0.0, "cpu": 0.0}
    for i in range(source.objects):
        _, _, _, start = source.start(i)
        refiner = dd.Refiner(source.mesh(i), threads=threads)
        for sign in (1.0, -1.0):
            seen = source.start(i)[2]
            took = timed(lambda r=refiner, o=seen, s=start: r.refine(o, s))
            extra = {by: extra[by] + sign * took[by] for by in extra}
    return extra


def memory(inputs: Inputs, threads: int) -> dict[str, float]:
    """MiB that this process has held at most after one refinement of the packaged example."""
    Refinements(inputs, threads, "default", "packaged", "010_trans_004").work(0)()
    return {"mib": resident_mib("VmHWM")}


def photograph_memory(inputs: Inputs, threads: int) -> dict[str, float]:
    """MiB that observation and refinement of the large photograph take beyond its images."""
    Photograph(inputs, threads, "small").work(0)()  # kernels, tables of the mesh
    work = Photograph(inputs, threads, "large").work(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = resident_mib("VmRSS")
    work()
    return {"mib": resident_mib("VmHWM") - before}


def first_result(inputs: Inputs, threads: int) -> dict[str, float]:
    """Nothing but a first refinement; the process is timed from outside."""
    import diffdope as dd
    from diffdope.scene.packaged import packaged_example

    mesh, observation, start, _ = packaged_example()
    dd.Refiner(mesh, threads=threads).refine(observation, start)
    return {}


ONCE = {
    "preparation": preparation, "memory": memory, "photograph-memory": photograph_memory, "first-result": first_result,
}  # fmt: skip


def resident_mib(key: str) -> float:
    """VmRSS or VmHWM (its peak) of this process, from /proc; ru_maxrss begins at the peak of the parent process."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) / 1024.0


def timed(work: Work) -> dict[str, float]:
    """Seconds by the clock, and of all cores; and whether a refinement found its object, for giving up is fast."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return {
        "wall": time.perf_counter() - clock, "cpu": time.process_time() - processor,
        "ok": float(getattr(result, "ok", True)),
    }  # fmt: skip


def serve(inputs: Inputs) -> None:
    """Answers requests until there are no more."""

    @lru_cache(maxsize=2)  # one thread and two of the case at hand; more would only fill the memory
    def made(case: str, threads: int) -> Any:
        kind, *arguments = json.loads(case)
        return KINDS[kind](inputs, threads, *arguments)

    for line in sys.stdin:
        request = json.loads(line)
        job = made(json.dumps(request["case"]), request["threads"])
        if "prepare" in request:
            for k in range(request["prepare"]):
                job.work(k)()
            answer: dict[str, float] = {}
        else:
            answer = timed(job.work(request["start"]))
        print(json.dumps(answer), flush=True)


def about() -> dict[str, str]:
    """Which build this is."""
    import importlib.util

    import diffdope

    film = "mp4" if importlib.util.find_spec("av") else "gif"
    return {"file": str(diffdope.__file__), "version": diffdope.__version__, "film": film}


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(about()), flush=True)
        serve(Inputs(Path(sys.argv[1])))
    else:
        print(json.dumps(ONCE[sys.argv[2]](Inputs(Path(sys.argv[1])), int(sys.argv[3]))))
