"""What is located in a piece of depth has to be as large as the photograph shows it.

Where depth reads some percent too far or too near, an object that fits it is as much too far or too near, and its
outline lies beside that of the photograph. The piece cannot tell: it is cut roughly, and where it does not fit, it is a
mask that is off, which is excused. So depth and the photograph are asked without it, as they are from a start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

from diffdope.note_codes import CONTRADICTIONS, NoteCode, code_of, of_codes
from diffdope.pipelines.attempt import Attempt, tracking_presets
from diffdope.pipelines.locating.in_box import surest
from diffdope.pipelines.lowered_confidence import with_lower_confidence
from diffdope.pipelines.result import in_pose_of
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.scene.observation import Observation
from diffdope.search.selection import SAME, SAME_RAD

_OF_SIZE = frozenset({NoteCode.DEPTH_SCALE, NoteCode.DEPTH_SCALE_UNSURE})


def as_large_as_seen(found: Attempt, searcher: MeshSearcher, preset: Preset, observation: Observation) -> Attempt:
    """The same, or no surer than depth and photograph are without the piece, where these disagree about its size.

    Args:
        found: in a piece, in the object's own frame.
        searcher: of the object.
        preset: of the search.
        observation: with depth, without a mask.
    """
    result, settings = found.result, preset.resolved_search
    asked = settings.contradictions and preset.solver == "newton" and "rgb" in observation.modalities
    if not (asked and result.ok and result.answers):
        return found
    alone = searcher.attempt(tracking_presets(preset)[0], observation, result.pose).result
    told = tuple(note for note in alone.notes if code_of(note) in _OF_SIZE)
    near = alone.pose.angle_to(result.pose) < SAME_RAD
    near &= alone.pose.distance_to(result.pose) < SAME * searcher.meshes.length_m
    if not (told and near):
        return found
    some = min(1.0 - (result.none_of_these or 0.0), alone.confidence or 0.0)
    why = " ".join(of_codes(told, CONTRADICTIONS))
    lowered = with_lower_confidence(in_pose_of(alone, result), some, settings, why)
    kept = tuple(note for note in lowered.notes if code_of(note) not in _OF_SIZE)
    return found._replace(result=replace(lowered, notes=(*kept, *told)))


def surest_by_size(found: Iterator[Attempt], enough: float, of_size: Callable[[Attempt], Attempt]) -> Attempt:
    """The surest of some attempts in pieces; where its size contradicts it, another one that is believed, if any is.

    A thing that looks the same and is some percent larger may lie beside the object. If nothing is believed, it is what
    was found first, whose size is contradicted: where the object itself is, and depth is off, nothing fits as well.

    Args:
        found: in pieces, each made when it is asked for.
        enough: confidence that is enough, see `surest`.
        of_size: `as_large_as_seen` of one of them.
    """
    best = surest(found, enough)
    seen = of_size(best)
    if not best.result.ok or seen.result.ok:
        return seen
    other = surest(chain([seen], map(of_size, found)), enough)
    return other if other.result.ok else seen
