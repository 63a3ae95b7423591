"""The workbench of a trial: cases, refiners that stay warm, start poses, and errors against the truth."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from diffdope.bop.metrics import PosePairs, add, add_s, rotation_translation_errors
from diffdope.errors import expected
from diffdope.experiments.cases import Case, CaseLoader, Source
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.pipelines.compilation.compile_ahead import compile_apart
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

Row = dict[str, object]
RECOVERED_MM = 5.0  # ADD below which a pose was recovered
NO_START = "none"
"""What stands for the start where there is none."""
_POINTS = 2000  # model points of ADD; the mean over more is the same
_REFINERS = 8  # kept at a time: each holds tables and scratch of its mesh


@dataclass(frozen=True)
class StartLevel:
    """How far a start pose is from the truth."""

    angle_deg: float
    distance_mm: float

    @property
    def name(self) -> str:
        """For tables: "10 deg / 4 mm"."""
        return f"{self.angle_deg:g} deg / {self.distance_mm:g} mm"


def levels_of(angles_deg: Sequence[float], distances_mm: Sequence[float]) -> tuple[StartLevel, ...]:
    """Angles and distances in pairs.

    Raises:
        DiffDopeError: if one has no partner.
    """
    if len(angles_deg) != len(distances_mm):
        got = f"{len(angles_deg)} and {len(distances_mm)}"
        raise expected("angles-deg, distances-mm", "as many angles as distances", got)
    return tuple(StartLevel(float(a), float(d)) for a, d in zip(angles_deg, distances_mm, strict=True))


PAPER_LEVELS = (StartLevel(1, 1), StartLevel(10, 4), StartLevel(40, 16))


class Bench:
    """What a process keeps between trials.

    Args:
        source: of the cases.
        seed: of start poses and learning rates.
        threads: of each refinement; None for all cores.
    """

    def __init__(self, source: Source, *, seed: int, threads: int | None = None) -> None:
        self.source, self.seed, self.threads = source, seed, threads
        self.case = CaseLoader(source)
        # By mesh, that is by identity; a refiner holds its mesh, so two live ones are never taken for one.
        self._refiner = lru_cache(maxsize=_REFINERS)(self._make_refiner)

    def rng(self, name: str, repeat: int) -> np.random.Generator:
        """A generator of its own for every case and repeat, whatever else is run."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode()), repeat])

    def start(self, case: Case, level: StartLevel, repeat: int) -> Pose:
        """A start pose; one repeat has one axis and one direction at all levels, so that levels can be compared."""
        return perturbed(case.truth, level, self.rng(case.key, repeat))

    def refine(
        self, mesh: Mesh, observation: Observation, start: Pose, preset: Preset, *, repeat: int = 0, case_key: str = ""
    ) -> RefinementResult:
        """Refines; repeats, and instances of a data set, have learning rates of their own.

        The built-in cases share theirs, so that the same picture with and without a texture can be compared.
        """
        return self._prepared(mesh, preset, repeat, case_key).refine(observation, start)

    def refine_or_locate(
        self, mesh: Mesh, observation: Observation, start: Pose | None, preset: Preset, *, repeat: int = 0,
        case_key: str = "",
    ) -> RefinementResult | Row:  # fmt: skip
        """Refines, or finds the pose with no start; {"skipped": why} where that cannot be tried."""
        if start is not None:
            return self.refine(mesh, observation, start, preset, repeat=repeat, case_key=case_key)
        if preset.solver == "descent":
            return {"skipped": f"without a start: the solver of {preset.name} does not search"}
        if observation.mask_box is None:
            return {"skipped": "without a start: there is no mask"}
        return self._prepared(mesh, preset, repeat, case_key).locate(observation)

    def _prepared(self, mesh: Mesh, preset: Preset, repeat: int, case_key: str) -> Refiner:
        compile_apart(preset)
        refiner = self._refiner(mesh)
        # Tables and buffers depend on the mesh alone, so one refiner serves all presets.
        own = zlib.crc32(case_key.encode()) if "/" in case_key else 0
        refiner.preset, refiner.seed = preset, own + 1000 * self.seed + repeat
        return refiner

    def _make_refiner(self, mesh: Mesh) -> Refiner:
        return Refiner(mesh, threads=self.threads)


def perturbed(truth: Pose, level: StartLevel, rng: np.random.Generator) -> Pose:
    """The truth, off by a level."""
    angle, distance = np.radians(level.angle_deg), 1e-3 * level.distance_mm
    return perturb(truth, angle_rad=float(angle), distance_m=distance, rng=rng)


def measured(
    mesh: Mesh, symmetries: Symmetries, truth: Pose, start: Pose | None, result: RefinementResult
) -> Row:  # fmt: skip
    """The numbers that every study records: errors (`modulo` symmetry and as they are), status, cost, time."""
    points = mesh.vertices_m[:: max(1, len(mesh.vertices_m) // _POINTS)]
    turned, moved = rotation_translation_errors(PosePairs.of([result.pose], [truth]), symmetries)
    return {
        "start_add_mm": 1e3 * add(start or result.initial_pose, truth, points),
        "add_mm": 1e3 * add(result.pose, truth, points),
        "add_s_mm": 1e3 * add_s(result.pose, truth, points),
        "rotation_deg": float(np.degrees(result.pose.angle_to(truth))),
        "translation_mm": 1e3 * result.pose.distance_to(truth),
        "rotation_modulo_deg": float(np.degrees(turned[0])),
        "translation_modulo_mm": 1e3 * float(moved[0]),
        "status": str(result.status),
        "cost": result.cost if result.modalities else None,
        "iterations": result.iterations,
        "seconds": result.elapsed_s,
    }
