"""What is to be known of a result that something contradicts, and how sure it can be at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.note_codes import CONTRADICTIONS, NoteCode, of_codes
from diffdope.search.candidates import Candidates
from diffdope.search.checks.contradictions import FAILS, Doubt, of_kind, problem_of, state_of
from diffdope.search.checks.departure import of_departure, of_departure_of_depth
from diffdope.search.checks.depth_registration import coarse_shift, may_be_shifted, note_on_shift
from diffdope.search.checks.depth_steps import share_on_steps
from diffdope.search.checks.free_space import of_what_is_behind
from diffdope.search.checks.mask_border import of_border
from diffdope.search.checks.outline_evidence import share_on_edges
from diffdope.search.checks.size_consistency import Edges, of_size
from diffdope.search.checks.support_penetration import of_plane, of_support
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.settings import SearchSettings

BorderOff = Callable[[Pose, Pose | None], Doubt]
"""How far off a pose may be that follows a mask's border, given its start (`mask_border.of_border`)."""

_ENOUGH = 1e-3  # share of a cost that another step may be worth: doubts are told by ratios of costs, to hundredths
_OF_WHAT_IT_LIES_ON = frozenset({NoteCode.THROUGH_SUPPORT, NoteCode.OUTLINE_UNSEEN})


class Doubts(NamedTuple):
    """Log odds that the result has at most, how far off it may be along the view and across it [m], notes, whether
    depth may lie beside the other images, for all that a coarse level shows, and how exactly a mask's border follows
    its outline (0 to 1).
    """

    at_most: float = np.inf
    off_m: float = 0.0
    aside_m: float = 0.0
    notes: tuple[str, ...] = ()
    may_be_shifted: bool = False
    fits: float = 0.0

    @property
    def none(self) -> bool:
        """Whether nothing is said of the result, for or against it."""
        return self.at_most == np.inf and self.off_m == self.aside_m == self.fits == 0.0

    def told_of(self, found: Candidates) -> Candidates:
        """A result that is as sure as this leaves it."""
        return replace(
            found, at_most=self.at_most, off_along_view_m=self.off_m, off_across_view_m=self.aside_m,
            border_fits=self.fits,
        )  # fmt: skip

    @property
    def why(self) -> str:
        """What contradicts the result; empty for nothing."""
        codes = CONTRADICTIONS | _OF_WHAT_IT_LIES_ON if self.at_most < FAILS else CONTRADICTIONS
        return " ".join(of_codes(self.notes, codes))


def doubts_about(
    found: Candidates, start: Pose | None, settings: SearchSettings, length_m: float, edges: Edges | None = None,
    border: BorderOff | None = None, steps: Edges | None = None, *, filmed: bool = False,
) -> Doubts:  # fmt: skip
    """Whether something contradicts a result.

    Args:
        found: the result.
        start: around which was searched; None where there was none.
        settings: of the search.
        length_m: the object's diameter.
        edges: of the photograph, asked where depth and mask disagree about the size.
        border: asked where a mask alone tells the distance; None without a photograph.
        steps: of depth, asked beside the edges.
        filmed: whether it is a frame of a film.
    """
    if not settings.contradictions:
        return Doubts()
    step = settings.step.at_level(last=True, with_depth="depth" in found.level.modalities).to_compare(_ENOUGH)
    rough, every = found.rough, []
    if "depth" in rough.modalities and len(rough.modalities) > 1:
        own = problem_of(rough, 1.0, length_m).evaluate(*state_of(found.pose, 1.0))
        given = rough, found.pose, length_m, step, own
        fit = found.quality
        size = of_size(
            *given, overlap=fit.overlap, visible=fit.visible, log_odds=found.log_odds, edges=edges, steps=steps
        )
        every.append(min(size, of_kind(*given), key=lambda one: one.share))  # depth is too far for one reason at a time
    if "mask" not in rough.modalities:  # a mask that was given says where the object ends
        drawn = rough.drawn(rough.factor.buffers, found.pose)
        every.append(of_support(rough.crop, drawn, length_m))
        if rough.modalities == ("depth",):  # of a photograph, `outline_evidence.share_on_edges` asks
            every.append(of_plane(rough.crop, drawn, length_m))
            every.append(of_what_is_behind(rough.crop, drawn, length_m))
    elif border is not None and _led_by_mask(found) and not settings.polish.idle:  # which no covariance would hold
        every.append(border(found.pose, start))
    if start is not None:
        far = settings.far
        reach = {"angle_rad": float(np.radians(far.angle_deg)), "distance": far.distance}
        if "depth" not in found.level.modalities:
            every.append(of_departure(found.level, found.pose, start, length_m, **reach))
        elif not filmed:  # whose start is the frame before
            off = settings.noise.depth_off
            every.append(of_departure_of_depth(found.level, found.pose, start, length_m, **reach, off=off))
    first = coarse_shift(found.rough, found.level, found.pose, length_m)
    shifted = note_on_shift(first, found.level, found.pose, length_m)
    ways = [(one.off_m, one.aside_m) for one in every]
    notes = [one.note for one in every if one.note] + ([shifted] if shifted else [])
    at_most = min((one.at_most for one in every), default=np.inf)
    off_m, aside_m = (max((one[k] for one in ways), default=0.0) for k in (0, 1))
    fits = max((one.fits for one in every), default=0.0)
    return Doubts(at_most, off_m, aside_m, tuple(notes), may_be_shifted(first, found.rough), fits)


def doubts_by_images(found: Candidates, start: Pose | None, inputs: SearchInputs) -> Doubts:
    """The same, with all that the photograph and depth are asked.

    Args:
        found: the result.
        start: around which was searched; None where there was none.
        inputs: of the search.
    """
    given, settings = (inputs.meshes, inputs.observation), inputs.settings
    edges, steps = partial(share_on_edges, *given), partial(share_on_steps, *given)
    border = partial(of_border, *given, settings.noise.mask_border_px, shift_px=settings.noise.mask_shift_px)
    return doubts_about(found, start, settings, inputs.meshes.length_m, edges, border, steps, filmed=inputs.filmed)


def _led_by_mask(found: Candidates) -> bool:
    """Whether a mask alone tells how far away the object is; there is one."""
    return "depth" not in found.rough.modalities and found.level.mask_refused_px is None
