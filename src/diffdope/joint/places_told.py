"""What a scene's result says of places that were found from its objects, and of those that they leave open."""

from __future__ import annotations

from dataclasses import replace

from diffdope.joint.chain import as_tangent_of_pose
from diffdope.joint.notes import notes_on_cameras, view_name
from diffdope.joint.places import FoundPlaces
from diffdope.joint.result import SceneResult
from diffdope.note_codes import Note, NoteCode, code_of
from diffdope.scene.scene import Scene


def told_of_places(result: SceneResult, places: FoundPlaces, scene: Scene) -> SceneResult:
    """The same, with a note for each camera whose place is open, and one where the first view is not the world.

    Of those that were found, nothing was moved, and they are as unsure as views are compared: what a single object's
    mask is off turns the camera about it, and no pixel knows.

    Args:
        result: of what was solved.
        places: what was found.
        scene: with these places.
    """
    views = list(result.views)
    covariance = None if result.covariance is None else result.covariance.copy()
    free = [number for number, one in enumerate(result.views) if one.refined]
    for view in places.found:
        views[view] = replace(views[view], moved_mm=0.0, moved_deg=0.0, place="found")
        own = views[view].covariance
        if own is None:
            continue
        J = as_tangent_of_pose(views[view].T_w2c)
        views[view] = replace(views[view], covariance=own + J @ places.found[view].floor @ J.T)
        if covariance is not None:
            first = len(covariance) - 6 * (len(free) - free.index(view))
            covariance[first : first + 6, first : first + 6] = views[view].covariance
    notes = [note for note in result.notes if code_of(note) is not NoteCode.CAMERA_MOVED]
    notes += notes_on_cameras(scene, views)  # of those whose places were given
    for view, why in sorted(places.open.items()):
        reason = f"where its camera stands is not known: {why}"
        views[view] = replace(views[view], used=False, reason=reason, place="open")
        notes.append(Note(NoteCode.PLACE_OPEN, f"{view_name(scene, view)}: {reason}"))
    if places.world:
        text = f"the world is the frame of {view_name(scene, places.world)}, the first view that shows an object"
        notes.append(Note(NoteCode.WORLD_VIEW, text))
    return replace(result, views=tuple(views), covariance=covariance, notes=tuple(notes))
