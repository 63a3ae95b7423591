"""One level of a search, prepared: the crop, which pixels count, in which light, and the terms over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.error_kinds import NothingToCompareError
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.problem.factor import ImageFactor
from diffdope.problem.level_settings import (
    colourless,
    contour_weight,
    held_by_contours,
    nothing_to_compare,
    trusting,
    unmasked,
    with_region,
)
from diffdope.problem.problem import Problem
from diffdope.problem.responsibility import (
    Responsibility,
    border_error,
    least_gap,
    responsibility_of,
    silhouette_weights,
    weights_of_mask,
)
from diffdope.problem.variables import Variables
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import RenderedImages, draw
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.colour_region import RegionSettings, posterior_of
from diffdope.terms.contour import ContourCorrespondences, ContourSettings
from diffdope.terms.layout import MASK, MODALITIES
from diffdope.terms.photometric_gain import HOLD, HOLD_UNMASKED, NEUTRAL, PhotometricGain, fit_gain_at
from diffdope.terms.pose_prior import PosePrior
from diffdope.terms.quadratic_factor import QuadraticFactor
from diffdope.terms.registry import ObjectiveSettings
from diffdope.terms.rim import Rims
from diffdope.terms.shading import without_shading

F64 = NDArray[np.float64]

GainModel = Literal["as-is", "gain", "gain-bias", "shading"]
ALL_MODALITIES = (*MODALITIES, "outline")


class LevelRules(NamedTuple):
    """How a level is prepared.

    gain: what is fitted to the colours at the start pose, and taken out of the photograph; mask_error_px: how far off
    the border of a good mask is, and one that is farther off the start's outline counts less, if there are colours to
    go by instead; 0 trusts every mask, and more says that the start is good, too: then what the mask lacks of it need
    not be as deep to be an occluder's; mask_refused_px: how far off the border of a mask may be that has no depth
    beside it, before it is left out in favour of colours and contours; 0 for any; contour: how the photograph's edges
    hold the outline where there is no mask, None for not at all; pose_known: whether the start pose is good enough to
    say what hides the object; if not, only measured depth does; nearer_hides: whether what is nearer than the object
    hides it where there is no mask: not in films, where a hand holds it.
    """

    gain: GainModel = "as-is"
    mask_error_px: float = 0.0
    mask_refused_px: float = 0.0
    contour: ContourSettings | None = None
    pose_known: bool = True
    nearer_hides: bool = True


@dataclass(frozen=True)
class LevelProblem:
    """See the module."""

    window: CropWindow
    crop: Observation
    """In its own colours."""
    factor: ImageFactor
    """The image terms; their colours are in the model's light."""
    responsibility: Responsibility
    contours: ContourCorrespondences | None = None
    """The photograph's edges, where there is no mask."""
    mask_refused_px: float | None = None
    """How far off the border of a mask is that was left out."""
    start: tuple[Pose, RenderedImages] | None = None
    """The pose at which it was prepared, and its rendering if there was one."""
    rims: Rims | None = None
    """Pixels that the outline crosses, where colours on both sides hold it."""
    _last: list[tuple[Buffers, Pose, RenderedImages]] = field(default_factory=list, repr=False, compare=False)

    def drawn(self, buffers: Buffers, pose: Pose) -> RenderedImages:
        """A pose in the crop; the last one is kept, for several ask what a result looks like."""
        if self.start is not None and self.start[0] is pose and self.factor.buffers is buffers:
            return self.start[1]
        for mesh, one, images in self._last:
            if mesh is buffers and one is pose:
                return images
        images = draw(buffers, self.crop.camera, pose)
        self._last[:] = [(buffers, pose, images)]
        return images

    @property
    def contour_active(self) -> bool:
        """Whether the photograph's edges hold the object, not only speak for or against it."""
        return self.contours is not None and self.contours.weight > 0.0

    @property
    def colored(self) -> bool:
        """Whether colours are compared."""
        return "rgb" in self.factor.modalities

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """Names of what is compared."""
        return tuple(name for name, counts in zip(ALL_MODALITIES, self.counted.tolist(), strict=True) if counts)

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """(5,) which of ALL_MODALITIES are compared; a region of colours is not a mask, though it counts like one."""
        counted = np.empty(len(ALL_MODALITIES), np.bool_)
        counted[:-1], counted[-1] = self.factor.active, self.contour_active
        counted[MASK] &= self.crop.mask is not None
        return counted

    def problem(
        self, variables: Variables, prior: PosePrior | None = None, quadratics: Sequence[QuadraticFactor] = ()
    ) -> Problem:
        """The cost of the object's pose."""
        return Problem(
            variables, [self.factor], priors=[] if prior is None else [(0, prior)],
            quadratics=[(0, factor) for factor in quadratics],
        )  # fmt: skip

    def unweighted(self, each: F64) -> F64:
        """Costs (..., 5) by modality, in the order of ALL_MODALITIES, NaN for what is not compared.

        Args:
            each: as a problem sums them up; the contour's is weighted.
        """
        each = each.copy()
        if self.contours is not None and self.contour_active:
            each[..., -1] /= self.contours.weight
        each[..., ~self.counted] = np.nan
        return each


def prepare_level(
    buffers: Buffers, observation: Observation, pose: Pose, window: CropWindow, settings: ObjectiveSettings,
    rules: LevelRules, *, length_m: float, with_normal: bool, beside: LevelProblem | None = None,
) -> LevelProblem:  # fmt: skip
    """The terms of a crop, with what the start pose says about which pixels count.

    Args:
        buffers: of the mesh that is drawn.
        observation: the whole image.
        pose: the start.
        window: the crop.
        settings: of the terms.
        rules: of the level.
        length_m: the object's diameter.
        with_normal: whether normal matrices are wanted.
        beside: a level of the same images and a mask: its window, its crop without the mask and its drawings are taken
            in place of others; None for a level on its own.

    Raises:
        NothingToCompareError: if no modality is left that could be compared.
    """
    mesh = buffers.mesh
    if beside is None:
        crop = observation.crop(window)
        images = draw(buffers, crop.camera, pose)
    else:
        window, crop, images = beside.window, beside.crop.without_mask(), beside.drawn(buffers, pose)
    coverage = images.coverage[0]
    sure = rules.mask_error_px > 0.0 and crop.mask is not None
    share = settings.occlusion_margin
    if sure and crop.depth is None and crop.mask is not None:
        share = least_gap(coverage, crop.mask, share)
    hides = rules.nearer_hides
    weighed = partial(silhouette_weights, images.depth[0], share=share, diameter_m=length_m, unmasked=hides)
    weights = weighed(crop) if rules.pose_known else weights_of_mask(crop, margin_m=share * length_m)
    responsibility = responsibility_of(coverage, crop, weights)
    colored, refused_px = crop.rgb is not None and mesh.has_color, None
    resolved = settings
    if crop.mask is None:
        resolved = unmasked(settings)
        if rules.gain != "as-is" and held_by_contours(mesh, crop, rules.contour, settings):
            resolved, colored = colourless(resolved), False
    if sure and (colored or crop.depth is not None) and crop.mask is not None:
        off_px = border_error(coverage, crop.mask, weights)
        instead = crop.without_mask()
        refused = colored and crop.depth is None and 0.0 < rules.mask_refused_px < off_px
        if refused and contour_weight(instead, rules.contour, settings, mesh) > 0.0:
            crop, refused_px, resolved = instead, off_px, unmasked(settings)
            weights = weighed(crop)
            responsibility = responsibility_of(coverage, crop, weights)
        else:
            resolved = trusting(settings, rules.mask_error_px / max(off_px, 1e-6))
            responsibility = responsibility.eroded() if crop.depth is None else responsibility
    gain, lit = None, crop
    if rules.gain != "as-is" and colored:
        gain = gain_at(images, crop, responsibility, with_bias=rules.gain != "gain")
        if light_at(rules.gain, crop) == "shading":
            lit, gain = unshaded(images, buffers, pose, crop, responsibility, gain)
    factor = ImageFactor(buffers, lit, responsibility, resolved, length_m=length_m, with_normal=with_normal, gain=gain)
    contours = contours_of(crop, rules.contour, resolved, mesh)
    return checked(LevelProblem(window, crop, factor, responsibility, contours, refused_px, (pose, images)), mesh)


def prepare_followed(
    buffers: Buffers,
    observation: Observation,
    window: CropWindow,
    settings: ObjectiveSettings,
    *,
    length_m: float,
    gain: PhotometricGain,
    pose: Pose,
    contour: ContourSettings | None = None,
    region: RegionSettings | None = None,
) -> LevelProblem:
    """The same around an object that is expected at a pose to a few pixels, in a known light, and without a mask.

    The whole crop counts. Nothing is rendered for it, but where colours on both sides hold the outline.

    `contour` and `region` say how edges, and colours on both sides, hold the outline; None where they do not. `gain` is
    that light, and all else as of `prepare_level`.

    Raises:
        NothingToCompareError: if no modality is left that could be compared.
    """
    crop, mesh = observation.crop(window), buffers.mesh
    everywhere, resolved = Responsibility.everywhere(*window.size), unmasked(settings)
    if held_by_contours(mesh, crop, contour, settings):
        resolved, gain = colourless(resolved), NEUTRAL
    seen, start, rims = crop, None, None
    if region is not None:
        assert crop.rgb is not None
        start = pose, draw(buffers, crop.camera, pose)
        posterior = posterior_of(crop.rgb, start[1].coverage[0])
        seen, resolved = crop.with_shares(posterior), with_region(resolved, region)
        rims = Rims(crop.rgb, crop.camera, gain, region.rims) if region.rims > 0.0 else None
    factor = ImageFactor(buffers, seen, everywhere, resolved, length_m=length_m, with_normal=True, gain=gain)
    contours = contours_of(crop, contour, resolved, mesh)
    return checked(LevelProblem(window, crop, factor, everywhere, contours, start=start, rims=rims), mesh)


def contours_of(
    crop: Observation, contour: ContourSettings | None, settings: ObjectiveSettings, mesh: Mesh
) -> ContourCorrespondences | None:
    """The photograph's edges where there is no mask; of weight 0 they only speak for or against a pose."""
    if contour is None or crop.rgb is None or crop.mask is not None:
        return None
    return ContourCorrespondences(crop.rgb, crop.camera, contour, contour_weight(crop, contour, settings, mesh))


def checked(level: LevelProblem, mesh: Mesh) -> LevelProblem:
    """The level itself; raises NothingToCompareError if no modality is left that could be compared."""
    if not level.modalities:
        raise NothingToCompareError(nothing_to_compare(mesh, level.crop))
    return level


def gain_at(
    images: RenderedImages, crop: Observation, responsibility: Responsibility, *, with_bias: bool
) -> PhotometricGain:
    """The light in which the start pose fits best."""
    assert crop.rgb is not None
    return fit_gain_at(
        images.rgb[0], crop.rgb, images.coverage[0], responsibility.appearance, with_bias=with_bias, hold=hold_of(crop)
    )


def unshaded(
    images: RenderedImages, buffers: Buffers, pose: Pose, crop: Observation, responsibility: Responsibility,
    gain: PhotometricGain,
) -> tuple[Observation, PhotometricGain]:  # fmt: skip
    """The crop without the shading that fits best in the start pose, and the light it is then in."""
    assert crop.rgb is not None
    found = without_shading(
        images, buffers.arrays.shape, pose, crop.rgb, responsibility.appearance, gain, hold=hold_of(crop)
    )
    return crop.with_rgb(found.rgb), found.gain


def light_at(light: GainModel, crop: Observation) -> GainModel:
    """The light that is fitted: with depth, which tells how faces are turned, shading is left out."""
    return "gain-bias" if light == "shading" and crop.depth is not None else light


def hold_of(crop: Observation) -> float:
    """How strongly the light is held to that of the model; more where some of the pixels are other things'."""
    return HOLD if crop.mask is not None else HOLD_UNMASKED
