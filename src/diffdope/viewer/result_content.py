"""One refinement: start, every hypothesis, result, answers, uncertainty, iteration by iteration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import History, RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viewer.content import (
    ALTERNATIVE,
    HYPOTHESIS,
    RESULT,
    START,
    UNCERTAIN,
    UNCERTAIN_OPACITY,
    Body,
    Content,
    Moment,
)
from diffdope.viewer.ellipsoid import at, ellipsoid
from diffdope.viewer.words import covariance_of_middle, lines_of
from diffdope.viz.draw import overlay
from diffdope.viz.residuals import residual_pictures

MOST_HYPOTHESES = 24
"""Shown at a time, the cheapest: more hide each other."""
_MOST_ANSWERS = 6  # shown at a time, the surest
_CLEAR = 0.35  # opacity of what is not the result


def result_content(
    mesh: Mesh,
    result: RefinementResult,
    *,
    observation: Observation | None = None,
    title: str = "result",
    missing: Sequence[str] = (),
) -> Content:
    """What a viewer shows of one result.

    Args:
        mesh: the object.
        result: with its history, or with an empty one.
        observation: the whole image; None where its files are gone.
        title: of the page.
        missing: what could not be read.
    """
    shown = _Shown(mesh, result, observation)
    return Content(
        title=title, text=lines_of(result), missing=(*missing, *shown.missing), slider="iteration",
        titles=shown.titles, moment=shown.moment, first=len(shown.titles) - 1,
    )  # fmt: skip


class _Shown:
    """One result; what is the same in all moments is made once."""

    def __init__(self, mesh: Mesh, result: RefinementResult, observation: Observation | None) -> None:
        self._mesh, self._result, self._view = mesh, result, observation
        history = result.history
        self._rows = _rows_of(history, result.winner, result.winner_iteration)
        last = "result" if result.modalities else "start"
        self.titles = [f"iteration {row} of {len(history.costs) - 1}" for row in self._rows] + [last]

    @property
    def missing(self) -> tuple[str, ...]:
        """What there is nothing to show of."""
        if not self._result.modalities:
            return ("no iterations and no hypotheses: nothing could be compared, and the pose is the start",)
        lines = []
        if not self._rows:
            lines.append("no iterations and no hypotheses: the result has no history.npz beside it")
        if self._result.covariance is None:
            lines.append("no uncertainty: this solver gives no covariance")
        return tuple(lines)

    def moment(self, k: int) -> Moment:
        """Iteration k of the winner, or the result."""
        row = self._rows[k] if k < len(self._rows) else None
        text = () if row is None else (_words(self._result.history, row, self._result.winner),)
        moving = self._ended if row is None else self._at(row)
        return Moment(self.titles[k], text, self._view, (*moving, *self._still), self._pictures)

    @cached_property
    def _ended(self) -> tuple[Body, ...]:
        rows = self._rows
        swarm = self._swarm(rows[-1]) if rows else None
        result = Body("result", "result", self._mesh, (self._result.pose,), RESULT, own_colors=True)
        return (result,) if swarm is None else (result, swarm)

    def _at(self, row: int) -> tuple[Body, ...]:
        history, winner = self._result.history, self._result.winner
        pose = Pose(history.R_m2c[row, winner], history.t_m2c[row, winner])
        return Body("result", "result", self._mesh, (pose,), RESULT, own_colors=True), self._swarm(row)

    def _swarm(self, row: int) -> Body:
        """The cheapest hypotheses of an iteration; the winner is drawn by itself."""
        history = self._result.history
        costs = history.costs[row].copy()
        costs[self._result.winner] = np.nan
        there = np.flatnonzero(np.isfinite(costs))
        best = there[np.argsort(costs[there], kind="stable")][:MOST_HYPOTHESES]
        poses = tuple(Pose(history.R_m2c[row, k], history.t_m2c[row, k]) for k in best)
        return Body("hypotheses", "hypotheses", self._mesh, poses, HYPOTHESIS, opacity=0.12)

    @cached_property
    def _still(self) -> tuple[Body, ...]:
        result = self._result
        bodies = [Body("start", "start", self._mesh, (result.initial_pose,), START, opacity=_CLEAR, shown=False)]
        for number, answer in enumerate(result.answers[:_MOST_ANSWERS], 1):
            if number > 1:
                label = f"answer {number}: {answer.probability:.2f}"
                bodies.append(
                    Body(
                        f"answer {number}", "alternatives", self._mesh, (answer.pose,), ALTERNATIVE, _CLEAR, label=label
                    )
                )
            if answer.alternatives:
                name = f"looks like answer {number}"
                bodies.append(
                    Body(name, "look-alikes", self._mesh, answer.alternatives, ALTERNATIVE, 0.15, shown=False)
                )
        if result.covariance is not None:
            bodies.append(self._uncertainty(result.covariance))
        return tuple(bodies)

    def _uncertainty(self, covariance: NDArray[np.float64]) -> Body:
        pose = self._result.pose
        drawn = ellipsoid(covariance_of_middle(covariance, pose, self._mesh), self._mesh.diameter)
        label = "3 sigma" if drawn.times == 1.0 else f"3 sigma, {drawn.times:g} times as large"
        place = at(pose.apply(self._mesh.center_m))
        return Body("uncertainty", "uncertainty", drawn.mesh, (place,), UNCERTAIN, UNCERTAIN_OPACITY, label=label)

    def _pictures(self) -> Mapping[str, NDArray[np.uint8]]:
        if self._view is None:
            return {}
        result = self._result
        overlaid = {"start and result": overlay(self._mesh, self._view, result)}
        return {**overlaid, **residual_pictures(self._mesh, self._view, result.pose, result.window)}


def _rows_of(history: History, winner: int, last: int) -> list[int]:
    """The iterations up to the result in which the winner took part."""
    if not len(history.costs) or winner >= history.costs.shape[1]:
        return []
    return np.flatnonzero(np.isfinite(history.costs[: last + 1, winner])).tolist()


def _words(history: History, row: int, winner: int) -> str:
    count = int(np.isfinite(history.costs[row]).sum())
    size = "" if history.sizes is None else f", crop of {history.sizes[row]} pixels"
    return f"iteration {row}: cost {history.costs[row, winner]:.4f}, {count} hypotheses{size}"
