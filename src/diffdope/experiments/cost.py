"""What time is spent on: hypotheses, triangles, pixels, threads; each as a ratio to one reference of the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.checked_fields import checked_fields
from diffdope.experiments.bench import Bench, Row, StartLevel, perturbed
from diffdope.experiments.cases import Case, Source, case_keys, group_of
from diffdope.experiments.plots import log_axes, new_figure, save, style
from diffdope.experiments.shapes import subdivided
from diffdope.experiments.study import Study
from diffdope.experiments.synthetic import picture
from diffdope.experiments.tables import column, grouped, numbers
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.jobs.task import Task
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import Preset
from diffdope.scene.observation import Observation

AXES = {"hypotheses": "hypotheses B", "triangles": "triangles", "pixels": "pixels of the crop", "threads": "threads"}


@dataclass(frozen=True)
@checked_fields(
    least={
        "hypotheses": 1,
        "subdivisions": 0,
        "crop_sizes": 8,
        "thread_counts": 1,
        "picture_side": 8,
        "iterations": 1,
        "rounds": 1,
    }
)
class CostStudySettings:
    """Axes, varied one at a time around the preset; the case's mesh in a synthetic picture of its own."""

    hypotheses: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    """B."""
    subdivisions: tuple[int, ...] = (0, 1, 2, 3)
    """Triangles of the mesh, times 4 ** n: the same surface."""
    crop_sizes: tuple[int, ...] = (64, 96, 128, 160, 240, 320)
    """Longest side of the crop at most; the image is reduced by whole factors."""
    thread_counts: tuple[int, ...] = (1, 2)
    """Threads of one refinement."""
    picture_side: int = 720
    """Pixels of the square picture, of which the object takes two thirds."""
    iterations: int = 15
    """Of every timed refinement; none stops before."""
    rounds: int = 6
    """Timed pairs of variant and reference; the medians count."""
    preset: Preset = field(default_factory=Preset)
    """The reference."""


def trials(settings: CostStudySettings, source: Source) -> list[Task]:
    """One for every case, axis and value."""
    pairs = [("hypotheses", settings.hypotheses), ("triangles", settings.subdivisions)]
    pairs += [("pixels", settings.crop_sizes), ("threads", settings.thread_counts)]
    return [
        Task(f"{key}/{axis}/{value:04d}", group_of(key), {"case": key, "axis": axis, "setting": value})
        for key in case_keys(source)
        for axis, values in pairs
        for value in values
    ]


def measure(bench: Bench, settings: CostStudySettings, trial: Row) -> Row:
    """Times a variant and the reference in turns."""
    case, axis, value = bench.case(str(trial["case"])), str(trial["axis"]), int(numbers(trial, "setting"))
    truth, observation = portrait(case, settings.picture_side, bench.seed)
    observation = bench.source.seen(observation)
    start = perturbed(truth, StartLevel(10, 4), bench.rng(case.key, 0))
    preset = fixed_length(settings)
    mesh = subdivided(case.mesh, value) if axis == "triangles" else case.mesh
    threads = value if axis == "threads" else bench.threads
    variant = Refiner(mesh, preset=varied(preset, axis, value), seed=bench.seed, threads=threads)
    reference = Refiner(case.mesh, preset=preset, seed=bench.seed, threads=bench.threads)
    window = variant.refine(observation, start).window  # warm
    reference.refine(observation, start)
    times = np.array(
        [[r.refine(observation, start).elapsed_s for r in (variant, reference)] for _ in range(settings.rounds)]
    )
    assert window is not None
    width, height = window.size
    x = {"hypotheses": value, "triangles": len(mesh.faces), "pixels": width * height, "threads": value}[axis]
    own, other = np.median(times, axis=0)
    return {
        "object": case.object_name, "value": int(x), "seconds": float(own), "seconds_reference": float(other),
        "seconds_ratio": float(np.median(times[:, 0] / times[:, 1])),
        "seconds_iteration": float(own) / (settings.iterations + 1),
    }  # fmt: skip


@lru_cache(maxsize=2)
def portrait(case: Case, side: int, seed: int) -> tuple[Pose, Observation]:
    """A picture in which the case's mesh, oriented as it was, takes two thirds of the side."""
    mesh, R = case.mesh, case.truth.R_m2c
    distance_m = 5.0 * mesh.diameter
    focal = 2.0 / 3.0 * side * distance_m / mesh.diameter
    camera = Camera(focal, focal, (side - 1) / 2, (side - 1) / 2, side, side)
    pose = Pose(R, np.array([0.0, 0.0, distance_m]) - R @ mesh.center_m)
    return pose, picture([(mesh, pose)], np.random.default_rng(seed), camera=camera)


def fixed_length(settings: CostStudySettings) -> Preset:
    """The preset with a number of iterations that nothing cuts short."""
    descent = replace(settings.preset.descent, iterations=settings.iterations, patience=settings.iterations + 1)
    return replace(settings.preset, descent=descent)


def varied(preset: Preset, axis: str, value: int) -> Preset:
    """The preset with one number changed."""
    if axis == "hypotheses":
        return replace(preset, descent=replace(preset.descent, hypotheses=value))
    return replace(preset, crop=replace(preset.crop, size=value)) if axis == "pixels" else preset


def table(settings: CostStudySettings, records: Sequence[Row]) -> list[Row]:
    """A row for every axis and value; medians over the cases."""
    names = ("value", "seconds", "seconds_iteration", "seconds_ratio")
    return [
        {"axis": axis, "setting": setting, "n": len(group)}
        | {name: float(np.median(column(group, name))) for name in names}
        for (axis, setting), group in grouped(records, "axis", "setting").items()
    ]


def plot(settings: CostStudySettings, records: Sequence[Row], path: Path) -> None:
    """A panel an axis: time over that of the reference; in proportion would be the dotted line."""
    figure, axes = new_figure(4, width=3.6)
    rows = table(settings, records)
    for panel, (axis, label) in zip(axes, AXES.items(), strict=True):
        own = sorted((row for row in rows if row["axis"] == axis), key=lambda row: numbers(row, "value"))
        draw_axis(panel, own, label, slope=-1 if axis == "threads" else 1)
    axes[0].set(ylabel="time / time of the reference")
    save(figure, path)


def draw_axis(axis: Any, rows: Sequence[Row], label: str, *, slope: int) -> None:
    """Ratio by value, and what proportion would give from the largest one on (threads: from the smallest)."""
    x, y = (np.array([numbers(row, name) for row in rows]) for name in ("value", "seconds_ratio"))
    axis.plot(x, y, **style(0))
    anchor = -1 if slope > 0 else 0
    if len(x):
        axis.plot(x, y[anchor] * (x / x[anchor]) ** slope, ":", color="0.4", label="in proportion")
        axis.legend(fontsize=8)
    log_axes(axis, x=sorted({*x[::2], x[-1]}), y=True)
    axis.set(xlabel=label)
    axis.margins(y=0.12)
    axis.axhline(1.0, color="0.35", linewidth=0.8)
    for a, b in zip(x, y, strict=True):
        axis.annotate(f"{b:.2g}", (a, b), (0, 6), textcoords="offset points", fontsize=7, ha="center")


STUDY = Study(
    name="cost",
    purpose="time against hypotheses, triangles, pixels and threads",
    settings=CostStudySettings(),
    quick=CostStudySettings((1, 4), (0, 1), (64, 96), (1, 2), picture_side=180, iterations=3, rounds=1),
    trials=trials, measure=measure, table=table, plot=plot, timed=True,
)  # fmt: skip
