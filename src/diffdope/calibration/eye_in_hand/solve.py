"""From what each picture found alone to all pictures at once: proposals, poses together, images together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.eye_in_hand.chain import HandState
from diffdope.calibration.eye_in_hand.consensus import nearness, proposals
from diffdope.calibration.eye_in_hand.covariance import HandCovariance, covariance_of
from diffdope.calibration.eye_in_hand.estimate import (
    ErrorSizes,
    Evaluate,
    HandSolution,
    ObjectPrior,
    minimise,
)
from diffdope.calibration.eye_in_hand.shots import PlacedShot
from diffdope.geometry.pose import Pose
from diffdope.joint.images import Images, Member, members_of
from diffdope.joint.merge import Single, SummaryLeaf, single_of
from diffdope.joint.normal_equations import Leaves
from diffdope.pipelines.refiner import Refiner
from diffdope.search.alternatives.canonical import nearest_alike

F64 = NDArray[np.float64]

# Gauss-Newton steps at most: of poses, of images, and how often images are made ready anew.
_GRAPH_STEPS, _IMAGE_STEPS, _ROUNDS = 30, 8, 3
_TOLERANCE = 1e-3  # of half a diameter, or radians: as `PolishSettings.tolerance`
_ANEW = 0.01  # of the same: images that were prepared farther away are prepared anew
_AS_GOOD = 0.8  # share of the best one's support from which on another place is as good
_SAME_RAD, _SAME_M = np.radians(2.0), 0.01  # poses that are farther apart than either are two places


@dataclass(frozen=True)
class HandTask:
    """What is to be solved.

    Attributes:
        refiner: of the object.
        shots: the pictures with their flanges.
        singles: what each picture found alone, by number.
        target: what is known of the object's place.
        sizes: of errors of joints.
        start: T_flange_camera to begin at; None for none.
        threads: None for the library setting.
    """

    refiner: Refiner
    shots: tuple[PlacedShot, ...]
    singles: Mapping[int, Single]
    target: ObjectPrior | None
    sizes: ErrorSizes
    start: Pose | None = None
    threads: int | None = None

    def state(self, T_flange_camera: Pose, T_base_object: Pose) -> HandState:
        """With joints as they were told."""
        screws = tuple(shot.screws for shot in self.shots)
        errors = np.zeros((len(self.shots), len(screws[0].axis)))
        flanges = tuple(shot.T_base_flange for shot in self.shots)
        return HandState(T_flange_camera.inverse(), T_base_object, flanges, screws, errors)

    @property
    def units(self) -> F64:
        """(12,) by which steps are divided to compare."""
        return np.tile(np.repeat([0.5 * self.refiner.mesh.diameter, 1.0], 3), 2)


@dataclass(frozen=True, eq=False)
class Solved:
    """What all pictures say.

    Attributes:
        solution: on the images.
        sure: how sure camera and object are.
        members: by picture: whether it takes part.
        support: share of the pictures' probability that speaks for the place.
        others: T_flange_camera of other places that have nearly as much.
    """

    solution: HandSolution
    sure: HandCovariance
    members: Mapping[int, Member]
    support: float
    others: tuple[Pose, ...]

    @property
    def covariance(self) -> F64:
        """(12, 12) of camera and object, errors of images that all pictures share included, zeros of joints not."""
        return self.sure.known


def singles_of(
    refiner: Refiner, shots: Sequence[PlacedShot], start: Pose | None, target: Pose | None
) -> dict[int, Single]:
    """What each picture finds alone: near where start and target expect it, or anywhere.

    Args:
        refiner: of the object.
        shots: the pictures.
        start: T_flange_camera.
        target: T_base_object, about the object's own middle.
    """
    found: dict[int, Single] = {}
    for n, shot in enumerate(shots):
        if start is not None and target is not None:
            expected = (shot.T_base_flange @ start).inverse() @ target
            result = refiner.refine(shot.observation, refiner.frame.leave(expected))
        else:
            result = refiner.locate(shot.observation)
        single = single_of(result, refiner)
        if single is not None:
            found[n] = single
    return found


def solve(task: HandTask) -> Solved | None:
    """All pictures at once; None if they agree on nothing."""
    flanges = [shot.T_base_flange for shot in task.shots]
    answers = [task.singles[n].answers if n in task.singles else () for n in range(len(flanges))]
    same = task.refiner.meshes.unnoticed
    found = proposals(flanges, answers, same, None if task.target is None else task.target.pose)
    fitted = []
    for one in found:
        solution, graph = _by_poses(task, task.state(one.T_flange_camera, one.T_base_object))
        if solution is not None:
            fitted.append((_support_of(task, solution), solution, graph))
    if not fitted:
        return None
    fitted.sort(key=lambda one: -one[0])
    support, solution, graph = fitted[0]
    places = [one.state.T_camera_flange.inverse() for _, one, _ in fitted]
    others = [
        place for (other, *_), place in zip(fitted[1:], places[1:], strict=True)
        if other > _AS_GOOD * support and _apart(place, places[0])
    ]  # fmt: skip
    return _by_images(task, solution, graph, support, tuple(others))


def _apart(one: Pose, other: Pose) -> bool:
    return one.angle_to(other) > _SAME_RAD or one.distance_to(other) > _SAME_M


def _by_poses(task: HandTask, state: HandState) -> tuple[HandSolution | None, dict[int, SummaryLeaf]]:
    """The poses that pictures found alone, brought together; twice, for another answer may be nearer then."""
    solution, graph = None, {}
    for _ in range(2):
        graph = _agreeing(task, state)
        if len(graph) < (1 if task.target is not None else 2):
            return None, {}
        solution = minimise(
            state, partial(_terms, graph), task.target,
            task.sizes, iterations=_GRAPH_STEPS, units=task.units, tolerance=0.1 * _TOLERANCE,
        )  # fmt: skip
        state = solution.state
    return solution, graph


def _terms(graph: Mapping[int, SummaryLeaf], state: HandState) -> Leaves:
    return {(n, 0): leaf.terms(state.in_camera(n)) for n, leaf in graph.items()}


def _agreeing(task: HandTask, state: HandState) -> dict[int, SummaryLeaf]:
    """Of each picture, the answer that is nearest to where the object is expected, if any speaks for it."""
    graph = {}
    for n, single in task.singles.items():
        expected = state.in_camera(n)
        if expected.t_m2c[2] <= 0.0:
            continue
        turned = [nearest_alike(pose, expected, task.refiner.meshes.unnoticed) for pose, _ in single.answers]
        near = [nearness(pose, expected) for pose in turned]
        best = int(np.argmax(near))
        if near[best] > 0.0:
            graph[n] = SummaryLeaf(turned[best], np.asarray(np.linalg.inv(single.covariance), np.float64))
    return graph


def _support_of(task: HandTask, solution: HandSolution) -> float:
    """Share of the pictures' probability whose answers are where they are expected."""
    total, most = 0.0, 0.0
    for n, single in task.singles.items():
        expected = solution.state.in_camera(n)
        most += sum(p for _, p in single.answers)
        if expected.t_m2c[2] > 0.0:
            total += max(
                p * nearness(nearest_alike(pose, expected, task.refiner.meshes.unnoticed), expected)
                for pose, p in single.answers
            )
    return total / max(most, 1e-12)


def _by_images(
    task: HandTask, first: HandSolution, graph: Mapping[int, SummaryLeaf], support: float, others: tuple[Pose, ...]
) -> Solved:  # fmt: skip
    """The last steps, on the images; prepared anew while they lead away from where they were prepared."""
    solution, images, members = first, Images({}), dict[int, Member]()
    for _ in range(_ROUNDS):
        state = solution.state
        members = _members(task, solution, graph)
        images = Images({(n, 0): one for n, one in members.items()}, task.threads)
        evaluate = _evaluator(images)
        solution = minimise(
            state, evaluate, task.target, task.sizes, iterations=_IMAGE_STEPS, units=task.units,
            tolerance=_TOLERANCE, sigma=solution.sigma,
        )  # fmt: skip
        if _moved(solution.state, state, task.units) < _ANEW:
            break
    evaluate(solution.state)
    return Solved(solution, covariance_of(solution, images, task.target), members, support, others)


def _members(task: HandTask, solution: HandSolution, graph: Mapping[int, SummaryLeaf]) -> dict[int, Member]:
    observations = {(n, 0): shot.observation for n, shot in enumerate(task.shots)}
    singles = {(n, 0): one for n, one in task.singles.items()}
    leaves = {(n, 0): one for n, one in graph.items()}
    weights = {(n, 0): solution.weights.get(n, 0.0) for n in graph}
    found = members_of(solution.state.scene, observations, [task.refiner], singles, leaves, weights)
    return {n: one for (n, _), one in found.items()}


def _evaluator(images: Images) -> Evaluate:
    def evaluate(state: HandState) -> Leaves:
        return images(state.scene)

    return evaluate


def _moved(one: HandState, other: HandState, units: F64) -> float:
    """The farthest that the object moved in a picture, in units."""
    pairs = [(one.in_camera(n), other.in_camera(n)) for n in range(len(one.flanges))]
    return max(max(a.distance_to(b) / float(units[0]), a.angle_to(b)) for a, b in pairs)
