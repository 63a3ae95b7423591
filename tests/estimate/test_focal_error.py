"""Poses of cameras whose focal length is known to some percent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import diffdope as dd
from diffdope.calibration.shots import Shot
from diffdope.errors import DiffDopeError
from diffdope.estimate.focal_error import focal_motions
from diffdope.geometry import so3
from diffdope.geometry.pose import difference
from diffdope.note_codes import NoteCode
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example

_SHARE = 0.03


@pytest.mark.parametrize("measured", [False, True])
def test_the_picture_is_the_same_from_the_place_of_the_other_camera(measured: bool) -> None:
    """Pixels of a small object beside the axis; without depth, and with it, by another camera and at another place."""
    rng = np.random.default_rng(0)
    pose = dd.Pose(so3.exp(rng.normal(size=3)), np.array([0.2, -0.1, 0.7]))
    points = 0.01 * rng.normal(size=(50, 3))
    camera = dd.Camera(600.0, 600.0, 319.5, 239.5, 640, 480)
    longer = replace(camera, fx=600.0 * (1.0 + _SHARE), fy=600.0 * (1.0 + _SHARE))
    motions = focal_motions(pose, _SHARE, measured=measured)
    aside = 600.0 * motions[1, 0] / pose.t_m2c[2]
    others = longer, replace(camera, cx=camera.cx - aside), replace(camera, cy=camera.cy - aside)
    before = np.stack(camera.project(pose.apply(points)))
    for other, motion in zip(others, motions, strict=True):
        after = np.stack(other.project(pose.retract(motion).apply(points)))
        assert np.abs((after - before).mean(axis=1)).max() < 0.3
        assert np.abs(np.stack(other.project(pose.apply(points))) - before).max() > 3.0
    away_m = motions[0, :3] @ pose.t_m2c / np.linalg.norm(pose.t_m2c)
    assert motions[0, 2] == (0.0 if measured else pytest.approx(_SHARE * 0.7)) and np.sign(away_m) == 1 - 2 * measured


@pytest.mark.parametrize("given", ["rgb", "rgbd"])
def test_results_are_as_much_less_sure_and_say_so(given: str) -> None:
    mesh, observation, start, truth = packaged_example()
    images: dict[str, Any] = {"rgb": observation.rgb, "mask": observation.mask}
    images |= {"depth": observation.depth} if given == "rgbd" else {}
    refiner = dd.Refiner(mesh)
    known = refiner.refine(Observation(observation.camera, **images), start)
    guessed = refiner.refine(Observation(replace(observation.camera, focal_deviation=_SHARE), **images), start)
    assert (guessed.pose.matrix == known.pose.matrix).all() and guessed.status is known.status
    assert known.covariance is not None and guessed.covariance is not None
    beside = guessed.covariance - known.covariance
    z = truth.t_m2c[2]
    along, across = np.sqrt(beside[2, 2]), np.sqrt(beside[0, 0])
    assert along == pytest.approx(0.0 if given == "rgbd" else _SHARE * z, abs=1e-6 + 0.01 * z)
    assert across == pytest.approx(0.2 * _SHARE * z, rel=0.2)
    assert known.confidence is not None and guessed.confidence is not None
    assert guessed.confidence < known.confidence
    assert NoteCode.FOCAL_LENGTH in guessed.note_codes and NoteCode.FOCAL_LENGTH not in known.note_codes


def test_a_focal_length_that_is_off_is_within_what_is_said() -> None:
    """A photograph alone, by a focal length that is 3 % too long: the error lies within three deviations."""
    mesh, observation, start, truth = packaged_example()
    camera = observation.camera
    off = replace(camera, fx=1.03 * camera.fx, fy=1.03 * camera.fy, focal_deviation=_SHARE)
    result = dd.Refiner(mesh).refine(Observation(off, rgb=observation.rgb, mask=observation.mask), start)
    assert result.covariance is not None and result.confidence is not None
    error = difference(result.pose, truth)
    assert abs(error[2]) > 0.02 * truth.t_m2c[2]
    assert (np.abs(error) < 3.0 * np.sqrt(np.diag(result.covariance))).all()
    assert result.confidence < 0.5


def test_fast_has_no_covariance_and_is_less_sure_all_the_same() -> None:
    mesh, observation, start, _ = packaged_example()
    images: dict[str, Any] = {"rgb": observation.rgb, "depth": observation.depth, "mask": observation.mask}
    refiner = dd.Refiner(mesh, preset="fast")
    known = refiner.refine(Observation(observation.camera, **images), start)
    guessed = refiner.refine(Observation(replace(observation.camera, focal_deviation=_SHARE), **images), start)
    assert known.confidence is not None and guessed.confidence is not None
    assert guessed.confidence < 0.8 * known.confidence


def test_a_camera_before_a_robot_must_be_calibrated() -> None:
    _, observation, _, _ = packaged_example()
    seen = Observation(replace(observation.camera, focal_deviation=_SHARE), mask=observation.mask)
    with pytest.raises(DiffDopeError, match=r"observation.camera: expected a calibrated camera.*calibrate"):
        Shot(seen, {"joint": 0.0})


@pytest.mark.parametrize("share", [-0.01, 1.0, np.nan, "much"])
def test_shares_that_are_none_are_refused(share: object) -> None:
    with pytest.raises(DiffDopeError, match="focal_deviation"):
        dd.Camera(600.0, 600.0, 319.5, 239.5, 640, 480, focal_deviation=share)  # type: ignore[arg-type]
