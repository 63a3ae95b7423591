from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.problem.evaluate import evaluate_queue
from diffdope.problem.factor import ImageFactor
from diffdope.problem.problem import Evaluation
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.solve.levenberg_marquardt import LevenbergSettings, minimise
from diffdope.terms.layout import Canvas
from diffdope.terms.registry import ObjectiveSettings
from tests.oracle.kernels import problem_of, responsibility_of
from tests.oracle.shapes import icosphere

SHAPE = icosphere(3, 0.05)
COLORS = 0.5 + 0.4 * np.sin(SHAPE.vertices_m @ np.array([[90.0, 0, 40], [0, 70, 20], [30, 0, 80]]))
BALL = Mesh(SHAPE.vertices_m, SHAPE.faces, colors=COLORS)
POSE = (np.eye(3)[None], np.array([[0.002, -0.001, 0.6]]))


def observe(scale: int = 1, mesh: Mesh = BALL) -> Observation:
    """A rendering of the ball at its pose, at `scale` times the resolution."""
    camera = Camera(200.0, 200.0, 31.5, 23.5, 64, 48).resize(64 * scale, 48 * scale)
    seen = Renderer(mesh, camera, threads=1).render(*POSE)
    coverage = np.clip(seen.coverage[0], 0, 1)
    return Observation(camera, rgb=np.clip(seen.rgb[0], 0, 1), depth=seen.depth[0], mask=coverage)


def factor(
    observation: Observation, settings: ObjectiveSettings, *, with_normal: bool = False, mesh: Mesh = BALL
) -> ImageFactor:
    assert observation.mask is not None
    return ImageFactor(
        Buffers(mesh, threads=1), observation, responsibility_of(observation.mask), settings,
        length_m=mesh.diameter, with_normal=with_normal,
    )  # fmt: skip


def evaluated(one: ImageFactor, R: np.ndarray, t: np.ndarray) -> Evaluation:
    return problem_of(one, BALL.diameter).evaluate(R, t)


def test_at_the_truth_the_cost_is_nearly_zero() -> None:
    result = evaluated(factor(observe(), ObjectiveSettings(edge_weight=0.5)), *POSE)
    assert result.cost[0] < 0.03  # border pixels of the mask are half covered, and pay for the other half
    moved = evaluated(factor(observe(), ObjectiveSettings(edge_weight=0.5)), POSE[0], POSE[1] + [0.01, 0, 0.02])
    assert moved.cost[0] > 10 * result.cost[0]


def test_weights_mean_the_same_at_every_resolution() -> None:
    moved = POSE[1] + [0.008, 0.0, 0.015]
    costs = [evaluated(factor(observe(scale), ObjectiveSettings()), POSE[0], moved).each[0] for scale in (1, 3)]
    assert costs[0][:3] == pytest.approx(costs[1][:3], rel=0.05)


def test_the_total_is_the_weighted_sum() -> None:
    settings = ObjectiveSettings(rgb_weight=0.3, depth_weight=2.0, mask_weight=0.7, edge_weight=0.4)
    result = evaluated(factor(observe(), settings), POSE[0], POSE[1] + 0.01)
    assert result.cost[0] == pytest.approx(result.each[0] @ [0.3, 2.0, 0.7, 0.4, 0.0])


def test_derivatives_do_not_depend_on_whether_the_normal_matrix_is_wanted() -> None:
    plain = evaluated(factor(observe(), ObjectiveSettings(edge_weight=0.5)), POSE[0], POSE[1] + 0.01)
    wanted = factor(observe(), ObjectiveSettings(edge_weight=0.5), with_normal=True)
    full = evaluated(wanted, POSE[0], POSE[1] + 0.01)
    # Not to the bit: with and without are compiled apart, and fastmath sums in another order.
    assert plain.gradient == pytest.approx(full.gradient, rel=1e-4)
    assert plain.cost == pytest.approx(full.cost, rel=1e-6)
    assert not plain.normal.any()
    assert np.linalg.eigvalsh(full.normal[0]).min() > 0


def test_a_sphere_without_colours_cannot_feel_its_rotation() -> None:
    """The normal matrix says which motions the images do not see: here, turns about the centre."""
    plain = Mesh(BALL.vertices_m, BALL.faces)
    observation = observe(mesh=plain)
    full = evaluated(factor(observation, ObjectiveSettings(), with_normal=True, mesh=plain), POSE[0], POSE[1] + 0.003)
    rho, phi = np.trace(full.normal[0, :3, :3]), np.trace(full.normal[0, 3:, 3:]) / 0.05**2
    assert phi < 0.02 * rho


def test_a_responsibility_without_pixels_is_refused() -> None:
    with pytest.raises(DiffDopeError, match="responsibility: expected pixels that count"):
        nowhere = responsibility_of(np.zeros((48, 64)))
        ImageFactor(Buffers(BALL, threads=1), observe(), nowhere, ObjectiveSettings(), length_m=0.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rgb_weight": -1.0}, "rgb_weight: expected a number >= 0"),
        ({"depth_cap": 0.0}, "depth_cap: expected a number > 0"),
        ({"mask_weight": float("nan")}, "mask_weight: expected a number >= 0"),
        ({"rgb_weight": 0.0, "depth_weight": 0.0, "mask_weight": 0.0}, "at least one modality with a weight > 0"),
    ],
)
def test_impossible_settings_are_named(change: dict[str, float], words: str) -> None:
    with pytest.raises(DiffDopeError, match=words):
        ObjectiveSettings(**change)


def test_a_descent_paints_its_best_pose_as_the_renderer_does() -> None:
    observation, moved = observe(), (POSE[0], POSE[1] + 0.004)
    seen = Renderer(BALL, observation.camera, threads=1).render(*moved)
    problem = problem_of(factor(observation, ObjectiveSettings(), with_normal=True), BALL.diameter)
    for steps in (0, 4):
        canvases = Canvas.of(seen.coverage[0].size), Canvas.of(seen.coverage[0].size)
        found = minimise(
            problem, moved[0][:, None], moved[1][:, None], iterations=steps, settings=LevenbergSettings(),
            canvases=canvases,
        )  # fmt: skip
        painted, ended = canvases[found.canvas[0]], (found.R[:, 0], found.t[:, 0])
        seen = Renderer(BALL, observation.camera, threads=1).render(*ended)
        # Compiled for some processors, the loop that paints sums in another order than the one that does not.
        assert found.cost[0] == pytest.approx(problem.evaluate(*ended).cost[0], rel=1e-12)
        np.testing.assert_array_equal(painted.coverage, seen.coverage[0].ravel())
        np.testing.assert_array_equal(painted.depth, seen.depth[0].ravel())
        np.testing.assert_array_equal(painted.rgb, seen.rgb[0].reshape(-1, 3))
    assert found.cost[0] < 0.5 * found.history_cost[0, 0]


def test_poses_that_cannot_be_written_to_compile_nothing() -> None:
    R, t = POSE[0].copy(), POSE[1].copy()
    problem = problem_of(factor(observe(), ObjectiveSettings()), BALL.diameter)
    expected = problem.evaluate(R, t)
    before = len(evaluate_queue.overloads)
    for array in (R, t):
        array.setflags(write=False)
    assert problem.evaluate(R, t).cost == expected.cost
    assert len(evaluate_queue.overloads) == before
