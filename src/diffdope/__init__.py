"""Refines the 6-DoF pose of a known object in an image by differentiable rendering.

Nothing is imported until it is asked for, so that `import diffdope` stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffdope.calibration.calibrate import calibrate
    from diffdope.calibration.eye_in_hand.calibrate import calibrate_eye_in_hand
    from diffdope.calibration.eye_in_hand.result import EyeInHandResult
    from diffdope.calibration.eye_in_hand.shots import HandShot
    from diffdope.calibration.result import CalibrationResult
    from diffdope.calibration.shots import Shot
    from diffdope.errors import DiffDopeError
    from diffdope.estimate.confidence import ConfidenceSettings
    from diffdope.estimate.polish_settings import PolishSettings
    from diffdope.geometry.camera import Camera
    from diffdope.geometry.lens import Distortion
    from diffdope.geometry.pose import Pose
    from diffdope.io.cameras import load_camera
    from diffdope.joint.contact import ContactSettings
    from diffdope.joint.result import SceneResult
    from diffdope.joint.scene_refiner import SceneRefiner, refine_scene
    from diffdope.note_codes import NoteCode
    from diffdope.pipelines.one_shot import locate, refine
    from diffdope.pipelines.refiner import Refiner
    from diffdope.pipelines.result import RefinementResult, Status, read_result
    from diffdope.pipelines.settings import PRESETS, Preset
    from diffdope.pipelines.several_kinds import locate_objects
    from diffdope.pipelines.tracking.robot_tracker import RobotTracker
    from diffdope.render.pool import set_threads
    from diffdope.render.renderer import Renderer
    from diffdope.scene.mesh import Mesh
    from diffdope.scene.observation import Observation
    from diffdope.scene.robot import Robot
    from diffdope.scene.scene import SceneObject
    from diffdope.scene.urdf import load_robot
    from diffdope.scene.view import View
    from diffdope.search.settings import SearchSettings
    from diffdope.viz.draw import overlay

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "CalibrationResult",
    "Camera",
    "ConfidenceSettings",
    "ContactSettings",
    "DiffDopeError",
    "Distortion",
    "EyeInHandResult",
    "HandShot",
    "Mesh",
    "NoteCode",
    "Observation",
    "PolishSettings",
    "Pose",
    "Preset",
    "RefinementResult",
    "Refiner",
    "Renderer",
    "Robot",
    "RobotTracker",
    "SceneObject",
    "SceneRefiner",
    "SceneResult",
    "SearchSettings",
    "Shot",
    "Status",
    "View",
    "__version__",
    "calibrate",
    "calibrate_eye_in_hand",
    "load_camera",
    "load_robot",
    "locate",
    "locate_objects",
    "overlay",
    "read_result",
    "refine",
    "refine_scene",
    "set_threads",
]

_HOMES = {
    "CalibrationResult": "diffdope.calibration.result",
    "Camera": "diffdope.geometry.camera",
    "ConfidenceSettings": "diffdope.estimate.confidence",
    "ContactSettings": "diffdope.joint.contact",
    "DiffDopeError": "diffdope.errors",
    "Distortion": "diffdope.geometry.lens",
    "EyeInHandResult": "diffdope.calibration.eye_in_hand.result",
    "HandShot": "diffdope.calibration.eye_in_hand.shots",
    "Mesh": "diffdope.scene.mesh",
    "NoteCode": "diffdope.note_codes",
    "Observation": "diffdope.scene.observation",
    "PRESETS": "diffdope.pipelines.settings",
    "PolishSettings": "diffdope.estimate.polish_settings",
    "Pose": "diffdope.geometry.pose",
    "Preset": "diffdope.pipelines.settings",
    "RefinementResult": "diffdope.pipelines.result",
    "Refiner": "diffdope.pipelines.refiner",
    "Renderer": "diffdope.render.renderer",
    "Robot": "diffdope.scene.robot",
    "RobotTracker": "diffdope.pipelines.tracking.robot_tracker",
    "SceneObject": "diffdope.scene.scene",
    "SceneRefiner": "diffdope.joint.scene_refiner",
    "SceneResult": "diffdope.joint.result",
    "SearchSettings": "diffdope.search.settings",
    "Shot": "diffdope.calibration.shots",
    "Status": "diffdope.pipelines.result",
    "View": "diffdope.scene.view",
    "calibrate": "diffdope.calibration.calibrate",
    "calibrate_eye_in_hand": "diffdope.calibration.eye_in_hand.calibrate",
    "load_camera": "diffdope.io.cameras",
    "load_robot": "diffdope.scene.urdf",
    "locate": "diffdope.pipelines.one_shot",
    "locate_objects": "diffdope.pipelines.several_kinds",
    "overlay": "diffdope.viz.draw",
    "read_result": "diffdope.pipelines.result",
    "refine": "diffdope.pipelines.one_shot",
    "refine_scene": "diffdope.joint.scene_refiner",
    "set_threads": "diffdope.render.pool",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'diffdope' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
