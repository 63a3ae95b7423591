"""Several instances of one object: two answers cannot be the same piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import RefinementResult, Status

_SAME = 0.1  # share of the diameter: middles of two pieces of one kind that do not run through each other are farther


class Located(NamedTuple):
    """The result of one label of a mask, or of one detection."""

    label: int
    result: RefinementResult


def settled(found: Sequence[Located], diameter_m: float) -> list[Located]:
    """The same results, in the same order; of two in the same place the less sure one has failed, and says why.

    Masks that an occluder splits, and detections that overlap, give one piece two answers.

    Args:
        found: results of one image, all of the same object.
        diameter_m: of the object.
    """
    by_trust = sorted(range(len(found)), key=lambda k: -(found[k].result.confidence or 0.0))
    kept: list[int] = []
    changed = list(found)
    for k in by_trust:
        label, result = found[k]
        if not result.ok:
            continue
        rival = next((other for other in kept if in_same_place(result, found[other].result, diameter_m)), None)
        if rival is None:
            kept.append(k)
            continue
        note = f"found in the same place as label {found[rival].label}, which is surer: both masks show one piece"
        changed[k] = Located(
            label,
            replace(
                result, status=Status.FAILED, notes=(*result.notes, Note(NoteCode.SAME_PLACE, note)),
                message="another answer of the same image claims this piece; see the notes",
            ),
        )  # fmt: skip
    return changed


def in_same_place(one: RefinementResult, other: RefinementResult, diameter_m: float) -> bool:
    """Whether two results of one object, of some diameter in metres, are of one piece."""
    return one.pose.distance_to(other.pose) < _SAME * diameter_m
