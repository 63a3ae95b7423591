"""Zeros that are off in all pictures alike, of a camera on the hand: what the covariance knows of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.calibration.eye_in_hand.calibrate import EyeInHandSettings, calibrate_eye_in_hand
from diffdope.experiments.drawn_arm import drawn_arm
from diffdope.experiments.drawn_hand import drawn_hand, drawn_target

ARM, TARGET = drawn_arm(), drawn_target()


@pytest.mark.parametrize("zero_deg", [0.0, 0.3])
def test_zeros_are_in_the_covariance_of_a_camera_on_the_hand(zero_deg: float) -> None:
    """The last joint's zero turns the camera on the flange, which no picture tells."""
    shots, _ = drawn_hand(ARM, 0, 3, TARGET, images=("mask",))
    off = float(np.radians(zero_deg))
    shots = [replace(one, joints={name: v - off for name, v in (one.joints or {}).items()}) for one in shots]
    result = calibrate_eye_in_hand(TARGET, shots, robot=ARM, settings=EyeInHandSettings(suggestions=0))
    assert result.zero_error_deg is not None and 0.05 < result.zero_error_deg < 1.0
    assert result.camera_deviation is not None
    assert result.zero_error_deg < 1.5 * result.camera_deviation[1] and result.camera_deviation[0] < 20.0
