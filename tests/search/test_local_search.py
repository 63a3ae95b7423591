"""Poses that climb a score without a derivative."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.search.proposals.local_search import ClimbSettings, Scored, climbed

LENGTH_M = 0.2
TRUTH_R, TRUTH_T = so3.exp(np.array([0.4, -1.0, 0.3])), np.array([0.05, -0.02, 0.6])


def score(R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Steps of a tenth, for scores count pixels; the highest at the truth."""
    angle = np.linalg.norm(so3.log(R @ TRUTH_R.T), axis=-1)
    away = np.linalg.norm(t - TRUTH_T, axis=-1) / LENGTH_M
    return np.floor(-20.0 * (angle + away))


def around(count: int) -> Scored:
    rng = np.random.default_rng(1)
    R = so3.exp(rng.normal(0.0, 0.3, (count, 3))) @ TRUTH_R
    return Scored.of(R, TRUTH_T + rng.normal(0.0, 0.02, (count, 3)), score)


def up(start: Scored, *, seed: int = 0, count: int = 4) -> Scored:
    rng = np.random.default_rng(seed)
    settings = ClimbSettings(turn_deg=12.0)  # for `around`, whose poses are farther off than neighbouring templates
    return climbed(start, count, settings, rng, rounds=8, length_m=LENGTH_M, score=score)


def test_poses_climb_to_the_truth() -> None:
    start, end = around(24), up(around(24))
    assert end.score[0] > start.score.max()
    assert np.degrees(np.linalg.norm(so3.log(end.R[0] @ TRUTH_R.T))) < 5.0
    assert np.linalg.norm(end.t[0] - TRUTH_T) < 0.03 * LENGTH_M
    assert np.all(np.diff(end.score) <= 0.0) and len(end.score) <= 4


def test_none_gets_worse_and_the_seed_alone_decides() -> None:
    one = around(1)
    assert up(one, count=1).score[0] >= one.score[0]
    same, again, other = up(around(24)), up(around(24)), up(around(24), seed=1)
    assert np.array_equal(same.R, again.R) and np.array_equal(same.t, again.t)
    assert not np.array_equal(same.t, other.t)


def test_of_a_pose_and_its_counterpart_the_better_stays() -> None:
    start = around(3)
    worse = Scored(np.stack([np.eye(3)] * 3), np.zeros((3, 3)), start.score + np.array([-1.0, 1.0, -1.0]))
    kept = start.bettered(worse)
    assert np.array_equal(kept.R[[0, 2]], start.R[[0, 2]]) and np.array_equal(kept.R[1], np.eye(3))
    assert np.array_equal(kept.score, np.maximum(start.score, worse.score))


def test_finer_levels_go_on_with_the_steps_that_the_last_one_ended_with() -> None:
    coarse = ClimbSettings()
    finer = coarse.finer(2.0)
    assert finer.turn_deg == coarse.last_turn_deg and finer.last_turn_deg == 0.5 * coarse.last_turn_deg
    assert finer.drawn == coarse.drawn_again
    assert coarse.finer(0.5).last_turn_deg == coarse.last_turn_deg  # steps do not grow


@pytest.mark.parametrize("wrong", [{"turn_deg": 0.0}, {"last_turn_deg": 13.0}, {"drawn": 0}])
def test_steps_of_no_length_and_such_as_grow_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DiffDopeError, match=next(iter(wrong))):
        ClimbSettings(**wrong)  # type: ignore[arg-type]
