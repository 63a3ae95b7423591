"""What a tracker is made of: the searches of a frame, and what else is asked about a film."""

from __future__ import annotations

from dataclasses import dataclass, field

from diffdope.pipelines.attempt import Follow, Locate, Refine
from diffdope.pipelines.tracking.by_depth import ByDepth
from diffdope.pipelines.tracking.competing_poses import CompetingPoses
from diffdope.pipelines.tracking.depth_lag import DepthLag
from diffdope.pipelines.tracking.edge_ambiguity import EdgeAmbiguity
from diffdope.pipelines.tracking.mask_borders import MaskBorders
from diffdope.problem.level_problem import GainModel
from diffdope.search.tracking.keyframes import Keyframes
from diffdope.search.tracking.template_matching import TemplateMatcher


@dataclass(frozen=True)
class FrameSearches:
    """How the object is looked for in a frame, from the narrowest search to the widest.

    Attributes:
        near: from a start close by.
        wide: from a start far off; slow.
        quick: from a start very close by, in the light of the frame before; None for `near`.
        anywhere: with no start, in frames that have a mask, and in photographs by keypoints; None for not at all.
        light: how colours may differ: what is known of it from a frame, if that suffices for the next.
    """

    near: Refine
    wide: Refine
    quick: Follow | None = None
    anywhere: Locate | None = None
    light: GainModel = "gain-bias"


@dataclass(frozen=True)
class FilmAids:
    """What is learned from a film's frames, and what is asked about their poses; None for not at all.

    Attributes:
        matcher: finds where the object's picture in a frame before is seen.
        keyframes: takes in the frames that can be trusted.
        edges_alone: says how sure frames are that nothing but edges hold.
        rivals: says how sure a pose is that is found again.
        by_depth: what depth and mask find without colours that lead astray.
        depth_lag: whether depth is of another moment than the photographs.
        borders: where masks end, in photographs without depth.
    """

    matcher: TemplateMatcher | None = None
    keyframes: Keyframes | None = None
    edges_alone: EdgeAmbiguity | None = None
    rivals: CompetingPoses | None = None
    by_depth: ByDepth = field(default_factory=ByDepth)
    depth_lag: DepthLag | None = None
    borders: MaskBorders = field(default_factory=MaskBorders)
