"""What was located in a mask some pixels beside the object, and has failed for no other reason than that mask.

With a start, such a mask is left out (`diagnosis/wrong_mask.py`). Without one it is what says where to look, and has
done so: the result is refined without it, and counts if that convinces, and the mask, once moved, is the object. Other
answers stay, as probable beside it as they were. Depth that is not registered, or has another scale, has a mask beside
the object just so: where that may be, the result stays as it is. So does one that is only unsure: refined from itself,
it would convince though it is wrong, where depth alone is as sure of that pose.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from diffdope.note_codes import NoteCode, of_codes
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.modality_rejection import LEFT_OUT, RejectionTrial
from diffdope.pipelines.diagnosis.wrong_mask import without_shifted_mask
from diffdope.pipelines.result import Status, in_pose_of, message_of
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.answers import Answers

_OF_DEPTH = frozenset({NoteCode.REGISTRATION, NoteCode.DEPTH_SCALE, NoteCode.DEPTH_SCALE_UNSURE})


def beside_shifted_mask(found: Attempt, searcher: MeshSearcher, preset: Preset, observation: Observation) -> Attempt:
    """The same, or the result without the mask, from where the mask has led.

    Args:
        found: in the mask, in the object's own frame.
        searcher: of the object.
        preset: of the search.
        observation: the images.
    """
    first, settings = found.result, preset.resolved_search
    if not first.answers or first.status is not Status.FAILED or of_codes(first.notes, _OF_DEPTH):
        return found
    again = partial(searcher.attempt, preset, pose=first.pose)
    trial = RejectionTrial(found, searcher.meshes, observation, again, first.pose, settings)
    free = without_shifted_mask(trial)
    if free is found:
        return found
    some = sum(one.probability for one in first.answers)
    factor = min(LEFT_OUT, free.result.confidence or 0.0) / some
    answers = tuple(replace(one, probability=factor * one.probability) for one in first.answers)
    every = Answers(answers, 1.0 - sum(one.probability for one in answers))
    status = Status.AMBIGUOUS if every.ambiguous else free.result.status
    result = replace(
        in_pose_of(free.result, replace(first, answers=answers)),
        status=status, message=message_of(status, located=True), notes=free.result.notes,
        evidence=free.result.evidence, confidence=answers[0].probability, none_of_these=every.none,
        window=free.result.window, elapsed_s=free.result.elapsed_s,
    )  # fmt: skip
    return free._replace(result=result)
