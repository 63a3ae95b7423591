"""What a user should know of a scene: views, cameras and objects that do not fit together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from diffdope.estimate.covariance import in_words
from diffdope.geometry.pose import Pose
from diffdope.joint.kinds_of_places import other_kind
from diffdope.joint.normal_equations import Where
from diffdope.joint.result import ViewResult
from diffdope.joint.support import Support, size_factor
from diffdope.joint.together import Together
from diffdope.note_codes import Note, NoteCode, coded, of_codes
from diffdope.pipelines.notes import OFF
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import MESSAGES, RefinementResult
from diffdope.scene.scene import Scene

_MUCH_WORSE = 2.0  # log odds: of views whose cameras are exact, images fit nearly as well together as alone
_FAR_APART = 3.0  # standard deviations of which the views' own optima are hardly ever away if nothing is wrong
_STANDS_OUT = 2.0  # times as far off as the next view: what one view has wrong pulls at all others together
_PLACES = (1000.0, 0.001)  # places of cameras in metres for millimetres, and the other way round
_SAME_UNIT = np.log(1.1)  # such a factor is found as well as the poses of the views are
_OF_VIEWS = frozenset({*OFF.values(), NoteCode.MASK_REFUSED, NoteCode.FOCAL_LENGTH})  # worth a word of the object
CAMERA_HELD = Note(NoteCode.CAMERA_HELD, "the camera was not refined: one view says nothing about where it stands")
_FAR_OFF = 3.0  # standard deviations of a camera's place that are worth a word


def view_name(scene: Scene, view: int) -> str:
    """What messages call a view."""
    return scene.views[view].name or f"view {view}"


def notes_on_object(
    scene: Scene, refiner: Refiner, solved: Together, n: int, obj: int, found: Mapping[Where, RefinementResult],
    support: Support,
) -> list[str]:  # fmt: skip
    """What is worth knowing of an object that took part.

    Args:
        scene: what was given.
        refiner: of the object.
        solved: what all views say.
        n: its number among those that took part.
        obj: its number in the scene.
        found: what each view found on its own.
        support: which views speak for it, and which against.
    """
    of_views = (note for (_, o), one in found.items() if o == obj for note in one.notes)
    notes = [*of_codes(of_views, _OF_VIEWS)]
    for view in range(len(scene.views)):
        member = solved.members.get((view, n))
        if member is None or view in solved.left_out:
            continue
        name = view_name(scene, view)
        if not member.used and view in support.against:
            text = f"{name} contradicts the others: {member.reason}; is its mask of this object?"
            notes.append(Note(NoteCode.VIEW_CONTRADICTS, text))
        elif not member.used:
            notes.append(Note(NoteCode.VIEW_SILENT, f"{name} says nothing about it: {member.reason}"))
        elif view in support.against:
            text = f"{name} contradicts the others: its images hardly fit the pose; is its mask of this object?"
            notes.append(Note(NoteCode.VIEW_CONTRADICTS, text))
    words = in_words(solved.covariance.unobserved[n], 0.5 * refiner.mesh.diameter)
    notes += [note.worded(note.replace("camera-frame axis", "world axis")) for note in words]
    return list(dict.fromkeys(notes))


def cause_of_contradiction(
    scene: Scene, refiner: Refiner, obj: int, found: Mapping[Where, RefinementResult]
) -> str:  # fmt: skip
    """What may be wrong where an object is not found, or in several places; empty where nothing points to it.

    Args:
        scene: what was given.
        refiner: of the object.
        obj: its number.
        found: what each view found on its own.
    """
    results = {view: one for (view, o), one in found.items() if o == obj}
    alone = {
        view: refiner.frame.enter(one.pose)
        for view, one in results.items() if one.confidence is not None and one.modalities
    }  # fmt: skip
    cameras = [view.T_w2c for view in scene.views]
    kind = other_kind(alone, cameras)
    if kind:
        return Note(NoteCode.VIEWS_KIND, f"the views agree on where it is if all T_w2c are taken for {kind}")
    measured = any("depth" in one.modalities for one in results.values())
    return cause_in_views(scene, obj, found) or note_on_size(alone, cameras, measured=measured)


def note_on_size(alone: Mapping[int, Pose], cameras: Sequence[Pose], *, measured: bool) -> str:
    """Whether views that contradict each other agree on an object of another size; empty if not.

    Args:
        alone: T_c_o by view, about the object's own middle, of those that found something of it.
        cameras: T_w2c of all views.
        measured: whether one of them has depth.
    """
    factor = size_factor(alone, cameras)
    if factor is None:
        return ""
    apart = 1.0 / factor
    # Depth goes with the mesh as it is.
    if measured and any(abs(np.log(apart / unit)) < _SAME_UNIT for unit in _PLACES):
        wrong = "metres for millimetres" if apart > 1.0 else "millimetres for metres"
        return Note(
            NoteCode.VIEWS_SIZE,
            f"the views agree on where it is if the cameras' places are {apart:.4g} times as far apart, and depth goes "
            f"with the mesh: are these places {wrong}? cam_t_w2c is in millimetres, T_w2c in metres",
        )
    times = f"{factor:.4g} times" if factor > 1.0 else f"1/{1.0 / factor:.4g}"
    return Note(
        NoteCode.VIEWS_SIZE,
        f"the views agree on where it is if its mesh is {times} as large: is the unit or scale of the mesh wrong, or "
        "the unit of the cameras' places (metres in T_w2c)?",
    )


def cause_in_views(scene: Scene, obj: int, found: Mapping[Where, RefinementResult]) -> str:
    """The cause that most views name for not finding an object, each on its own; empty where less than half name one.

    Args:
        scene: what was given.
        obj: its number.
        found: what each view found on its own.
    """
    asked = {view: one for (view, o), one in found.items() if o == obj}
    usual = set(MESSAGES.values())
    named = {view: one.message for view, one in asked.items() if not one.ok and one.message not in usual}
    if not named or 2 * len(named) < len(asked):
        return ""
    kinds = {view: re.sub(r"[^a-z]", "", text) for view, text in named.items()}  # the same but for numbers
    counted = Counter(kinds.values())
    view = max(named, key=lambda one: (counted[kinds[one]], -one))
    return Note(NoteCode.VIEW_FAILED, f"{view_name(scene, view)}: {named[view]}")


def failures_of(scene: Scene, obj: int, found: Mapping[Where, RefinementResult]) -> tuple[Note, ...]:
    """What each view says of an object that none of them found."""
    texts = {view: f"{view_name(scene, view)}: {one.message}" for (view, o), one in found.items() if o == obj}
    return coded(texts.values(), NoteCode.VIEW_FAILED)


def contradiction(scene: Scene, agreeing: Iterable[int], against: Iterable[int]) -> str:
    """Which views stand against which."""
    one, other = ([view_name(scene, v) for v in sorted(some)] or ["none"] for some in (agreeing, against))
    return (
        f"views contradict each other, and nothing tells which are right: {', '.join(one)} against "
        f"{', '.join(other)}; is a T_w2c wrong (all of them T_c2w: camera to world?), or less exact "
        "than it was said to be (View's sigma), or did it move?"
    )


def notes_on_views(scene: Scene, solved: Together) -> list[Note]:
    """Views that were left out."""
    return [
        Note(
            NoteCode.VIEW_LEFT_OUT,
            f"{view_name(scene, view)} was left out: {elsewhere} of {of} objects are elsewhere in it; is its T_w2c "
            "right, and was everything where it is in the other views?",
        )
        for view, (elsewhere, of) in sorted(solved.left_out.items())
    ]


def notes_on_fit(scene: Scene, solved: Together, scattered_mm: float = 0.0) -> list[Note]:
    """Whether the views fit together at all, and the one that stands out, of three and more.

    Args:
        scene: what was given.
        solved: what all views say.
        scattered_mm: how far apart they surely are; 0 for no more than is worth a word.
    """
    worse = []
    for where, member in solved.members.items():
        if member.used and member.leaf is not None:
            by = member.worse_by(member.leaf.fit(solved.state.in_camera(*where)).log_odds)
            worse += [] if by is None else [by]
    far = list(solved.deviations.values())
    fit_worse = bool(worse) and float(np.median(worse)) >= _MUCH_WORSE
    if not fit_worse and not scattered_mm and not (far and float(np.median(far)) >= _FAR_APART):
        return []
    text = (
        "the views do not fit together: images fit much better where each view has the objects on its own; T_w2c, K "
        "or the size of a mesh is less exact than it was said to be; a View with sigma has its place refined"
    )
    if scattered_mm:
        text += f"; the views have the objects {scattered_mm:.1f} mm from where all together have them"
    odd = _standing_out(solved.deviations)
    if odd is not None:
        text += f"; {view_name(scene, odd)} stands out: were its images taken at another moment, or is its T_w2c off?"
    return [Note(NoteCode.VIEWS_MISFIT, text)]


def _standing_out(deviations: Mapping[Where, float]) -> int | None:
    """The view whose own optima are farther off than those of each other view by much; None of fewer than three."""
    views = {view for view, _ in deviations}
    far = {v: float(np.median([value for (view, _), value in deviations.items() if view == v])) for v in views}
    if len(far) < 3:
        return None
    second, most = sorted(far.values())[-2:]
    return max(far, key=lambda view: far[view]) if most > _STANDS_OUT * second else None


def notes_on_cameras(scene: Scene, views: Sequence[ViewResult]) -> list[Note]:
    """Cameras that stand much farther off than was said."""
    notes = []
    for given, one in zip(scene.views, views, strict=True):
        if given.sigma is None or not one.refined:
            continue
        off = max(one.moved_mm / (1e3 * given.sigma[0]), one.moved_deg / given.sigma[1]) / np.sqrt(3.0)
        if off > _FAR_OFF:
            text = (
                f"{one.name}: its camera stands {one.moved_mm:.1f} mm and {one.moved_deg:.2f} degrees from T_w2c, much "
                "farther than its sigma says"
            )
            notes.append(Note(NoteCode.CAMERA_MOVED, text))
    return notes
