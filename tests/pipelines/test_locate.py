"""The pose with no start, as a user asks for it."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

import diffdope as dd
from diffdope.bop.metrics import PosePairs, add, mssd_errors
from diffdope.errors import DiffDopeError
from diffdope.experiments.shapes import primitives
from diffdope.experiments.synthetic import SensorNoise, picture, random_pose
from diffdope.geometry.perturb import random_rotation
from diffdope.geometry.pose import Pose
from diffdope.io.results import decode, encode
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.settings import preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example

MESH, OBSERVATION, START, TRUTH = packaged_example()


def part(observation: Observation, *names: str) -> Observation:
    return Observation(observation.camera, **{name: getattr(observation, name) for name in names})


def error_mm(pose: Pose) -> float:
    return 1e3 * add(pose, TRUTH, MESH.vertices_m)


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(MESH)


@pytest.mark.parametrize(("names", "limit_mm"), [(("rgb", "depth", "mask"), 0.5), (("rgb", "mask"), 1.0)])
def test_the_packaged_example_is_found(refiner: Refiner, names: tuple[str, ...], limit_mm: float) -> None:
    result = refiner.locate(part(OBSERVATION, *names))
    assert result.ok and error_mm(result.pose) < limit_mm
    assert result.right_minimum == pytest.approx(result.answers[0].probability)
    assert result.confidence is not None and result.confidence > 0.8
    assert result.covariance is not None


def test_what_colours_would_tell_is_left_open_without_them(refiner: Refiner) -> None:
    result = refiner.locate(part(OBSERVATION, "depth", "mask"))
    poses = [pose for answer in result.answers for pose in (answer.pose, *answer.alternatives)]
    assert min(error_mm(pose) for pose in poses) < 3.0
    assert result.confidence is not None and result.confidence < 0.95


def test_answers_are_ranked_and_sum_with_none_to_one(refiner: Refiner) -> None:
    for names in (("rgb", "depth", "mask"), ("depth", "mask"), ("mask",)):
        result = refiner.locate(part(OBSERVATION, *names))
        probabilities = [answer.probability for answer in result.answers]
        assert probabilities == sorted(probabilities, reverse=True)
        assert result.none_of_these is not None
        assert sum(probabilities) + result.none_of_these == pytest.approx(1.0)
        assert np.array_equal(result.answers[0].pose.matrix, result.pose.matrix)


def test_a_refinement_from_a_start_has_no_answers(refiner: Refiner) -> None:
    result = refiner.refine(OBSERVATION, START)
    assert result.answers == () and result.none_of_these is None


@pytest.mark.parametrize("name", ["box", "box, label", "cylinder", "cylinder, label", "cube"])
@pytest.mark.parametrize("hidden", [False, True])
def test_shapes_are_found_up_to_their_symmetry(name: str, hidden: bool) -> None:
    shape = primitives()[name]
    refiner = Refiner(shape.mesh)
    errors, sure = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        truth = random_pose(rng)
        parts = [(shape.mesh, truth)]
        if hidden:  # by a third or so
            parts.append((shape.mesh, Pose(random_rotation(rng), truth.t_m2c + np.array([0.07, 0.0, -0.12]))))
        result = refiner.locate(picture(parts, rng, noise=SensorNoise()))
        pair = PosePairs(
            result.pose.R_m2c[None], result.pose.t_m2c[None], truth.R_m2c[None], truth.t_m2c[None]
        )  # fmt: skip
        errors.append(mssd_errors(pair, shape.mesh.vertices_m, shape.symmetries)[0] / shape.mesh.diameter)
        sure.append(result.confidence or 0.0)
    wrong = np.array(errors) > 0.05
    assert np.count_nonzero(wrong) <= (1 if hidden else 0), errors
    assert not (wrong & (np.array(sure) > 0.5)).any(), (errors, sure)


def cup() -> Mesh:
    """A cylinder with a small knob on one side, nearer to one end."""
    can, knob = primitives()["cylinder"].mesh, primitives()["sphere"].mesh
    vertices_m = np.concatenate([can.vertices_m, 0.25 * knob.vertices_m + [0.04, 0.0, 0.02]])
    return Mesh(vertices_m, np.concatenate([can.faces, knob.faces + len(can.vertices_m)]))


def test_a_cup_whose_handle_is_hidden_is_not_called_sure() -> None:
    from diffdope.geometry import so3

    mesh = cup()
    refiner = Refiner(mesh)
    upright = so3.exp(np.array([1.9, 0.0, 0.0]))
    away = Pose(upright @ so3.exp(np.array([0.0, 0.0, 0.5 * np.pi])), np.array([0.0, 0.0, 0.55]))
    sideways = Pose(upright, away.t_m2c)
    rng = np.random.default_rng(0)
    for truth, seen in ((away, False), (sideways, True)):
        knob = mesh.vertices_m[-1] @ truth.R_m2c.T
        assert (abs(knob[0]) > 0.02) == seen  # beside the can, or behind or before it
        result = refiner.locate(part(picture([(mesh, truth)], rng), "depth", "mask"))
        if seen:
            assert result.ok and 1e3 * add(result.pose, truth, mesh.vertices_m) < 3.0
        else:
            assert result.status is Status.AMBIGUOUS and not result.ok
            assert len(result.answers) > 1 and result.none_of_these is not None and result.none_of_these < 0.5


def test_same_seed_same_bits_whatever_the_threads() -> None:
    one, three = (Refiner(MESH, threads=threads).locate(OBSERVATION) for threads in (1, 3))
    assert np.array_equal(one.pose.matrix, three.pose.matrix)
    assert [a.probability for a in one.answers] == [a.probability for a in three.answers]


def test_the_files_origin_does_not_matter() -> None:
    far = MESH.moved(np.array([0.4, -0.3, 0.2]))
    result = Refiner(far).locate(OBSERVATION)
    back = Pose(result.pose.R_m2c, result.pose.t_m2c + result.pose.R_m2c @ np.array([0.4, -0.3, 0.2]))
    assert error_mm(back) < 0.5
    assert np.allclose(result.answers[0].pose.matrix, result.pose.matrix)


def test_a_result_with_answers_is_written_and_read_to_the_bit(refiner: Refiner) -> None:
    result = refiner.locate(part(OBSERVATION, "depth", "mask"))
    again = decode(encode(result), RefinementResult)
    assert len(result.answers) > 1 and len(again.answers) == len(result.answers)
    for one, other in zip(result.answers, again.answers, strict=True):
        assert np.array_equal(one.pose.matrix, other.pose.matrix)
        assert (one.probability, one.symmetry) == (other.probability, other.symmetry)
    assert again.none_of_these == result.none_of_these


def test_the_function_is_the_method() -> None:
    assert np.array_equal(dd.locate(MESH, OBSERVATION).pose.matrix, Refiner(MESH).locate(OBSERVATION).pose.matrix)


def test_wrong_mesh_fails() -> None:
    other = primitives()["cylinder, label"].mesh.scaled(0.5)
    result = Refiner(other).locate(OBSERVATION)
    assert not result.ok and result.status in (Status.FAILED, Status.AMBIGUOUS)
    assert result.none_of_these is not None and result.none_of_these > 0.5


def test_what_cannot_be_located_is_refused_with_the_cure(refiner: Refiner) -> None:
    with pytest.raises(DiffDopeError, match="observation: expected a mask .* or depth, got neither"):
        Refiner(Mesh(MESH.vertices_m, MESH.faces)).locate(part(OBSERVATION, "rgb"))
    with pytest.raises(DiffDopeError, match="preset: expected one whose solver searches"):
        Refiner(MESH, preset="paper").locate(OBSERVATION)


def test_settings_that_make_no_proposals_are_refused() -> None:
    sphere = preset("default").search.view_sphere
    for name in ("rotations", "size", "depth_range", "color_range", "rim_px", "wider"):
        assert name in {field.name for field in fields(sphere)}
        with pytest.raises(DiffDopeError, match=name):
            replace(sphere, **{name: 0})
    with pytest.raises(DiffDopeError, match="scales"):
        replace(sphere, scales=())


def test_a_mask_of_one_pixel_is_no_crash_and_no_pose(refiner: Refiner) -> None:
    mask = np.zeros((OBSERVATION.camera.height, OBSERVATION.camera.width), bool)
    mask[3, 5] = True
    result = refiner.locate(OBSERVATION.with_mask(mask))
    assert not result.ok and "start pose" not in result.message
