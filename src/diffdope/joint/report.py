"""Results from what was solved: poses in the files' frames, confidence and status an object, what each view says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import log_odds, log_odds_of, sigmoid
from diffdope.estimate.covariance import in_words
from diffdope.joint.chain import as_tangent_of_pose, by_object, camera_difference
from diffdope.joint.drawn import drawing_of
from diffdope.joint.images import Member
from diffdope.joint.normal_equations import Where
from diffdope.joint.result import ObjectInView, ObjectResult, SceneResult, ViewResult
from diffdope.joint.settle import Claim, rivals_in, settled
from diffdope.joint.together import Together
from diffdope.pipelines.believed import belief_of
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import MESSAGES, NOWHERE, RefinementResult, Status
from diffdope.scene.scene import Scene

F64 = NDArray[np.float64]

_EVEN = 0.5  # confidence of one of two answers of which nothing tells which is right
_LARGEST = 50.0  # log odds: beyond, a probability is 1
_MUCH_WORSE = 2.0  # log odds: of views whose cameras are exact, images fit nearly as well together as alone
_FAR_OFF = 3.0  # standard deviations of a camera's place that are worth a word


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
                result.right_minimum,
            )
        )
    whole = None if len(blocks) < len(found) else _diagonal(blocks)
    used = any(one.views and one.views[0].used for one in objects)
    reason = "" if used else "nothing could be compared in it"
    notes: tuple[str, ...] = ()
    if view.sigma is not None:
        notes = ("the camera was not refined: one view says nothing about where it stands",)
    views = (ViewResult(_view_name(scene, 0), used, reason, view.T_w2c, False),)
    return SceneResult(tuple(objects), views, whole, notes, 0.0)


def from_together(
    scene: Scene, refiners: Sequence[Refiner], solved: Together | None, kept: Sequence[int],
    found: Mapping[Where, RefinementResult],
) -> SceneResult:  # fmt: skip
    """The result of several views.

    Args:
        scene: what was given.
        refiners: of all objects.
        solved: what all views say; None if no view found anything.
        kept: numbers of the objects that took part, in their order there.
        found: what each view found on its own.
    """
    if solved is None:
        objects = [_nowhere(scene, obj, _failures(scene, obj, found)) for obj in range(len(scene.objects))]
        views = [
            ViewResult(_view_name(scene, v), False, "nothing could be compared in it", one.T_w2c, False)
            for v, one in enumerate(scene.views)
        ]
        return SceneResult(tuple(objects), tuple(views), None, (), 0.0)
    covariance, carried = _in_files_frames(solved, refiners, kept)
    objects = []
    for obj in range(len(scene.objects)):
        if obj not in kept:
            objects.append(_nowhere(scene, obj, _failures(scene, obj, found)))
            continue
        n = kept.index(obj)
        objects.append(_object(scene, refiners[obj], solved, n, obj, found, covariance, carried[n]))
    views = [_view(scene, solved, v, covariance) for v in range(len(scene.views))]
    notes = [*_notes_on_views(scene, solved), *_notes_on_fit(solved), *_notes_on_cameras(scene, views)]
    return SceneResult(tuple(objects), tuple(views), covariance, tuple(notes), 0.0)


def settled_result(result: SceneResult, scene: Scene, refiners: Sequence[Refiner]) -> SceneResult:
    """The same, in which no two objects that were found claim the same pixels."""
    pairs: set[tuple[int, int]] = set()
    for number, view in enumerate(scene.views):
        claims: list[Claim | None] = []
        for obj, one in enumerate(result.objects):
            if not one.ok or number >= len(one.views):
                claims.append(None)
                continue
            meshes, pose = refiners[obj].meshes, refiners[obj].frame.enter(one.views[number].pose)
            drawing = drawing_of(meshes, pose, view.camera)
            claims.append(Claim(drawing, scene.observation(number, obj).mask, meshes.length_m))
        pairs |= set(rivals_in(claims))
    if not pairs:
        return result
    odds = [log_odds(one.confidence if one.right_minimum is None else one.right_minimum) for one in result.objects]
    objects = list(result.objects)
    for lost in settled(sorted(pairs), odds, [id(one.mesh) for one in scene.objects]):
        rival = result.objects[lost.rival].name
        if lost.sure:
            status, message = Status.FAILED, f"{rival} claims the same pixels, and is surer"
        else:
            status, message = Status.AMBIGUOUS, f"{rival} claims the same pixels, and nothing tells which of both it is"
        objects[lost.obj] = replace(objects[lost.obj], status=status, message=message)
    return replace(result, objects=tuple(objects))


def _nowhere(scene: Scene, obj: int, notes: tuple[str, ...]) -> ObjectResult:
    message = MESSAGES[Status.FAILED]
    return ObjectResult(scene.objects[obj].name, NOWHERE, Status.FAILED, message, 0.0, None, None, (), notes)


def _failures(scene: Scene, obj: int, found: Mapping[Where, RefinementResult]) -> tuple[str, ...]:
    return tuple(f"{_view_name(scene, v)}: {one.message}" for (v, o), one in found.items() if o == obj)


def _view_name(scene: Scene, view: int) -> str:
    return scene.views[view].name or f"view {view}"


def _in_files_frames(solved: Together, refiners: Sequence[Refiner], kept: Sequence[int]) -> tuple[F64, list[F64]]:
    """Covariance of all unknowns as poses of files have them, and the motions (6, 6) of the objects that do it."""
    motion = np.eye(solved.unknowns.size)
    each = []
    for n, obj in enumerate(kept):
        part, frame = solved.unknowns.of_object(n), refiners[obj].frame
        motion[part, part] = frame.motion(solved.state.objects[n])
        each.append(motion[part, part])
    for view in solved.unknowns.free:
        part = solved.unknowns.of_camera(view)
        motion[part, part] = as_tangent_of_pose(solved.state.cameras[view])
    return motion @ solved.covariance.matrix @ motion.T, each


def _object(
    scene: Scene, refiner: Refiner, solved: Together, n: int, obj: int, found: Mapping[Where, RefinementResult],
    covariance: F64, motion: F64,
) -> ObjectResult:  # fmt: skip
    """One object that took part as number n."""
    pose, vote = solved.state.objects[n], solved.votes[n]
    sure = _log_odds(scene, solved, n)
    fit = sigmoid(sure)
    unobserved = solved.covariance.unobserved[n]
    status, message = Status.CONVERGED, MESSAGES[Status.CONVERGED]
    if _undecided(scene, solved):
        kept = {v for v, _ in solved.members} - set(solved.left_out)
        status, message = Status.AMBIGUOUS, _contradiction(scene, kept, solved.left_out)
        fit = min(fit, _EVEN)
    elif not vote.clear:
        status, message = Status.AMBIGUOUS, _contradiction(scene, vote.agreeing, vote.against)
        fit = min(fit, _EVEN)
    elif fit < refiner.preset.resolved_search.least_confidence:
        status, message = Status.FAILED, MESSAGES[Status.FAILED]
    part = solved.unknowns.of_object(n)
    own = solved.covariance.matrix[part, part]
    belief = belief_of(fit, own, pose, refiner.meshes, refiner.preset.resolved_search.confidence)
    return ObjectResult(
        scene.objects[obj].name, refiner.frame.leave(pose), status, message, belief.confidence,
        covariance[part, part], unobserved @ motion.T,
        tuple(_in_view(scene, refiner, solved, v, n) for v in range(len(scene.views))),
        tuple(_notes_on_object(scene, refiner, solved, n, obj, found)), belief.right,
    )  # fmt: skip


def _undecided(scene: Scene, solved: Together) -> bool:
    """Whether as many views were left out as are left: then nothing tells which of them are right."""
    kept = {view for view, _ in solved.members} - set(solved.left_out)
    return len(scene.views) > 1 and bool(solved.left_out) and len(kept) <= len(solved.left_out)


def _contradiction(scene: Scene, agreeing: Iterable[int], against: Iterable[int]) -> str:
    one, other = ([_view_name(scene, v) for v in sorted(some)] for some in (agreeing, against))
    return (
        f"views contradict each other, and nothing tells which are right: {', '.join(one)} against "
        f"{', '.join(other)}; is a T_w2c wrong, or less exact than it was said to be (View's sigma), or did it move?"
    )


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


def _in_view(scene: Scene, refiner: Refiner, solved: Together, view: int, n: int) -> ObjectInView:
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


def _notes_on_object(
    scene: Scene, refiner: Refiner, solved: Together, n: int, obj: int, found: Mapping[Where, RefinementResult]
) -> list[str]:  # fmt: skip
    notes = [note for (_, o), one in found.items() if o == obj for note in one.notes if "is off:" in note]
    for view in range(len(scene.views)):
        member = solved.members.get((view, n))
        if member is not None and not member.used and view not in solved.left_out:
            notes.append(f"{_view_name(scene, view)} says nothing about it: {member.reason}")
    words = in_words(solved.covariance.unobserved[n], 0.5 * refiner.mesh.diameter)
    notes += [note.replace("camera-frame axis", "world axis") for note in words]
    return list(dict.fromkeys(notes))


def _view(scene: Scene, solved: Together, view: int, covariance: F64) -> ViewResult:
    given, now = scene.views[view].T_w2c, solved.state.cameras[view]
    name, free = _view_name(scene, view), view in solved.unknowns.free
    used = any(one.used for (v, _), one in solved.members.items() if v == view)
    reason = ""
    if view in solved.left_out:
        elsewhere, of = solved.left_out[view]
        reason = f"it contradicts the others: {elsewhere} of {of} objects are elsewhere in it"
    elif not used:
        reason = "no object that was found is seen in it"
    far = [value for (v, _), value in solved.deviations.items() if v == view]
    step = camera_difference(now, given)
    part = solved.unknowns.of_camera(view) if free else None
    return ViewResult(
        name, used, reason, now, free, None if part is None else covariance[part, part],
        1e3 * float(np.linalg.norm(now.inverse().t_m2c - given.inverse().t_m2c)),
        float(np.degrees(np.linalg.norm(step[3:]))), float(np.sqrt(np.mean(np.square(far)))) if far else None,
    )  # fmt: skip


def _notes_on_views(scene: Scene, solved: Together) -> list[str]:
    return [
        f"{_view_name(scene, view)} was left out: {elsewhere} of {of} objects are elsewhere in it; is its T_w2c right, "
        "and was everything where it is in the other views?"
        for view, (elsewhere, of) in sorted(solved.left_out.items())
    ]


def _notes_on_fit(solved: Together) -> list[str]:
    """Whether the views fit together at all."""
    worse = []
    for where, member in solved.members.items():
        if member.used and member.leaf is not None:
            by = member.worse_by(member.leaf.fit(solved.state.in_camera(*where)).log_odds)
            worse += [] if by is None else [by]
    if not worse or float(np.median(worse)) < _MUCH_WORSE:
        return []
    return [
        "the views do not fit together: images fit much better where each view has the objects on its own; T_w2c, K "
        "or the size of a mesh is less exact than it was said to be; a View with sigma has its place refined"
    ]


def _notes_on_cameras(scene: Scene, views: Sequence[ViewResult]) -> list[str]:
    notes = []
    for given, one in zip(scene.views, views, strict=True):
        if given.sigma is None or not one.refined:
            continue
        off = max(one.moved_mm / (1e3 * given.sigma[0]), one.moved_deg / given.sigma[1]) / np.sqrt(3.0)
        if off > _FAR_OFF:
            notes.append(
                f"{one.name}: its camera stands {one.moved_mm:.1f} mm and {one.moved_deg:.2f} degrees from T_w2c, much "
                "farther than its sigma says"
            )
    return notes


def _diagonal(blocks: Sequence[F64 | None]) -> F64 | None:
    if any(one is None for one in blocks):
        return None
    whole = np.zeros((6 * len(blocks), 6 * len(blocks)))
    for n, block in enumerate(blocks):
        whole[6 * n : 6 * n + 6, 6 * n : 6 * n + 6] = block
    return whole
