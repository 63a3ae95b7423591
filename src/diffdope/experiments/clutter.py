"""What makes a picture harder: occlusion, other objects, a coarse mesh, a wrong mask, other light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.checked_fields import checked_fields
from diffdope.experiments.bench import RECOVERED_MM, Bench, Row, StartLevel, measured, perturbed
from diffdope.experiments.cases import Case, Source, case_keys, group_of
from diffdope.experiments.plots import log_axes, new_figure, save, style
from diffdope.experiments.shapes import blob
from diffdope.experiments.spoil import occlude, with_gain, with_neighbours, without_mask, wrong_mask
from diffdope.experiments.study import Study
from diffdope.experiments.synthetic import SensorNoise, picture, random_pose
from diffdope.experiments.tables import numbers, summaries
from diffdope.geometry.symmetry import Symmetries
from diffdope.jobs.task import Task
from diffdope.pipelines.settings import Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

FACTORS = {
    "occlusion": "hidden share of the object",
    "neighbours": "objects around it",
    "neighbours, no mask": "objects around it, no mask given",
    "triangles": "triangles of the mesh (synthetic pictures)",
    "mask_error": "error of the mask's border, px RMS",
    "gain": "brightness, times the mesh's",
}


@dataclass(frozen=True)
@checked_fields(
    least={
        "occlusion": 0.0,
        "neighbours": 0,
        "subdivisions": 0,
        "photographed": 0,
        "mask_error": 0.0,
        "gain": 0.0,
        "angle_deg": 0.0,
        "distance_mm": 0.0,
        "repeats": 1,
    }
)
class ClutterStudySettings:
    """Factors, varied one at a time."""

    occlusion: tuple[float, ...] = (0, 0.2, 0.4, 0.6, 0.8)
    """Share of the visible mask that a card hides."""
    neighbours: tuple[int, ...] = (0, 4, 8, 16)
    """Painted primitives beside and behind the object, each tried with and without its mask given."""
    subdivisions: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    """Of the mesh of a blob: 20 * 4 ** n triangles."""
    photographed: int = 6
    """Subdivisions of the blob that its pictures show."""
    mask_error: tuple[float, ...] = (0, 1, 2, 4, 8)
    """Pixels of the image."""
    gain: tuple[float, ...] = (0.4, 0.7, 1, 1.4, 2)
    """Brightness of the picture."""
    angle_deg: float = 20.0
    """Starts are turned by exactly this angle ..."""
    distance_mm: float = 10.0
    """... and moved by exactly this length."""
    repeats: int = 10
    """Random starts, cards, places for every value and case."""
    preset: Preset = field(default_factory=Preset)
    """Numbers of the refinement."""


def values_of(settings: ClutterStudySettings) -> list[tuple[str, float]]:
    """All factors with their values."""
    pairs = [("occlusion", settings.occlusion), ("mask_error", settings.mask_error), ("gain", settings.gain)]
    pairs += [("neighbours", settings.neighbours), ("neighbours, no mask", settings.neighbours)]
    return [(factor, float(value)) for factor, values in pairs for value in values]


def trials(settings: ClutterStudySettings, source: Source) -> list[Task]:
    """One for every case, factor, value and repeat; the triangles need a blob of their own, whatever the cases."""
    tasks = [
        Task(
            f"{key}/{factor}/{value:08.3f}/{repeat:04d}",
            group_of(key),
            {"case": key, "factor": factor, "value": value, "repeat": repeat},
        )
        for key in case_keys(source)
        for factor, value in values_of(settings)
        for repeat in range(settings.repeats)
    ]
    return tasks + [
        Task(
            f"triangles/{times:02d}/{repeat:04d}",
            f"triangles/{times}",
            {"case": "blob", "factor": "triangles", "value": float(20 * 4**times), "repeat": repeat},
        )
        for times in settings.subdivisions
        for repeat in range(settings.repeats)
    ]


def measure(bench: Bench, settings: ClutterStudySettings, trial: Row) -> Row:
    """One refinement in a picture made harder."""
    factor, value, repeat = str(trial["factor"]), numbers(trial, "value"), int(numbers(trial, "repeat"))
    if factor == "triangles":
        return measure_triangles(bench, settings, int(value), repeat)
    case = bench.case(str(trial["case"]))
    observation = spoiled(case, factor, value, bench.rng(f"{case.key} {factor}", repeat))
    start = bench.start(case, StartLevel(settings.angle_deg, settings.distance_mm), repeat)
    result = bench.refine(case.mesh, observation, start, settings.preset, repeat=repeat, case_key=case.key)
    return {"object": case.object_name, **measured(case.mesh, case.symmetries, case.truth, start, result)}


def spoiled(case: Case, factor: str, value: float, rng: np.random.Generator) -> Observation:
    """The case's picture with one factor set to one value."""
    if factor == "occlusion":
        return occlude(case.observation, value, rng)
    if factor == "mask_error":
        return wrong_mask(case.observation, value, rng)
    if factor == "gain":
        return with_gain(case.observation, value)
    crowded = with_neighbours(case.observation, case.truth, case.mesh.diameter, int(value), rng)
    return without_mask(crowded) if factor == "neighbours, no mask" else crowded


def measure_triangles(bench: Bench, settings: ClutterStudySettings, count: int, repeat: int) -> Row:
    """A picture of the finest blob, refined with a coarser one."""
    rng = bench.rng("blob", repeat)
    truth = random_pose(rng)
    observation = bench.source.seen(
        picture([(blob_of(20 * 4**settings.photographed), truth)], rng, noise=SensorNoise())
    )
    start = perturbed(truth, StartLevel(settings.angle_deg, settings.distance_mm), rng)
    mesh = blob_of(count)
    result = bench.refine(mesh, observation, start, settings.preset, repeat=repeat)
    # Errors are of the same points for all meshes.
    return {"object": "blob", **measured(blob_of(1280), Symmetries.none(), truth, start, result)}


@lru_cache(maxsize=8)
def blob_of(triangles: int) -> Mesh:
    """The blob of so many triangles, 20 * 4 ** n."""
    return blob(round(np.log(triangles / 20) / np.log(4)))


def table(settings: ClutterStudySettings, records: Sequence[Row]) -> list[Row]:
    """A row for every factor and value."""
    return summaries(records, "factor", "value")


def plot(settings: ClutterStudySettings, records: Sequence[Row], path: Path) -> None:
    """A panel a factor: median ADD and its 90th percentile on the left axis, time on the right one."""
    rows = table(settings, records)
    figure, axes = new_figure(3, 2, height=3.2)
    slowest = max(numbers(row, "seconds_median") for row in rows)
    for axis, (factor, label) in zip(axes, FACTORS.items(), strict=True):
        own = [row for row in rows if row["factor"] == factor]
        lines = draw_factor(axis, own, label, slowest, logarithmic=factor in ("triangles", "gain"))
    figure.legend(handles=lines, loc="outside upper center", ncols=3, frameon=False)
    save(figure, path)


def draw_factor(axis: Any, rows: Sequence[Row], label: str, slowest: float, *, logarithmic: bool) -> list[Any]:
    """Error and time by the value of one factor; returns the three lines."""
    x = [numbers(row, "value") for row in rows]
    beside = axis.twinx()
    beside.spines["top"].set_visible(False)
    seconds = [numbers(row, "seconds_median") for row in rows]
    times = beside.plot(x, seconds, label="seconds (right)", **{**style(4), "alpha": 0.6, "markersize": 4})
    beside.set(ylabel="seconds", ylim=(0, 3 * slowest))  # in the lower third, out of the errors' way
    median, upper = ([numbers(row, name) for row in rows] for name in ("add_mm_median", "add_mm_p90"))
    middle = axis.plot(x, median, label="ADD, median", **style(0))
    worse = axis.plot(x, upper, label="ADD, 90th percentile", **{**style(0), "linestyle": "--", "alpha": 0.5})
    axis.axhline(RECOVERED_MM, color="0.35", linestyle=":", linewidth=1)
    log_axes(axis, x=x if logarithmic else None, y=True)
    axis.set(ylim=(0.05, 200), xlabel=label, ylabel="ADD, mm")
    return [*middle, *worse, *times]


STUDY = Study(
    name="clutter",
    purpose="occlusion, other objects, coarse meshes, wrong masks, other light: accuracy and time",
    settings=ClutterStudySettings(),
    quick=ClutterStudySettings((0, 0.6), (0, 2), (1, 2), 3, (0, 4), (0.7, 1), repeats=1),
    trials=trials, measure=measure, table=table, plot=plot, any_preset=True,
)  # fmt: skip
