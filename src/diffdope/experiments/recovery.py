"""The basin of convergence: from how far off is a pose recovered?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.checked_fields import checked_fields
from diffdope.experiments.bench import NO_START, RECOVERED_MM, Bench, Row, StartLevel, measured, perturbed
from diffdope.experiments.cases import Source, case_keys, group_of
from diffdope.experiments.plots import heat_map, new_figure, save
from diffdope.experiments.study import Study
from diffdope.experiments.tables import grouped, numbers, summaries
from diffdope.jobs.task import Task
from diffdope.pipelines.settings import Preset


@dataclass(frozen=True)
@checked_fields(least={"angles_deg": 0.0, "distances_mm": 0.0, "repeats": 1})
class RecoveryStudySettings:
    """A grid of start poses."""

    angles_deg: tuple[float, ...] = (5, 10, 20, 30, 40, 60, 80)
    """Turned by exactly these angles about random axes."""
    distances_mm: tuple[float, ...] = (0, 10, 20, 30, 50, 80)
    """Moved by exactly these lengths in random directions."""
    repeats: int = 8
    """Random axes and directions a cell and case."""
    preset: Preset = field(default_factory=Preset)
    """Numbers of the refinement."""


def trials(settings: RecoveryStudySettings, source: Source) -> list[Task]:
    """One for every cell, case and repeat; and one for every case without a start, in which nothing is drawn."""
    located = [
        Task(f"{key}/{NO_START}", group_of(key), {"case": key, "angle_deg": None, "distance_mm": None, "repeat": 0})
        for key in case_keys(source)
    ]
    return located + [
        Task(
            f"{key}/{angle:07.3f}/{distance:08.3f}/{repeat:04d}",
            group_of(key),
            {"case": key, "angle_deg": float(angle), "distance_mm": float(distance), "repeat": repeat},
        )
        for key in case_keys(source)
        for angle in settings.angles_deg
        for distance in settings.distances_mm
        for repeat in range(settings.repeats)
    ]


def measure(bench: Bench, settings: RecoveryStudySettings, trial: Row) -> Row:
    """One refinement."""
    case, repeat = bench.case(str(trial["case"])), int(numbers(trial, "repeat"))
    start = None
    if trial["angle_deg"] is not None:
        level = StartLevel(numbers(trial, "angle_deg"), numbers(trial, "distance_mm"))
        # Axes and directions of its own for every cell: more of them are tried in all.
        start = perturbed(case.truth, level, bench.rng(f"{case.key} {level.name}", repeat))
    result = bench.refine_or_locate(
        case.mesh, case.observation, start, settings.preset, repeat=repeat, case_key=case.key
    )  # fmt: skip
    if isinstance(result, dict):
        return result
    return {"object": case.object_name, **measured(case.mesh, case.symmetries, case.truth, start, result)}


def table(settings: RecoveryStudySettings, records: Sequence[Row]) -> list[Row]:
    """A row a cell; the first is without a start."""
    named = [
        {**one, "angle_deg": NO_START, "distance_mm": NO_START} if one["angle_deg"] is None else one for one in records
    ]
    return summaries(named, "angle_deg", "distance_mm")


def plot(settings: RecoveryStudySettings, records: Sequence[Row], path: Path) -> None:
    """Two heat maps: share recovered, and median ADD."""
    cells = grouped(records, "angle_deg", "distance_mm")
    share, median = (np.full((len(settings.angles_deg), len(settings.distances_mm)), np.nan) for _ in range(2))
    for (row, angle), (k, distance) in (
        (a, d) for a in enumerate(settings.angles_deg) for d in enumerate(settings.distances_mm)
    ):
        errors = np.array([numbers(record, "add_mm") for record in cells.get((angle, distance), [])])
        if len(errors):
            share[row, k], median[row, k] = np.mean(errors < RECOVERED_MM), np.median(errors)
    figure, axes = new_figure(2, width=5.0, height=4.2)
    alone = [numbers(record, "add_mm") for record in cells.get((None, None), [])]
    if alone:
        found = 100 * np.mean(np.array(alone) < RECOVERED_MM)
        figure.suptitle(f"without a start: {found:.0f} % recovered, median {np.median(alone):.2g} mm", fontsize=10)
    grid: dict[str, Any] = {"x": settings.distances_mm, "y": settings.angles_deg}
    heat_map(
        figure, axes[0], 100 * share, title=f"recovered (ADD < {RECOVERED_MM:g} mm), %", low=0, high=100,
        texts=[[f"{100 * value:.0f}" for value in line] for line in share], **grid,
    )  # fmt: skip
    heat_map(
        figure, axes[1], median, title="median ADD, mm", low=0.1, high=100, logarithmic=True,
        texts=[[f"{value:.2g}" if value < 100 else f"{value:.0f}" for value in line] for line in median], **grid,
    )  # fmt: skip
    for axis in axes:
        axis.set(xlabel="start: distance, mm", ylabel="start: angle, degrees")
    save(figure, path)


STUDY = Study(
    name="recovery",
    purpose="from how far off a pose is recovered: the basin of convergence",
    settings=RecoveryStudySettings(),
    quick=RecoveryStudySettings(angles_deg=(5, 60), distances_mm=(0, 20), repeats=1),
    trials=trials, measure=measure, table=table, plot=plot, any_preset=True,
)  # fmt: skip
