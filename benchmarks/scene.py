"""Several views and several objects against one by one: `python -m benchmarks.scene --help`.

    python -m benchmarks.scene views      drawn scenes of sim: 1 to 4 cameras, exact, off, refined
    python -m benchmarks.scene located    the same without start poses; one camera sees nothing
    python -m benchmarks.scene lights     HOPE's five pictures of a still scene: one pose for all against each
    python -m benchmarks.scene objects    sim and parts: all objects of a picture against one by one
    python -m benchmarks.scene contact    sim and parts: what contact makes of the images' results
    python -m benchmarks.scene time       seconds of the processor against the number of objects

Everything is seeded. Errors are ADD in millimetres (ADD-S of parts, some of which are symmetric).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import diffdope as dd
from benchmarks.drawn_scene import DrawnScene, drawn_scene, off, scene_cases
from benchmarks.shared_data import DATA, SETS, Case, CaseSet, by_image, evaluation_points, load_mesh
from diffdope.bop.metrics import add, add_s
from diffdope.calibration.assess import moved
from diffdope.geometry import so3
from diffdope.joint.contact import with_contact
from diffdope.scene.scene import Scene

F64 = NDArray[np.float64]

_START_DEG, _START_M = 10.0, 0.004
_HIDDEN = 0.7  # share of an object that is visible, below which it is called hidden
_HOPE = ("000001", "000003", "000005")


class Cameras(NamedTuple):
    """How many there are, by how much all but the first are off, and what is said about that."""

    count: int
    metres: float = 0.0
    degrees: float = 0.0
    refined: bool = False

    @property
    def name(self) -> str:
        """For tables."""
        if self.metres == 0.0:
            return f"{self.count}, exact"
        how = "refined" if self.refined else "taken as exact"
        return f"{self.count}, off by {1e3 * self.metres:g} mm / {self.degrees:g} deg, {how}"


SETUPS = (
    *(Cameras(count) for count in (1, 2, 3, 4)),
    *(
        Cameras(count, metres, degrees, refined)
        for metres, degrees in ((0.002, 0.25), (0.01, 1.0)) for count in (2, 3, 4) for refined in (False, True)
    ),
)  # fmt: skip


def error_mm(case: Case, pose: dd.Pose, truth: dd.Pose | None = None) -> float:
    """ADD, or ADD-S of parts."""
    metric = add_s if case.data_set == "parts" else add
    return 1e3 * float(metric(pose, case.truth if truth is None else truth, evaluation_points(case.mesh_path)))


def near(pose: dd.Pose, rng: np.random.Generator) -> dd.Pose:
    """A start pose that is off by 10 degrees and 4 mm, in random directions."""
    turn, shift = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    return dd.Pose(so3.exp(np.radians(_START_DEG) * turn) @ pose.R_m2c, pose.t_m2c + _START_M * shift)


def views_of(scene: DrawnScene, setup: Cameras, seed: int) -> list[dd.View]:
    """The first cameras of a scene; the very first is exact, for it is the world."""
    rng = np.random.default_rng(seed)
    views = [scene.views[0]]
    for view in scene.views[1 : setup.count]:
        T_w2c = off(view.T_w2c, setup.metres, setup.degrees, rng) if setup.metres else view.T_w2c
        sigma = (setup.metres, setup.degrees) if setup.refined else None
        views.append(dd.View(view.observation, T_w2c, sigma=sigma, name=view.name))
    return views


def run_views(images: Sequence[int]) -> None:
    """Table (a)."""
    rows: dict[Cameras, list[tuple[list[float], list[bool], list[tuple[float, float]], float]]] = {}
    for image, cases in scene_cases().items():
        if image not in images:
            continue
        rng = np.random.default_rng(image)
        scene = drawn_scene(cases, rng)
        starts = [near(case.truth, rng) for case in cases]
        refiner = dd.SceneRefiner(scene.objects)
        for setup in SETUPS:
            views = views_of(scene, setup, 100 + image)
            masks = {where: mask for where, mask in scene.masks.items() if where[0] < setup.count}
            began = time.process_time()
            result = refiner.refine(views, masks, starts=starts)
            seconds = time.process_time() - began
            triples = zip(cases, result.objects, scene.truth, strict=True)
            errors = [error_mm(case, one.pose, truth) for case, one, truth in triples]
            places = [moved(a.T_w2c, b.T_w2c) for a, b in zip(result.views[1:], scene.views[1:], strict=False)]
            rows.setdefault(setup, []).append((errors, [one.ok for one in result.objects], places, seconds))
    print("| cameras | n | ADD median | mean | p90 | found | camera mm median / max | deg median / max | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for setup, some in rows.items():
        errors = np.concatenate([one[0] for one in some])
        found, seconds = sum(sum(one[1]) for one in some), np.mean([one[3] for one in some])
        places = np.array([place for one in some for place in one[2]]).reshape(-1, 2)
        words = ["-", "-"]
        if len(places):
            words = [f"{a:.2f} / {b:.2f}" for a, b in zip(np.median(places, axis=0), places.max(axis=0), strict=True)]
        print(
            f"| {setup.name} | {len(errors)} | {np.median(errors):.3f} | {errors.mean():.3f} | "
            f"{np.quantile(errors, 0.9):.3f} | {found} | {words[0]} | {words[1]} | {seconds:.1f} |"
        )


def run_located(images: Sequence[int]) -> None:
    """Without start poses; the last of the cameras looks elsewhere, and has no masks."""
    print("| cameras | n | ADD median | mean | > 5 mm | found | sure and wrong | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    rows: dict[str, list[tuple[float, bool, float]]] = {}
    seconds: dict[str, float] = {}
    for image, cases in scene_cases().items():
        if image not in images:
            continue
        rng = np.random.default_rng(image)
        scene = drawn_scene(cases, rng)
        refiner = dd.SceneRefiner(scene.objects)
        for count, blind in ((1, False), (2, False), (2, True), (3, True), (4, True)):
            views = [*scene.views[: count - blind]]
            if blind:
                last = scene.views[count - 1]
                noise = np.round(255.0 * rng.uniform(0.3, 0.6, (last.camera.height, last.camera.width, 3)))
                views.append(dd.View(dd.Observation(last.camera, rgb=noise.astype(np.uint8)), last.T_w2c, name="blind"))
            masks = {where: mask for where, mask in scene.masks.items() if where[0] < count - blind}
            name = f"{count}, of which one sees nothing" if blind else f"{count}"
            began = time.process_time()
            result = refiner.refine(views, masks)
            seconds[name] = seconds.get(name, 0.0) + time.process_time() - began
            for case, one, truth in zip(cases, result.objects, scene.truth, strict=True):
                rows.setdefault(name, []).append((error_mm(case, one.pose, truth), one.ok, one.confidence))
    for name, some in rows.items():
        errors, found, sure = np.array([r[0] for r in some]), sum(r[1] for r in some), np.array([r[2] for r in some])
        far = int((errors > 5.0).sum())
        print(
            f"| {name} | {len(errors)} | {np.median(errors):.3f} | {errors.mean():.3f} | {far} | {found} | "
            f"{int(((errors > 5.0) & (sure > 0.5)).sum())} | {seconds[name] / len(images):.1f} |"
        )


def run_lights() -> None:
    """Table (b)."""
    print("| scene | objects | each picture: median | mean | > 5 mm | all five: median | mean | > 5 mm |")
    print("|---|---|---|---|---|---|---|---|")
    for scene in _HOPE:
        cases_of = by_image(CaseSet("hope", "val", (scene,), textured_only=True).cases("10", "rgb+mask"))
        pictures = list(cases_of.values())
        refiner = dd.SceneRefiner([dd.SceneObject(load_mesh(case.mesh_path)) for case in pictures[0]])
        views, masks, starts = [], {}, {}
        each: list[float] = []
        for v, cases in enumerate(pictures):
            views.append(dd.View(cases[0].observation.without_mask(), dd.Pose.identity(), name=f"picture {v}"))
            for o, case in enumerate(cases):
                masks[v, o], starts[v, o] = case.observation.mask, case.start
            alone = {(0, o): masks[v, o] for o in range(len(cases))}
            result = refiner.refine(views[-1], alone, starts={(0, o): case.start for o, case in enumerate(cases)})
            each += [error_mm(case, one.pose) for case, one in zip(cases, result.objects, strict=True)]
        together = refiner.refine(views, masks, starts=starts)
        errors = [error_mm(case, one.pose) for case, one in zip(pictures[0], together.objects, strict=True)]
        print(f"| {scene} | {len(errors)} | {_summary(each)} | {_summary(errors)} |", flush=True)


def _summary(errors: Sequence[float]) -> str:
    far = sum(error > 5.0 for error in errors)
    return f"{np.median(errors):.3f} | {np.mean(errors):.3f} | {far} of {len(errors)}"


def run_objects() -> None:
    """Table (c)."""
    print(
        "| set, given | start | hidden: n | one by one: median / mean | together | ratio of medians | others: n | "
        "one by one | together | worse / better | CPU s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, mode in (
        ("sim", "rgb+mask"), ("sim", "rgbd"), ("sim", "rgbd+mask"), ("parts", "rgbd"), ("parts", "rgbd+mask"),
    ):  # fmt: skip
        for level in ("10", "40"):
            _print_objects(name, mode, level)


def _masks(cases: Sequence[Case]) -> dict[tuple[int, int], Any]:
    return {(0, o): case.observation.mask for o, case in enumerate(cases) if case.observation.mask is not None}


def _worse_and_better(before_mm: NDArray[np.float64], after_mm: NDArray[np.float64]) -> str:
    """How many are farther from the truth than before by a tenth and 0.05 mm, and how many nearer."""
    counts = (int(np.count_nonzero(a > 1.1 * b + 0.05)) for a, b in ((after_mm, before_mm), (before_mm, after_mm)))
    return " / ".join(map(str, counts))


def _print_objects(name: str, mode: str, level: str) -> None:
    info = json.loads((DATA / name / "dev/000001/scene_gt_info.json").read_text())
    rows, alone_s, together_s = [], 0.0, 0.0
    for cases in by_image(SETS[name].cases(level, mode)).values():
        scene = dd.SceneRefiner([dd.SceneObject(load_mesh(case.mesh_path)) for case in cases])
        for refiner in scene.refiners:  # what is prepared once does not count
            refiner.meshes.buffers(500)
            _ = refiner.meshes.approximate_symmetries, refiner.meshes.tilt
        masks = _masks(cases)
        began = time.process_time()
        alone = [one.refine(case.observation, case.start) for one, case in zip(scene.refiners, cases, strict=True)]
        alone_s, began = alone_s + time.process_time() - began, time.process_time()
        view = dd.View(cases[0].observation.without_mask())
        together = scene.refine(view, masks, starts=[case.start for case in cases])
        together_s += time.process_time() - began
        for case, one, joint in zip(cases, alone, together.objects, strict=True):
            visible = info[str(case.image)][case.instance]["visib_fract"]
            rows.append((visible, error_mm(case, one.pose), error_mm(case, joint.pose)))
    table = np.array(rows)
    hidden = table[:, 0] < _HIDDEN
    changed = _worse_and_better(table[:, 1], table[:, 2])
    words = []
    for part in (table[hidden], table[~hidden]):
        words.append(
            f"{len(part)} | {np.median(part[:, 1]):.3f} / {part[:, 1].mean():.3f} | "
            f"{np.median(part[:, 2]):.3f} / {part[:, 2].mean():.3f}"
        )
    ratio = float(np.median(table[hidden, 2]) / np.median(table[hidden, 1]))
    words.append(f"{changed} | {alone_s:.1f} -> {together_s:.1f}")
    print(f"| {name} {mode} | {level} deg | {words[0]} | {ratio:.2f} | {words[1]} | {words[2]} |", flush=True)


CONTACTS = {
    "plane": dd.ContactSettings(plane=True), "not through each other": dd.ContactSettings(penetration_m=0.0005),
    "both": dd.ContactSettings(plane=True, penetration_m=0.0005),
}  # fmt: skip


def run_contact() -> None:
    """What contact makes of the same results of the images."""
    print("| set, given | start | contact | hidden: n | median / mean | others: n | median / mean | worse / better |")
    print("|---|---|---|---|---|---|---|---|")
    for name, mode in (("sim", "rgb+mask"), ("sim", "rgbd+mask"), ("parts", "rgb+mask"), ("parts", "rgbd")):
        for level in ("10", "40"):
            _print_contact(name, mode, level)


def _print_contact(name: str, mode: str, level: str) -> None:
    info = json.loads((DATA / name / "dev/000001/scene_gt_info.json").read_text())
    rows: dict[str, list[tuple[float, float]]] = {}
    for cases in by_image(SETS[name].cases(level, mode)).values():
        refiner = dd.SceneRefiner([dd.SceneObject(load_mesh(case.mesh_path)) for case in cases])
        masks = _masks(cases)
        view = dd.View(cases[0].observation.without_mask())
        images = refiner.refine(view, masks, starts=[case.start for case in cases])
        scene = Scene([view], refiner.objects, masks)
        results = {"none": images} | {
            key: with_contact(images, scene, refiner.refiners, one) for key, one in CONTACTS.items()
        }
        for key, result in results.items():
            for case, one in zip(cases, result.objects, strict=True):
                visible = info[str(case.image)][case.instance]["visib_fract"]
                rows.setdefault(key, []).append((visible, error_mm(case, one.pose)))
    before = np.array(rows["none"])
    for key, some in rows.items():
        table = np.array(some)
        words = []
        for part in (table[table[:, 0] < _HIDDEN], table[table[:, 0] >= _HIDDEN]):
            words.append(f"{len(part)} | {np.median(part[:, 1]):.3f} / {part[:, 1].mean():.3f}")
        changed = _worse_and_better(before[:, 1], table[:, 1])
        print(f"| {name} {mode} | {level} deg | {key} | {words[0]} | {words[1]} | {changed} |", flush=True)


def run_time() -> None:
    """How time grows with the number of objects: the first ones of each picture that has eight."""
    pictures = [cases for cases in scene_cases().values() if len(cases) >= 8]
    print("| objects | CPU s a picture | ms an object |")
    print("|---|---|---|")
    refiners = [dd.SceneRefiner([dd.SceneObject(load_mesh(case.mesh_path)) for case in cases]) for cases in pictures]
    for count in (8, 1, 2, 4, 8):  # the first time, levels of detail are made
        seconds = 0.0
        for cases, refiner in zip(pictures, refiners, strict=True):
            some = dd.SceneRefiner(refiner.objects[:count])
            some.refiners = refiner.refiners[:count]
            masks = _masks(cases[:count])
            view = dd.View(cases[0].observation.without_mask())
            began = time.process_time()
            some.refine(view, masks, starts=[case.start for case in cases[:count]])
            seconds += (time.process_time() - began) / len(pictures)
        print(f"| {count} | {seconds:.2f} | {1e3 * seconds / count:.0f} |", flush=True)


def main() -> None:
    """Runs the studies that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", default=["views", "located", "lights", "objects", "contact", "time"])
    parser.add_argument(
        "--images", nargs="*", type=int, default=list(range(8)), help="pictures of sim, for views and located"
    )
    given = parser.parse_args()
    if not (DATA / "sim").is_dir():
        raise SystemExit(f"the evaluation data are not there: {DATA}")
    runs = {
        "views": lambda: run_views(given.images), "located": lambda: run_located(given.images), "lights": run_lights,
        "objects": run_objects, "contact": run_contact, "time": run_time,
    }  # fmt: skip
    for study in given.studies:
        if study not in runs:
            raise SystemExit(f"studies: expected any of {', '.join(runs)}, got {study}")
        print(f"\n{study}\n", flush=True)
        runs[study]()


if __name__ == "__main__":
    main()
