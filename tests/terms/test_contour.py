"""Edges in place of a mask, on pictures whose truth is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.error_kinds import NothingToCompareError
from diffdope.errors import DiffDopeError
from diffdope.experiments.shapes import grid_box
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.contour import ContourCorrespondences, ContourSettings
from diffdope.terms.contour_points import ContourPoints

TRUTH = Pose(so3.exp(np.array([0.5, 0.3, 0.2])), np.array([0.01, -0.01, 0.5]))
DEFAULT = PRESETS["default"]


@pytest.fixture(scope="module")
def box() -> Mesh:
    """Without colours; the one in the picture is yellow."""
    vertices, faces = grid_box(np.array([0.05, 0.075, 0.10]), 4)
    return Mesh(vertices, faces)


@pytest.fixture(scope="module")
def photograph(box: Mesh) -> Observation:
    yellow = Mesh(box.vertices_m, box.faces, colors=np.tile([0.9, 0.8, 0.1], (len(box.vertices_m), 1)))
    seen = picture([(yellow, TRUTH)], np.random.default_rng(0), noise=SensorNoise(rgb=0.02))
    return Observation(CAMERA, rgb=seen.rgb)


def outline_at(box: Mesh, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    images = Renderer(box, CAMERA).render(pose.R_m2c, pose.t_m2c)
    return images.coverage[0], images.depth[0]


def test_points_lie_on_the_outline_and_move_as_their_jacobian_says(box: Mesh) -> None:
    points = ContourPoints(*outline_at(box, TRUTH), CAMERA)
    u, v = CAMERA.project(points.X_c)
    assert np.allclose(np.stack([u, v], axis=1), points.place, atol=1e-9)
    step = 1e-6 * np.array([1.0, -2.0, 3.0, 4.0, -5.0, 6.0])
    moved = so3.exp(step[3:]) @ (points.X_c - TRUTH.t_m2c).T
    u2, v2 = CAMERA.project(moved.T + TRUTH.t_m2c + step[:3])
    along = np.stack([u2 - u, v2 - v], axis=1)
    want = (along * points.normal).sum(axis=1)
    assert np.allclose(points.jacobian(CAMERA, TRUTH.t_m2c) @ step, want, rtol=1e-3, atol=1e-8)
    centre = np.array(CAMERA.project(TRUTH.t_m2c[None])).ravel()
    assert (((points.place - centre) * points.normal).sum(axis=1) > 0).mean() > 0.95


def test_the_pull_leads_back_to_the_edges(box: Mesh, photograph: Observation) -> None:
    assert photograph.rgb is not None
    edges = ContourCorrespondences(photograph.rgb, CAMERA, ContourSettings())
    away = Pose(TRUTH.R_m2c, TRUTH.t_m2c + np.array([0.0015, -0.001, 0.0]))
    pull = edges.factor(*outline_at(box, away), away, 4.0)
    assert pull is not None
    assert (np.linalg.eigvalsh(pull.curvature) > -1e-9).all()
    step = np.linalg.solve(pull.curvature + 1e-3 * np.eye(6), -pull.slope)
    assert np.linalg.norm(away.t_m2c[:2] + step[:2] - TRUTH.t_m2c[:2]) < 0.25 * 0.0018
    still = edges.factor(*outline_at(box, TRUTH), TRUTH, 4.0)
    assert still is not None and still.constant < 0.2 * pull.constant


def test_edges_support_the_true_outline_more_than_another(box: Mesh, photograph: Observation) -> None:
    assert photograph.rgb is not None
    edges = ContourCorrespondences(photograph.rgb, CAMERA, ContourSettings())
    beside = Pose(TRUTH.R_m2c, TRUTH.t_m2c + np.array([0.008, 0.006, 0.0]))
    right, wrong = edges.support(*outline_at(box, TRUTH)), edges.support(*outline_at(box, beside))
    assert right is not None and wrong is not None
    assert right > 0.8 and wrong < 0.6 * right


def test_what_is_painted_next_to_the_outline_is_not_taken_for_it() -> None:
    sides = np.array([0.05, 0.075, 0.10])
    vertices, faces = grid_box(sides, 40)
    # Distances from the planes of the faces: that from its own is 0, the next is that from the nearest edge.
    rim = np.sort(0.5 * sides - np.abs(vertices), axis=1)[:, 1] < 0.005
    framed = Mesh(vertices, faces, colors=np.where(rim[:, None], [0.55, 0.5, 0.5], [0.95, 0.9, 0.1]))
    seen = picture([(framed, TRUTH)], np.random.default_rng(0), noise=SensorNoise(rgb=0.02))
    images = Renderer(framed, CAMERA).render(TRUTH.R_m2c, TRUTH.t_m2c)
    assert seen.rgb is not None

    def farther_m(painted: float) -> float:
        pull = ContourCorrespondences(seen.rgb, CAMERA, ContourSettings(painted=painted)).factor(
            images.coverage[0], images.depth[0], TRUTH, 8.0, images.rgb[0]
        )
        assert pull is not None
        return float(np.linalg.solve(pull.curvature + 1e-6 * np.eye(6), -pull.slope)[2])

    assert farther_m(0.0) > 0.005, "the inner edge of the frame makes the object smaller"
    assert abs(farther_m(1.0)) < 0.5 * farther_m(0.0)


def test_no_outline_no_pull(box: Mesh, photograph: Observation) -> None:
    assert photograph.rgb is not None
    edges = ContourCorrespondences(photograph.rgb, CAMERA, ContourSettings())
    nothing = np.zeros((CAMERA.height, CAMERA.width), np.float32)
    assert edges.factor(nothing, nothing, TRUTH, 4.0) is None
    assert edges.support(nothing, nothing) is None
    everything = np.ones_like(nothing)
    assert len(ContourPoints(everything, everything, CAMERA)) == 0, "the picture's own border is no outline"


def test_a_mesh_without_colours_is_refined_by_its_outline_alone(box: Mesh, photograph: Observation) -> None:
    start = Pose(so3.exp(np.array([0.05, -0.04, 0.03])) @ TRUTH.R_m2c, TRUTH.t_m2c + np.array([0.003, -0.002, 0.004]))
    result = Refiner(box).refine(photograph, start, start_counts=False)  # what edges say, not what the start does
    assert result.modalities == ("outline",)
    assert any("edges hold the object's outline" in note for note in result.notes)
    assert result.cost < 0.5 * result.initial_cost and set(result.cost_per_modality) == {"outline"}
    assert result.evidence is not None and result.evidence.outline is not None
    # Along the view, 4 mm are a fifth of a pixel of the crop: there, the start says more than edges do.
    along, across = np.abs(result.pose.t_m2c - TRUTH.t_m2c)[2], (result.pose.t_m2c - TRUTH.t_m2c)[:2]
    assert along < 0.004 and np.linalg.norm(across) < 0.1 * np.linalg.norm([0.003, 0.002])
    assert result.pose.angle_to(TRUTH) < 0.5 * start.angle_to(TRUTH)


def test_without_edges_nothing_can_be_compared(box: Mesh, photograph: Observation) -> None:
    off = replace(DEFAULT, search=replace(DEFAULT.search, outline=ContourSettings.off()))
    with pytest.raises(NothingToCompareError, match="no colours, so RGB cannot be compared"):
        Refiner(box, preset=off).refine(photograph, TRUTH)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight": -1.0}, {"plain": -1.0}, {"plain_size": -1}, {"reach_px": ()}, {"reach_px": (0.5,)},
        {"tolerance_px": 0.0},
        {"colours": -0.1},
        {"painted": -1.0},
        {"inner": -1.0}, {"inner_px": (0.5,)},
        {"closing_px": (0.5,)}, {"closing": 0.0}, {"closing": 1.5}, {"closing_steps": 0},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DiffDopeError, match=next(iter(wrong))):
        ContourSettings(**wrong)  # type: ignore[arg-type]
