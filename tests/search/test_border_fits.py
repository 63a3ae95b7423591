"""A border that follows the outline as exactly as pixels allow speaks for a result, however little of it is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import diffdope as dd
from diffdope.estimate.fit_quality import FitQuality
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.scene.signed_distance import signed_distance
from diffdope.search import ending
from diffdope.search.checks.border_fits import _colours_agree, _covered
from diffdope.search.checks.mask_border import border_of, of_border
from diffdope.search.mesh_levels import MeshLevels

MESH, OBSERVATION, START, TRUTH = packaged_example()
MESHES = MeshLevels(MESH, threads=1)
MASK = OBSERVATION.mask > 0.5  # type: ignore[operator]


def seen(mask: Any) -> Observation:
    return Observation(OBSERVATION.camera, rgb=OBSERVATION.rgb, mask=mask)


def wavy() -> Any:
    noise = ndimage.gaussian_filter(np.random.default_rng(5).normal(size=MASK.shape), 6.0)
    return signed_distance(MASK) + noise / noise.std() < 0.0


def half_hidden() -> Any:
    """As if something nearer stood before a quarter of the object, whose own border has steps."""
    columns = np.nonzero(MASK)[1]
    hidden = np.zeros_like(MASK)
    hidden[:, int(np.quantile(columns, 0.75)) :] = True
    return MASK & ~hidden


def test_a_border_fits_where_it_is_no_rougher_than_pixels_make_it() -> None:
    exact, rough = (border_of(MESHES, seen(mask), 1.5, TRUTH) for mask in (MASK, wavy()))
    assert exact is not None and rough is not None
    assert exact.fits == pytest.approx(1.0, abs=0.05) and rough.fits < 0.05
    part = border_of(MESHES, seen(half_hidden()), 1.5, TRUTH)
    assert part is not None and part.fits > 0.9
    assert of_border(MESHES, seen(MASK), 0.0, TRUTH, None).fits > 0.9  # said to be exact
    alone = border_of(MESHES, Observation(OBSERVATION.camera, mask=MASK), 1.5, TRUTH)
    assert alone is not None and alone.fits == 0.0  # without a photograph


def test_it_makes_a_right_result_of_which_a_part_is_hidden_surer(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = dd.Mesh(MESH.vertices_m, MESH.faces)
    now = Refiner(plain, threads=1).refine(seen(half_hidden()), START)
    monkeypatch.setattr(ending, "borne_out", lambda found, *_: found)
    before = Refiner(plain, threads=1).refine(seen(half_hidden()), START)
    assert now.pose.distance_to(before.pose) < 1e-9 and now.pose.distance_to(TRUTH) < 0.03 * MESH.diameter
    assert now.right_minimum is not None and before.right_minimum is not None
    assert now.right_minimum > before.right_minimum + 0.02


def test_colours_that_disagree_say_that_it_may_be_another_side() -> None:
    assert _colours_agree(FitQuality()) == _colours_agree(FitQuality(texture=0.0, contrast=0.01)) == 1.0
    assert _colours_agree(FitQuality(texture=-0.1, contrast=0.2)) == 0.0
    assert _colours_agree(FitQuality(texture=0.15, contrast=0.2)) == pytest.approx(0.5)
    assert _colours_agree(FitQuality(texture=0.4, contrast=0.2)) == 1.0


def test_what_a_mask_lacks_may_be_hidden_or_else_the_model_differs() -> None:
    assert _covered(FitQuality(overlap=0.9, visible=0.8)) == _covered(FitQuality(overlap=0.96)) == 1.0
    assert _covered(FitQuality(overlap=0.91)) == 0.0
    assert 0.0 < _covered(FitQuality(overlap=0.93)) < 1.0
