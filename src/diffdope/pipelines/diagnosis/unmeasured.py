"""What the images of a result do not say: how far away an object is without depth, or where it is from a void start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.scene.image_checks import FARTHEST_M
from diffdope.scene.mesh import Mesh

_NOTHING = 0.01  # of an object's radius: no camera is that near to what it takes pictures of
_EVEN = 0.5  # confidence of what may as well be wrong


def is_void(mesh: Mesh, start: Pose) -> bool:
    """Whether a start has a translation of zero, as the identity: the origin of the object's file in the camera."""
    return float(np.linalg.norm(start.t_m2c)) < _NOTHING * mesh.radius_m


def from_void(result: RefinementResult) -> RefinementResult:
    """A result of a start that says nothing: what was found was found without it, and failed if that is in doubt."""
    why = "the start has the object in the camera: its translation is zero (the identity?)"
    note = f"{why}: it says nothing of where the object is, which was looked for all the same; locate needs no start"
    result = replace(result, notes=(*result.notes, Note(NoteCode.START_VOID, note)))
    if not result.ok or (result.confidence is not None and result.confidence >= _EVEN):
        return result
    return replace(result, status=Status.FAILED, message=f"{why}; locate needs no start")


def of_unknown_scale(result: RefinementResult, mesh: Mesh, start: Pose | None) -> RefinementResult:
    """A result without depth, with what its distance rests on; of one that no depth camera sees, only even odds."""
    if "depth" in result.modalities or not np.isfinite(result.pose.t_m2c).all():
        return result
    away = float(np.linalg.norm(result.pose.apply(mesh.center_m)))
    far = away > FARTHEST_M
    if start is not None and not far:
        return result
    rests = f"the object is {away:.3g} m away if it is {1e3 * mesh.diameter:.4g} mm across and K is right"
    note = f"without depth, nothing but the mesh's unit and K says how far away: {rests}"
    if not far:
        return replace(result, notes=(*result.notes, Note(NoteCode.SCALE_UNKNOWN, note)))
    confidence = None if result.confidence is None else min(result.confidence, _EVEN)
    doubted = Note(NoteCode.TOO_FAR, f"{note}: is the unit wrong?")
    return replace(result, confidence=confidence, notes=(*result.notes, doubted))
