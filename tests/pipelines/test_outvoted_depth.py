"""Colours that outvote depth and mask: a printed side is found where the plain one lies, under one lamp."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from diffdope.experiments.synthetic import SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.locating.outvoted_depth import beside_depth_alone
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

SIDES = 48
RIM_M, STUB_M, HALF_M = 0.04, 0.024, 0.008


def dial(*, lit: bool, stub_m: float = 0.006) -> Mesh:
    """A dial with an ear, whose face, at z > 0, is printed bright to dark, and its plain back has a stub.

    Args:
        lit: whether its back is as bright as under one lamp beside it.
        stub_m: how far that stands out.
    """
    face = [(r, HALF_M) for r in np.linspace(0.0, RIM_M, 14)]
    back = [(r, -HALF_M) for r in np.linspace(RIM_M, STUB_M, 8)]
    stub = [(r, -HALF_M - stub_m) for r in np.linspace(STUB_M, 0.0, 10)]
    profile = np.array([*face, *back, *stub])
    angle = 2.0 * np.pi * np.arange(SIDES) / SIDES
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ear = 1.0 + 0.3 * (np.cos(angle) > 0.9)[:, None]
    rings = [
        np.concatenate([r * (ear if r > STUB_M else 1.0) * around, np.full((SIDES, 1), z)], axis=1) for r, z in profile
    ]
    number = np.arange(len(profile) * SIDES).reshape(len(profile), SIDES)
    this, after = number[:-1], number[1:]
    following, opposite = np.roll(this, -1, axis=1), np.roll(after, -1, axis=1)
    halves = (this, after, following), (following, after, opposite)
    faces = np.concatenate([np.stack(one, axis=-1).reshape(-1, 3) for one in halves])
    vertices_m = np.concatenate(rings)
    bright = 0.5 + 0.4 * np.clip(vertices_m[:, 0] / RIM_M, -1.0, 1.0)
    spokes = 0.1 * np.sign(np.sin(5.0 * np.arctan2(vertices_m[:, 1], vertices_m[:, 0])))
    printed = np.repeat(np.arange(len(profile)) < len(face), SIDES)
    colors = np.where(printed, bright + spokes, bright if lit else 0.15)
    return Mesh(vertices_m, faces, colors=np.repeat(np.clip(colors, 0.0, 1.0)[:, None], 3, axis=1))


def seen(seed: int = 0, *, lit: bool = True) -> tuple[Observation, Pose]:
    """The dial on its face, its back in the light of a lamp or not, and its pose."""
    rng = np.random.default_rng(seed)
    turn = so3.exp(np.array([0.0, 0.0, rng.uniform(0.0, 6.0)])) @ so3.exp(np.array([0.35, 0.1, 0.0]))
    truth = Pose(turn, np.array([0.0, 0.0, 0.45]))
    return picture([(dial(lit=lit), truth)], rng, noise=SensorNoise()), truth


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(dial(lit=False), threads=1)


def off_deg(pose: Pose, truth: Pose) -> float:
    return float(np.degrees(pose.angle_to(truth)))


@pytest.mark.parametrize("seed", [0, 2])
def test_what_colours_alone_tell_against_depth_and_mask_is_not_sure(refiner: Refiner, seed: int) -> None:
    """The face was found where the back lies, at 0.91 and 0.93, with a third of its depths beside what is measured."""
    observation, truth = seen(seed)
    result = refiner.locate(observation)
    assert result.status is Status.AMBIGUOUS and NoteCode.COLOURS_MISFIT in result.note_codes
    assert off_deg(result.pose, truth) < 2.0
    first, second = result.answers[:2]
    assert off_deg(second.pose, truth) > 170.0
    assert second.probability == pytest.approx(first.probability)
    assert result.confidence is not None and result.confidence < 0.5


def stubbed(refiner: Refiner, result: RefinementResult | None) -> MeshSearcher:
    """A searcher that finds one thing; None for one that must not be asked."""

    def attempt(*_: object, **__: object) -> Attempt:
        if result is None:
            raise AssertionError("a search for nothing")
        return Attempt(result, None)

    return cast(MeshSearcher, SimpleNamespace(meshes=refiner.meshes, attempt=attempt))


Both = tuple[Observation, RefinementResult, RefinementResult]


@pytest.fixture(scope="module")
def both(refiner: Refiner) -> Both:
    """The picture, and in the own frame what colours find in it, and what depth and mask do."""
    observation, _ = seen()
    by_shape = refiner.locate(observation.without_rgb())
    assert by_shape.ok and by_shape.evidence is not None
    over = by_shape.pose.R_m2c @ so3.exp(np.array([np.pi, 0.0, 0.0]))
    evidence = replace(by_shape.evidence, texture=0.57, contrast=0.2, depth_inliers=0.6)
    pose = Pose(over, by_shape.pose.t_m2c)
    colours = replace(
        by_shape, pose=pose, evidence=evidence, answers=(replace(by_shape.answers[0], pose=pose),), notes=()
    )
    return observation, colours, replace(by_shape, confidence=0.99)


def test_both_are_answers(refiner: Refiner, both: Both) -> None:
    observation, colours, shape = both
    found = beside_depth_alone(Attempt(colours, None), stubbed(refiner, shape), refiner.preset, observation).result
    first, second = found.answers
    assert off_deg(first.pose, shape.pose) < 0.1 and off_deg(second.pose, colours.pose) < 0.1
    assert found.none_of_these == pytest.approx(1.0 - sum(one.probability for one in found.answers))


def test_nothing_is_searched_where_the_print_is_seen_or_depth_fits_or_the_result_has_failed(
    refiner: Refiner, both: Both
) -> None:
    observation, colours, _ = both
    assert colours.evidence is not None
    for one in (
        replace(colours, evidence=replace(colours.evidence, texture=0.9)),
        replace(colours, evidence=replace(colours.evidence, texture=None)),
        replace(colours, evidence=replace(colours.evidence, depth_inliers=0.95)),
        replace(colours, status=Status.FAILED),
    ):
        attempt = Attempt(one, None)
        assert beside_depth_alone(attempt, stubbed(refiner, None), refiner.preset, observation) is attempt


def test_it_stays_where_depth_and_mask_are_not_sure_or_fit_no_better_or_find_the_same(
    refiner: Refiner, both: Both
) -> None:
    observation, colours, shape = both
    assert shape.evidence is not None
    attempt = Attempt(colours, None)
    for one in (
        replace(shape, confidence=0.6),
        replace(shape, status=Status.AMBIGUOUS),
        replace(shape, evidence=replace(shape.evidence, depth_inliers=0.65)),
        replace(shape, pose=colours.pose),
    ):
        assert beside_depth_alone(attempt, stubbed(refiner, one), refiner.preset, observation) is attempt
