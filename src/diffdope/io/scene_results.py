"""A scene's result as JSON: what `diffdope scene` writes as scene.json, and the service answers.

`read_sighted` reads back what a viewer needs of it: where each object is in each view, and where the cameras stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from diffdope.io.plain import to_plain
from diffdope.io.poses import pose_entry

if TYPE_CHECKING:
    from diffdope.joint.result import ObjectResult, SceneResult

_COVARIANCE = (
    "(rho x y z [m], phi x y z [rad]), R <- Exp(phi) R, t <- t + rho: of T_m2w of each object in the order of objects, "
    "then of T_w2c of each view that was refined"
)


def encode_scene(result: SceneResult, ids: Sequence[int], tell: Callable[[str], str] = str) -> dict[str, Any]:
    """The result as JSON can hold it.

    Args:
        result: of the scene.
        ids: of the objects in BOP's files.
        tell: puts the library's messages and notes into the words of who asked.
    """
    return {
        "frames": "T_m2w: model to world; T_w2c: world to camera (OpenCV: x right, y down, z forward); metres; "
        "cam_R_m2c and cam_t_m2c (millimetres): model to that camera",
        "objects": [_object_entry(one, obj_id, tell) for one, obj_id in zip(result.objects, ids, strict=True)],
        "views": [
            {
                "name": one.name, "used": one.used, "reason": one.reason, "T_w2c": one.T_w2c.matrix.tolist(),
                "refined": one.refined, "covariance": to_plain(one.covariance), "moved_mm": one.moved_mm,
                "moved_deg": one.moved_deg, "deviations": one.deviations, "place": one.place,
            }
            for one in result.views
        ],
        "covariance": to_plain(result.covariance), "covariance_of": _COVARIANCE,
        "plane": None if result.plane is None else list(result.plane),
        "notes": [tell(note) for note in result.notes], "note_codes": to_plain(result.note_codes),
        "seconds": result.elapsed_s,
    }  # fmt: skip


def _object_entry(one: ObjectResult, obj_id: int, tell: Callable[[str], str]) -> dict[str, Any]:
    return {
        "name": one.name, "obj_id": obj_id, "status": str(one.status), "message": tell(one.message),
        "confidence": one.confidence, "right_minimum": one.right_minimum,
        "T_m2w": one.pose.matrix.tolist(), "covariance": to_plain(one.covariance),
        "answers": [
            {
                "T_m2w": answer.pose.matrix.tolist(), "probability": answer.probability,
                "alternatives": [pose.matrix.tolist() for pose in answer.alternatives],
                "symmetry": list(answer.symmetry),
            }
            for answer in one.answers
        ],
        "unobserved": to_plain(one.unobserved), "notes": [tell(note) for note in one.notes],
        "note_codes": to_plain(one.note_codes),
        "views": [
            {
                "view": seen.view, "used": seen.used, "reason": seen.reason, **pose_entry(seen.pose),
                "confidence": seen.confidence, "deviations": seen.deviations, "evidence": to_plain(seen.evidence),
            }
            for seen in one.views
        ],
    }  # fmt: skip
