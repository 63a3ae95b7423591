"""One pose of one image, by a `Refiner` that is not kept."""

from __future__ import annotations

from numpy.typing import ArrayLike

from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import DEFAULT, Preset
from diffdope.pipelines.start import Start
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.descent import Progress


def locate(
    mesh: Mesh,
    observation: Observation,
    *,
    box: ArrayLike | None = None,
    preset: str | Preset = DEFAULT,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> RefinementResult:
    """Finds one pose with no start; see `Refiner.locate`, which is faster for more than one.

    Args:
        mesh: the object.
        observation: as `Refiner.locate`.
        box: as `Refiner.locate`.
        preset: name or `Preset`.
        seed: same seed, same result.
        threads: None for the library setting.
        progress: called as progress(iteration, iterations, lowest cost), after every round of steps.

    Raises:
        DiffDopeError: for what `Refiner` and `Refiner.locate` refuse.
    """
    return Refiner(mesh, preset=preset, seed=seed, threads=threads).locate(observation, box=box, progress=progress)


def refine(
    mesh: Mesh,
    observation: Observation,
    pose: Start | None = None,
    *,
    preset: str | Preset = DEFAULT,
    seed: int = 0,
    threads: int | None = None,
) -> RefinementResult:
    """Refines one pose; see `Refiner`, which is faster for more than one.

    Args:
        mesh: the object.
        observation: the calibrated image.
        pose: rough start, or several: see `Refiner.refine`.
        preset: name or `Preset`.
        seed: of the hypotheses, a whole number from 0 on. Same seed, same result to the bit.
        threads: None for the library setting (all cores unless `set_threads` said otherwise).

    Raises:
        DiffDopeError: if there is no such preset, a number is out of range, an argument is of another type, or the
            observation has nothing that this mesh can be compared with.
    """
    return Refiner(mesh, preset=preset, seed=seed, threads=threads).refine(observation, pose)
