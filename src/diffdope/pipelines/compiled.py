"""Compiles the kernels in a process of its own, so that all others load the same machine code.

Sums differ in their last bits between the process that compiled a kernel and those that load it from the cache,
probably because calls between kernels resolve to copies that were optimised apart. A run that promises equal bytes,
whoever does the work, must not mix the two. It also spares many workers from compiling the same at once.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import DescentSettings, Level, Preset, PyramidSettings, SearchSettings, Solver
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

_CODE = "from diffdope.pipelines.compiled import compile_here; compile_here(edges={}, solver={!r})"


def compile_apart(preset: Preset) -> bool:
    """Makes sure that what a refinement needs is in numba's cache, before this process compiles it itself.

    Does nothing where that has been done since the last change of the sources, and where the cache cannot be written.
    Call it before the first refinement of a process; after that it is too late for this process, but does no harm.

    Args:
        preset: says whether normal matrices and the edge modality's kernels are needed.

    Returns:
        Whether another process was started for it, by the first call of this process.
    """
    return _compile_apart(preset.objective.edge_weight > 0.0, preset.solver)


@cache
def _compile_apart(edges: bool, solver: Solver) -> bool:
    from filelock import FileLock

    with suppress(OSError):
        mark = _mark(edges, solver)
        if mark.exists():
            return False
        mark.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(mark.with_suffix(".lock")):
            if mark.exists():  # another process did it meanwhile
                return False
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
            subprocess.run(
                [sys.executable, "-c", _CODE.format(edges, solver)],
                env=environment,
                check=False,
                stdout=subprocess.DEVNULL,
            )
            mark.touch()
            return True
    return False


def compile_here(*, edges: bool, solver: Solver) -> None:
    """Refines a tetrahedron, which compiles what any refinement by this solver needs."""
    vertices_m = 0.04 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float)
    faces = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])
    mesh = Mesh(vertices_m, faces, colors=np.eye(4, 3))
    size = 24
    rgb, depth, mask = np.zeros((size, size, 3)), np.full((size, size), 0.5), np.ones((size, size))
    observation = Observation(Camera(60.0, 60.0, 11.5, 11.5, size, size), rgb=rgb, depth=depth, mask=mask)
    settings = Preset(solver=solver)
    if edges:
        settings = replace(settings, objective=replace(settings.objective, edge_weight=1.0))
    brief = PyramidSettings((Level(size, hypotheses=1, iterations=1),))
    search = SearchSettings(near=brief, far=brief, fallback_confidence=0.0)
    settings = replace(settings, descent=DescentSettings(hypotheses=1, iterations=1), search=search)
    Refiner(mesh, preset=settings, threads=1).refine(observation, Pose(np.eye(3), np.array([0.0, 0.0, 0.5])))


def _mark(edges: bool, solver: Solver) -> Path:
    """The file that says that it was done, for these sources, this compiler and this processor."""
    import llvmlite.binding as llvm
    import numba

    from diffdope.problem.evaluate import evaluate_queue
    from diffdope.render.kernels.cache import FOLDERS, fingerprint

    digest = hashlib.sha256(fingerprint().encode())
    digest.update(f"{numba.__version__} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}".encode())
    for folder in FOLDERS:  # numba's cache goes by the time of the sources too
        digest.update(repr([path.stat().st_mtime_ns for path in sorted(folder.glob("*.py"))]).encode())
    name = f"compiled-{digest.hexdigest()[:16]}-{solver}{'-edges' if edges else ''}"
    return Path(evaluate_queue._cache.cache_path) / name
