"""Depth of something else: behind glass, on black or shiny objects, of another moment. It is left out then.

Where mask and colours put the object, its depths are those of another surface. The capped cost of depth still draws
the pose, and its evidence speaks against a right one. So the search is made again without depth, and counts if it
convinces.
"""

from __future__ import annotations

import numpy as np

from diffdope.estimate.confidence import sigmoid
from diffdope.geometry.pose import Pose
from diffdope.note_codes import CONTRADICTIONS, Note, NoteCode, of_codes
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.implausible_inputs import of_units
from diffdope.pipelines.diagnosis.modality_rejection import LEFT_OUT, RejectionTrial, convinces, in_its_place
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.render.renderer import draw
from diffdope.scene.observation import Observation
from diffdope.search.checks.contradictions import AT_MOST
from diffdope.search.checks.outline_evidence import outline_evidence
from diffdope.search.mesh_levels import MeshLevels

FEW = 0.35
"""Share of the visible depths that fit: of 647 right results with a mask and depth, 6 had fewer."""
_SAME_SHAPE = 0.6  # share of the depths that fit at another distance
_NEAR, _LEAST_M = 0.03, 0.003  # of the diameter, and metres: what fits, as of the fit quality
_FEWEST = 50  # pixels
_SURELY = 2.0  # times as near: a start that is a third of the way from the one to the other tells nothing


def fits_nowhere(result: RefinementResult, observation: Observation) -> bool:
    """Whether depth is of something else, as far as one result tells, and there is a mask to go by in its place."""
    evidence = result.evidence
    if evidence is None or evidence.depth_inliers is None or observation.mask_box is None:
        return False
    if of_codes(result.notes, (NoteCode.DEPTH_KIND, NoteCode.REGISTRATION)):  # it is of the object
        return False
    return evidence.depth_inliers < FEW


def failed_beside_colours(result: RefinementResult, observation: Observation) -> bool:
    """Whether a result failed, and mask and colours could tell without depth.

    Glass close before a table: depth has the object at the table, all of it, and another size would fit better.
    """
    if of_codes(result.notes, (CONTRADICTIONS | {NoteCode.REGISTRATION}) - {NoteCode.DEPTH_SCALE}):
        return False
    compared = {"rgb", "depth"} <= set(result.modalities) and observation.mask_box is not None
    return result.status is Status.FAILED and compared


def without_wrong_depth(trial: RejectionTrial) -> Attempt:
    """The same attempt, or one without depth where depth fits nowhere, or all failed, and mask and colours convince.

    Depth whose unit is wrong is no such case: it says where the object is once somebody has corrected it. Depth that
    shows the object's very shape, but at another distance, is of the object: depth or K is off, or the unit or the size
    of the model. The start tells which; where it does not, nothing does, and what was found is contradicted. In any
    case a result that fewer images speak for is less sure.
    """
    attempt, meshes, observation, again, start, search = trial
    first = attempt.result
    if first.evidence is None or first.evidence.depth_inliers is None:
        return attempt
    nowhere = fits_nowhere(first, observation)
    misled = nowhere or failed_beside_colours(first, observation)
    if not misled or any(of_units(meshes.mesh, observation, first.initial_pose)):
        return attempt
    other = again(observation.without_depth())
    if not convinces(other):
        return attempt
    fits = f"only {100.0 * first.evidence.depth_inliers:.0f} % of it fits" if nowhere else "it does not fit"
    left_out = f"depth is left out: {fits} where mask and colours "
    farther = times_as_far(meshes, observation, other.result)
    at_most = LEFT_OUT
    if farther is None:
        why = "have the object: is it of glass, black or shiny, is depth of another moment, or its scale wrong?"
        note = Note(NoteCode.DEPTH_LEFT_OUT, left_out + why)
    else:
        off = f"it shows the object's shape {farther:.2f} times as far away"
        wrong = "is the depth scale, K (of another picture size?), the unit or the CAD model wrong?"
        note = Note(NoteCode.DEPTH_LEFT_OUT, f"{left_out}have the object, for {off}: {wrong}")
        if not _nearer(start, other.result.pose, farther):
            text = f"contradiction: depth does not fit where mask and colours have the object, for {off}: {wrong}"
            note = Note(NoteCode.DEPTH_SCALE, text)
            at_most = sigmoid(AT_MOST)
    return in_its_place(first, other, note, NoteCode.DEPTH_OFF, search, at_most)


def times_as_far(meshes: MeshLevels, observation: Observation, result: RefinementResult) -> float | None:
    """How many times as far away as a result depth shows the object's shape; None where it is of something else.

    What is behind glass may have the slope of a face as well, but goes on beyond the outline.

    Args:
        meshes: the object.
        observation: with depth and a mask.
        result: of the other images, in the own frame.
    """
    pose, crop = result.pose, observation if result.window is None else observation.crop(result.window)
    assert crop.depth is not None and crop.mask is not None
    drawn = draw(meshes.buffers(), crop.camera, pose)
    both = (drawn.coverage[0] > 0.5) & (crop.mask > 0.5) & (crop.depth > 0.0)
    if np.count_nonzero(both) < _FEWEST:
        return None
    there, own = crop.depth[both].astype(np.float64), drawn.depth[0][both]
    times = float(np.median(there / own))
    near_m = max(_NEAR * meshes.length_m, _LEAST_M)
    if np.mean(np.abs(there / times - own) < near_m) < _SAME_SHAPE:
        return None
    scaled = Observation(crop.camera, depth=crop.depth / np.float32(times))
    return times if outline_evidence(meshes, scaled, pose).credible >= 1.0 else None


def _nearer(start: Pose | None, pose: Pose, times: float) -> bool:
    """Whether a start has the object about where a pose has it, and surely not where depth has it."""
    if start is None:
        return False
    away_m, there_m = (float(np.linalg.norm(one.t_m2c)) for one in (start, pose))
    return _SURELY * abs(away_m - there_m) < abs(away_m - times * there_m)
