"""One refinement, prepared: the crop, what counts in it, and the objective over it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import NothingToCompareError
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.objective.layout import MODALITIES
from diffdope.objective.objective import Objective
from diffdope.objective.settings import ObjectiveSettings
from diffdope.refine.light import HOLD, HOLD_UNMASKED, NEUTRAL, Light, colors_at, fit_light
from diffdope.refine.outline import Outline, OutlineSettings
from diffdope.refine.pull import Pull
from diffdope.refine.region import border_error, dilate, least_bite, mask_care, within
from diffdope.refine.settings import LightModel
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import RenderedImages, Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]

ALL_MODALITIES = (*MODALITIES, "outline")
_LEAST_UNCOVERED = 0.3  # below it, leaving badly explained pixels uncovered becomes a gain


@dataclass(frozen=True)
class Problem:
    """One refinement, prepared."""

    window: CropWindow
    observation: Observation
    """The crop."""
    objective: Objective
    start_overlap: float
    """Pixels that mask and start pose share."""
    care: NDArray[np.float32]
    """How much each pixel counts for the mask."""
    raw: Observation
    """The crop with its own colours; those of `observation` are in the model's light."""
    outline: Outline | None = None
    """The photograph's edges, where there is no mask."""
    refused_px: float | None = None
    """How far off the border of a mask is that was left out."""

    @property
    def held(self) -> bool:
        """Whether those edges hold the object, not only speak for or against it."""
        return self.outline is not None and self.outline.weight > 0.0

    @property
    def colored(self) -> bool:
        """Whether colours are compared."""
        return "rgb" in self.objective.modalities

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of what is compared."""
        return self.objective.modalities + (("outline",) if self.held else ())

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(5,) which of ALL_MODALITIES are compared."""
        return np.append(self.objective.active, self.held)

    def all_costs(self, modality_costs: F64, outline: F64) -> F64:
        """Unweighted costs (B, 5) in the order of ALL_MODALITIES, NaN for what is not compared.

        Args:
            modality_costs: of the objective, (B, 4).
            outline: of the edges' pull, (B,), weighted.
        """
        each = np.column_stack([modality_costs, outline])
        if self.outline is not None and self.held:
            each[:, -1] /= self.outline.weight
        each[:, ~self.counted] = np.nan
        return each

    def costs(self, start: Pose, best: Pose, pull: Pull | None = None) -> tuple[F64, F64]:
        """Costs (2,) and modality costs (2, M) of the start and of the best pose, without what the prior adds."""
        R, t = np.stack([start.R_m2c, best.R_m2c]), np.stack([start.t_m2c, best.t_m2c])
        ends = self.objective(R, t)
        outline = np.zeros(2) if pull is None else pull.add_to(ends, R, t)
        return ends.cost.copy(), self.all_costs(ends.modality_costs, outline)[:, self.counted]


def prepare(
    buffers: Buffers,
    observation: Observation,
    pose: Pose,
    window: CropWindow,
    settings: ObjectiveSettings,
    *,
    length_m: float,
    with_normal: bool = False,
    light: LightModel = "as-is",
    mask_error_px: float = 0.0,
    outline: OutlineSettings | None = None,
    mask_refused_px: float = 0.0,
) -> Problem:
    """The objective of a crop, with what the start pose says about which pixels count.

    Args:
        buffers: of the mesh that is drawn.
        observation: the whole image.
        pose: the start.
        window: the crop.
        settings: of the objective.
        length_m: the object's diameter.
        with_normal: whether normal matrices are wanted.
        mask_error_px: how far off the border of a good mask is; one that is farther off the start's outline counts
            less, if there are colours to go by instead. 0 trusts every mask. More than 0 says that the start is good,
            too: then what the mask lacks of it need not be as deep to be an occluder's.
        light: what is fitted to the colours at the start pose, and taken out of the photograph.
        outline: how the photograph's edges hold the outline where there is no mask; None for not at all.
        mask_refused_px: how far off the border of a mask may be that has no depth beside it, before it is left out in
            favour of colours and edges; 0 for any.

    Raises:
        NothingToCompareError: if no modality is left that could be compared.
    """
    crop = observation.crop(window)
    images = Renderer(buffers.mesh, crop.camera, buffers=buffers).render(pose.R_m2c, pose.t_m2c)
    asked = settings
    gate, overlap, settings = what_counts(images, crop, asked)
    share = settings.occlusion_margin
    if mask_error_px > 0.0 and crop.mask is not None and crop.depth is None:
        share = least_bite(images.coverage[0], crop.mask, share)
    care = mask_care(images.depth[0], crop, share=share, diameter_m=length_m)
    colored = crop.rgb is not None and buffers.mesh.has_color
    refused_px = None
    if mask_error_px > 0.0 and crop.mask is not None and colored:
        off_px = border_error(images.coverage[0], crop.mask, care)
        instead = crop.without_mask()
        if 0.0 < mask_refused_px < off_px and outline is not None and edge_weight(instead, outline, asked) > 0.0:
            crop, refused_px, care = instead, off_px, np.ones_like(care)
            gate, overlap, settings = what_counts(images, crop, asked)
        else:
            settings = trusting(settings, mask_error_px / max(off_px, 1e-6))
            gate = within(gate) if crop.depth is None else gate
    raw = crop
    if light != "as-is" and crop.rgb is not None and colored:
        crop = crop.with_rgb(light_at(images, crop, gate, with_bias=light == "gain-bias").removed(crop.rgb))
    objective = Objective(buffers, crop, gate, settings, care=care, length_m=length_m, with_normal=with_normal)
    weight = 0.0 if outline is None else edge_weight(raw, outline, settings)
    edges = None
    if outline is not None and raw.rgb is not None and raw.mask is None:
        edges = Outline(raw.rgb, raw.camera, replace(outline, weight=weight))
    return checked(Problem(window, crop, objective, overlap, care, raw, edges, refused_px), buffers.mesh)


def edge_weight(observation: Observation, outline: OutlineSettings, settings: ObjectiveSettings) -> float:
    """How much the photograph's edges hold the outline; 0 where a mask or, as a rule, depth does it better."""
    if "rgb" not in observation.modalities or "mask" in observation.modalities:
        return 0.0
    with_depth = "depth" in observation.modalities and settings.depth_weight > 0.0
    return outline.weight_with_depth if with_depth else outline.weight


def prepare_followed(
    buffers: Buffers,
    observation: Observation,
    window: CropWindow,
    settings: ObjectiveSettings,
    *,
    length_m: float,
    light: Light,
) -> Problem:
    """The objective of a crop without a mask around an object that is expected there to a few pixels, in a known light.

    Nothing is rendered for it: the whole crop counts.

    Raises:
        NothingToCompareError: if no modality is left that could be compared.
    """
    raw = crop = observation.crop(window)
    everywhere = np.ones(window.size[::-1], np.float32)
    if crop.rgb is not None and light is not NEUTRAL:
        crop = crop.with_rgb(light.removed(crop.rgb))
    objective = Objective(
        buffers, crop, everywhere, without_mask(settings), care=everywhere, length_m=length_m, with_normal=True
    )
    return checked(Problem(window, crop, objective, float(everywhere.size), everywhere, raw), buffers.mesh)


def checked(problem: Problem, mesh: Mesh) -> Problem:
    """The problem itself.

    Raises:
        NothingToCompareError: if no modality is left that could be compared.
    """
    if not problem.modalities:
        raise NothingToCompareError(nothing_to_compare(mesh, problem.raw))
    return problem


def what_counts(
    images: RenderedImages, crop: Observation, settings: ObjectiveSettings
) -> tuple[NDArray[np.floating], float, ObjectiveSettings]:
    """Gate (H, W), pixels shared by start and mask, and the settings where there is no mask."""
    start = images.coverage[0]
    if crop.mask is not None:
        gate = crop.mask
        overlap = float((np.minimum(start, crop.mask)).sum())
    else:
        gate = dilate(start, max(1, round(0.05 * max(start.shape))))
        settings, overlap = without_mask(settings), float(start.sum())
    if gate.sum() <= 0.0 or overlap <= 0.0:
        overlap, gate = 0.0, np.ones_like(start)
    return gate, overlap, settings


def trusting(settings: ObjectiveSettings, ratio: float) -> ObjectiveSettings:
    """The settings with less weight for a mask whose border is 1 / ratio times as far off as a good one's.

    As a variance would, it counts squared. What an uncovered pixel of the mask pays is that mask's voice too.
    """
    factor = min(1.0, ratio) ** 2
    return replace(
        settings,
        mask_weight=settings.mask_weight * factor,
        uncovered=settings.uncovered * max(factor, _LEAST_UNCOVERED),
    )


def light_at(images: RenderedImages, crop: Observation, gate: NDArray[np.floating], *, with_bias: bool) -> Light:
    """The light in which the start pose fits best."""
    assert crop.rgb is not None
    inside = np.flatnonzero((images.coverage[0] > 0.99) & (gate > 0.5))
    hold = HOLD if crop.mask is not None else HOLD_UNMASKED
    return fit_light(colors_at(images.rgb[0], inside).T, colors_at(crop.rgb, inside).T, with_bias=with_bias, hold=hold)


def without_mask(settings: ObjectiveSettings) -> ObjectiveSettings:
    """Nobody says which pixels belong to the object: large residuals are other things, not errors."""
    return replace(settings, rgb_cap=min(settings.rgb_cap, 0.3), depth_cap=min(settings.depth_cap, 0.1), uncovered=0.5)


def nothing_to_compare(mesh: Mesh, observation: Observation) -> str:
    """Why no modality is left."""
    given = ", ".join(observation.modalities)
    colour = "has colours" if mesh.has_color else "has no colours, so RGB cannot be compared"
    return (
        f"observation: expected an image that can be compared with the mesh, got {given}; the mesh {colour}; "
        "give depth or a mask, or a weight > 0 for what there is"
    )


def notes_on(
    mesh: Mesh, observation: Observation, settings: ObjectiveSettings, modalities: tuple[str, ...]
) -> tuple[str, ...]:
    """What was switched off, and why; and what was compared instead."""
    notes = list(mesh.warnings)
    weights = dict(zip(MODALITIES, (settings.rgb_weight, settings.depth_weight, settings.mask_weight), strict=False))
    if "rgb" in observation.modalities and not mesh.has_color:
        notes.append("rgb is off: the mesh has no colours")
    for name in ("rgb", "depth", "mask"):
        if name not in observation.modalities:
            notes.append(f"{name} is off: no {name} image was given")
        elif weights[name] == 0.0:
            notes.append(f"{name} is off: its weight is 0")
    if "mask" not in observation.modalities:
        notes.append("without a mask, everything inside the projected start region counts")
    if "outline" in modalities:
        notes.append("outline: in place of a mask, the photograph's edges hold the object's outline")
    return tuple(notes)


def named(names: tuple[str, ...], values: F64) -> dict[str, float]:
    """Costs by name."""
    return {name: float(value) for name, value in zip(names, values, strict=True)}
