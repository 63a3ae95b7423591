"""Robot-to-camera calibration: where a camera stands, from pictures of an arm whose joint values are known."""
