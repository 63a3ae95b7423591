"""Results from what was solved: poses in the files' frames, confidence and status an object, what each view says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import log_odds_of, sigmoid
from diffdope.geometry.pose import Pose
from diffdope.joint.answers import ranked_answers
from diffdope.joint.chain import by_object, camera_difference
from diffdope.joint.covariances import in_files_frames, of_cameras
from diffdope.joint.images import Member
from diffdope.joint.normal_equations import Where
from diffdope.joint.notes import (
    CAMERA_HELD,
    cause_in_views,
    cause_of_contradiction,
    contradiction,
    failures_of,
    notes_on_cameras,
    notes_on_fit,
    notes_on_object,
    notes_on_views,
    view_name,
)
from diffdope.joint.result import ObjectInView, ObjectResult, SceneResult, ViewResult
from diffdope.joint.scatter import Scatter, scatter_of
from diffdope.joint.support import support_of
from diffdope.joint.together import JointTask, Together
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import MESSAGES, NOWHERE, RefinementResult, Status
from diffdope.pipelines.result_confidence import FittedPose, belief_of
from diffdope.scene.scene import Scene
from diffdope.search.alternatives.answers import Answer

F64 = NDArray[np.float64]

_EVEN = 0.5  # confidence of one of two answers of which nothing tells which is right
_LARGEST = 50.0  # log odds: beyond, a probability is 1


def from_one_view(scene: Scene, found: Sequence[RefinementResult | None]) -> SceneResult:
    """The results of a single view, carried to the world."""
    (view,) = scene.views
    back, J = view.T_w2c.inverse(), by_object(view.T_w2c).T
    objects, blocks = [], []
    for number, result in enumerate(found):
        if result is None:
            objects.append(_nowhere(scene, number, ()))
            continue
        covariance = None if result.covariance is None else J @ result.covariance @ J.T
        blocks.append(covariance)
        seen = ObjectInView(
            0, bool(result.modalities), "" if result.modalities else result.message, result.pose, result.confidence,
            result.evidence,
        )  # fmt: skip
        objects.append(
            ObjectResult(
                scene.objects[number].name,
                back @ result.pose,
                result.status,
                result.message,
                float(result.confidence or 0.0),
                covariance,
                None if result.unobserved is None else result.unobserved @ J.T,
                (seen,),
                result.notes,
                tuple(_carried(one, back) for one in result.answers),
                right_minimum=result.right_minimum,
            )
        )
    whole = None if len(blocks) < len(found) else _diagonal(blocks)
    used = any(one.views and one.views[0].used for one in objects)
    reason = "" if used else "nothing could be compared in it"
    notes: tuple[str, ...] = ()
    if view.sigma is not None:
        notes = (CAMERA_HELD,)
    seen_by = (ViewResult(view_name(scene, 0), used, reason, view.T_w2c, False),)
    return SceneResult(tuple(objects), seen_by, whole, notes, 0.0)


def from_together(
    scene: Scene, refiners: Sequence[Refiner], solved: Together | None, kept: Sequence[int],
    found: Mapping[Where, RefinementResult], task: JointTask | None = None,
) -> SceneResult:  # fmt: skip
    """The result of several views.

    Args:
        scene: what was given.
        refiners: of all objects.
        solved: what all views say; None if no view found anything.
        kept: numbers of the objects that took part, in their order there.
        found: what each view found on its own.
        task: what was solved; None where `solved` is.
    """
    if solved is None or task is None:
        objects = [
            _nowhere(scene, obj, failures_of(scene, obj, found), cause_in_views(scene, obj, found))
            for obj in range(len(scene.objects))
        ]
        views = [
            ViewResult(view_name(scene, v), False, "nothing could be compared in it", one.T_w2c, False)
            for v, one in enumerate(scene.views)
        ]
        return SceneResult(tuple(objects), tuple(views), None, (), 0.0)
    covariance, carried = in_files_frames(solved, refiners, kept)
    scatter = scatter_of(solved, task)
    scattered_mm = scatter.surely_mm(min(one.mesh.diameter for one in task.refiners))
    objects = []
    for obj in range(len(scene.objects)):
        if obj not in kept:
            objects.append(_nowhere(scene, obj, failures_of(scene, obj, found), cause_in_views(scene, obj, found)))
            continue
        n = kept.index(obj)
        whole = _Solved(scene, solved, task, found, covariance, scatter)
        objects.append(_object(whole, refiners[obj], n, obj, carried[n]))
    views = [_view(scene, solved, v, covariance) for v in range(len(scene.views))]
    notes = [
        *notes_on_views(scene, solved),
        *notes_on_fit(scene, solved, scattered_mm),
        *notes_on_cameras(scene, views),
    ]
    return SceneResult(tuple(objects), tuple(views), covariance, tuple(notes), 0.0)


def _carried(answer: Answer, T_c2w: Pose) -> Answer:
    """An answer of a camera in the world."""
    turned = tuple(T_c2w @ one for one in answer.alternatives)
    return replace(answer, pose=T_c2w @ answer.pose, alternatives=turned)


def _nowhere(scene: Scene, obj: int, notes: tuple[str, ...], cause: str = "") -> ObjectResult:
    message = f"{MESSAGES[Status.FAILED]}; {cause}" if cause else MESSAGES[Status.FAILED]
    return ObjectResult(scene.objects[obj].name, NOWHERE, Status.FAILED, message, 0.0, None, None, (), notes)


class _Solved(NamedTuple):
    """A scene and what is known of it at the end.

    Attributes:
        scene: what was given.
        together: what all views say.
        task: what was solved.
        found: what each view found on its own.
        covariance: (D, D) of all unknowns in the files' frames.
        scatter: how far apart the views are beyond what each is off by itself.
    """

    scene: Scene
    together: Together
    task: JointTask
    found: Mapping[Where, RefinementResult]
    covariance: F64
    scatter: Scatter


def _object(whole: _Solved, refiner: Refiner, n: int, obj: int, motion: F64) -> ObjectResult:
    """One object that took part.

    Args:
        whole: all that was solved.
        refiner: of the object.
        n: its number among those that took part.
        obj: its number in the scene.
        motion: (6, 6) what a motion about its middle is in its file's frame.
    """
    scene, solved, task, found, covariance, scatter = whole
    pose, vote = solved.state.objects[n], solved.votes[n]
    support = support_of(scene, refiner, solved, n, obj)
    notes = notes_on_object(scene, refiner, solved, n, obj, found, support)
    fit = min(sigmoid(_log_odds(scene, solved, n)), vote.share)  # others may fit as well
    unobserved = solved.covariance.unobserved[n]
    status, message = Status.CONVERGED, MESSAGES[Status.CONVERGED]
    if _undecided(scene, solved):
        kept = {v for v, _ in solved.members} - set(solved.left_out)
        status, message = Status.AMBIGUOUS, contradiction(scene, kept, solved.left_out)
        fit = min(fit, _EVEN)
    elif not vote.clear and vote.against:
        status, message = Status.AMBIGUOUS, contradiction(scene, vote.agreeing, vote.against)
        fit = min(fit, _EVEN)
    elif support.against and not support.by:
        status, message = Status.FAILED, MESSAGES[Status.FAILED]
        fit = min(fit, _EVEN)
    elif not support.decided:
        status, message = Status.AMBIGUOUS, contradiction(scene, support.by, support.against)
        fit = min(fit, _EVEN)
    elif fit < refiner.preset.resolved_search.least_confidence:
        status = Status.AMBIGUOUS if vote.share < _EVEN else Status.FAILED
        message = MESSAGES[status]
    if not status.ok:
        cause = cause_of_contradiction(scene, refiner, obj, found)
        message = f"{message}; {cause}" if cause else message
        notes = [*notes, *([cause] if cause else [])]
    part = solved.unknowns.of_object(n)
    own = solved.covariance.matrix[part, part]
    beside = of_cameras(scene, solved, n)
    apart = np.diag(np.repeat([scatter.deviation_m**2, 0.0], 3))
    if (beside := apart if beside is None else beside + apart).any():
        own, covariance = own + beside, covariance.copy()
        covariance[part, part] += motion @ beside @ motion.T
    belief = belief_of(FittedPose(fit, pose, own), refiner.meshes, refiner.preset.resolved_search.confidence)
    return ObjectResult(
        scene.objects[obj].name, refiner.frame.leave(pose), status, message, belief.confidence,
        covariance[part, part], unobserved @ motion.T,
        tuple(_in_view(refiner, solved, v, n) for v in range(len(scene.views))),
        tuple(notes), _answers(refiner, task, n, pose, belief.right, ambiguous=status is Status.AMBIGUOUS),
        right_minimum=belief.right,
    )  # fmt: skip


def _answers(
    refiner: Refiner, task: JointTask, n: int, pose: Pose, confidence: float, *, ambiguous: bool
) -> tuple[Answer, ...]:  # fmt: skip
    """All poses that the views found, in the file's frame; the first is the common one, as sure as the result."""
    singles = {view: one for (view, o), one in task.singles.items() if o == n}
    if not ambiguous and not any(one.result.answers for one in singles.values()):
        return ()
    first, *others = ranked_answers(singles, task.cameras, task.priors, refiner, pose)
    left = max(1.0 - confidence, 0.0)
    total = sum(one.probability for one in others)
    scale = min(1.0, left / total) if total > 0.0 else 1.0
    ranked = [replace(first, probability=confidence), *(replace(o, probability=scale * o.probability) for o in others)]
    return tuple(refiner.frame.answer(one) for one in ranked)


def _undecided(scene: Scene, solved: Together) -> bool:
    """Whether as many views were left out as are left: then nothing tells which of them are right."""
    kept = {view for view, _ in solved.members} - set(solved.left_out)
    return len(scene.views) > 1 and bool(solved.left_out) and len(kept) <= len(solved.left_out)


def _log_odds(scene: Scene, solved: Together, n: int) -> float:
    """Of an object: the mean over the views that take part, by how much of it they see.

    A view agrees with the others as far as its images fit the common pose as well as what it found on its own.
    """
    total = weight = 0.0
    for view in range(len(scene.views)):
        member = solved.members.get((view, n))
        if member is None or not member.used or member.leaf is None:
            continue
        fit = member.leaf.fit(solved.state.in_camera(view, n))
        worse = member.worse_by(fit.log_odds)
        quality = replace(fit.quality, agreement=None if worse is None else float(np.exp(-worse)))
        total, weight = total + quality.visible * log_odds_of(quality), weight + quality.visible
    return total / weight if weight > 0.0 else -_LARGEST


def _in_view(refiner: Refiner, solved: Together, view: int, n: int) -> ObjectInView:
    pose = refiner.frame.leave(solved.state.in_camera(view, n))
    member: Member | None = solved.members.get((view, n))
    if member is None:
        return ObjectInView(view, False, "nothing of it is known there: no mask, or an empty one", pose)
    if member.leaf is None or member.fit is None:
        return ObjectInView(view, False, member.reason, pose)
    fit = member.leaf.fit(solved.state.in_camera(view, n))
    confidence = sigmoid(fit.log_odds)
    deviations = solved.deviations.get((view, n))
    return ObjectInView(view, member.used, member.reason, pose, confidence, fit.quality, deviations)


def _view(scene: Scene, solved: Together, view: int, covariance: F64) -> ViewResult:
    given, now = scene.views[view].T_w2c, solved.state.cameras[view]
    name, free = view_name(scene, view), view in solved.unknowns.free
    used = any(one.used for (v, _), one in solved.members.items() if v == view)
    reason = ""
    if view in solved.left_out:
        elsewhere, of = solved.left_out[view]
        reason = f"it contradicts the others: {elsewhere} of {of} objects are elsewhere in it"
    elif not used:
        reason = "no object that was found is seen in it"
    far, step = [value for (v, _), value in solved.deviations.items() if v == view], camera_difference(now, given)
    part = solved.unknowns.of_camera(view) if free else None
    return ViewResult(
        name, used, reason, now, free, None if part is None else covariance[part, part],
        1e3 * float(np.linalg.norm(now.inverse().t_m2c - given.inverse().t_m2c)),
        float(np.degrees(np.linalg.norm(step[3:]))), float(np.sqrt(np.mean(np.square(far)))) if far else None,
    )  # fmt: skip


def _diagonal(blocks: Sequence[F64 | None]) -> F64 | None:
    if any(one is None for one in blocks):
        return None
    whole = np.zeros((6 * len(blocks), 6 * len(blocks)))
    for n, block in enumerate(blocks):
        whole[6 * n : 6 * n + 6, 6 * n : 6 * n + 6] = block
    return whole
