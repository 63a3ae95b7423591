"""Results that are less sure than their search left them, for what is found out about them afterwards."""

from __future__ import annotations

from dataclasses import replace

from diffdope.estimate.confidence import right_minimum
from diffdope.pipelines.result import RefinementResult, Status, message_of
from diffdope.search.settings import SearchSettings


def with_lower_confidence(
    result: RefinementResult, some: float, search: SearchSettings, why: str = ""
) -> RefinementResult:
    """A result with a probability of it, or of one of its answers, fitting rightly, and the status that goes with it.

    Args:
        result: in the object's own frame; its confidence is that of its fit alone.
        some: the probability.
        search: of the search.
        why: it is doubted, for the message of one that fails.
    """
    if not result.answers:
        if right_minimum(some, started=True) >= search.least_confidence or not result.status.ok:
            return replace(result, confidence=some)
        return replace(result, confidence=some, status=Status.FAILED, message=message_of(Status.FAILED, why))
    before = 1.0 - (result.none_of_these or 0.0)
    factor = some / before if before > 0.0 else 1.0
    answers = tuple(replace(one, probability=factor * one.probability) for one in result.answers)
    confidence, status, message = answers[0].probability, result.status, result.message
    told = right_minimum(some) * confidence / some if some > 0.0 else 0.0
    none_fits = status is Status.AMBIGUOUS and right_minimum(some) < search.least_confidence
    if none_fits or (status.ok and told < search.least_confidence):
        status = Status.FAILED
        message = message_of(status, why, located=True)
    none = 1.0 - sum(one.probability for one in answers)
    return replace(
        result, answers=answers, none_of_these=none, confidence=confidence, status=status, message=message
    )  # fmt: skip
