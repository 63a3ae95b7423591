"""Keypoints of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from diffdope.search.features.keypoints import detect

pytest.importorskip("cv2", reason="keypoints need OpenCV (diffdope[features])")


def test_keypoints_lie_where_they_are_whichever_way_the_picture_is_turned(rng: np.random.Generator) -> None:
    """Pixel centres are at integers: half a turn takes (u, v) to (W - 1 - u, H - 1 - v)."""
    blobs = gaussian_filter(rng.normal(size=(240, 320)), 3.0)
    grey = np.uint8(255 * (blobs - blobs.min()) / np.ptp(blobs))
    here = detect(grey, most=500, contrast=0.02).place
    turned = detect(np.ascontiguousarray(grey[::-1, ::-1]), most=500, contrast=0.02).place
    back = np.array([319.0, 239.0]) - turned
    distance, nearest = cKDTree(back).query(here)
    near = distance < 1.5
    assert np.count_nonzero(near) > 50
    assert np.abs(np.median(here[near] - back[nearest[near]], axis=0)).max() < 0.05
