"""Numbers that make no search are refused by name."""

from __future__ import annotations

import math

import pytest

from diffdope.errors import DiffDopeError
from diffdope.estimate.polish_settings import PolishSettings
from diffdope.pipelines.settings import CropSettings, Preset
from diffdope.search.settings import SearchSettings


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prior": -1.0}, "prior: expected a number >= 0, got -1.0"),
        ({"prior_unmasked": math.nan}, "prior_unmasked: expected a number >= 0, got nan"),
        ({"mask_error_px": -0.1}, "mask_error_px: expected a number >= 0, got -0.1"),
        ({"mask_refused_px": -2.0}, "mask_refused_px: expected a number >= 0, got -2.0"),
        ({"light": "nonsense"}, "light: expected one of as-is, gain, gain-bias, shading, got 'nonsense'"),
        ({"fallback_confidence": 2.0}, "fallback_confidence: expected a number from 0 to 1, got 2.0"),
        ({"fallback_confidence": -0.5}, "fallback_confidence: expected a number from 0 to 1, got -0.5"),
        ({"least_confidence": math.nan}, "least_confidence: expected a number from 0 to 1, got nan"),
    ],
)
def test_impossible_searches_are_named(change: dict[str, object], words: str) -> None:
    with pytest.raises(DiffDopeError, match=words) as caught:
        SearchSettings(**change)  # type: ignore[arg-type]
    assert [caught.value.argument] == [*change]


@pytest.mark.parametrize("edge", [{"fallback_confidence": 0.0}, {"fallback_confidence": 1.0}, {"prior": 0.0}])
def test_the_ends_of_the_ranges_are_allowed(edge: dict[str, float]) -> None:
    ((name, value),) = edge.items()
    assert getattr(SearchSettings(**edge), name) == value


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": -1}, "steps: expected at least 0, got -1"),
        ({"tolerance": 0.0}, "tolerance: expected a number > 0, got 0.0"),
        ({"longest": math.nan}, "longest: expected a number > 0, got nan"),
        ({"anew": -1.0}, "anew: expected a number > 0, got -1.0"),
    ],
)
def test_impossible_last_steps_are_named(change: dict[str, float], words: str) -> None:
    with pytest.raises(DiffDopeError, match=words):
        PolishSettings(**change)  # type: ignore[arg-type]


def test_impossible_crops_and_solvers_are_named() -> None:
    with pytest.raises(DiffDopeError, match="crop.size: expected at least 8 pixels, got 7"):
        CropSettings(size=7)
    with pytest.raises(DiffDopeError, match="crop.margin: expected a share between 0 and 10, got -0.1"):
        CropSettings(margin=-0.1)
    with pytest.raises(DiffDopeError, match="solver: expected one of descent, newton, got 'lbfgs'"):
        Preset(solver="lbfgs")  # type: ignore[arg-type]


def test_the_papers_solver_makes_one_level_of_its_own_numbers() -> None:
    paper = Preset(search=SearchSettings(prior=0.5))
    made = paper.resolved_search
    assert made.near.sizes == (paper.crop.size,) and made.near.hypotheses == (paper.descent.hypotheses,)
    assert made.near.iterations == (paper.descent.iterations,) and made.near.faces == (0,)
    assert made.prior == 0.0 and made.fallback_confidence == 0.0 and made.polish.idle
    assert not made.outline.active(pattern=True) and not made.outline.active(pattern=False)
    newton = Preset(solver="newton", search=SearchSettings(prior=0.5))
    assert newton.resolved_search is newton.search
