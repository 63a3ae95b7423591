"""Where a film's lost object is found: in its mask, by what is painted on it, and no farther than it can have come.

What looks like the object may be another one of its kind. Nothing in a picture tells them apart but where they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt, Locate, Refine
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.tracking.competing_poses import SAME_RAD
from diffdope.pipelines.tracking.frame import sureness
from diffdope.pipelines.tracking.tracking_settings import TrackingSettings
from diffdope.problem.region import projected_box
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.features.feature_boxes import tells_by_pattern

_SAME = 0.2  # share of the diameter: poses that are nearer, and turned by less than `SAME_RAD`, are in one minimum


def located(locate: Locate, refine: Refine, mesh: Mesh, observation: Observation) -> Attempt | None:
    """With no start; None where a photograph alone has nothing to find the object by.

    In the mask; or else by what is painted on the object in the whole photograph, from where depth refines it; or in
    pieces of depth that stand out.

    Args:
        locate: with no start.
        refine: from a start close by.
        mesh: the object.
        observation: the frame.
    """
    if observation.mask_box is not None:
        return locate(observation)
    by_depth, by_pattern = "depth" in observation.modalities, tells_by_pattern(observation, mesh)
    if not by_depth:
        return locate(observation) if by_pattern else None
    found = locate(observation.without_depth()) if by_pattern else None  # keypoints need no depth
    most = 1.0
    if found is None or not found.result.ok:
        found = locate(observation)
        most = sureness(found.result)
    if not found.result.ok:
        return found
    # As frames are, in which nothing stands in for a mask: only so does it compare with what frames have looked like.
    refined = refine(observation, found.result.pose)
    return refined._replace(result=replace(refined.result, confidence=min(sureness(refined.result), most)))


def begins_anew(
    found: RefinementResult, searched: RefinementResult, mesh: Mesh, settings: TrackingSettings
) -> bool:  # fmt: skip
    """Whether a lost object is found as surely as in the first frame of a film: in its mask, and with no start.

    What it looked like before the loss then says nothing: from another side and in another light, its colours agree
    less with those of the mesh, and its pose is as sure.

    Args:
        found: with no start.
        searched: from where it was lost.
        mesh: the object.
        settings: how sure a film begins; one of two that end in the same pose may be as unsure as a frame.
    """
    one, other = sureness(found), sureness(searched)
    if not found.ok or max(one, other) < settings.found:
        return False
    if searched.ok and _same(found.pose, searched.pose, mesh):
        return one >= settings.doubt
    return one > other


def _same(pose: Pose, other: Pose, mesh: Mesh) -> bool:
    return pose.angle_to(other) < SAME_RAD and pose.distance_to(other) < _SAME * mesh.diameter


class LastSeen(NamedTuple):
    """Where a lost object was.

    Attributes:
        pose: that could be trusted last, in the object's own frame.
        elapsed_s: seconds since.
        reach_m_per_s: how fast it may have moved.
        frame: in which it had that pose; None where the pose was given.
    """

    pose: Pose
    elapsed_s: float
    reach_m_per_s: float
    frame: Observation | None


def unless_another_one(
    result: RefinementResult, was: LastSeen, refine: Refine, mesh: Mesh, settings: TrackingSettings
) -> RefinementResult:  # fmt: skip
    """A result, or one that failed where it is another one of its kind: without a mask, nothing tells which is meant.

    The object cannot have come farther than it moves. And what the last frame that could be trusted shows at the same
    pose, while the object was elsewhere, is not the object. (A camera that has moved since does not see another one at
    the same pose, and nothing is refused.)

    Args:
        result: in the object's own frame.
        was: where the object was.
        refine: from a start close by.
        mesh: the object: both poses may be off by half of its radius.
        settings: how sure a pose is that is followed.
    """
    away_m = result.pose.distance_to(was.pose)
    if away_m > was.reach_m_per_s * was.elapsed_s + mesh.radius_m:
        return _refused(
            result,
            f"what looks like it is {1e3 * away_m:.0f} mm from where it was {was.elapsed_s:.2g} s before, farther than "
            "it can have moved (tracking.reach_m_per_s): it may be another one of its kind",
        )
    if was.frame is None or away_m <= mesh.radius_m or sureness(result) < settings.doubt:
        return result
    stood = refine(was.frame, result.pose).result
    if sureness(stood) < settings.doubt or not _same(stood.pose, result.pose, mesh):
        return result
    return _refused(
        result, "what looks like it stood there while the object was elsewhere: it is another one of its kind"
    )


def _refused(result: RefinementResult, text: str) -> RefinementResult:
    return replace(result, status=Status.FAILED, message=text, confidence=None)


def with_distance(result: RefinementResult, was: LastSeen, mesh: Mesh) -> RefinementResult:
    """A result that was found again, with a note where that is farther off than the object is long."""
    away_m = result.pose.distance_to(was.pose)
    if away_m <= mesh.diameter:
        return result
    where = f"found {1e3 * away_m:.0f} mm from where it was lost {was.elapsed_s:.2g} s before"
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
