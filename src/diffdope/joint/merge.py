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
from diffdope.pipelines.own_frame import OwnFrame
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.search.canonical import nearest_alike

F64 = NDArray[np.float64]

_INFLATION = (
    2.0  # factor on the deviations of a single view: they are those of a pose that came to rest where it should
)
_FLOOR, _FLOOR_RAD = 0.01, np.radians(1.0)  # of the diameter: of a pose that is as good as known
_UNKNOWN = 2.0  # times as much, of a result without a covariance
_APART = 5.0  # standard deviations at which two poses are different answers
_CLEAR = 1.5  # ratio of what speaks for an answer to what speaks against it


class Single(NamedTuple):
    """What one view found of one object, about the object's own middle: covariance (6, 6) of T_c_o."""

    result: RefinementResult
    answers: tuple[tuple[Pose, float], ...]
    covariance: F64

    @property
    def confidence(self) -> float:
        """Of its best answer."""
        return self.answers[0][1]


class Vote(NamedTuple):
    """An object's pose in the world, and what each view says to it.

    pose: T_w_o; agreeing: T_c_o by view, of those that agree; against: confidence of those that do not; clear: whether
    much more speaks for it than against it.
    """

    pose: Pose
    agreeing: dict[int, Pose]
    against: dict[int, float]
    clear: bool


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
    answers = [(frame.enter(one.pose), factor * one.probability) for one in result.answers]
    answers = answers or [(frame.enter(result.pose), right)]
    floor = np.repeat([_FLOOR * refiner.mesh.diameter, _FLOOR_RAD], 3) ** 2
    if result.covariance is None:
        covariance = _UNKNOWN**2 * np.diag(floor)
    else:
        covariance = _INFLATION**2 * in_own_frame(result.covariance, frame, result.pose) + np.diag(floor)
    return Single(result, tuple(answers), covariance)


def in_own_frame(covariance: F64, frame: OwnFrame, pose: Pose) -> F64:
    """(6, 6) about the object's middle, from that about the file's origin."""
    back = np.linalg.inv(frame.motion(pose))
    return np.asarray(back @ covariance @ back.T)


def vote(
    singles: Mapping[int, Single], cameras: Sequence[Pose], priors: Mapping[int, CameraPrior], refiner: Refiner
) -> Vote:
    """The pose of one object that most views support.

    Args:
        singles: by view; at least one.
        cameras: T_c_w of each view.
        priors: of cameras that are not exact.
        refiner: of the object.
    """
    best: Vote | None = None
    most = -1.0
    for view, single in singles.items():
        for pose, probability in single.answers:
            one = _supported(view, pose, single, singles, cameras, priors, refiner)
            support = sum(
                singles[other].answers[0][1] if other != view else probability for other in one.agreeing
            )  # fmt: skip
            if support > most:
                best, most = one, support
    assert best is not None
    return best


def _supported(
    view: int, pose: Pose, single: Single, singles: Mapping[int, Single], cameras: Sequence[Pose],
    priors: Mapping[int, CameraPrior], refiner: Refiner,
) -> Vote:  # fmt: skip
    """What all views say to an answer of one."""
    world = cameras[view].inverse() @ pose
    own = _in_world(single.covariance, pose, cameras[view], priors.get(view))
    agreeing, against, weight = {view: pose}, {}, single.confidence
    for other, there in singles.items():
        if other == view:
            continue
        expected = cameras[other] @ world
        error = own + _in_world(there.covariance, expected, cameras[other], priors.get(other))
        precision = np.asarray(np.linalg.inv(error), np.float64)
        turned = [nearest_alike(one, expected, refiner.meshes.unnoticed) for one, _ in there.answers]
        far = [_deviations(cameras[other].inverse() @ one, world, precision) for one in turned]
        nearest = int(np.argmin(far))
        if far[nearest] < _APART:
            agreeing[other] = turned[nearest]
            weight += there.confidence
        else:
            against[other] = there.confidence
    return Vote(world, agreeing, against, weight > _CLEAR * sum(against.values()))


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


def terms_of(graph: Mapping[Where, SummaryLeaf], state: ScenePoses) -> dict[Where, LeafTerms]:
    """All leaves at a state."""
    return {where: leaf.terms(state.in_camera(*where)) for where, leaf in graph.items()}
