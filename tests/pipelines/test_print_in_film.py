"""A printed can that turns about its axis in light from one side: depth and outline are the same at every turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diffdope.experiments.shapes import mottled, painted, tube
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from diffdope.search.print_rounds import ROUNDS
from diffdope.terms.print_in_light import PrintInLight

FRAMES, TURN_DEG = 10, 4.0
VERTICES_M, FACES = tube(72, 24, 0.035, 0.1)


def colours(x_m: np.ndarray) -> np.ndarray:
    return 0.55 + 0.4 * (mottled(x_m) - 0.5)


def truth(frame: int) -> Pose:
    axis = so3.exp(np.array([1.9, 0.25, 0.0]))
    return Pose(axis @ so3.exp(np.radians([0.0, 0.0, TURN_DEG * frame])), np.array([0.01, 0.001 * frame, 0.5]))


def test_its_turn_is_followed_by_a_print_in_the_light_of_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    made, of = [], PrintInLight.of
    monkeypatch.setattr(PrintInLight, "of", lambda *of_frame, **light: made.append(of(*of_frame, **light)) or made[-1])
    refiner = Refiner(painted("can", VERTICES_M, FACES, colours), preset="fast", threads=1)
    off_deg = []
    for frame in range(FRAMES):
        pose = truth(frame)
        outward = VERTICES_M * [1.0, 1.0, 0.0] @ pose.R_m2c.T
        light = 0.5 - 0.4 * outward[:, :1] / 0.035
        lit = painted("lit", VERTICES_M, FACES, lambda x, light=light: colours(x) * light)
        seen = picture([(lit, pose)], np.random.default_rng(3), noise=SensorNoise())
        given = Observation(CAMERA, rgb=seen.rgb, depth=seen.depth)
        if frame == 1:  # the first one may be searched more than once
            made.clear()
        found = refiner.track(given, pose if frame == 0 else None).pose
        off_deg.append(np.degrees(found.angle_to(pose)))
    assert max(off_deg) < TURN_DEG, np.round(off_deg, 1)  # no frame lags by as much as it has turned
    assert off_deg[-1] < 1.0
    assert len(made) == ROUNDS * (FRAMES - 1) and None not in made


def test_in_photographs_alone_a_distance_is_believed_where_its_print_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    seen_by: list[str] = []
    for name in ("of", "factor"):
        plain = getattr(PrintInLight, name)

        def counted(*given: object, plain: Any = plain, name: str = name, **light: float) -> object:
            seen_by.append(name)
            return plain(*given, **light)

        monkeypatch.setattr(PrintInLight, name, counted)
    refiner = Refiner(painted("can", VERTICES_M, FACES, colours), preset="fast", threads=1)
    off, sure = [], []
    for frame in range(8):
        pose = truth(frame)
        noise = np.random.default_rng(3 + frame)
        seen = picture([(painted("can", VERTICES_M, FACES, colours), pose)], noise, noise=SensorNoise())
        result = refiner.track(Observation(CAMERA, rgb=seen.rgb), pose if frame == 0 else None)
        off.append(np.linalg.norm(result.pose.t_m2c - pose.t_m2c) / refiner.mesh.diameter)
        sure.append(result.confidence or 0.0)
    wrong = np.array(off) > 0.03  # one frame, along the view, at 0.98 before its print was asked
    assert np.array_equal(np.array(sure) > 0.5, ~wrong), (np.round(off, 3), np.round(sure, 2))
    assert max(off) < 0.05
    assert seen_by and seen_by == ["of", "factor"] * (len(seen_by) // 2)  # it is asked once in the light of each round
