"""Keypoints of photographs: boxes and poses that they propose."""
