"""How many iterates a search makes at most: what progress is measured by."""

from __future__ import annotations

from diffdope.problem.level_settings import contour_weight
from diffdope.search.levels import PyramidSettings
from diffdope.search.search_inputs import SearchInputs


def iterates_of(pyramid: PyramidSettings, inputs: SearchInputs) -> int:
    """How many a descent makes at most, with the mask or without it: it may be left out."""
    contour, mesh = inputs.settings.outline, inputs.meshes.mesh
    held = contour_weight(inputs.observation.without_mask(), contour, inputs.objective, mesh) > 0.0
    rounds, count = len(contour.reach_px) if held else 1, pyramid.hypotheses[0]
    each = [rounds * (-(-level.iterations // rounds) + 1) for level in pyramid.levels]
    steps = sum(each) + (each[0] if pyramid.at_first(count) < count else 0)
    if not held:
        return steps
    plain = contour.inner_px if contour.inner > 0.0 else ()
    after = contour.closing_px if mesh.has_pattern else plain
    return steps + len(after) * (contour.closing_steps + 1)


def most_iterates(
    inputs: SearchInputs, again: PyramidSettings, *, started: bool, alternatives: int, as_region: bool,
    held_unseen: bool,
) -> int:  # fmt: skip
    """How many all descents of a search make at most.

    Args:
        inputs: of the search.
        again: levels of what is refined once more.
        started: whether it begins around a start.
        alternatives: how many other poses are refined.
        as_region: whether it ends beside a mask and without it.
        held_unseen: whether edges hold the outline where the mask is left out.
    """
    search = inputs.settings
    pyramids = [search.near if started else search.everywhere]
    if started and search.fallback_confidence > 0.0:
        pyramids.append(search.far)
    pyramids += [again] * (alternatives + as_region)
    if held_unseen and started:
        pyramids += [search.near, search.far] + [again] * sum(search.far.hypotheses[-2:])
    return sum(iterates_of(pyramid, inputs) for pyramid in pyramids)
