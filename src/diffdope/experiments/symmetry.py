"""Objects that look the same when turned: is the pose right up to the symmetry, and do hypotheses disagree?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.metrics import PosePairs, rotation_translation_errors
from diffdope.checked_fields import checked_fields
from diffdope.errors import check_choice
from diffdope.experiments.bench import (
    NO_START,
    RECOVERED_MM,
    Bench,
    Row,
    StartLevel,
    levels_of,
    measured,
    perturbed,
)
from diffdope.experiments.cases import Source
from diffdope.experiments.plots import COLOURS, log_axes, new_figure, save
from diffdope.experiments.shapes import Primitive, primitives
from diffdope.experiments.study import Study
from diffdope.experiments.synthetic import SensorNoise, picture, random_pose
from diffdope.experiments.tables import column, grouped, numbers
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.jobs.task import Task
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import Preset

SHAPES = ("sphere", "cylinder", "box", "cube", "cylinder, label", "box, label")
NEAR_BEST = 0.1  # share of the best cost within which another hypothesis is as good as the winner
APART_DEG, APART_MM = 5.0, 5.0  # beyond either, two poses are different answers


@dataclass(frozen=True)
@checked_fields(least={"angles_deg": 0.0, "distances_mm": 0.0, "repeats": 1})
class SymmetryStudySettings:
    """Painted primitives in synthetic pictures, started from off the truth; no data set is read."""

    shapes: tuple[str, ...] = SHAPES
    """Box and cube have repeated faces: the same after 4 and 24 turns; labels leave no symmetry."""
    angles_deg: tuple[float, ...] = (10, 40, 120)
    """Start angles ..."""
    distances_mm: tuple[float, ...] = (4, 16, 16)
    """... and the lengths that go with them."""
    repeats: int = 16
    """Random poses, starts and pictures for every shape and level."""
    noise: SensorNoise = field(default_factory=SensorNoise)
    """Of the synthetic camera."""
    preset: Preset = field(default_factory=Preset)
    """Numbers of the refinement."""

    def __post_init__(self) -> None:
        """Refuses unknown shapes and levels without a partner."""
        for name in self.shapes:
            check_choice("shapes", name, SHAPES)
        levels_of(self.angles_deg, self.distances_mm)


@lru_cache(maxsize=1)
def shapes() -> dict[str, Primitive]:
    """Built once a process."""
    return primitives()


def trials(settings: SymmetryStudySettings, source: Source) -> list[Task]:
    """One for every shape, level and repeat; the last level is no start at all."""
    starts: list[Row] = [
        {"start": level.name, "angle_deg": float(level.angle_deg), "distance_mm": float(level.distance_mm)}
        for level in levels_of(settings.angles_deg, settings.distances_mm)
    ]
    starts.append({"start": NO_START, "angle_deg": None, "distance_mm": None})
    return [
        Task(f"{number:02d}/{k:02d}/{repeat:04d}", name, {"shape": name, **start, "repeat": repeat})
        for number, name in enumerate(settings.shapes)
        for k, start in enumerate(starts)
        for repeat in range(settings.repeats)
    ]  # fmt: skip


def measure(bench: Bench, settings: SymmetryStudySettings, trial: Row) -> Row:
    """One refinement of one primitive in its own picture."""
    shape, repeat = shapes()[str(trial["shape"])], int(numbers(trial, "repeat"))
    rng = bench.rng(shape.name, repeat)
    truth = random_pose(rng)
    observation = bench.source.seen(picture([(shape.mesh, truth)], rng, noise=settings.noise))
    start = None
    if trial["start"] != NO_START:
        start = perturbed(truth, StartLevel(numbers(trial, "angle_deg"), numbers(trial, "distance_mm")), rng)
    result = bench.refine_or_locate(shape.mesh, observation, start, settings.preset, repeat=repeat)
    if isinstance(result, dict):
        return result
    found = measured(shape.mesh, shape.symmetries, truth, start, result)
    return {**found, **disagreement(result, shape.symmetries)}


def disagreement(result: RefinementResult, symmetries: Symmetries) -> Row:
    """How far apart the final poses are that are as good as the best one, as they are and modulo the symmetry."""
    costs = result.history.costs[-1]
    near = np.flatnonzero(costs <= (1.0 + NEAR_BEST) * costs.min())
    poses = [Pose(result.history.R_m2c[-1, b], result.history.t_m2c[-1, b]) for b in near]
    pairs = list(combinations(poses, 2))
    angles = [float(np.degrees(a.angle_to(b))) for a, b in pairs]
    lengths = [1e3 * a.distance_to(b) for a, b in pairs]
    turned, _ = rotation_translation_errors(PosePairs.of([a for a, _ in pairs], [b for _, b in pairs]), symmetries)
    modulo = [float(angle) for angle in np.degrees(turned)]
    far = max(lengths, default=0.0) > APART_MM
    return {
        "near_best": len(near),
        "spread_deg": max(angles, default=0.0),
        "spread_modulo_deg": max(modulo, default=0.0),
        "spread_mm": max(lengths, default=0.0),
        "disagree": far or max(angles, default=0.0) > APART_DEG,
        "disagree_modulo": far or max(modulo, default=0.0) > APART_DEG,
    }


def table(settings: SymmetryStudySettings, records: Sequence[Row]) -> list[Row]:
    """A row for every shape and level."""
    rows = []
    for (shape, start), group in grouped(records, "shape", "start").items():
        right = (column(group, "rotation_modulo_deg") < APART_DEG) & (column(group, "translation_mm") < RECOVERED_MM)
        rows.append(
            {
                "shape": shape, "start": start, "n": len(group),
                **{f"{name}_median": float(np.median(column(group, name))) for name in (
                    "rotation_deg", "rotation_modulo_deg", "translation_mm", "add_s_mm")},
                "right_modulo": float(np.mean(right)),
                "disagree": float(np.mean(column(group, "disagree"))),
                "disagree_modulo": float(np.mean(column(group, "disagree_modulo"))),
                "seconds_median": float(np.median(column(group, "seconds"))),
            }
        )  # fmt: skip
    return rows


def plot(settings: SymmetryStudySettings, records: Sequence[Row], path: Path) -> None:
    """Bars by shape and level: error modulo symmetry, share right, share of runs whose hypotheses differ."""
    rows = {(row["shape"], row["start"]): row for row in table(settings, records)}
    levels = list(dict.fromkeys(str(start) for _, start in rows))
    figure, axes = new_figure(3, width=4.6, height=4.4)
    x, width = np.arange(len(settings.shapes)), 0.8 / len(levels)
    for k, level in enumerate(levels):
        found = [rows[shape, level] for shape in settings.shapes]
        at = x + width * (k - (len(levels) - 1) / 2)
        draw_level(axes, at, width, found, color=COLOURS[k], label="no start" if level == NO_START else f"from {level}")
    handles, labels = axes[0].get_legend_handles_labels()
    mark = axes[0].plot([], [], "_", color="black", markersize=9)[0]
    text = "left: not modulo symmetry; right: modulo symmetry"
    figure.legend([*handles, mark], [*labels, text], loc="outside upper center", ncols=len(levels) + 1, frameon=False)
    log_axes(axes[0], y=True)
    axes[0].set(ylabel="degrees", ylim=(0.05, 250), title="rotation error modulo symmetry (median)")
    axes[1].set(ylabel="%", ylim=(0, 103), title=f"right (< {APART_DEG:g} deg modulo symmetry, < {RECOVERED_MM:g} mm)")
    axes[2].set(ylabel="%", ylim=(0, 103), title=f"good hypotheses differ (> {APART_DEG:g} deg or {APART_MM:g} mm)")
    for axis in axes:
        axis.title.set_fontsize(10)
        axis.set_xticks(x, settings.shapes, rotation=35, ha="right")
    save(figure, path)


def draw_level(
    axes: Sequence[Any], at: NDArray[np.floating[Any]], width: float, rows: Sequence[Row], *, color: str, label: str
) -> None:
    """The bars of one start level, a black mark where the symmetry counts the other way round."""
    marks = {"color": "black", "markersize": 9, "linestyle": "none", "marker": "_"}

    def values(name: str) -> list[float]:
        return [numbers(row, name) for row in rows]

    axes[0].bar(at, np.maximum(values("rotation_modulo_deg_median"), 0.05), width, color=color, label=label)
    axes[0].plot(at, values("rotation_deg_median"), **marks)
    axes[1].bar(at, 100 * np.array(values("right_modulo")), width, color=color)
    axes[2].bar(at, 100 * np.array(values("disagree")), width, color=color)
    axes[2].plot(at, 100 * np.array(values("disagree_modulo")), **marks)


STUDY = Study(
    name="symmetry",
    purpose="sphere, cylinder and repeated faces: error modulo symmetry, and whether hypotheses disagree",
    settings=SymmetryStudySettings(),
    quick=SymmetryStudySettings(shapes=("cylinder", "box"), angles_deg=(10.0,), distances_mm=(4.0,), repeats=2),
    trials=trials, measure=measure, table=table, plot=plot, any_preset=True, takes="depth",
)  # fmt: skip
