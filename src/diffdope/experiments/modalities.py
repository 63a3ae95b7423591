"""Which images help: colours, depth, mask, edges, and their combinations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_choice
from diffdope.experiments.bench import PAPER_LEVELS, RECOVERED_MM, Bench, Row, StartLevel, levels_of, measured
from diffdope.experiments.cases import Case, Source, case_keys, group_of
from diffdope.experiments.plots import COLOURS, log_axes, new_figure, save
from diffdope.experiments.spoil import without_mask
from diffdope.experiments.study import Study
from diffdope.experiments.tables import numbers, summaries
from diffdope.jobs.task import Task
from diffdope.pipelines.settings import Preset

WEIGHTS = {"rgb": 0.7, "depth": 1.0, "mask": 1.0, "edge": 0.7}
UNMASKED = " (no mask given)"


@dataclass(frozen=True)
@checked_fields(least={"angles_deg": 0.0, "distances_mm": 0.0, "repeats": 1, "edge_weight": 0.0})
class ModalitiesStudySettings:
    """Combinations of modalities, by start level."""

    combinations: tuple[str, ...] = (
        "rgb", "depth", "mask", "edge",
        "rgb+mask", "depth+mask", "edge+mask", "rgb+depth", "rgb+depth+mask", "rgb+depth+mask+edge",
        f"rgb{UNMASKED}", f"depth{UNMASKED}", f"rgb+depth{UNMASKED}",
    )  # fmt: skip
    """Joined by +. A mask that is not compared still says which pixels count, unless ` (no mask given)` follows."""
    angles_deg: tuple[float, ...] = tuple(level.angle_deg for level in PAPER_LEVELS)
    """Start levels: angles ..."""
    distances_mm: tuple[float, ...] = tuple(level.distance_mm for level in PAPER_LEVELS)
    """... and the lengths that go with them."""
    repeats: int = 8
    """Random axes and directions for every combination, level and case."""
    edge_weight: float = 0.7
    """Weight of the edges where they are among the combination; the others have the preset's."""
    preset: Preset = field(default_factory=Preset)
    """Numbers of the refinement."""

    def __post_init__(self) -> None:
        """Refuses unknown modalities and levels without a partner."""
        for combination in self.combinations:
            for name in combination.removesuffix(UNMASKED).split("+"):
                check_choice("combinations", name, tuple(WEIGHTS))
        levels_of(self.angles_deg, self.distances_mm)

    @property
    def levels(self) -> tuple[StartLevel, ...]:
        """Angles and distances in pairs."""
        return levels_of(self.angles_deg, self.distances_mm)


def trials(settings: ModalitiesStudySettings, source: Source) -> list[Task]:
    """One for every case, combination, level and repeat."""
    return [
        Task(
            f"{key}/{number:02d}/{k:02d}/{repeat:04d}",
            group_of(key),
            {"case": key, "modalities": name, "start": level.name, "level": k, "repeat": repeat},
        )
        for key in case_keys(source)
        for number, name in enumerate(settings.combinations)
        for k, level in enumerate(settings.levels)
        for repeat in range(settings.repeats)
    ]


def weighted(preset: Preset, combination: str, edge_weight: float) -> Preset:
    """The preset with the weights of all modalities but those of the combination set to 0."""
    names = combination.removesuffix(UNMASKED).split("+")
    old = preset.objective
    weights: dict[str, Any] = {
        f"{name}_weight": getattr(old, f"{name}_weight") if name in names else 0.0 for name in ("rgb", "depth", "mask")
    }
    weights["edge_weight"] = edge_weight if "edge" in names else 0.0
    return replace(preset, objective=replace(old, **weights))


def measure(bench: Bench, settings: ModalitiesStudySettings, trial: Row) -> Row:
    """One refinement with some of the modalities."""
    case, repeat, combination = bench.case(str(trial["case"])), int(numbers(trial, "repeat")), str(trial["modalities"])
    missing = unavailable(case, combination)
    if missing:
        return {"object": case.object_name, "skipped": missing}
    start = bench.start(case, settings.levels[int(numbers(trial, "level"))], repeat)
    preset = weighted(settings.preset, combination, settings.edge_weight)
    observation = without_mask(case.observation) if combination.endswith(UNMASKED) else case.observation
    result = bench.refine(case.mesh, observation, start, preset, repeat=repeat, case_key=case.key)
    compared = "+".join(result.modalities)
    return {
        "object": case.object_name,
        "compared": compared,
        **measured(case.mesh, case.symmetries, case.truth, start, result),
    }


def unavailable(case: Case, combination: str) -> str:
    """Why a case cannot be tried with a combination, or nothing."""
    names = combination.removesuffix(UNMASKED).split("+")
    if ("rgb" in names or "edge" in names) and not (case.mesh.has_color and case.observation.rgb is not None):
        return "no colours"
    return "no depth" if "depth" in names and case.observation.depth is None else ""


def table(settings: ModalitiesStudySettings, records: Sequence[Row]) -> list[Row]:
    """A row for every combination and level."""
    return summaries(records, "modalities", "start")


def plot(settings: ModalitiesStudySettings, records: Sequence[Row], path: Path) -> None:
    """Bars: median ADD with the 90th percentile, and share recovered, a colour a level."""
    rows = {(row["modalities"], row["start"]): row for row in table(settings, records)}
    names = [name for name in reversed(settings.combinations) if any(key[0] == name for key in rows)]
    figure, axes = new_figure(2, width=5.2, height=1.2 + 0.42 * len(names))
    height = 0.8 / len(settings.levels)
    for k, level in enumerate(settings.levels):
        y = np.arange(len(names)) - height * (k - (len(settings.levels) - 1) / 2)
        found = [rows[name, level.name] for name in names]
        median = np.array([numbers(row, "add_mm_median") for row in found])
        upper = np.array([numbers(row, "add_mm_p90") for row in found])
        axes[0].barh(y, median, height, color=COLOURS[k], label=level.name)
        axes[0].hlines(y, median, np.maximum(median, upper), color="0.35", linewidth=1)
        axes[1].barh(y, [100 * numbers(row, "recovered") for row in found], height, color=COLOURS[k])
    log_axes(axes[0], x=(0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50))
    axes[0].set(xlabel="ADD, mm: median (bar) and 90th percentile (line)")
    axes[0].axvline(RECOVERED_MM, color="0.35", linestyle=":")
    axes[1].set(xlabel=f"recovered (ADD < {RECOVERED_MM:g} mm), %", xlim=(0, 100))
    axes[0].set_yticks(range(len(names)), names)
    axes[1].set_yticks(range(len(names)), [""] * len(names))
    figure.legend(title="start", loc="outside upper center", ncols=len(settings.levels), frameon=False)
    save(figure, path)


STUDY = Study(
    name="modalities",
    purpose="which images help: colours, depth, mask, edges, and combinations",
    settings=ModalitiesStudySettings(),
    quick=ModalitiesStudySettings(("mask", "rgb+depth+mask", f"rgb+depth{UNMASKED}"), (10.0,), (4.0,), repeats=1),
    trials=trials, measure=measure, table=table, plot=plot, any_preset=True,
)  # fmt: skip
