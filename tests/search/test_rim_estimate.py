"""A photograph alone: the outline is where colours mix, not where contrast is strongest."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.signed_distance import signed_distance
from diffdope.search import search
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.checks.doubts import Doubts
from diffdope.search.descent import Descent
from diffdope.search.history import Recorder
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.rim_estimate import rims_tell
from diffdope.search.search_inputs import SearchInputs
from diffdope.terms.contour import ContourSettings
from tests.oracle.painted_box import dark_box

CAMERA = Camera(500.0, 500.0, 79.5, 79.5, 160, 160)
TRUTH = Pose(so3.exp(np.array([0.5, 0.3, 0.2])), np.array([0.002, -0.003, 0.5]))
START = TRUTH.retract([0.002, -0.002, 0.003, 0.08, -0.06, 0.05])


@pytest.fixture(scope="module")
def box() -> Mesh:
    return dark_box()


def photograph(mesh: Mesh, shadow: float) -> Observation:
    """Of the true pose, in another light, blurred; a shadow lies around the object, darkest beside it."""
    fine = CAMERA.resize(3 * CAMERA.width, 3 * CAMERA.height)
    seen = Renderer(mesh, fine).render(TRUTH.R_m2c, TRUTH.t_m2c)
    covered = seen.coverage[0][..., None]
    dark = 2.0 * shadow * gaussian_filter(seen.coverage[0], 12.0)[..., None]
    rgb = 0.9 * seen.rgb[0] + (1.0 - covered) * 0.9 * (1.0 - dark)
    rgb = rgb.reshape(CAMERA.height, 3, CAMERA.width, 3, 3).mean(axis=(1, 3))
    return Observation(CAMERA, rgb=np.asarray(gaussian_filter(rgb, (0.7, 0.7, 0.0)), np.float32))


def found_at(mesh: Mesh, observation: Observation) -> Candidates:
    """What a search ends with that begins in the true pose, at its last level."""
    p = PRESETS["default"]
    inputs = SearchInputs(MeshLevels(mesh), observation, p.search, p.objective, p.crop.margin)
    descent = Descent(inputs, Recorder())
    found = descent.run(p.search.near.of_one_pose(2), Hypotheses.of(TRUTH, 0), TRUTH)
    assert isinstance(found, Candidates)
    return found


def masked(mesh: Mesh, observation: Observation, off_px: float = 0.0, wider_px: float = 0.0) -> Observation:
    """With a mask whose border wanders by so many pixels, a deviation, about one that is wider all around."""
    covered = Renderer(mesh, CAMERA).render(TRUTH.R_m2c, TRUTH.t_m2c).coverage[0] > 0.5
    wander = gaussian_filter(np.random.default_rng(0).standard_normal(covered.shape), 6.0)
    mask = signed_distance(covered) < off_px / wander.std() * wander + wider_px
    return Observation(CAMERA, rgb=observation.rgb, mask=mask)


def off_mm(pose: Pose) -> float:
    """Along the view."""
    return 1e3 * abs(float((pose.t_m2c - TRUTH.t_m2c) @ TRUTH.t_m2c) / np.linalg.norm(TRUTH.t_m2c))


def test_a_shadow_beside_a_painted_object_does_not_draw_it_nearer(box: Mesh) -> None:
    refiner, given = Refiner(box, threads=1), photograph(box, 0.4)
    alone, result = (refiner.refine(given, START, start_counts=counts) for counts in (False, True))
    assert off_mm(alone.pose) < 0.5  # edges alone leave 1.7
    assert off_mm(result.pose) < 0.5 * off_mm(START)


def test_a_doubted_minimum_is_no_wider(box: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """The confidence has the probability of the right minimum as its other factor: it counts once."""
    refiner, given = Refiner(box, threads=1), photograph(box, 0.4)
    sure = refiner.refine(given, START)
    monkeypatch.setattr(search, "doubts_by_images", lambda *_: Doubts(at_most=0.0))
    doubted = refiner.refine(given, START)
    assert sure.right_minimum is not None and doubted.right_minimum is not None
    assert doubted.right_minimum < 0.8 < sure.right_minimum
    np.testing.assert_allclose(doubted.covariance, sure.covariance, rtol=1e-6)


@pytest.mark.parametrize("wider_px", [0.0, 1.0, 2.0])
def test_a_mask_that_is_off_leaves_the_outline_to_rims(box: Mesh, wider_px: float) -> None:
    refiner, given = Refiner(box, threads=1), masked(box, photograph(box, 0.4), 2.0, wider_px)
    alone, result = (refiner.refine(given, START, start_counts=counts) for counts in (False, True))
    assert NoteCode.MASK_REFUSED in alone.note_codes
    assert off_mm(alone.pose) < 0.5
    assert off_mm(result.pose) < 0.5 * off_mm(START)


def test_rims_are_for_patterns_in_photographs_whose_outline_no_good_mask_tells(box: Mesh) -> None:
    given = photograph(box, 0.0)
    covered = Renderer(box, CAMERA).render(TRUTH.R_m2c, TRUTH.t_m2c)
    measured = Observation(CAMERA, rgb=given.rgb, depth=covered.depth[0])
    p = PRESETS["default"]
    told = partial(rims_tell, settings=p.search, objective=p.objective)
    plain = Mesh(box.vertices_m, box.faces)
    asked = ((box, given), (box, masked(box, given, 2.0)), (box, masked(box, given)), (box, measured), (plain, given))
    assert [told(found_at(mesh, one), mesh) for mesh, one in asked] == [True, True, False, False, False]


def test_rims_stand_beside_a_mask_that_is_off_and_was_not_left_out(box: Mesh) -> None:
    exact = found_at(box, masked(box, photograph(box, 0.0)))
    assert exact.level.crop.mask is not None
    off, p = replace(exact, border_px=0.4), PRESETS["default"]
    told = partial(rims_tell, mesh=box, objective=p.objective)
    assert told(off, settings=p.search) and not told(exact, settings=p.search)
    trusting = {"mask_error_px": 0.0}, {"mask_refused_px": 0.0}, {"outline": ContourSettings.off()}
    assert not any(told(off, settings=replace(p.search, **one)) for one in trusting)  # type: ignore[arg-type]
