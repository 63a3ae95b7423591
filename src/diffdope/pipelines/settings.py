"""Presets: every number of a refinement, as small frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from diffdope.errors import DiffDopeError, check_choice
from diffdope.terms.settings import ObjectiveSettings
from diffdope.solve.levenberg_marquardt import LevenbergSettings
from diffdope.solve.schedules import Distribution
from diffdope.terms.contour import OutlineSettings

Solver = Literal["descent", "newton"]
LightModel = Literal["as-is", "gain", "gain-bias"]


@dataclass(frozen=True)
class CropSettings:
    """The part of the image that is compared."""

    size: int = 160
    """Longest side of the crop in pixels; larger ones are reduced by an integer factor. Of the solver `descent`: the
    levels of a search have sizes of their own."""
    margin: float = 0.15
    """Free space around mask and start pose, as a share of the longer side."""

    def __post_init__(self) -> None:
        """Refuses crops without pixels."""
        if self.size < 8:
            raise DiffDopeError(f"crop.size: expected at least 8 pixels, got {self.size}")
        if not 0.0 <= self.margin <= 10.0:
            raise DiffDopeError(f"crop.margin: expected a share between 0 and 10, got {self.margin}")


@dataclass(frozen=True)
class DescentSettings:
    """How the hypotheses move."""

    hypotheses: int = 8
    method: Literal["sgd", "adam"] = "sgd"
    iterations: int = 60
    learning_rate: float = 0.04
    """Step, in translation units and quaternion units, for a gradient of one and a multiplier of one."""
    translation_unit: float = 0.5
    """Share of the object's diameter by which translations are divided, so that one rate fits both."""
    decay: float = 0.1
    """Factor on the rate at the last iteration."""
    rate_low: float = 0.1
    rate_high: float = 4.0
    """Each hypothesis multiplies the rate by a draw between these."""
    rate_distribution: Distribution = "uniform"
    patience: int = 15
    """Iterations without improvement of any hypothesis after which the descent has converged."""
    tolerance: float = 1e-4
    """Share of its cost by which a hypothesis must improve to count as improving."""
    settled: float = 0.02
    """The result is `converged` if the lowest cost fell by less than this share over the last `patience` iterations."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no descent."""
        if self.hypotheses < 1:
            raise DiffDopeError(f"hypotheses: expected at least 1, got {self.hypotheses}")
        check_choice("method", self.method, ("sgd", "adam"))
        check_choice("rate_distribution", self.rate_distribution, ("uniform", "log-uniform"))
        if self.iterations < 1:
            raise DiffDopeError(f"iterations: expected at least 1, got {self.iterations}")
        if self.patience < 1:
            raise DiffDopeError(f"patience: expected at least 1, got {self.patience}")
        for name in ("learning_rate", "decay", "translation_unit"):
            if not getattr(self, name) > 0.0:
                raise DiffDopeError(f"{name}: expected a number > 0, got {getattr(self, name)}")
        if not 0.0 < self.rate_low <= self.rate_high:
            raise DiffDopeError(
                f"rate_low, rate_high: expected 0 < low <= high, got {self.rate_low} and {self.rate_high}"
            )


@dataclass(frozen=True)
class PyramidSettings:
    """A search from coarse to fine: one number a level, coarsest first."""

    sizes: tuple[int, ...] = (40, 80, 160)
    """Longest side of the crop in pixels."""
    hypotheses: tuple[int, ...] = (8, 3, 1)
    """How many poses take part: the spread at the first level, at the others the best of the level before."""
    iterations: tuple[int, ...] = (8, 5, 3)
    """Newton steps at most."""
    faces: tuple[int, ...] = (500, 2000, 0)
    """Triangles of the mesh, 0 for all of them."""
    angle_deg: float = 12.0
    """How uncertain the start is: hypotheses turn it by up to this angle."""
    distance: float = 0.06
    """And move it by up to this share of the object's diameter."""

    def __post_init__(self) -> None:
        """Refuses pyramids without levels, or with levels that lack a number."""
        lengths = {name: len(getattr(self, name)) for name in ("sizes", "hypotheses", "iterations", "faces")}
        if len(set(lengths.values())) != 1 or not self.sizes:
            got = ", ".join(f"{count} {name}" for name, count in lengths.items())
            raise DiffDopeError(f"sizes, hypotheses, iterations, faces: expected one number a level in each, got {got}")
        for name, least in (("sizes", 8), ("hypotheses", 1), ("iterations", 1), ("faces", 0)):
            if min(getattr(self, name)) < least:
                raise DiffDopeError(f"{name}: expected at least {least}, got {min(getattr(self, name))}")
        if not 0.0 <= self.angle_deg <= 180.0:
            raise DiffDopeError(f"angle_deg: expected 0 to 180 degrees, got {self.angle_deg}")
        if not 0.0 <= self.distance <= 10.0:
            raise DiffDopeError(f"distance: expected a share of the diameter from 0 to 10, got {self.distance}")


FAR = PyramidSettings(
    sizes=(24, 40, 80, 160), hypotheses=(96, 32, 8, 3), iterations=(8, 8, 8, 6), faces=(500, 500, 2000, 0),
    angle_deg=45.0, distance=0.25,
)  # fmt: skip


@dataclass(frozen=True)
class NoiseSettings:
    """What is known about errors that the residuals do not show, or not enough."""

    depth_bias: float = 0.002
    """Standard deviation of an offset that all depths of the object share, as a share of its distance."""
    mask_bias_px: float = 0.1
    """Standard deviation of the width by which a mask is too wide or too narrow, in pixels of the last level's crop."""
    least_rgb: float = 0.002
    """Least standard deviation of a colour: half a step of eight bits."""
    least_depth_m: float = 1e-4
    """Least standard deviation of a depth."""
    least_mask: float = 0.1
    """Least standard deviation of a pixel's coverage."""
    tiles: tuple[int, ...] = (8, 16, 32)
    """Sides, in pixels of the crop, of the tiles over which residuals are taken to be correlated; the most pessimistic
    counts."""
    inflation: float = 1.0
    """Factor on all standard deviations, for what nothing above knows."""
    unmasked: float = 2.0
    """The same, multiplied with it, where no mask says which pixels are the object's."""
    spread_deg: float = 20.0
    """Standard deviation of a turn that is not observed: that the images do not determine to half of this."""
    spread: float = 0.1
    """The same of a shift, as a share of the diameter."""

    def __post_init__(self) -> None:
        """Refuses numbers that are no deviations."""
        for name in ("depth_bias", "mask_bias_px"):
            if not getattr(self, name) >= 0.0:
                raise DiffDopeError(f"{name}: expected a number >= 0, got {getattr(self, name)}")
        for name in ("least_rgb", "least_depth_m", "least_mask", "inflation", "unmasked", "spread_deg", "spread"):
            if not getattr(self, name) > 0.0:
                raise DiffDopeError(f"{name}: expected a number > 0, got {getattr(self, name)}")
        if any(tile < 1 for tile in self.tiles):
            raise DiffDopeError(f"tiles: expected sides of at least 1 pixel, got {self.tiles}")

    def least(self, modality: str) -> float:
        """Least standard deviation of a modality's residuals."""
        return {"rgb": self.least_rgb, "depth": self.least_depth_m, "mask": self.least_mask}[modality]


@dataclass(frozen=True)
class PolishSettings:
    """The last steps: Gauss-Newton with variances that the residuals tell, instead of fixed weights."""

    steps: int = 4
    """At most; 0 for none."""
    tolerance: float = 1e-3
    """The step that is shorter is the last: radians, or share of half the diameter."""
    without_depth: bool = True
    """Whether steps are also taken where no depth is compared."""
    longest: float = 0.2
    """Farthest that all steps together may go: radians, or this share of half the diameter."""
    anew: float = 0.02
    """A pose that moved farther is polished once more, for the weights were those of a wrong pose: radians, or share of
    half the diameter."""
    covariance: bool = True
    """Whether the covariance is estimated if no steps are taken, which takes a few milliseconds."""

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return self.steps == 0 and not self.covariance

    def __post_init__(self) -> None:
        """Refuses numbers that make no steps."""
        if self.steps < 0:
            raise DiffDopeError(f"steps: expected at least 0, got {self.steps}")
        for name in ("tolerance", "longest", "anew"):
            if not getattr(self, name) > 0.0:
                raise DiffDopeError(f"{name}: expected a number > 0, got {getattr(self, name)}")


@dataclass(frozen=True)
class SearchSettings:
    """Second-order refinement: a search close to the start, and a wider one where that is not convincing."""

    near: PyramidSettings = field(default_factory=PyramidSettings)
    far: PyramidSettings = field(default_factory=lambda: FAR)
    doubt: float = 0.8
    """The wider search runs if the confidence in the first one's result is below this; 0 for never, 1 for always."""
    least_confidence: float = 0.5
    """A result of which less confidence is left has failed."""
    other_sides: bool = True
    """Whether the result is also tried the other way round, where that changes little but what is painted on it."""
    light: LightModel = "gain-bias"
    """How the photograph's colours may differ from the model's: not at all, by a factor a channel, and by an offset."""
    prior: float = 0.001
    """What a pose pays that is as far from the start as the pyramid takes for possible; it grows with the square."""
    prior_unmasked: float = 0.002
    """The same where there is no mask, which would otherwise hold the object in place."""
    mask_error_px: float = 0.3
    """How far off the border of a good mask is, in pixels of the last level's crop; a mask that is farther off counts
    less there, if there are colours to go by instead. 0 trusts every mask."""
    mask_refused_px: float = 0.45
    """A mask whose border is farther off than this is left out at the last level, and edges hold the outline, if there
    are colours to go by but no depth. 0 leaves out none."""
    outline: OutlineSettings = field(default_factory=OutlineSettings)
    """How the photograph's edges hold the outline where there is no mask."""
    step: LevenbergSettings = field(default_factory=LevenbergSettings)
    polish: PolishSettings = field(default_factory=PolishSettings)
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    """What the covariance, and the polish, are to know about errors."""


@dataclass(frozen=True)
class TrackingSettings:
    """When a tracked object is in doubt, lost and found, and how it is expected to move."""

    doubt: float = 0.5
    """Frames whose confidence is below this do not feed the motion model."""
    alike: float = 0.9
    """A frame is refined anew, from coarse to fine, if the object looks less like its model than this share of
    before."""
    unlike: float = 0.7
    """And it is in doubt below this share."""
    patience: int = 3
    """The object is lost after so many frames in doubt in a row."""
    lost: float = 0.1
    """It is lost at once if the confidence is below this."""
    found: float = 0.6
    """It is found again if the confidence is at least this."""
    retry: int = 5
    """Of the frames in which it is lost, the wider search looks for it in the first and in every so many."""
    memory_s: float = 0.3
    """Seconds after which an unconfirmed velocity has fallen to 1/e."""
    smoothing: float = 0.0
    """Share of the old velocity that a new measurement leaves."""
    frame_s: float = 1.0 / 30.0
    """Seconds between frames that come without a time."""

    def __post_init__(self) -> None:
        """Refuses thresholds in the wrong order."""
        if not 0.0 <= self.lost <= self.doubt <= self.found <= 1.0:
            got = f"{self.lost}, {self.doubt} and {self.found}"
            raise DiffDopeError(f"lost, doubt, found: expected 0 <= lost <= doubt <= found <= 1, got {got}")
        if not 0.0 <= self.unlike <= self.alike <= 1.0:
            raise DiffDopeError(f"unlike, alike: expected 0 <= unlike <= alike <= 1, got {self.unlike}, {self.alike}")
        for name in ("patience", "retry"):
            if getattr(self, name) < 1:
                raise DiffDopeError(f"{name}: expected at least 1, got {getattr(self, name)}")
        for name in ("memory_s", "frame_s"):
            if not getattr(self, name) > 0.0:
                raise DiffDopeError(f"{name}: expected a number > 0, got {getattr(self, name)}")
        if not 0.0 <= self.smoothing < 1.0:
            raise DiffDopeError(f"smoothing: expected a share from 0 to below 1, got {self.smoothing}")


@dataclass(frozen=True)
class Preset:
    """One complete way to refine: `descent` is the paper's, `newton` goes from coarse to fine in second-order steps."""

    name: str = "paper"
    solver: Solver = "descent"
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    crop: CropSettings = field(default_factory=CropSettings)
    descent: DescentSettings = field(default_factory=DescentSettings)
    """Of the solver `descent`."""
    search: SearchSettings = field(default_factory=SearchSettings)
    """Of the solver `newton`."""
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    """Of `Refiner.track`."""

    def __post_init__(self) -> None:
        """Refuses solvers that do not exist."""
        check_choice("solver", self.solver, ("descent", "newton"))


# A tracker uses the second level alone wherever that convinces. A covariance would take as long as everything else.
FAST = SearchSettings(
    near=PyramidSettings((32, 80), (1, 1), (4, 5), (0, 0), angle_deg=0.0, distance=0.0),
    doubt=0.0,
    other_sides=False,
    outline=OutlineSettings(weight=0.0, weight_with_depth=0.0),
    polish=PolishSettings(steps=0, covariance=False),
    step=LevenbergSettings(damping=0.02, shrink=0.5, grow=10.0, tolerance=0.006, negligible=0.003),
)
PRESETS: dict[str, Preset] = {
    "default": Preset("default", "newton", objective=ObjectiveSettings(irls_floor=0.01)),
    "fast": Preset("fast", "newton", objective=ObjectiveSettings(irls_floor=0.01), search=FAST),
    "paper": Preset(),
}
DEFAULT = "default"


def preset(name: str | Preset) -> Preset:
    """A preset by name; a preset passes through.

    Raises:
        DiffDopeError: if there is none of that name.
    """
    if isinstance(name, Preset):
        return name
    check_choice("preset", name, tuple(PRESETS))
    return PRESETS[name]
