"""Extrinsics of a depth camera that are the wrong way round: what is in doubt is tried with their inverse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from diffdope.cli.input_flags import InputFlags, observation_of
from diffdope.errors import DiffDopeError
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.observation import Observation

_SURE = 0.5  # confidence from which on a result is believed
_OF_DEPTH = frozenset({NoteCode.REGISTRATION, NoteCode.DEPTH_LEFT_OUT, NoteCode.DEPTH_MISFITS})


def told_of_inverse(
    given: InputFlags, result: RefinementResult, again: Callable[[Observation], RefinementResult]
) -> RefinementResult:
    """A result that is in doubt, or whose depth is, with the word that the inverse of --depth-extrinsics is believed.

    The pose stays as it was found: which of both is right, the user knows.

    Args:
        given: the flags.
        result: of their images.
        again: the same search in other images.
    """
    if given.depth_extrinsics is None or not _in_doubt(result):
        return result
    files = given.files()
    place, _ = files.place_of_depth
    assert place is not None
    try:
        observation = observation_of(replace(files, depth_extrinsics=place.inverse()).read())
    except DiffDopeError:  # it puts all depth out of the picture
        return result
    other = again(observation)
    sure = other.confidence or 0.0
    if not other.ok or sure <= max(_SURE, result.confidence or 0.0) or _OF_DEPTH.intersection(other.note_codes):
        return result
    text = (
        f"with the inverse of --depth-extrinsics the object is found, at a confidence of {sure:.2f}: do they lead from "
        "the photograph's camera to that of depth? Give their inverse, from depth's to the photograph's"
    )
    note = Note(NoteCode.REGISTRATION, text)
    return replace(result, message=result.message if result.ok else text, notes=(note, *result.notes))


def _in_doubt(result: RefinementResult) -> bool:
    unsure = not result.ok or (result.confidence or 0.0) < _SURE
    return unsure or bool(_OF_DEPTH.intersection(result.note_codes))
