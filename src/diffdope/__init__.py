"""Refines the 6-DoF pose of a known object in an image by differentiable rendering.

Nothing is imported until it is asked for, so that `import diffdope` stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffdope.calibration.calibrate import calibrate
    from diffdope.calibration.result import CalibrationResult
    from diffdope.calibration.shots import Shot
    from diffdope.errors import DiffDopeError
    from diffdope.geometry.camera import Camera
    from diffdope.geometry.pose import Pose
    from diffdope.io.cameras import load_camera
    from diffdope.pipelines.refiner import Refiner, locate, refine
    from diffdope.pipelines.result import RefinementResult, Status
    from diffdope.render.pool import set_threads
    from diffdope.scene.mesh import Mesh
    from diffdope.scene.observation import Observation
    from diffdope.scene.robot import Robot
    from diffdope.scene.urdf import load_robot

__version__ = "0.1.0"

__all__ = [
    "CalibrationResult",
    "Camera",
    "DiffDopeError",
    "Mesh",
    "Observation",
    "Pose",
    "RefinementResult",
    "Refiner",
    "Robot",
    "Shot",
    "Status",
    "__version__",
    "calibrate",
    "load_camera",
    "load_robot",
    "locate",
    "refine",
    "set_threads",
]

_HOMES = {
    "CalibrationResult": "diffdope.calibration.result",
    "Robot": "diffdope.scene.robot",
    "Shot": "diffdope.calibration.shots",
    "calibrate": "diffdope.calibration.calibrate",
    "load_robot": "diffdope.scene.urdf",
    "Camera": "diffdope.geometry.camera",
    "DiffDopeError": "diffdope.errors",
    "Mesh": "diffdope.scene.mesh",
    "Observation": "diffdope.scene.observation",
    "Pose": "diffdope.geometry.pose",
    "RefinementResult": "diffdope.pipelines.result",
    "Refiner": "diffdope.pipelines.refiner",
    "Status": "diffdope.pipelines.result",
    "load_camera": "diffdope.io.cameras",
    "locate": "diffdope.pipelines.refiner",
    "refine": "diffdope.pipelines.refiner",
    "set_threads": "diffdope.render.pool",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'diffdope' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
