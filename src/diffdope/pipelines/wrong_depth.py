"""Depth of something else: behind glass, on black or shiny objects, of another moment. It is left out then.

Where mask and colours put the object, its depths are those of another surface. The capped cost of depth still draws
the pose, and its evidence speaks against a right one. So the search is made again without depth, and counts if it
convinces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.plausible import of_units
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

FEW = 0.35
"""Share of the visible depths that fit: of 647 right results with a mask and depth, 6 had fewer."""
_CONVINCES = 0.8  # probability that the fit without depth is right


def fits_nowhere(result: RefinementResult, observation: Observation) -> bool:
    """Whether depth is of something else, as far as one result tells, and there is a mask to go by in its place."""
    evidence = result.evidence
    if evidence is None or evidence.depth_inliers is None or observation.mask_box is None:
        return False
    if any(
        "distances along" in note or note.startswith("registration") for note in result.notes
    ):  # it is of the object
        return False
    return evidence.depth_inliers < FEW


def without_wrong_depth(
    attempt: Attempt, mesh: Mesh, observation: Observation, again: Callable[[Observation], Attempt]
) -> Attempt:
    """The same attempt, or one without depth where depth fits nowhere and mask and colours convince alone.

    Depth whose unit is wrong is no such case: it says where the object is once somebody has corrected it.

    Args:
        attempt: of the search with everything, in the object's own frame.
        mesh: the object, in that frame.
        observation: the images.
        again: the search, of other images.
    """
    first = attempt.result
    if not fits_nowhere(first, observation) or any(of_units(mesh, observation, first.initial_pose)):
        return attempt
    other = again(observation.without_depth())
    if not other.result.ok or (other.result.confidence or 0.0) < _CONVINCES:
        return attempt
    assert first.evidence is not None and first.evidence.depth_inliers is not None
    note = (
        f"depth is left out: only {100 * first.evidence.depth_inliers:.0f} % of it fits where mask and colours "
        "have the object: is it of glass, black or shiny, is depth of another moment, or its scale wrong?"
    )
    seconds = first.elapsed_s + other.result.elapsed_s
    notes = (one for one in other.result.notes if not one.startswith("depth is off"))  # it was given
    return other._replace(result=replace(other.result, notes=(note, *notes), elapsed_s=seconds))
