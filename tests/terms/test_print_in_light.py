"""A print against its photograph, in light that each direction has its share of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffdope.estimate.tolerance import displacement_form
from diffdope.experiments.shapes import mottled, painted, tube
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.terms.base import Rendering
from diffdope.terms.contour import smoothed
from diffdope.terms.photometric_gain import HOLD_UNMASKED
from diffdope.terms.print_in_light import PrintInLight, step_of

VERTICES_M, FACES = tube(72, 24, 0.035, 0.1)
CAN = painted("can", VERTICES_M, FACES, mottled)
POSE = Pose(np.eye(3), np.array([0.01, 0.0, 0.5])).retract([0.0, 0.0, 0.0, 1.9, 0.2, 0.0])
EVERYWHERE = np.ones((CAMERA.height, CAMERA.width), np.float32)


def lit(pose: Pose) -> np.ndarray:
    """Of each vertex (N, 1): light from the camera's left, a third of it from all around."""
    outward = VERTICES_M * [1.0, 1.0, 0.0] @ pose.R_m2c.T
    return (0.55 - 0.3 * outward[:, :1] / 0.035) * 0.9


def test_steps_turn_a_can_about_its_axis_in_light_from_one_side() -> None:
    shaded = painted("shaded", VERTICES_M, FACES, lambda x: mottled(x) * lit(POSE))
    crop = picture([(shaded, POSE)], np.random.default_rng(2), noise=SensorNoise(rgb=0.005)).without_mask()
    assert crop.rgb is not None
    photograph, axis = smoothed(crop.rgb), POSE.R_m2c[:, 2]
    pose = POSE.retract(np.concatenate([np.zeros(3), np.radians(3.0) * axis]))
    renderer = Renderer(CAN, CAMERA)
    drawn = Rendering.of(renderer.render(pose.R_m2c, pose.t_m2c))
    seen = PrintInLight.of(photograph, drawn, crop, EVERYWHERE, pose, CAN.diameter, hold=HOLD_UNMASKED)
    assert seen is not None
    for _ in range(5):
        drawn = Rendering.of(renderer.render(pose.R_m2c, pose.t_m2c))
        factor = seen.factor(drawn, pose)  # of points that were drawn at the first pose
        assert factor is not None
        turn = np.concatenate([np.zeros(3), axis])
        pose = pose.retract(-turn * (turn @ factor.slope) / (turn @ factor.curvature @ turn))
    assert np.degrees(pose.angle_to(POSE)) < 0.3


def test_what_counts_as_something_else_says_nothing() -> None:
    crop = picture([(CAN, POSE)], np.random.default_rng(2)).without_mask()
    assert crop.rgb is not None
    photograph = smoothed(crop.rgb)
    drawn = Rendering.of(Renderer(CAN, CAMERA).render(POSE.R_m2c, POSE.t_m2c))
    nowhere = np.zeros_like(EVERYWHERE)
    assert PrintInLight.of(photograph, drawn, crop, nowhere, POSE, CAN.diameter, hold=HOLD_UNMASKED) is None
    seen = PrintInLight.of(photograph, drawn, crop, EVERYWHERE, POSE, CAN.diameter, hold=HOLD_UNMASKED)
    assert seen is not None and seen.factor(drawn, POSE) is not None
    assert replace(seen, own=nowhere > 0.5).factor(drawn, POSE) is None
    once, anew = seen.factor(drawn, POSE), replace(seen).factor(drawn, POSE)
    assert once is not None and anew is not None and np.array_equal(once.curvature, anew.curvature)


def test_how_far_its_next_step_alone_would_lead_grows_with_the_error_of_the_distance() -> None:
    clutter = np.random.default_rng(4).uniform(0.0, 1.0, (CAMERA.height, CAMERA.width, 3)).astype(np.float32)
    crop = picture([(CAN, POSE)], np.random.default_rng(2), noise=SensorNoise(rgb=0.005)).without_mask()
    assert crop.rgb is not None
    renderer, form, tolerance_m = Renderer(CAN, CAMERA), displacement_form(CAN), 0.03 * CAN.diameter
    inside = renderer.render(POSE.R_m2c, POSE.t_m2c).coverage[0][..., None] > 0.5
    alone = Observation(CAMERA, rgb=np.where(inside, crop.rgb, clutter))
    assert alone.rgb is not None
    asked = []
    for off in (0.0, 1.0, 2.0):
        pose = Pose(POSE.R_m2c, POSE.t_m2c * (1.0 + off * tolerance_m / POSE.t_m2c[2]))
        drawn = Rendering.of(renderer.render(pose.R_m2c, pose.t_m2c))
        seen = PrintInLight.of(smoothed(alone.rgb), drawn, alone, EVERYWHERE, pose, CAN.diameter, hold=HOLD_UNMASKED)
        assert seen is not None
        factor = seen.factor(drawn, pose)
        assert factor is not None
        asked.append(step_of(factor, form, CAN.diameter, tolerance_m) / tolerance_m)
    assert asked[0] < 0.15 and 0.25 < asked[1] < asked[2], asked
