"""The last steps over all images at once, and what they say about how far off everything is.

Every object that takes part in a view is a leaf: its images near the pose that all views agree on, other objects drawn
at theirs. What does not fit there, though it fits elsewhere, is left out and named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import log_odds_of
from diffdope.estimate.regression import TermEquations
from diffdope.geometry.pose import Pose
from diffdope.joint.chain import ScenePoses, Unknowns
from diffdope.joint.leaf import Fit, Leaf
from diffdope.joint.merge import Single, SummaryLeaf, Vote
from diffdope.joint.normal_equations import CameraPrior, LeafTerms, Where, add_block
from diffdope.pipelines.refiner import Refiner
from diffdope.render.pool import default_threads
from diffdope.scene.observation import Observation
from diffdope.search.drawn import depth_of_others, drawing_of, knowing

F64 = NDArray[np.float64]

_WORSE = 1.0  # log odds by which the images of a view must fit another pose better to contradict this one
_LEAST = -2.0  # log odds below which images say nothing about a pose: hidden, or something else is there
_OBSERVED = 0.25  # share of the spread's variance from which on images might as well say nothing: see `covariance`


@dataclass(frozen=True)
class Member:
    """A leaf that takes part or not, and why.

    Attributes:
        leaf: prepared near the pose; None where nothing can be compared there.
        summary: stands for images that make no regression; None where they do.
        fit: of the images near the pose.
        own_log_odds: of what the view found on its own; None where that was nothing.
        reason: empty where it takes part.
        contradicts: whether the images fit another pose.
    """

    leaf: Leaf | None
    summary: SummaryLeaf | None
    fit: Fit | None
    own_log_odds: float | None = None
    reason: str = ""
    contradicts: bool = False

    def worse_by(self, log_odds: float) -> float | None:
        """How much better the images fit what the view found on its own than a pose; None where that was nothing."""
        return None if self.own_log_odds is None else max(self.own_log_odds - log_odds, 0.0)

    @property
    def used(self) -> bool:
        """Whether it takes part."""
        return not self.reason


def members_of(
    state: ScenePoses, observations: Mapping[Where, Observation], refiners: Sequence[Refiner],
    singles: Mapping[Where, Single], graph: Mapping[Where, SummaryLeaf], weights: Mapping[Where, float],
) -> dict[Where, Member]:  # fmt: skip
    """All leaves, prepared at a state.

    Args:
        state: that all views agree on.
        observations: by view and object.
        refiners: of the objects.
        singles: what each view found.
        graph: what agrees of that.
        weights: how much.
    """
    found: dict[Where, Member] = {}
    for view in sorted({view for view, _ in observations}):
        camera = next(o.camera for (v, _), o in observations.items() if v == view)
        poses = [state.in_camera(view, obj) for obj in range(len(refiners))]
        drawings = [drawing_of(one.meshes, pose, camera) for one, pose in zip(refiners, poses, strict=True)]
        for obj, refiner in enumerate(refiners):
            where = view, obj
            if where not in observations:
                continue
            leaf = Leaf(refiner, knowing(observations[where], depth_of_others(drawings, obj, camera)))
            supported = weights.get(where, 0.0) > 0.0
            found[where] = _member(leaf, poses[obj], singles.get(where), graph.get(where) if supported else None)
    return found


def _member(leaf: Leaf, pose: Pose, single: Single | None, agreed: SummaryLeaf | None) -> Member:
    if not leaf.prepared(pose):
        found = single is not None and single.result.ok
        return Member(None, None, None, None, "nothing of it can be compared there", contradicts=found)
    fit, own = leaf.fit(pose), None
    if single is not None and single.result.ok and single.result.evidence is not None:
        own = log_odds_of(replace(single.result.evidence, agreement=None))
    if single is not None and own is not None and agreed is None and own > fit.log_odds + _WORSE:
        elsewhere = single.answers[0][0]
        away_mm, turned = 1e3 * pose.distance_to(elsewhere), np.degrees(pose.angle_to(elsewhere))
        reason = f"its images fit a pose that is {away_mm:.1f} mm and {turned:.1f} degrees away"
        return Member(leaf, None, fit, own, reason, contradicts=True)
    if agreed is None and fit.log_odds < _LEAST:
        return Member(leaf, None, fit, own, "its images do not support the pose: hidden, or something else is there")
    return Member(leaf, agreed if leaf.holds_outline else None, fit, own)


def judged(state: ScenePoses, votes: Sequence[Vote], members: Mapping[Where, Member]) -> ScenePoses:
    """Each object at the pose that costs least over all images: the common one, or what one of the views found.

    Where images leave a direction nearly open, a mean of several poses fits none of them.
    """
    objects = list(state.objects)
    for obj, one in enumerate(votes):
        poses = [objects[obj], *(state.cameras[view].inverse() @ pose for view, pose in one.agreeing.items())]
        costs = np.zeros(len(poses))
        for (view, other), member in members.items():
            if other == obj and member.used and member.leaf is not None:
                costs += member.leaf.costs([state.cameras[view] @ pose for pose in poses])
        objects[obj] = poses[int(np.argmin(costs))]
    return replace(state, objects=tuple(objects))


class Images:
    """The leaves that take part, as `minimise` evaluates them.

    Args:
        members: by view and object; those that do not take part are passed over.
        threads: None for the library setting.
    """

    def __init__(self, members: Mapping[Where, Member], threads: int | None = None) -> None:
        self._members = {where: one for where, one in members.items() if one.used}
        self._threads = threads
        self.parts: dict[Where, dict[str, TermEquations]] = {}

    def __call__(self, state: ScenePoses) -> dict[Where, LeafTerms]:
        """All leaves at a state."""

        def one(where: Where) -> tuple[LeafTerms | None, dict[str, TermEquations]]:
            member, pose = self._members[where], state.in_camera(*where)
            if member.summary is not None:
                return member.summary.terms(pose), {}
            assert member.leaf is not None
            parts = member.leaf.parts(pose)
            return member.leaf.terms(parts, pose), parts

        with ThreadPoolExecutor(self._threads or default_threads()) as pool:
            found = dict(zip(self._members, pool.map(one, self._members), strict=True))
        self.parts = {where: parts for where, (_, parts) in found.items()}
        return {where: terms for where, (terms, _) in found.items() if terms is not None}

    def known(self, where: Where, *, correlated: bool) -> tuple[F64, F64, dict[str, F64]]:
        """Of one leaf: sure information (6, 6), all information (6, 6), and pulls (6,) by modality; (m, rad)."""
        member = self._members[where]
        if member.summary is not None:
            return member.summary.information, member.summary.information, {}
        assert member.leaf is not None
        parts, spread = self.parts[where], member.leaf.spread
        found = member.leaf.evidence(parts, correlated=correlated)
        back = np.outer(1.0 / spread, 1.0 / spread)
        pulls = {name: pull / spread for name, pull in zip(parts, found.pulls, strict=True)}
        everything = found.everything * back
        pulls[f"border of object {where[1]}"] = everything @ member.leaf.maybe_off
        return found.sure * back, everything, pulls


def spreads_of(refiners: Sequence[Refiner]) -> list[F64]:
    """(6,) deviations of each object of which nothing is known."""
    found = []
    for refiner in refiners:
        noise = refiner.preset.resolved_search.noise
        found.append(np.repeat([noise.spread * refiner.mesh.diameter, np.radians(noise.spread_deg)], 3))
    return found


def observed_basis(
    state: ScenePoses, images: Images, weights: Mapping[Where, float], unknowns: Unknowns, spreads: Sequence[F64]
) -> F64:  # fmt: skip
    """Columns (D, K): the directions of each object that images determine, and all of cameras."""
    blocks = []
    for obj, spread in enumerate(spreads):
        sure = np.zeros((6, 6))
        for (view, other), weight in weights.items():
            if other == obj:
                J = np.kron(np.eye(2), state.cameras[view].R_m2c)
                sure += weight * J.T @ images.known((view, obj), correlated=False)[0] @ J
        values, vectors = np.linalg.eigh(sure * np.outer(spread, spread))
        kept = 1.0 / (1.0 + np.maximum(values, 0.0)) < _OBSERVED
        columns = np.zeros((unknowns.size, int(kept.sum())))
        columns[unknowns.of_object(obj)] = spread[:, None] * vectors[:, kept]
        blocks.append(columns)
    rest = np.eye(unknowns.size)[:, 6 * unknowns.objects :]
    return np.hstack([*blocks, rest])


class Covariance(NamedTuple):
    """Of all unknowns (D, D), and by object the directions (K, 6) that are not observed, in (rho [m], phi [rad])."""

    matrix: F64
    unobserved: list[F64]


def covariance_of(
    state: ScenePoses, images: Images, weights: Mapping[Where, float], unknowns: Unknowns,
    priors: Mapping[int, CameraPrior], spreads: Sequence[F64], lengths_m: Sequence[float],
) -> Covariance:  # fmt: skip
    """How far off everything is: what residuals tell, and errors that all objects of a view share.

    Args:
        state: where the images were linearised last.
        images: the leaves there.
        weights: of the leaves.
        unknowns: the columns.
        priors: of free cameras.
        spreads: of each object, deviations of which nothing is known.
        lengths_m: half the diameter of each object.
    """
    size = unknowns.size
    sure, everything = np.zeros((size, size)), np.zeros((size, size))
    shared: dict[tuple[int, str], F64] = {}
    nothing = np.zeros(size)
    for where, weight in weights.items():
        if weight <= 0.0:
            continue
        columns, J = unknowns.chain(state, *where)
        one, every, pulls = images.known(where, correlated=True)
        add_block(nothing, sure, columns, np.zeros(J.shape[1]), weight * J.T @ one @ J)
        add_block(nothing, everything, columns, np.zeros(J.shape[1]), weight * J.T @ every @ J)
        for name, pull in pulls.items():
            total = shared.setdefault((where[0], name), np.zeros(size))
            for n, part in enumerate(columns):
                total[part] += weight * (J.T @ pull)[6 * n : 6 * n + 6]
    held = np.zeros((size, size))
    for obj, spread in enumerate(spreads):
        held[unknowns.of_object(obj), unknowns.of_object(obj)] = np.diag(1.0 / spread**2)
    for view in unknowns.free:
        held[unknowns.of_camera(view), unknowns.of_camera(view)] = priors[view].information
    matrix = _inverse(sure + held)
    hidden = [
        _hidden(matrix[unknowns.of_object(obj), unknowns.of_object(obj)], spread, lengths_m[obj])
        for obj, spread in enumerate(spreads)
    ]
    if shared:
        shifts = _inverse(everything + held) @ np.stack(list(shared.values()), axis=1)
        matrix = matrix + shifts @ shifts.T
    return Covariance(matrix, hidden)


def _hidden(covariance: F64, spread: F64, length_m: float) -> F64:
    values, vectors = np.linalg.eigh(covariance / np.outer(spread, spread))
    rows = (vectors[:, values >= _OBSERVED] * spread[:, None]).T
    size = np.linalg.norm(rows / np.array([length_m] * 3 + [1.0] * 3), axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(size, 1e-300)).reshape(-1, 6)


def _inverse(matrix: F64) -> F64:
    """Of a positive matrix in metres and radians."""
    scale = 1.0 / np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    return np.asarray(np.linalg.inv(matrix * np.outer(scale, scale)) * np.outer(scale, scale))
