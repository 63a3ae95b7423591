"""Several views as one problem: votes, poses of all views together, and the last steps on all images."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.joint.chain import ScenePoses, Unknowns
from diffdope.joint.images import (
    Covariance,
    Images,
    Member,
    covariance_of,
    judged,
    members_of,
    observed_basis,
    spreads_of,
)
from diffdope.joint.merge import CLOSER, Single, Vote, closer_graph_of, graph_of, terms_of, vote
from diffdope.joint.normal_equations import CameraPrior, Leaves, Where, minimise
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]

_GRAPH_STEPS, _IMAGE_STEPS = 20, 6  # Gauss-Newton steps at most: of poses, which cost nothing, and of images
_TOLERANCE = 1e-3  # of half a diameter, or radians: as `PolishSettings.tolerance`
_ANEW = 0.02  # as `PolishSettings.anew`


@dataclass(frozen=True)
class Together:
    """What all views say.

    Attributes:
        state: poses of the objects that take part, and of all cameras.
        votes: of the objects.
        members: by view and object.
        deviations: of members that took part, how far their own optimum is, in standard deviations.
        covariance: of the unknowns.
        unknowns: which columns are whose.
        left_out: views that contradict the others: how many objects are elsewhere in them, and of how many.
    """

    state: ScenePoses
    votes: tuple[Vote, ...]
    members: dict[Where, Member]
    deviations: dict[Where, float]
    covariance: Covariance
    unknowns: Unknowns
    left_out: dict[int, tuple[int, int]]


@dataclass(frozen=True)
class JointTask:
    """Views and objects, each of which at least one view has found something of.

    Attributes:
        refiners: of the objects.
        observations: by view and object; those that may show it.
        singles: what each view found on its own.
        cameras: T_c_w of all views, as given.
        priors: of those that are not exact, by view.
        threads: None for the library setting.
    """

    refiners: Sequence[Refiner]
    observations: Mapping[Where, Observation]
    singles: Mapping[Where, Single]
    cameras: tuple[Pose, ...]
    priors: Mapping[int, CameraPrior]
    threads: int | None = None

    @property
    def unknowns(self) -> Unknowns:
        """Columns of all of them."""
        return Unknowns(len(self.refiners), tuple(sorted(self.priors)))

    def without(self, views: Container[int]) -> JointTask:
        """The same, without what some views found on their own of objects that others found, too."""
        elsewhere = {obj for view, obj in self.singles if view not in views}
        singles = {
            (view, obj): one for (view, obj), one in self.singles.items() if view not in views or obj not in elsewhere
        }
        return replace(self, singles=singles)

    def units(self, state: ScenePoses) -> F64:
        """(D,) by which steps are divided to compare."""
        lengths = [0.5 * one.mesh.diameter for one in self.refiners]
        for view in self.unknowns.free:
            away = [float(np.linalg.norm(state.in_camera(view, obj).t_m2c)) for obj in range(len(self.refiners))]
            lengths.append(float(np.median(away)))
        return np.concatenate([np.array([length] * 3 + [1.0] * 3) for length in lengths])


def solve_together(task: JointTask) -> Together:
    """Finds all poses from all views; once more without those that contradict the others, if there are any."""
    first = _solved(task, {})
    if not first.left_out:
        return first
    return _solved(task.without(first.left_out), first.left_out)


def _solved(task: JointTask, left_out: dict[int, tuple[int, int]]) -> Together:
    """See `solve_together`.

    Args:
        task: what is to be solved.
        left_out: views that contradict the others, if that is known.
    """
    votes = [
        vote({v: one for (v, o), one in task.singles.items() if o == obj}, task.cameras, task.priors, refiner)
        for obj, refiner in enumerate(task.refiners)
    ]
    unknowns, graph = task.unknowns, graph_of(votes, task.singles)
    start = ScenePoses(tuple(one.pose for one in votes), task.cameras)
    first = minimise(
        start, lambda state: terms_of(graph, state), unknowns, task.priors, iterations=_GRAPH_STEPS,
        units=task.units(start), tolerance=0.1 * _TOLERANCE, agreed=True,
    )  # fmt: skip
    weights, spreads = first.weights, spreads_of(task.refiners)
    first = first._replace(state=closer(first.state, task, votes))
    members = members_of(first.state, task.observations, task.refiners, task.singles, graph, weights)
    state = judged(first.state, votes, members)
    for again in (False, True):  # twice, if the first round led away from where it was prepared
        if again or _moved(state, first.state, task.units(state), unknowns) > 0.0:
            members = members_of(state, task.observations, task.refiners, task.singles, graph, weights)
        left_out = left_out or contradicting(members, task.singles)
        members = {where: _unless_left_out(one, where[0] in left_out) for where, one in members.items()}
        images, units = Images(members, task.threads), task.units(state)
        ended = minimise(
            state, images, unknowns, task.priors, iterations=_IMAGE_STEPS, units=units, tolerance=_TOLERANCE,
            basis=partial(_observed, images=images, unknowns=unknowns, spreads=spreads),
        )  # fmt: skip
        moved = _moved(ended.state, state, units, unknowns)
        state = ended.state
        if again or moved < _ANEW:
            break
    images(state)
    lengths = [0.5 * one.mesh.diameter for one in task.refiners]
    covariance = covariance_of(state, images, ended.weights, unknowns, task.priors, spreads, lengths)
    deviations = {where: float(np.sqrt(leaf.distance)) for where, leaf in ended.leaves.items()}
    return Together(state, tuple(votes), members, deviations, covariance, unknowns, left_out)


def closer(state: ScenePoses, task: JointTask, votes: Sequence[Vote]) -> ScenePoses:
    """Poses put together as surely as each view knows them, where places of cameras are unknowns; else the same."""
    for share in CLOSER if task.priors else ():
        graph = closer_graph_of(votes, task.singles, share)
        state = minimise(
            state, partial(terms_of, graph), task.unknowns, task.priors, iterations=_GRAPH_STEPS,
            units=task.units(state), tolerance=0.1 * _TOLERANCE,
        ).state  # fmt: skip
    return state


def _observed(
    state: ScenePoses, leaves: Leaves, images: Images, unknowns: Unknowns, spreads: Sequence[F64]
) -> F64:  # fmt: skip
    return observed_basis(state, images, dict.fromkeys(leaves, 1.0), unknowns, spreads)


def contradicting(members: Mapping[Where, Member], singles: Mapping[Where, Single]) -> dict[int, tuple[int, int]]:
    """Views in which most objects that are found there are elsewhere: how many, of how many."""
    found: dict[int, tuple[int, int]] = {}
    for view in {view for view, _ in members}:
        there = [
            one for where, one in members.items() if where[0] == view and where in singles and singles[where].result.ok
        ]
        elsewhere = sum(one.contradicts for one in there)
        if elsewhere > 0.5 * len(there):
            found[view] = elsewhere, len(there)
    return found


def _unless_left_out(member: Member, left_out: bool) -> Member:
    if not left_out or not member.used:
        return member
    return replace(member, reason="its view was left out")


def _moved(one: ScenePoses, other: ScenePoses, units: F64, unknowns: Unknowns) -> float:
    """The farthest that an object moved, in units."""
    most = 0.0
    for obj, (a, b) in enumerate(zip(one.objects, other.objects, strict=True)):
        length = float(units[unknowns.of_object(obj)][0])
        most = max(most, a.angle_to(b), a.distance_to(b) / length)
    return most
