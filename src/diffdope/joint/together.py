"""Several views as one problem: votes, poses of all views together, and the last steps on all images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.joint.chain import State, Unknowns
from diffdope.joint.images import (
    Covariance,
    Images,
    Member,
    covariance_of,
    members_of,
    observed_basis,
    spreads_of,
)
from diffdope.joint.merge import Single, Vote, graph_of, terms_of, vote
from diffdope.joint.normal_equations import CameraPrior, Leaves, Where, minimise
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]

_GRAPH_STEPS, _IMAGE_STEPS = 20, 6
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

    state: State
    votes: tuple[Vote, ...]
    members: dict[Where, Member]
    deviations: dict[Where, float]
    covariance: Covariance
    unknowns: Unknowns
    left_out: dict[int, tuple[int, int]]


@dataclass(frozen=True)
class Task:
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

    def units(self, state: State) -> F64:
        """(D,) by which steps are divided to compare."""
        lengths = [0.5 * one.mesh.diameter for one in self.refiners]
        for view in self.unknowns.free:
            away = [float(np.linalg.norm(state.in_camera(view, obj).t_m2c)) for obj in range(len(self.refiners))]
            lengths.append(float(np.median(away)))
        return np.concatenate([np.array([length] * 3 + [1.0] * 3) for length in lengths])


def solve_together(task: Task) -> Together:
    """Finds all poses from all views."""
    votes = [
        vote({v: one for (v, o), one in task.singles.items() if o == obj}, task.cameras, task.priors, refiner)
        for obj, refiner in enumerate(task.refiners)
    ]
    unknowns, graph = task.unknowns, graph_of(votes, task.singles)
    start = State(tuple(one.pose for one in votes), task.cameras)
    first = minimise(
        start, lambda state: terms_of(graph, state), unknowns, task.priors, iterations=_GRAPH_STEPS,
        units=task.units(start), tolerance=0.1 * _TOLERANCE,
    )  # fmt: skip
    state, weights = first.state, first.weights
    left_out: dict[int, tuple[int, int]] = {}
    for again in (False, True):  # twice, if the first round led away from where it was prepared
        members = members_of(state, task.observations, task.refiners, task.singles, graph, weights)
        left_out = contradicting(members, task.singles)
        members = {where: _unless_left_out(one, where[0] in left_out) for where, one in members.items()}
        images = Images(members, task.threads)
        spreads = spreads_of(task.refiners)
        basis = partial(_observed, images=images, unknowns=unknowns, spreads=spreads)
        units = task.units(state)
        ended = minimise(
            state, images, unknowns, task.priors, iterations=_IMAGE_STEPS, units=units, tolerance=_TOLERANCE,
            basis=basis,
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


def _observed(
    state: State, leaves: Leaves, images: Images, unknowns: Unknowns, spreads: Sequence[F64]
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


def _moved(one: State, other: State, units: F64, unknowns: Unknowns) -> float:
    """The farthest that an object moved, in units."""
    most = 0.0
    for obj, (a, b) in enumerate(zip(one.objects, other.objects, strict=True)):
        length = float(units[unknowns.of_object(obj)][0])
        most = max(most, a.angle_to(b), a.distance_to(b) / length)
    return most
