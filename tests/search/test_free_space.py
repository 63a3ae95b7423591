"""A result is doubted where depth shows what is behind it."""

from __future__ import annotations

import numpy as np
import pytest

import diffdope as dd
from diffdope.experiments.shapes import grid_box
from diffdope.geometry import so3
from diffdope.note_codes import NoteCode
from diffdope.render.renderer import Renderer
from diffdope.search.checks.contradictions import NONE
from diffdope.search.checks.free_space import of_what_is_behind, share_seen_through

CAMERA = dd.Camera(240.0, 240.0, 79.5, 59.5, 160, 120)
SIZE_M = np.array([0.1, 0.07, 0.04])
BOX = dd.Mesh(*grid_box(SIZE_M, 2))
LENGTH_M = float(np.linalg.norm(SIZE_M))
R = so3.exp(np.array([0.3, 0.4, 0.2]))


def test_a_box_that_slid_along_its_face_is_doubted() -> None:
    renderer = Renderer(BOX, CAMERA)
    at = np.array([0.0, 0.0, 0.4])
    true = renderer.render(R, at)
    depth = np.where(true.coverage[0] > 0.5, true.depth[0], np.float32(0.8))
    crop = dd.Observation(CAMERA, depth=depth)
    assert of_what_is_behind(crop, true, LENGTH_M) is NONE
    slid = renderer.render(R, at + 0.2 * SIZE_M[0] * R[:, 0])
    assert share_seen_through(crop, slid, LENGTH_M) == pytest.approx(0.2, abs=0.06)
    doubt = of_what_is_behind(crop, slid, LENGTH_M)
    assert doubt.at_most < -1.9 and doubt.note.code is NoteCode.OUTLINE_UNSEEN  # type: ignore[attr-defined]


def test_pixels_without_depth_and_what_is_close_behind_say_nothing() -> None:
    images = Renderer(BOX, CAMERA).render(R, np.array([0.0, 0.0, 0.4]))
    unknown = dd.Observation(CAMERA, depth=np.where(images.coverage[0] > 0.5, np.float32(0.0), np.float32(0.8)))
    assert share_seen_through(unknown, images, LENGTH_M) == 0.0
    close = dd.Observation(CAMERA, depth=np.asarray(images.depth[0] + 0.05 * LENGTH_M, np.float32))
    assert share_seen_through(close, images, LENGTH_M) == 0.0
