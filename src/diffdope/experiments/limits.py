"""How close the errors come to what is possible, and whether the covariance tells how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.metrics import PosePairs, with_nearest_truths
from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, check_choice
from diffdope.estimate.bound import MASK_ROUNDING, fisher_information
from diffdope.experiments.bench import Bench, Row, StartLevel, perturbed
from diffdope.experiments.cases import Source
from diffdope.experiments.plots import COLOURS, new_figure, save
from diffdope.experiments.shapes import blob, primitives
from diffdope.experiments.study import Study
from diffdope.experiments.synthetic import SensorNoise, picture, random_pose
from diffdope.experiments.tables import column, grouped
from diffdope.geometry.pose import Pose, difference
from diffdope.geometry.symmetry import Symmetries
from diffdope.jobs.task import Task
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import NoiseSettings, PolishSettings, Preset
from diffdope.pipelines.settings import preset as find_preset
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]

SHAPES = ("blob", "box", "cylinder, label")
MODALITIES = ("rgb", "depth", "rgb+depth", "rgb+depth+mask")
SOLVERS = ("polished", "search alone")
GOAL = 1.2  # times the Cramer-Rao bound: where the figure has its line
_ASTRAY = 15.0  # times the bound: another minimum, which no bound speaks of


def known_noise() -> Preset:
    """The default preset, told that nothing but independent noise is wrong: no offsets, and the light is the mesh's.

    And its polish goes on for as long as it gains, and estimates its weights anew where it ended: hundredths of a
    millimetre are worth no time elsewhere.
    """
    preset = find_preset("default")
    noise = NoiseSettings(depth_bias=0.0, mask_bias_px=0.0, mask_border_px=0.0)
    polish = replace(preset.search.polish, without_depth=True, steps=12, tolerance=1e-4, anew=0.005)
    return replace(preset, search=replace(preset.search, noise=noise, polish=polish, light="as-is"))


@dataclass(frozen=True)
@checked_fields(least={"samples": 1, "repeats": 1, "angle_deg": 0.0, "distance_mm": 0.0})
class LimitsStudySettings:
    """Shapes, modalities and noise."""

    shapes: tuple[str, ...] = SHAPES
    """A bumpy ball, a box, a banded cylinder with a label: painted."""
    modalities: tuple[str, ...] = MODALITIES
    """Joined by +. Without `mask` it is not compared, but still says which pixels count; it is exact to a pixel."""
    solvers: tuple[str, ...] = SOLVERS
    """With the preset's polish, and without."""
    rgb: float = 0.02
    """Standard deviation of the noise on colours."""
    depth_mm: float = 1.0
    """Standard deviation of the noise on depth."""
    samples: int = 3
    """Of the picture, per pixel and axis, odd. With 1, no pixel mixes two faces: neither bound nor model knows such."""
    camera_m: float = 0.8
    """Distance from the camera: from here the object is seen at full resolution."""
    angle_deg: float = 5.0
    """Starts are turned by exactly this angle ..."""
    distance_mm: float = 3.0
    """... and moved by exactly this length."""
    repeats: int = 40
    """Random poses, starts and noise for every shape, the same for all modalities."""
    preset: Preset = field(default_factory=known_noise)
    """Numbers of the refinement."""

    def __post_init__(self) -> None:
        """Refuses names that do not exist, and images without noise, which have no bound."""
        for name, values, allowed in (
            ("shapes", self.shapes, SHAPES), ("solvers", self.solvers, SOLVERS),
            ("modalities", [part for names in self.modalities for part in names.split("+")], ("rgb", "depth", "mask")),
        ):  # fmt: skip
            for value in values:
                check_choice(name, value, allowed)
        check_above_zero(self, "rgb", "depth_mm", "camera_m")


def trials(settings: LimitsStudySettings, source: Source) -> list[Task]:
    """One for every shape, modalities, solver and repeat; the pictures are synthetic, whatever the source."""
    return [
        Task(
            f"{shape}/{names}/{solver}/{repeat:04d}",
            shape,
            {"shape": shape, "modalities": names, "solver": solver, "repeat": repeat},
        )
        for shape in settings.shapes
        for names in settings.modalities
        for solver in settings.solvers
        for repeat in range(settings.repeats)
    ]


def measure(bench: Bench, settings: LimitsStudySettings, trial: Row) -> Row:
    """One refinement in a picture whose noise is known."""
    shape, names, repeat = str(trial["shape"]), str(trial["modalities"]).split("+"), int(str(trial["repeat"]))
    rng, mesh = bench.rng(shape, repeat), mesh_of(shape)
    truth = random_pose(rng, distance_m=settings.camera_m)
    noise = SensorNoise(settings.rgb, 1e-3 * settings.depth_mm, 0.0, 0.0)
    observation = picture([(mesh, truth)], rng, noise=noise, samples=settings.samples)
    start = perturbed(truth, StartLevel(settings.angle_deg, settings.distance_mm), rng)
    preset = compared(settings.preset, names, polished=trial["solver"] == "polished")
    result = bench.refine(mesh, observation, start, preset, repeat=repeat)
    deviations = {"rgb": settings.rgb, "depth": 1e-3 * settings.depth_mm, "mask": MASK_ROUNDING}
    information = fisher_information(
        mesh, observation, truth, {name: deviations[name] for name in names}, samples=settings.samples
    )
    return against_bound(result, nearest(result.pose, truth, symmetries_of(shape)), information)


def compared(preset: Preset, names: Sequence[str], *, polished: bool) -> Preset:
    """The preset with only some of the modalities."""
    old = preset.objective
    weights: dict[str, Any] = {f"{name}_weight": 0.0 for name in ("rgb", "depth", "mask") if name not in names}
    search = preset.search if polished else replace(preset.search, polish=PolishSettings(steps=0))
    return replace(preset, objective=replace(old, **weights), search=search)


def against_bound(result: RefinementResult, truth: Pose, information: F64) -> Row:
    """Squared errors over what the bound and the covariance say: of all six coordinates, of rho and of phi."""
    error = difference(result.pose, truth)
    bound = np.linalg.inv(information)
    own = error**2 / np.diag(bound)
    assert result.covariance is not None
    return {
        "bound_squares": float(error @ information @ error),
        "rho_squares": float(own[:3].sum()),
        "phi_squares": float(own[3:].sum()),
        "sigma_squares": float(error @ np.linalg.solve(result.covariance, error)),
        "rho_mm": 1e3 * float(np.linalg.norm(error[:3])),
        "phi_mrad": 1e3 * float(np.linalg.norm(error[3:])),
        "bound_rho_mm": 1e3 * float(np.sqrt(np.trace(bound[:3, :3]))),
        "bound_phi_mrad": 1e3 * float(np.sqrt(np.trace(bound[3:, 3:]))),
        "unobserved": 0 if result.unobserved is None else len(result.unobserved),
        "status": str(result.status),
        "seconds": result.elapsed_s,
    }


def nearest(pose: Pose, truth: Pose, symmetries: Symmetries) -> Pose:
    """Of the true poses that look the same, the one at the least angle: which of them is found, no image tells."""
    pairs = with_nearest_truths(PosePairs.of([pose], [truth]), symmetries)
    return Pose(pairs.R_true[0], pairs.t_true[0])


@lru_cache(maxsize=4)
def mesh_of(shape: str) -> Mesh:
    """A mesh by the shape's name."""
    return blob(5) if shape == "blob" else primitives()[shape].mesh


@lru_cache(maxsize=4)
def symmetries_of(shape: str) -> Symmetries:
    """Turns of a shape that go unnoticed."""
    return Symmetries.none() if shape == "blob" else primitives()[shape].symmetries


def table(settings: LimitsStudySettings, records: Sequence[Row]) -> list[Row]:
    """A row for every shape, modalities and solver: RMS errors over the bound, and whether the covariance is right."""
    return [
        dict(zip(("shape", "modalities", "solver"), key, strict=True)) | ratios(group)
        for key, group in grouped(records, "shape", "modalities", "solver").items()
    ]


def ratios(records: Sequence[Row]) -> Row:
    """RMS over the bound: of all six coordinates, of rho and of phi; and shares within 1, 2, 3 sigma."""
    from scipy.stats import chi2

    everything = np.sqrt(column(records, "bound_squares") / 6.0)
    near = [record for record, ratio in zip(records, everything, strict=True) if ratio < _ASTRAY]
    squares = column(records, "sigma_squares")

    def rms(name: str, count: int) -> float:
        return float(np.sqrt(column(near, name).mean() / count)) if near else float("nan")

    inside = {f"within_{k}_sigma": float(np.mean(squares < chi2.ppf(chi2.cdf(k**2, 1), 6))) for k in (1, 2, 3)}
    return {
        "n": len(records),
        "astray": len(records) - len(near),
        "ratio": rms("bound_squares", 6),
        "ratio_rho": rms("rho_squares", 3),
        "ratio_phi": rms("phi_squares", 3),
        "bound_rho_mm": float(np.median(column(records, "bound_rho_mm"))),
        "bound_phi_mrad": float(np.median(column(records, "bound_phi_mrad"))),
        **inside,
    }


def plot(settings: LimitsStudySettings, records: Sequence[Row], path: Path) -> None:
    """Left: RMS error over the bound. Right: how often the truth lies within 1, 2 and 3 sigma."""
    rows = table(settings, records)
    names = list(dict.fromkeys(f"{row['shape']}: {row['modalities']}" for row in rows))
    figure, axes = new_figure(2, width=5.2, height=1.4 + 0.36 * len(names))
    height = 0.8 / len(settings.solvers)
    for k, solver in enumerate(settings.solvers):
        own = [row for row in rows if row["solver"] == solver]
        y = np.array([names.index(f"{row['shape']}: {row['modalities']}") for row in own]) + height * (k - 0.5)
        axes[0].barh(
            y, [np.clip(float(str(row["ratio"])), 0.0, _ASTRAY) for row in own], height, color=COLOURS[k], label=solver
        )
        if k == 0:
            for sigma in (1, 2, 3):
                inside = [100.0 * float(str(row[f"within_{sigma}_sigma"])) for row in own]
                axes[1].plot(inside, y + 0.5 * height, "o|D"[sigma - 1], color=COLOURS[sigma], label=f"{sigma} sigma")
    for sigma, share in zip((1, 2, 3), (68.3, 95.4, 99.7), strict=True):
        axes[1].axvline(share, color=COLOURS[sigma], linestyle=":", linewidth=1)
    axes[0].axvline(1.0, color="0.35", linewidth=1)
    axes[0].axvline(GOAL, color="0.35", linestyle=":", linewidth=1)
    axes[0].set(xlabel="RMS error over the Cramer-Rao bound (goal: dotted)", xscale="log")
    axes[1].set(xlabel=f"truth within (dotted: as it should be), {settings.solvers[0]}, %", xlim=(0, 102))
    axes[0].set_yticks(range(len(names)), names)
    axes[1].set_yticks(range(len(names)), [""] * len(names))
    for axis in axes:
        axis.invert_yaxis()
        axis.legend(frameon=False, fontsize=8)
    save(figure, path)


STUDY = Study(
    name="limits",
    purpose="errors over the Cramer-Rao bound for known noise, and whether the covariance is right",
    settings=LimitsStudySettings(),
    quick=LimitsStudySettings(("blob",), ("depth", "rgb+depth"), repeats=2),
    trials=trials, measure=measure, table=table, plot=plot, takes="nothing",
)  # fmt: skip
