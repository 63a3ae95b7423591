"""What was located in a mask some pixels beside the object: depth convinces without it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.locating.beside_mask import beside_shifted_mask
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.scene.packaged import packaged_example
from diffdope.search.mask_as_region import SHIFTED

MESH, WHOLE, _, TRUTH = packaged_example()
REFINER = Refiner(MESH, threads=1)
SEARCHER = MeshSearcher(REFINER.meshes, None, REFINER.preset, 0)
assert WHOLE.mask is not None
BESIDE = WHOLE.with_mask(np.roll(np.asarray(WHOLE.mask) > 0.5, 4, axis=1))


@pytest.fixture(scope="module")
def located() -> RefinementResult:
    """In the object's own frame."""
    result = REFINER.locate(BESIDE)
    poses = [REFINER.frame.enter(one.pose) for one in result.answers]
    answers = tuple(replace(one, pose=pose) for one, pose in zip(result.answers, poses, strict=True))
    return replace(result, pose=poses[0], answers=answers)


def doubted(result: RefinementResult, shares: Iterable[float], *notes: Note, status: Status = Status.FAILED) -> Attempt:
    """With answers of these probabilities, all at its pose, and these notes beside that of the mask's place."""
    answers = tuple(replace(result.answers[0], probability=one) for one in shares)
    none, first = 1.0 - sum(one.probability for one in answers), answers[0].probability
    return Attempt(
        replace(result, answers=answers, none_of_these=none, confidence=first, status=status, notes=(SHIFTED, *notes)),
        None,
    )


def test_a_right_result_does_not_fail_for_its_mask(located: RefinementResult) -> None:
    result = beside_shifted_mask(doubted(located, [0.02]), SEARCHER, REFINER.preset, BESIDE).result
    assert result.ok and 1e3 * REFINER.frame.leave(result.pose).distance_to(TRUTH) < 1.0
    assert "mask" not in result.modalities and NoteCode.MASK_SHIFTED in result.note_codes
    assert result.confidence == pytest.approx(0.75) and result.none_of_these == pytest.approx(0.25)
    assert result.answers[0].pose is result.pose


def test_other_answers_stay_beside_it(located: RefinementResult) -> None:
    few = beside_shifted_mask(doubted(located, [0.4, 0.1]), SEARCHER, REFINER.preset, BESIDE).result
    assert few.ok and [one.probability for one in few.answers] == pytest.approx([0.6, 0.15])
    alike = beside_shifted_mask(doubted(located, [0.04, 0.03]), SEARCHER, REFINER.preset, BESIDE).result
    assert alike.status is Status.AMBIGUOUS and len(alike.answers) == 2


def test_it_stays_where_it_has_not_failed_or_depth_may_be_off(located: RefinementResult) -> None:
    def attempt(*_: object, **__: object) -> Attempt:
        raise AssertionError("a search for nothing")

    nobody = cast(MeshSearcher, SimpleNamespace(meshes=REFINER.meshes, attempt=attempt))
    for one in (
        doubted(located, [0.2, 0.2], status=Status.AMBIGUOUS),
        doubted(located, [0.9], status=Status.CONVERGED),
        doubted(located, [0.4], status=Status.CONVERGED),
        doubted(located, [0.02], Note(NoteCode.REGISTRATION, "depth is beside the photograph")),
        doubted(located, [0.02], Note(NoteCode.DEPTH_SCALE_UNSURE, "depth may be too far")),
    ):
        assert beside_shifted_mask(one, nobody, REFINER.preset, BESIDE) is one
