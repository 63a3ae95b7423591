"""Of poses that look the same, the nearest to a given one."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import primitives
from diffdope.experiments.synthetic import picture, random_pose
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.alikeness import Alikeness
from diffdope.scene.lookalikes import lookalikes
from diffdope.search.alternatives.canonical import Unnoticed, nearest_alike, unnoticed


def found(name: str) -> Unnoticed:
    mesh = primitives()[name].mesh
    return unnoticed(lookalikes(mesh), Alikeness(mesh))


@pytest.mark.parametrize(
    ("name", "motions", "round_about"),
    [
        ("box", 4, None),
        ("cube", 24, None),
        ("cylinder", None, 2),
        ("box, label", 1, None),
        ("cylinder, label", 1, None),
    ],
)
def test_symmetries_are_told_from_lookalikes(name: str, motions: int | None, round_about: int | None) -> None:
    same = found(name)
    assert motions is None or len(same.R) == motions
    if round_about is None:
        assert same.axis is None and same.centre_m is None
    else:
        assert same.axis is not None and abs(same.axis[round_about]) > 0.999
        assert same.centre_m is not None and np.linalg.norm(np.delete(same.centre_m, round_about)) < 1e-3


def test_a_ball_has_a_centre_and_no_axis() -> None:
    same = found("sphere")
    assert same.axis is None and same.centre_m is not None and np.linalg.norm(same.centre_m) < 1e-3


@pytest.mark.parametrize("name", ["box", "cube", "cylinder", "sphere"])
def test_equivalent_poses_become_one(name: str) -> None:
    shape, same, rng = primitives()[name], found(name), np.random.default_rng(0)
    for _ in range(5):
        near = random_pose(rng)
        wanted = near.retract(np.append(rng.normal(0, 0.002, 3), rng.normal(0, 0.03, 3)))
        k = int(rng.integers(len(shape.symmetries)))
        other = Pose(wanted.R_m2c @ shape.symmetries.R[k], wanted.t_m2c + wanted.R_m2c @ shape.symmetries.t_m[k])
        chosen = nearest_alike(other, near, same)
        # Symmetries are found to some degrees only; what is located is refined afterwards.
        assert chosen.angle_to(near) <= wanted.angle_to(near) + 0.15
        assert chosen.distance_to(wanted) < 2e-3


def test_an_object_without_symmetry_keeps_its_pose() -> None:
    pose, near = (random_pose(np.random.default_rng(k)) for k in (0, 1))
    assert nearest_alike(pose, near, found("box, label")) is pose


def test_located_poses_do_not_jump() -> None:
    shape = primitives()["box"]
    refiner, rng = Refiner(shape.mesh), np.random.default_rng(4)
    truth = random_pose(rng)
    seen = picture([(shape.mesh, truth)], rng)
    for k in range(4):
        near = Pose(truth.R_m2c @ shape.symmetries.R[k], truth.t_m2c)
        result = refiner.locate(seen, near=near)
        assert np.degrees(result.pose.angle_to(near)) < 0.5 and 1e3 * result.pose.distance_to(near) < 0.5
        assert np.array_equal(result.answers[0].pose.matrix, result.pose.matrix)
        assert result.covariance is not None and (np.linalg.eigvalsh(result.covariance) > 0.0).all()
