"""Hypotheses, the loop, selection and the result: the only package that joins objective and optimiser.

The package can be called: `diffdope.refine(mesh, observation, pose)` is `diffdope.refine.refiner.refine`. Function and
package have the same name, and importing a submodule would otherwise put the package in the function's place.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffdope.geometry.pose import Pose
    from diffdope.pipelines.result import RefinementResult
    from diffdope.pipelines.settings import Preset
    from diffdope.scene.mesh import Mesh
    from diffdope.scene.observation import Observation


class _Callable(ModuleType):
    def __call__(
        self,
        mesh: Mesh,
        observation: Observation,
        pose: Pose,
        *,
        preset: str | Preset = "default",
        seed: int = 0,
        threads: int | None = None,
    ) -> RefinementResult:
        """Refines one pose; see `diffdope.refine.refiner.refine`."""
        from diffdope.pipelines.refiner import refine

        return refine(mesh, observation, pose, preset=preset, seed=seed, threads=threads)


sys.modules[__name__].__class__ = _Callable
