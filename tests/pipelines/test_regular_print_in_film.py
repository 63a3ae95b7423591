"""A chequered box whose mesh has its colours inverted: they agree best a cell beside it."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box, painted
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

CELL_M, FRAMES = 0.012, 4
VERTICES_M, FACES = grid_box(np.array([0.12, 0.08, 0.04]), 60)


def chequered(*, inverted: bool) -> Mesh:
    def colours(x_m: np.ndarray) -> np.ndarray:
        bright = np.floor((x_m + 0.0011) / CELL_M).sum(axis=1) % 2 == (1 if inverted else 0)
        return np.where(bright[:, None], 0.8, 0.2) * [1.0, 0.95, 0.9]

    return painted("chequered", VERTICES_M, FACES, colours)


def truth(frame: int, *, faces: int) -> Pose:
    """One face shows, or three."""
    towards = so3.exp(np.array([0.05, 0.05, 0.2] if faces == 1 else [2.5, 0.3, 0.2]))
    return Pose(towards, np.array([0.004 * frame - 0.01, 0.001 * frame, 0.45]))


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("faces", [1, 3])
def test_it_does_not_slide_by_a_cell(faces: int, masked: bool) -> None:
    printed = chequered(inverted=False)
    refiner = Refiner(chequered(inverted=True), preset="fast", threads=1)
    off, left_out = [], []
    for frame in range(FRAMES):
        pose = truth(frame, faces=faces)
        seen = picture([(printed, pose)], np.random.default_rng(frame), noise=SensorNoise())
        given = Observation(CAMERA, rgb=seen.rgb, depth=seen.depth, mask=seen.mask if masked else None)
        result = refiner.track(given, pose if frame == 0 else None)
        off.append(result.pose.distance_to(pose) / printed.diameter)
        left_out.append(NoteCode.COLOURS_LEFT_OUT in result.note_codes)
    assert max(off) < 0.03, np.round(off, 3)  # the confidence's tolerance; a cell is 8 %, at a confidence of 1 before
    assert masked or left_out[-1]
