"""Lens distortion as the tools of this field write it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.distortion import check_undistorted

ZEROS = [0, 0, 0.0, 0, 0]
SOME = [-0.05, 0.02, 0, 0, 0]

STATED: dict[str, dict[str, Any]] = {
    "dist_coeffs": {"dist_coeffs": SOME},
    "dist_coeffs, rows": {"dist_coeffs": [SOME]},
    "dist_coef": {"dist_coef": SOME},
    "dist": {"dist": SOME},
    "D": {"D": SOME},
    "distCoeffs": {"distCoeffs": SOME},
    "distortion": {"distortion": SOME},
    "distortion, words": {"distortion": "-0.05 0.02 0 0 0"},
    "distortion, by name": {"distortion": {"a": 0.3, "b": 0}},
    "distortion_coefficients": {"distortion_model": "plumb_bob", "distortion_coefficients": SOME},
    "camera_info": {"distortion_coefficients": {"rows": 1, "cols": 5, "data": SOME}},
    "OpenCV": {"Distortion_Coefficients": {"type_id": "opencv-matrix", "rows": 5, "cols": 1, "dt": "d", "data": SOME}},
    "coeffs": {"model": "distortion.brown_conrady", "coeffs": SOME},
    "k1": {"k1": -0.05, "k2": 0.02},
    "k3 alone": {"k1": 0, "k2": 0, "p1": 0, "p2": 0, "k3": 1e-6},
    "p1": {"k1": 0, "p1": -0.001},
    "cam_dist": {"cam_dist": SOME},
    "radial_distortion": {"radial_distortion": [0.1, 0.0]},
    "within": {"intrinsics": {"parameters": {"k1": 0.4}}},
    "numbers as words": {"k1": "-0.05"},
    "unreadable": {"dist_coeffs": "see calibration.yaml"},
    "equidistant": {"distortion_model": "equidistant", "distortion_coefficients": [0, 0, 0, 0]},
    "OPENCV_FISHEYE": {"camera_model": "OPENCV_FISHEYE"},
    "FISHEYE624": {"projection_model_type": "CameraModelType.FISHEYE624"},
    "Kannala-Brandt": {"model": "distortion.kannala_brandt4", "coeffs": [0, 0, 0, 0]},
}


@pytest.mark.parametrize("name", STATED)
def test_stated_distortion_is_refused(name: str) -> None:
    entry = {"fx": 420.0, "fy": 420.0, "cx": 319.5, "cy": 239.5, "width": 640, "height": 480}
    keys = "|".join(map(re.escape, STATED[name]))
    with pytest.raises(DiffDopeError, match=rf"^({keys})[.\w]*: expected .*undistort the images first"):
        Camera.from_bop(entry | STATED[name])


NOT_STATED: dict[str, dict[str, Any]] = {
    "nothing": {"depth_scale": 1.0, "cam_R_w2c": [1, 0, 0, 0, 1, 0, 0, 0, 1], "cam_t_w2c": [0.0, 1.0, 2.0]},
    "zeros": {"dist_coeffs": ZEROS, "distortion_coefficients": ZEROS, "k1": 0, "k2": 0.0, "p1": "0"},
    "zeros in a matrix": {"distortion_coefficients": {"rows": 1, "cols": 5, "data": ZEROS}},
    "names of models": {"distortion_model": "plumb_bob", "model": "distortion.inverse_brown_conrady"},
    "none": {"distortion": None, "dist_coeffs": [], "distortion_model": "none", "distortion_params": "none"},
    "pinhole": {"cam_model": "pinhole", "camera_model": "PINHOLE"},
    "a distance": {"dist": 0.8, "d": 3, "distance": 0.8, "elev": 45, "mode": 0},
    "undistorted": {"undistorted": True, "is_distorted": False},
}


@pytest.mark.parametrize("name", NOT_STATED)
def test_no_distortion_is_accepted(name: str) -> None:
    check_undistorted(NOT_STATED[name])
