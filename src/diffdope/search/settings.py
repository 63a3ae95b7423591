"""Every number of a search, in one small record each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_at_least_zero, check_choice, expected
from diffdope.estimate.confidence import ConfidenceSettings
from diffdope.estimate.polish_settings import PolishSettings
from diffdope.problem.level_problem import GainModel
from diffdope.search.alternatives.axis_rotations import TurnSettings
from diffdope.search.features.feature_views import FeatureSettings
from diffdope.search.levels import EVERYWHERE, FAR, NEAR, PyramidSettings
from diffdope.search.proposals.box_proposals import BoxSettings
from diffdope.search.proposals.closest_points import ClosestPointSettings
from diffdope.search.proposals.depth_segments import PieceSettings
from diffdope.search.proposals.view_sphere import ViewSphereSettings
from diffdope.solve.levenberg_marquardt import LevenbergSettings
from diffdope.terms.colour_region import RegionSettings
from diffdope.terms.contour import ContourSettings
from diffdope.terms.registry import NoiseSettings


@dataclass(frozen=True)
@checked_fields(least={"laid": 1})
class SearchSettings:
    """Second-order refinement: a search close to the start, and a wider one where that is not convincing.

    Raises:
        DiffDopeError: if a probability is not between 0 and 1, or another number out of its range.
    """

    near: PyramidSettings = field(default_factory=lambda: NEAR)
    """The search around the start."""
    closest_points: ClosestPointSettings = field(default_factory=ClosestPointSettings)
    """What the near search takes in beside poses around the start, where depth and a mask are given."""
    far: PyramidSettings = field(default_factory=lambda: FAR)
    """The wider search."""
    laid: int = 4
    """Where there is a mask, the wider search begins with templates laid over it, and where there is depth alone, with
    poses that climb what they explain; it then needs so many times fewer hypotheses than `far` has; 1 for as many."""
    everywhere: PyramidSettings = field(default_factory=lambda: EVERYWHERE)
    """The search where there is no start pose; its first level takes the best of `view_sphere`."""
    view_sphere: ViewSphereSettings = field(default_factory=ViewSphereSettings)
    """Its proposals."""
    box: BoxSettings = field(default_factory=BoxSettings)
    """What comes before that search where there is a box instead of a mask."""
    features: FeatureSettings = field(default_factory=FeatureSettings)
    """What finds the object in a box of a photograph without depth."""
    pieces: PieceSettings = field(default_factory=PieceSettings)
    """And where there is neither."""
    fallback_confidence: float = 0.8
    """The wider search runs if the first one's result fits with a probability below this; 0 for never, 1 for always."""
    least_confidence: float = 0.5
    """A result that is in the right minimum with less probability has failed."""
    symmetric_alternatives: bool = True
    """Whether the result is also tried the other way round, where that changes little but what is painted on it."""
    turns: TurnSettings = field(default_factory=TurnSettings)
    """How the turn of an object that is nearly of revolution is found, where a start does not tell it."""
    contradictions: bool = True
    """Whether a result is doubted of which depth and outline disagree about the size or the kind of depth, or that lies
    where no start was meant to lead, and whether a shift between depth and the other images is told."""
    light: GainModel = "shading"
    """How the photograph's colours may differ from the model's: not at all, by a factor a channel, and by an offset,
    and by a factor that changes with the direction in which the surface faces."""
    prior: float = 0.001
    """Weight of the quadratic pose prior: its cost at the search radius."""
    prior_unmasked: float = 0.002
    """The same where there is no mask, which would otherwise hold the object in place."""
    mask_error_px: float = 0.3
    """How far off the border of a good mask is, in pixels of the last level's crop; a mask that is farther off counts
    less there, if there are colours or depth to go by instead. 0 trusts every mask."""
    mask_refused_px: float = 0.45
    """A mask whose border is farther off than this is left out at the last level, and edges hold the outline, if there
    are colours to go by but no depth. 0 leaves out none."""
    outline: ContourSettings = field(default_factory=ContourSettings)
    """How the photograph's edges hold the outline where there is no mask."""
    region: RegionSettings = field(default_factory=RegionSettings)
    """How colours on both sides do, of an object that is followed in photographs alone and not held by edges."""
    step: LevenbergSettings = field(default_factory=LevenbergSettings)
    """Of the solver, at all levels."""
    polish: PolishSettings = field(default_factory=PolishSettings)
    """The last steps, after all levels."""
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    """What the covariance, and the last steps, are to know about errors."""
    confidence: ConfidenceSettings = field(default_factory=ConfidenceSettings)
    """What the result's confidence is about, and a map of it that was fitted to a user's data."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no search."""
        for name in ("fallback_confidence", "least_confidence"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise expected(name, "a number from 0 to 1", getattr(self, name))
        check_choice("light", self.light, ("as-is", "gain", "gain-bias", "shading"))
        check_at_least_zero(self, "prior", "prior_unmasked", "mask_error_px", "mask_refused_px")


def beside_border(settings: SearchSettings) -> SearchSettings:
    """Of a mesh without colours in a photograph whose mask is off: the last level shows edges as sharp as they are."""
    size = settings.outline.plain_size
    return replace(settings, near=settings.near.at_last_of(size), far=settings.far.at_last_of(size))
