"""Where a film's lost object is found: in its mask, by what is painted on it, and no farther than it can have come.

What looks like the object may be another one of its kind. Nothing in a picture tells them apart but where they are.
"""

from __future__ import annotations

from dataclasses import replace

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt, Locate, Refine
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.problem.region import projected_box
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.features.feature_boxes import tells_by_pattern


def located(locate: Locate, refine: Refine, mesh: Mesh, observation: Observation) -> Attempt | None:
    """With no start: in the mask, or by what is painted on the object in the whole photograph; None without either.

    Args:
        locate: with no start.
        refine: from a start close by.
        mesh: the object.
        observation: the frame.
    """
    if observation.mask_box is not None:
        return locate(observation)
    if not tells_by_pattern(observation, mesh):
        return None
    if "depth" not in observation.modalities:
        return locate(observation)
    found = locate(observation.without_depth())  # keypoints need none
    return refine(observation, found.result.pose) if found.result.ok else found


def within_reach(
    result: RefinementResult, last: Pose, reach_m: float, elapsed_s: float, mesh: Mesh
) -> RefinementResult:  # fmt: skip
    """A result, or one that failed where the object cannot have come so far.

    Args:
        result: in the object's own frame.
        last: pose that could be trusted last.
        reach_m: how far the object can have moved since.
        elapsed_s: seconds since.
        mesh: the object: both poses may be off by half of its radius.
    """
    away_m = result.pose.distance_to(last)
    if away_m <= reach_m + mesh.radius_m:
        return result
    text = (
        f"what looks like it is {1e3 * away_m:.0f} mm from where it was {elapsed_s:.2g} s before, farther than it can "
        "have moved (tracking.reach_m_per_s): it may be another one of its kind"
    )
    return replace(result, status=Status.FAILED, message=text, confidence=None)


def with_distance(result: RefinementResult, last: Pose, elapsed_s: float, mesh: Mesh) -> RefinementResult:
    """A result that was found again, with a note where that is farther off than the object is long."""
    away_m = result.pose.distance_to(last)
    if away_m <= mesh.diameter:
        return result
    where = f"found {1e3 * away_m:.0f} mm from where it was lost {elapsed_s:.2g} s before"
    note = Note(NoteCode.FOUND_FAR, f"{where}: another one of its kind would look the same")
    return replace(result, notes=(*result.notes, note))


def recentred(pose: Pose, mesh: Mesh, observation: Observation) -> Pose:
    """The pose moved sideways so that its middle is that of the mask, if there is one."""
    box = projected_box(mesh.vertices_m, pose, observation.camera)
    if observation.mask_box is None or isinstance(box, Status):
        return pose
    x0, y0, x1, y1 = observation.mask_box
    camera, depth_m = observation.camera, float(pose.t_m2c[2])
    u, v = (x0 + x1 - box[0] - box[2]) / 2.0, (y0 + y1 - box[1] - box[3]) / 2.0
    return pose.retract([u * depth_m / camera.fx, v * depth_m / camera.fy, 0.0, 0.0, 0.0, 0.0])
