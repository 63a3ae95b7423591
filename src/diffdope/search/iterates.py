"""How many iterates a search makes at most: what progress is measured by."""

from __future__ import annotations

from diffdope.problem.level_settings import contour_weight
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.levels import PyramidSettings
from diffdope.search.settings import SearchSettings
from diffdope.terms.registry import ObjectiveSettings


def iterates_of(
    pyramid: PyramidSettings, search: SearchSettings, objective: ObjectiveSettings, unseen: Observation, mesh: Mesh
) -> int:
    """How many a descent makes at most; `unseen` is the observation without its mask, which may be left out."""
    contour = search.outline
    held = contour_weight(unseen, contour, objective, mesh) > 0.0
    rounds, count = len(contour.reach_px) if held else 1, pyramid.hypotheses[0]
    each = [rounds * (-(-level.iterations // rounds) + 1) for level in pyramid.levels]
    steps = sum(each) + (each[0] if pyramid.at_first(count) < count else 0)
    if not held:
        return steps
    plain = contour.inner_px if contour.inner > 0.0 else ()
    after = contour.closing_px if mesh.has_pattern else plain
    return steps + len(after) * (contour.closing_steps + 1)


def most_iterates(
    search: SearchSettings, objective: ObjectiveSettings, unseen: Observation, mesh: Mesh, again: PyramidSettings, *,
    started: bool, alternatives: int, as_region: bool, held_unseen: bool,
) -> int:  # fmt: skip
    """How many all descents of a search make at most.

    Args:
        search: numbers of it.
        objective: of the terms.
        unseen: the observation without its mask.
        mesh: the object.
        again: levels of what is refined once more.
        started: whether it begins around a start.
        alternatives: how many other poses are refined.
        as_region: whether it ends beside a mask and without it.
        held_unseen: whether edges hold the outline where the mask is left out.
    """
    pyramids = [search.near if started else search.everywhere]
    if started and search.fallback_confidence > 0.0:
        pyramids.append(search.far)
    pyramids += [again] * (alternatives + as_region)
    if held_unseen and started:
        pyramids += [search.near, search.far] + [again] * sum(search.far.hypotheses[-2:])
    return sum(iterates_of(pyramid, search, objective, unseen, mesh) for pyramid in pyramids)
