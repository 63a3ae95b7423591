"""Presets: every number of a refinement, as small frozen dataclasses that live beside their owners."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_choice, expected
from diffdope.estimate.polish_settings import PolishSettings
from diffdope.pipelines.tracking.tracking_settings import TrackingSettings
from diffdope.problem.region import CropSettings
from diffdope.search.alternatives.axis_rotations import TurnSettings
from diffdope.search.levels import FAR, Level, PyramidSettings
from diffdope.search.proposals.closest_points import ClosestPointSettings
from diffdope.search.settings import SearchSettings
from diffdope.solve.gradient_descent import DescentSettings
from diffdope.solve.levenberg_marquardt import LevenbergSettings
from diffdope.terms.contour import ContourSettings
from diffdope.terms.registry import NoiseSettings, ObjectiveSettings

Solver = Literal["descent", "newton"]


@dataclass(frozen=True)
@checked_fields()
class Preset:
    """A complete set of numbers; `dataclasses.replace(PRESETS["default"], ...)` makes one that differs.

    Attributes:
        name: for messages and records.
        solver: "newton" searches level by level, "descent" is the paper's gradient descent.
        objective: weights of what is compared.
        crop: how much around the object is looked at.
        descent: of the solver `descent`.
        search: of the solver `newton`.
        tracking: of `Refiner.track`.

    Raises:
        DiffDopeError: if there is no such solver, or a number is of another type or not finite.
    """

    name: str = "paper"
    solver: Solver = "descent"
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    crop: CropSettings = field(default_factory=CropSettings)
    descent: DescentSettings = field(default_factory=DescentSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def __post_init__(self) -> None:
        """Refuses solvers that do not exist."""
        check_choice("solver", self.solver, ("descent", "newton"))

    @property
    def resolved_search(self) -> SearchSettings:
        """The search that is made: for the solver `descent`, one level at which all hypotheses begin at the start."""
        if self.solver == "newton":
            return self.search
        level = Level(self.crop.size, self.descent.hypotheses, self.descent.iterations, 0)
        return SearchSettings(
            near=PyramidSettings((level,), angle_deg=0.0, distance=0.0), fallback_confidence=0.0, least_confidence=0.0,
            symmetric_alternatives=False, turns=TurnSettings(count=0),
            contradictions=False, light="as-is", prior=0.0, prior_unmasked=0.0,
            mask_error_px=0.0,
            closest_points=ClosestPointSettings(starts=0), outline=ContourSettings.off(),
            polish=PolishSettings(steps=0, covariance=False),
        )  # fmt: skip


# A tracker uses the second level alone wherever that convinces. A covariance would take as long as everything else.
FAST = SearchSettings(
    near=PyramidSettings((Level(32, 1, 4, 500), Level(80, 1, 5, 0)), angle_deg=0.0, distance=0.0),
    fallback_confidence=0.0,
    symmetric_alternatives=False,
    light="gain-bias",
    outline=ContourSettings(weight=0.0, weight_with_depth=0.014, plain_size=0, inner=0.0, closing_px=()),
    polish=PolishSettings(steps=0, covariance=False),
    step=LevenbergSettings(
        damping=0.02,
        decrease=0.5,
        increase=10.0,
        tolerance=0.006,
        reduction_tolerance=0.003,
        tolerance_coarse=0.006,
        reduction_tolerance_coarse=0.003,
        without_depth=0.2,
    ),
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
    if isinstance(name, str) and "." in name:
        cure = "a file that changes settings is given as --settings, beside a preset's name"
        raise expected("preset", f"one of {', '.join(PRESETS)}", repr(name), cure)
    check_choice("preset", name, tuple(PRESETS))
    return PRESETS[name]


__all__ = [
    "DEFAULT", "FAR", "FAST", "PRESETS", "CropSettings", "DescentSettings", "Level", "NoiseSettings",
    "ObjectiveSettings", "PolishSettings", "Preset", "PyramidSettings", "SearchSettings", "TrackingSettings", "preset",
]  # fmt: skip
