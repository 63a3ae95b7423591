"""How well a film's object is usually found: what convinces depends on it."""

from __future__ import annotations

from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.tracking.frame import DEPTHS, rests_on_contrast, shares, sureness
from diffdope.pipelines.tracking.tracking_settings import TrackingSettings

_FOLLOW = 0.1  # by which share of a change what is usual follows a trusted frame
_SLIPPED = 0.5  # of the usual share of learned colours: where a face has slid along itself, a fifth of it is left


class FitHistory:
    """Likeness and confidence of the frames that were trusted so far.

    Args:
        settings: thresholds where the confidence tells right from wrong.
    """

    def __init__(self, settings: TrackingSettings) -> None:
        self._settings = settings
        self.clear()

    def clear(self) -> None:
        """For a new film."""
        self._shares: dict[str, float] = {}
        self._confidence: float | None = None
        self._learned: float | None = None
        self._contrast_alone = False

    def take(self, result: RefinementResult) -> None:
        """A frame that can be trusted."""
        for name, share in shares(result).items():
            self._shares[name] = _after(self._shares.get(name), share)
        self._contrast_alone = rests_on_contrast(result)
        self._confidence = _after(self._confidence, sureness(result))
        learned = _learned_of(result)
        self._learned = self._learned if learned is None else _after(self._learned, learned)

    @property
    def telling(self) -> bool:
        """Whether the confidence tells right from wrong.

        Where an object is never found with a high one, or it rests on the outline's contrast alone, it does not; what
        the object looks like beside the frames before still does.
        """
        if self._contrast_alone:
            return False
        return self._confidence is None or self._confidence >= self._settings.doubt

    @property
    def doubt(self) -> float:
        """Confidence below which a pose is in doubt."""
        return self._settings.doubt if self.telling else 0.0

    @property
    def found(self) -> float:
        """Confidence with which a lost object is found again."""
        settings = self._settings
        if self.telling or self._confidence is None:
            return settings.found
        return max(settings.unlike * self._confidence, settings.lost)

    def slipped(self, result: RefinementResult) -> bool:
        """Whether far fewer of the learned colours fit than usual."""
        learned = _learned_of(result)
        return learned is not None and self._learned is not None and learned < _SLIPPED * self._learned

    def forget_learned(self) -> None:
        """When colours are learned anew."""
        self._learned = None
        self._shares.pop("learned", None)

    def is_met(self, result: RefinementResult, share: float) -> bool:
        """Whether the object looks as much like its model as it did in the frames before, or `share` of that.

        Only kinds of evidence that both have compare: colours are learned from the first frame on. Beside depth that
        fits wherever a flat face slides along itself, colours that do not fit any more weigh too little in a sum, so
        they count on their own, too; and so does depth that fits less: what hides the object does not lower its share,
        but a turn that was not followed does.
        """
        if self.slipped(result):
            return False
        now = {name: value for name, value in shares(result).items() if name in self._shares}
        if any(name in now and now[name] < share * self._shares[name] for name in DEPTHS):
            return False
        usual = sum(self._shares[name] for name in now)
        return not self._shares or max(sum(now.values()), 0.0) >= share * usual


def _learned_of(result: RefinementResult) -> float | None:
    """Share of learned colours that fit; None where there are none."""
    return None if result.evidence is None else result.evidence.learned


def _after(usual: float | None, now: float) -> float:
    return now if usual is None else usual + _FOLLOW * (now - usual)
