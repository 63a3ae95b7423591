"""What a scene's result says of places that were found from its objects, and of those that they leave open."""

from __future__ import annotations

from dataclasses import replace

from diffdope.joint.notes import view_name
from diffdope.joint.places import Places
from diffdope.joint.result import SceneResult
from diffdope.note_codes import Note, NoteCode, code_of
from diffdope.scene.scene import Scene


def told_of_places(result: SceneResult, places: Places, scene: Scene) -> SceneResult:
    """The same, with a note for each camera whose place is open; of those that were found, nothing was moved."""
    views = list(result.views)
    notes = [note for note in result.notes if code_of(note) is not NoteCode.CAMERA_MOVED or not _of_found(note, places, scene)]
    for view in places.found:
        views[view] = replace(views[view], moved_mm=0.0, moved_deg=0.0, place="found")
    for view, why in sorted(places.open.items()):
        views[view] = replace(views[view], used=False, reason=f"where its camera stands is not known: {why}", place="open")
        text = f"{view_name(scene, view)}: where its camera stands is not known: {why}"
        notes.append(Note(NoteCode.PLACE_OPEN, text))
    if places.world:
        text = f"the world is the frame of {view_name(scene, places.world)}, the first view that shows an object"
        notes.append(Note(NoteCode.PLACE_OPEN, text))
    return replace(result, views=tuple(views), notes=tuple(notes))


def _of_found(note: str, places: Places, scene: Scene) -> bool:
    return any(note.startswith(f"{view_name(scene, view)}: ") for view in places.found)
