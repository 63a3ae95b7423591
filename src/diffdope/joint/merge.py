"""One pose an object from what each view found: the answer that most views support, and all views' poses together.

Views are compared by how far apart their poses are, in units of what each is off by itself, its camera included. Of
symmetric objects, poses that look the same are the same. What one view could not tell, another one does: each answer of
`locate` counts with its probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose, difference
from diffdope.joint.chain import ScenePoses, by_camera, by_object
from diffdope.joint.normal_equations import CameraPrior, LeafTerms, Where
from diffdope.pipelines.object_frame import ObjectFrame
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.search.alternatives.canonical import nearest_alike

F64 = NDArray[np.float64]

_INFLATION = (
    2.0  # factor on the deviations of a single view: they are those of a pose that came to rest where it should
)
_FLOOR, _FLOOR_RAD = 0.01, np.radians(1.0)  # of the diameter: of a pose that is as good as known
_UNKNOWN = 2.0  # times as much, of a result without a covariance
APART = 5.0  # standard deviations at which two poses are different answers
_CLEAR = 1.5  # ratio of what speaks for an answer to what speaks against it
ELSEWHERE = 20
"""Among so many poses a view shares out what it leaves for none of its answers (as many as an object has at most)."""
LEAST = 1e-3  # probability of a pose in a view that is sure of others: its mask may be another object's
CLOSER = (1.0, 0.3, 0.1)
"""Shares of the floor with which poses are put together where places of cameras are free: one after the other, so that
the views of a camera that is still off do not stand out of the others."""


class Single(NamedTuple):
    """What one view found of one object, about the object's own middle.

    covariance (6, 6) of T_c_o, to compare it with other views'; floor (6,) variances that are a part of that.
    """

    result: RefinementResult
    answers: tuple[tuple[Pose, float], ...]
    covariance: F64
    floor: F64

    @property
    def confidence(self) -> float:
        """Of its best answer."""
        return self.answers[0][1]

    @property
    def elsewhere(self) -> float:
        """The probability of a pose that is none of its answers."""
        return max((1.0 - sum(probability for _, probability in self.answers)) / ELSEWHERE, LEAST)


class Vote(NamedTuple):
    """An object's pose in the world, and what each view says to it.

    pose: T_w_o; agreeing: T_c_o by view, of those that agree; against: confidence of those that do not; clear: whether
    much more speaks for it than against it; share: its probability among all answers of all views; likely: by view, of
    those that agree, the probability of what it has there.
    """

    pose: Pose
    agreeing: dict[int, Pose]
    against: dict[int, float]
    clear: bool
    share: float = 1.0
    likely: Mapping[int, float] = {}


@dataclass(frozen=True)
class SummaryLeaf:
    """What a view found, as a quadratic cost about its pose.

    Attributes:
        pose: T_c_o.
        information: (6, 6).
    """

    pose: Pose
    information: F64

    def terms(self, in_camera: Pose) -> LeafTerms:
        """At a pose."""
        away = difference(in_camera, self.pose)
        pull = self.information @ away
        return LeafTerms(0.5 * float(away @ pull), pull, self.information)


def single_of(result: RefinementResult, refiner: Refiner) -> Single | None:
    """What one view found; None where nothing was compared."""
    if result.confidence is None:
        return None
    frame = refiner.frame
    right = result.confidence if result.right_minimum is None else result.right_minimum
    factor = right / result.confidence if result.confidence > 0.0 else 0.0  # votes are on minima
    factor = min(factor, 1.0 / max(sum(one.probability for one in result.answers), 1e-12))  # and one is right at most
    answers = [(frame.enter(one.pose), factor * one.probability) for one in result.answers]
    answers = answers or [(frame.enter(result.pose), right)]
    floor = np.repeat([_FLOOR * refiner.mesh.diameter, _FLOOR_RAD], 3) ** 2
    if result.covariance is None:
        covariance = _UNKNOWN**2 * np.diag(floor)
    else:
        covariance = _INFLATION**2 * in_own_frame(result.covariance, frame, result.pose) + np.diag(floor)
    return Single(result, tuple(answers), covariance, floor)


def singles_of(found: Mapping[Where, RefinementResult], refiners: Sequence[Refiner]) -> dict[Where, Single]:
    """What each view found of each object, where anything was compared."""
    every = {where: single_of(result, refiners[where[1]]) for where, result in found.items()}
    return {where: one for where, one in every.items() if one is not None}


def in_own_frame(covariance: F64, frame: ObjectFrame, pose: Pose) -> F64:
    """(6, 6) about the object's middle, from that about the file's origin."""
    back = np.linalg.inv(frame.motion(pose))
    return np.asarray(back @ covariance @ back.T)


def vote(
    singles: Mapping[int, Single], cameras: Sequence[Pose], priors: Mapping[int, CameraPrior], refiner: Refiner
) -> Vote:
    """The pose of one object that is most probable by what all views say.

    Args:
        singles: by view; at least one.
        cameras: T_c_w of each view.
        priors: of cameras that are not exact.
        refiner: of the object.
    """
    every = [
        _supported(view, number, singles, cameras, priors, refiner)
        for view, single in singles.items()
        for number in range(len(single.answers))
    ]
    every.sort(key=lambda one: -one.log_likelihood)  # of those that are as likely, the first stays first
    distinct: list[_Candidate] = []
    for one in every:
        if not any(one.is_of(other) for other in distinct):
            distinct.append(one)
    odds = [np.exp(one.log_likelihood - distinct[0].log_likelihood) for one in distinct]
    return distinct[0].vote._replace(share=float(1.0 / np.sum(odds)))


class _Candidate(NamedTuple):
    """An answer of one view: which it is, the number of the answer that each view has there, and how likely it is."""

    view: int
    numbers: dict[int, int]
    log_likelihood: float
    vote: Vote

    def is_of(self, other: _Candidate) -> bool:
        """Whether it is the same pose: the answer of the one is what the view of the other has there."""
        return any(one.numbers[one.view] == two.numbers.get(one.view) for one, two in ((self, other), (other, self)))


def _supported(
    view: int, number: int, singles: Mapping[int, Single], cameras: Sequence[Pose],
    priors: Mapping[int, CameraPrior], refiner: Refiner,
) -> _Candidate:  # fmt: skip
    """What all views say to an answer of one.

    Views are independent, so probabilities are multiplied. One that has the answer gives it what that has there, be
    it the best of its answers or the last.
    """
    pose, probability = singles[view].answers[number]
    world = cameras[view].inverse() @ pose
    own = _in_world(singles[view].covariance, pose, cameras[view], priors.get(view))
    agreeing, against, numbers, likelies = {view: pose}, {}, {view: number}, {view: probability}
    weight, log_likelihood = probability, float(np.log(max(probability, LEAST)))
    for other, there in singles.items():
        if other == view:
            continue
        expected = cameras[other] @ world
        error = own + _in_world(there.covariance, expected, cameras[other], priors.get(other))
        precision = np.asarray(np.linalg.inv(error), np.float64)
        turned = [nearest_alike(one, expected, refiner.meshes.unnoticed) for one, _ in there.answers]
        far = [_deviations(cameras[other].inverse() @ one, world, precision) for one in turned]
        nearest = int(np.argmin(far))
        if far[nearest] < APART:
            agreeing[other], numbers[other] = turned[nearest], nearest
            likely = likelies[other] = there.answers[nearest][1]
            weight += likely
        else:
            against[other], likely = there.confidence, there.elsewhere
        log_likelihood += float(np.log(max(likely, LEAST)))
    found = Vote(world, agreeing, against, weight > _CLEAR * sum(against.values()), likely=likelies)
    return _Candidate(view, numbers, log_likelihood, found)


def _deviations(one: Pose, other: Pose, precision: F64) -> float:
    """How many standard deviations apart two poses are, over six directions."""
    away = difference(one, other)
    return float(np.sqrt(max(float(away @ precision @ away), 0.0) / 6.0))


def _in_world(covariance: F64, in_camera: Pose, T_w2c: Pose, prior: CameraPrior | None) -> F64:
    """(6, 6) of the object in the world: what is off in the camera, and by the camera."""
    if prior is not None:
        J = by_camera(in_camera)
        covariance = covariance + J @ np.linalg.inv(prior.information) @ J.T
    back = by_object(T_w2c).T
    return np.asarray(back @ covariance @ back.T)


def graph_of(votes: Sequence[Vote | None], singles: Mapping[Where, Single]) -> dict[Where, SummaryLeaf]:
    """A leaf for each view that agrees on an object."""
    return {
        (view, obj): SummaryLeaf(pose, np.asarray(np.linalg.inv(singles[view, obj].covariance), np.float64))
        for obj, one in enumerate(votes) if one is not None
        for view, pose in one.agreeing.items()
    }  # fmt: skip


def closer_graph_of(votes: Sequence[Vote], singles: Mapping[Where, Single], share: float) -> dict[Where, SummaryLeaf]:
    """The same leaves, as sure as each view is by itself.

    The floor is that of poses whose cameras are said to be exact, and are not. Where the places of cameras are
    unknowns, it would leave them as far off, and images need a start that is nearer. A pose says less the less
    likely it is, and one that is probably wrong keeps its floor.

    Args:
        votes: on all objects.
        singles: what each view found.
        share: of the floor, of deviations.
    """
    graph = {}
    for obj, one in enumerate(votes):
        for view, pose in one.agreeing.items():
            single, likely = singles[view, obj], max(one.likely[view], LEAST)
            kept = share if likely > 0.5 else 1.0
            covariance = single.covariance - (1.0 - kept**2) * np.diag(single.floor)
            graph[view, obj] = SummaryLeaf(pose, np.asarray(likely * np.linalg.inv(covariance), np.float64))
    return graph


def terms_of(graph: Mapping[Where, SummaryLeaf], state: ScenePoses) -> dict[Where, LeafTerms]:
    """All leaves at a state."""
    return {where: leaf.terms(state.in_camera(*where)) for where, leaf in graph.items()}
