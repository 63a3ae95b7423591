"""Films of photographs whose masks are too wide in one frame and too narrow in the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS
from diffdope.scene.observation import Observation
from diffdope.scene.signed_distance import signed_distance
from tests.oracle.painted_box import box, swaying

OFF_PX = (2.5, -2.5, 3.0, 0.0, -2.0, 2.5, -3.0, 2.0)
BOX = box()


def seen_at(frame: int, noise: float) -> Observation:
    made = picture([(BOX, swaying(frame))], np.random.default_rng(frame), noise=SensorNoise())
    assert made.rgb is not None
    grain = np.random.default_rng(100 + frame).normal(0.0, noise, made.rgb.shape)
    return Observation(CAMERA, rgb=np.clip(made.rgb + grain, 0.0, 1.0).astype(np.float32), mask=made.mask)


def test_exact_masks_stay_as_they_are_given_though_the_picture_is_noisy() -> None:
    refiner, given = Refiner(BOX, preset="fast", threads=1), swaying(0)
    for frame in range(6):
        seen = seen_at(frame, 0.08)
        pose = refiner.track(seen, given if frame == 0 else None).pose
    borders = refiner._tracker._borders  # type: ignore[union-attr]
    assert borders.exact and borders.ends(seen) is seen
    assert abs(1e3 * float(pose.t_m2c[2] - swaying(5).t_m2c[2])) < 2.0
    borders.clear()
    assert not borders.exact and borders.ends(seen) is not seen


def test_masks_that_are_said_to_be_exact_are_not_asked() -> None:
    fast = PRESETS["fast"]
    preset = replace(fast, search=replace(fast.search, noise=replace(fast.search.noise, mask_border_px=0.0)))
    refiner, seen = Refiner(BOX, preset=preset, threads=1), seen_at(0, 0.08)
    refiner.track(seen, swaying(0))
    borders = refiner._tracker._borders  # type: ignore[union-attr]
    assert borders.ends(seen) is seen


@pytest.mark.parametrize("off_px", [2.5, -2.0, None])
def test_masks_that_are_off_are_not_taken_for_exact(off_px: float | None) -> None:
    """Too wide or too narrow all around, or wavy."""
    refiner = Refiner(BOX, preset="fast", threads=1)
    for frame in range(6):
        seen = seen_at(frame, 0.0)
        assert seen.mask is not None
        away = signed_distance(seen.mask > 0.5)
        if off_px is None:
            waves = gaussian_filter(np.random.default_rng(frame).normal(size=away.shape), 6.0)
            mask = away < 1.5 * waves / waves.std()
        else:
            mask = away < off_px
        refiner.track(Observation(CAMERA, rgb=seen.rgb, mask=mask), swaying(0) if frame == 0 else None)
    assert not refiner._tracker._borders.exact  # type: ignore[union-attr]


def test_the_distance_does_not_follow_the_masks() -> None:
    refiner = Refiner(BOX, preset="fast", threads=1)
    off_mm = []
    for frame, off_px in enumerate(OFF_PX):
        seen = picture([(BOX, swaying(frame))], np.random.default_rng(frame), noise=SensorNoise())
        assert seen.mask is not None
        mask = signed_distance(seen.mask > 0.5) < off_px
        pose = refiner.track(Observation(CAMERA, rgb=seen.rgb, mask=mask), swaying(0) if frame == 0 else None).pose
        off_mm.append(1e3 * float(pose.t_m2c[2] - swaying(frame).t_m2c[2]))
    assert max(np.abs(off_mm)) < 10.0  # before, it followed them by up to 22
