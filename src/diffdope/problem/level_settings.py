"""Settings of a level: which evidence counts, and how much, by what there is of mask, depth and colours."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from diffdope.checked_fields import replace_unchecked
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.colour_region import RegionSettings
from diffdope.terms.contour import ContourSettings
from diffdope.terms.registry import ObjectiveSettings

_LEAST_UNCOVERED = 0.3  # below it, leaving badly explained pixels uncovered becomes a gain


def contour_weight(
    observation: Observation, contour: ContourSettings | None, settings: ObjectiveSettings, mesh: Mesh
) -> float:
    """How much the photograph's edges hold the outline; 0 where a mask or, as a rule, depth does it better."""
    if contour is None or "rgb" not in observation.modalities or "mask" in observation.modalities:
        return 0.0
    if not mesh.has_pattern:
        return contour.plain
    with_depth = "depth" in observation.modalities and settings.depth_weight > 0.0
    return contour.weight_with_depth if with_depth else contour.weight


def held_by_contours(
    mesh: Mesh, crop: Observation, contour: ContourSettings | None, settings: ObjectiveSettings
) -> bool:
    """Whether contours take the place of a single colour.

    In a light that is fitted, a single colour only says that the object looks the same all over, which holds of many
    things that are not the object, and of few photographs that are. Edges know the object's colour from the photograph.
    """
    return mesh.has_color and not mesh.has_pattern and contour_weight(crop, contour, settings, mesh) > 0.0


def holding_region(
    mesh: Mesh, observation: Observation, region: RegionSettings, contour: ContourSettings | None,
    settings: ObjectiveSettings,
) -> RegionSettings | None:  # fmt: skip
    """The region, where colours on both sides hold the outline: where neither a mask, nor depth, nor edges do."""
    alone = observation.modalities == ("rgb",) and mesh.has_pattern and settings.rgb_weight > 0.0
    holds = alone and region.weight > 0.0 and contour_weight(observation, contour, settings, mesh) == 0.0
    return region if holds else None


def with_region(settings: ObjectiveSettings, region: RegionSettings) -> ObjectiveSettings:
    """The settings of pixels without a mask where a region takes the mask's place."""
    return replace_unchecked(settings, mask_weight=region.weight, uncovered=region.uncovered)


def trusting(settings: ObjectiveSettings, ratio: float) -> ObjectiveSettings:
    """The settings with less weight for a mask whose border is 1 / ratio times as far off as a good one's.

    As a variance would, it counts squared. What an uncovered pixel of the mask pays is that mask's voice too.
    """
    factor = min(1.0, ratio) ** 2
    return replace_unchecked(
        settings,
        mask_weight=settings.mask_weight * factor,
        uncovered=settings.uncovered * max(factor, _LEAST_UNCOVERED),
    )


@lru_cache(maxsize=16)  # a film asks for the same of every frame
def unmasked(settings: ObjectiveSettings) -> ObjectiveSettings:
    """Nobody says which pixels belong to the object: large residuals are other things, not errors."""
    return replace(
        settings,
        rgb_cap=min(settings.rgb_cap, settings.rgb_cap_unmasked),
        depth_cap=min(settings.depth_cap, settings.depth_cap_unmasked),
        uncovered=settings.uncovered_unmasked,
    )


@lru_cache(maxsize=16)
def colourless(settings: ObjectiveSettings) -> ObjectiveSettings:
    """The settings with colours left out."""
    return replace(settings, rgb_weight=0.0, edge_weight=0.0)


def nothing_to_compare(mesh: Mesh, observation: Observation) -> str:
    """Why no modality is left."""
    given = ", ".join(observation.modalities)
    colour = "has colours" if mesh.has_color else "has no colours, so RGB cannot be compared"
    return (
        f"observation: expected an image that can be compared with the mesh, got {given}; the mesh {colour}; "
        "give depth or a mask, or a weight > 0 for what there is"
    )
