"""The loop on the packaged example: a picture by a path tracer, with exact truth."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

import diffdope as dd
from diffdope.bop.metrics import add
from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.cameras import load_camera
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

DEMO = files("diffdope") / "data" / "demo"
PAPER = PRESETS["paper"]


def read_pose(name: str) -> Pose:
    entry = json.loads((DEMO / name).read_text())
    return Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return Mesh.load(str(DEMO / "object.ply"), unit="mm")


@pytest.fixture(scope="module")
def observation() -> Observation:
    camera, depth_scale = load_camera(str(DEMO / "camera.json"))
    assert depth_scale is not None
    paths = {name: str(DEMO / f"{name}.png") for name in ("rgb", "depth", "mask")}
    return Observation.load(camera, **paths, depth_scale=depth_scale * 1e-3)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def result(mesh: Mesh, observation: Observation) -> RefinementResult:
    return Refiner(mesh, threads=2).refine(observation, read_pose("init.json"))


@pytest.fixture(scope="module")
def descended(mesh: Mesh, observation: Observation) -> RefinementResult:
    return Refiner(mesh, preset="paper").refine(observation, read_pose("init.json"))


def part(observation: Observation, *names: str) -> Observation:
    images = {name: getattr(observation, name) for name in names}
    return Observation(observation.camera, **images)


def error_mm(mesh: Mesh, pose: Pose) -> float:
    return 1e3 * add(pose, read_pose("truth.json"), mesh.vertices_m)


def short(**descent: object) -> Preset:
    return replace(PAPER, descent=replace(PAPER.descent, **descent))


def test_a_rough_pose_snaps_onto_the_object(mesh: Mesh, result: RefinementResult) -> None:
    assert error_mm(mesh, result.initial_pose) > 20
    assert error_mm(mesh, result.pose) < 2
    assert result.ok
    assert result.cost < 0.5 * result.initial_cost


def test_the_winner_is_the_lowest_cost_of_the_whole_history(descended: RefinementResult) -> None:
    result, history = descended, descended.history
    assert history.costs.shape == (result.iterations + 1, 8)
    assert result.cost == history.costs.min() == history.costs[result.winner_iteration, result.winner]
    assert np.array_equal(result.pose.t_m2c, history.t_m2c[result.winner_iteration, result.winner])
    weights = np.array([0.7, 1.0, 1.0])
    assert np.allclose(history.modality_costs @ weights, history.costs)
    assert result.modalities == ("rgb", "depth", "mask")
    assert list(result.cost_per_modality) == ["rgb", "depth", "mask"]


def test_same_seed_same_bits_whatever_the_threads(
    mesh: Mesh, observation: Observation, result: RefinementResult
) -> None:
    again = Refiner(mesh, threads=1).refine(observation, read_pose("init.json"))
    assert np.array_equal(again.history.costs, result.history.costs, equal_nan=True)
    assert np.array_equal(again.pose.matrix, result.pose.matrix)
    other = Refiner(mesh, threads=1, seed=1).refine(observation, read_pose("init.json"))
    assert not np.array_equal(other.history.costs, result.history.costs, equal_nan=True)


def test_adding_a_hypothesis_changes_no_other(mesh: Mesh, observation: Observation) -> None:
    preset = short(iterations=5)

    def of(hypotheses: int) -> RefinementResult:
        counted = replace(preset, descent=replace(preset.descent, hypotheses=hypotheses))
        return Refiner(mesh, preset=counted).refine(observation, read_pose("init.json"))

    few, many = of(2), of(5)
    assert np.array_equal(few.history.costs, many.history.costs[:, :2])


def test_a_warm_refiner_gives_what_a_new_one_gives(mesh: Mesh, observation: Observation) -> None:
    warm = Refiner(mesh, preset=short(iterations=5))
    first = warm.refine(observation, read_pose("init.json"))
    warm.refine(observation, read_pose("truth.json"))
    assert np.array_equal(warm.refine(observation, read_pose("init.json")).history.costs, first.history.costs)


@pytest.mark.parametrize(
    ("names", "limit_mm"),
    [
        (("rgb",), 24),
        (("depth",), 8),
        (("mask",), 14),
        (("rgb", "mask"), 6),
        (("depth", "mask"), 6),
        (("rgb", "depth"), 8),
    ],
)
def test_any_subset_of_images_improves_the_pose(
    mesh: Mesh, observation: Observation, names: tuple[str, ...], limit_mm: float
) -> None:
    outcome = Refiner(mesh, preset="paper").refine(part(observation, *names), read_pose("init.json"))
    assert outcome.modalities == names
    assert error_mm(mesh, outcome.pose) < limit_mm
    for missing in {"rgb", "depth", "mask"} - set(names):
        assert any(note.startswith(f"{missing} is off") for note in outcome.notes)


def test_edges_and_adam_work_too(mesh: Mesh, observation: Observation) -> None:
    edges = replace(PAPER, objective=replace(PAPER.objective, edge_weight=0.5))
    with_edges = Refiner(mesh, preset=edges).refine(observation, read_pose("init.json"))
    assert with_edges.modalities == ("rgb", "depth", "mask", "edge")
    assert error_mm(mesh, with_edges.pose) < 3
    adam = Refiner(mesh, preset=short(method="adam", learning_rate=0.005)).refine(observation, read_pose("init.json"))
    assert error_mm(mesh, adam.pose) < 5


def test_without_colours_rgb_is_off_and_said_to_be(mesh: Mesh, observation: Observation) -> None:
    plain = Mesh(mesh.vertices_m, mesh.faces)
    outcome = Refiner(plain).refine(observation, read_pose("init.json"))
    assert outcome.modalities == ("depth", "mask")
    assert "rgb is off: the mesh has no colours" in outcome.notes
    with pytest.raises(DiffDopeError, match="no colours, so RGB cannot be compared"):
        Refiner(plain, preset="paper").refine(part(observation, "rgb"), read_pose("init.json"))


def moved(pose: Pose, offset: tuple[float, float, float]) -> Pose:
    return Pose(pose.R_m2c, pose.t_m2c + offset)


@pytest.mark.parametrize(
    ("pose", "status"),
    [
        (moved(read_pose("truth.json"), (0, 0, -2.0)), Status.BEHIND_CAMERA),
        (moved(read_pose("truth.json"), (3.0, 0, 0)), Status.OUT_OF_VIEW),
        (moved(read_pose("truth.json"), (0.2, 0.05, 0)), Status.NO_OVERLAP),
    ],
)
def test_hopeless_starts_come_back_unchanged_with_the_reason(
    mesh: Mesh, observation: Observation, pose: Pose, status: Status
) -> None:
    outcome = Refiner(mesh).refine(observation, pose)
    assert outcome.status is status
    assert not outcome.ok
    assert outcome.pose is pose
    assert outcome.cost == float("inf")
    assert outcome.message


def test_an_object_partly_out_of_the_image_is_refined(mesh: Mesh, observation: Observation) -> None:
    camera = observation.camera
    columns = slice(0, 300)  # cuts the carton in two
    cut = Observation(
        camera.crop(0, 0, 300, camera.height),
        rgb=observation.rgb[:, columns], depth=observation.depth[:, columns], mask=observation.mask[:, columns],
    )  # type: ignore[index]  # fmt: skip
    outcome = Refiner(mesh).refine(cut, read_pose("init.json"))
    assert outcome.ok
    assert np.isfinite(outcome.history.costs).any(axis=1).all()
    assert error_mm(mesh, outcome.pose) < 0.5 * error_mm(mesh, outcome.initial_pose)


def test_leaving_the_mask_is_never_a_gain(mesh: Mesh, observation: Observation) -> None:
    """However bad the truth looks, a pose that uncovers the mask costs more; each modality alone."""
    from diffdope.problem.factor import ImageFactor
    from diffdope.render.buffers import Buffers
    from diffdope.terms.registry import ObjectiveSettings
    from tests.oracle.kernels import problem_of, responsibility_of

    truth = read_pose("truth.json")
    away = moved(truth, (0.3, 0, 0))
    wrong_colours = Observation(
        observation.camera, rgb=1.0 - observation.rgb, depth=observation.depth, mask=observation.mask
    )  # type: ignore[operator]
    for name in ("rgb", "depth", "edge"):
        weights = {f"{other}_weight": float(other == name) for other in ("rgb", "depth", "mask", "edge")}
        factor = ImageFactor(
            Buffers(mesh, threads=1), wrong_colours, responsibility_of(observation.mask), ObjectiveSettings(**weights),
            length_m=mesh.diameter,
        )  # fmt: skip
        problem = problem_of(factor, mesh.diameter)
        costs = problem.evaluate(np.stack([truth.R_m2c, away.R_m2c]), np.stack([truth.t_m2c, away.t_m2c])).cost
        assert costs[0] <= costs[1] + 1e-9


def test_a_refiner_for_one_camera_refuses_another(mesh: Mesh, observation: Observation) -> None:
    other = Camera(500.0, 500.0, 320.0, 240.0, 640, 480)
    with pytest.raises(DiffDopeError, match="observation: expected the refiner's camera"):
        Refiner(mesh, other).refine(observation, read_pose("init.json"))


def test_progress_is_reported(mesh: Mesh, observation: Observation) -> None:
    seen: list[tuple[int, int]] = []
    Refiner(mesh, preset=short(iterations=3)).refine(
        observation, read_pose("init.json"), progress=lambda k, n, cost: seen.append((k, n))
    )
    assert seen == [(3, 3)], "after every round of steps, and this is one"
    seen.clear()
    Refiner(mesh).refine(observation, read_pose("init.json"), progress=lambda k, n, cost: seen.append((k, n)))
    done, most = zip(*seen, strict=True)
    assert len(seen) >= 3 and list(done) == sorted(set(done)) and len(set(most)) == 1 and done[-1] <= most[0]


def test_the_public_function_is_the_refiner(mesh: Mesh, observation: Observation) -> None:
    outcome = dd.refine(mesh, observation, read_pose("init.json"), preset=short(iterations=3))
    assert outcome.iterations == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"iterations": 0}, "iterations: expected at least 1, got 0"),
        ({"learning_rate": -1.0}, "learning_rate: expected a number > 0"),
        ({"method": "newton"}, "method: expected one of sgd, adam"),
        ({"rate_low": 5.0}, "rate_low, rate_high: expected 0 < low <= high"),
        ({"patience": 0}, "patience: expected at least 1"),
    ],
)
def test_impossible_settings_are_named(change: dict[str, object], words: str) -> None:
    with pytest.raises(DiffDopeError, match=words):
        short(**change)


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(DiffDopeError, match="preset: expected one of default, fast, paper"):
        dd.refine(None, None, None, preset="papr")  # type: ignore[arg-type]


def test_crops_of_one_pixel_and_a_middle_beside_the_camera_are_no_crash() -> None:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * 0.08 - 0.04
    faces = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6]]
    box = Mesh(corners, faces, colors=np.linspace(0, 1, 24).reshape(8, 3))
    rng = np.random.default_rng(0)
    for width, height in ((1, 30), (30, 1), (1, 1), (2, 2)):
        camera = Camera(40.0, 40.0, width / 2, height / 2, width, height)
        seen = Observation(camera, rgb=rng.integers(0, 256, (height, width, 3)).astype(np.uint8))
        result = Refiner(box, threads=1).refine(seen, Pose(np.eye(3), [0.0, 0.0, 0.4]))
        assert np.isfinite(result.pose.matrix).all()
    camera = Camera(40.0, 40.0, 20.0, 15.0, 40, 30)
    seen = Observation(camera, rgb=rng.integers(0, 256, (30, 40, 3)).astype(np.uint8), depth=np.full((30, 40), 0.5))
    for x in (0.0, 0.02, 0.1):
        result = Refiner(box, threads=1).refine(seen, Pose(np.eye(3), [x, 0.01, 0.0]))
        assert np.isfinite(result.pose.matrix).all()
        assert result.covariance is None or np.isfinite(result.covariance).all()
