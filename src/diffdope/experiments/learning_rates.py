"""How the rates of the hypotheses should be drawn, how many hypotheses pay, and how much the rate should decay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from diffdope.checked_fields import checked_fields
from diffdope.errors import expected
from diffdope.experiments.bench import Bench, Row, StartLevel, measured
from diffdope.experiments.cases import CYLINDER, PACKAGED, STRIPPED, Source, case_keys, group_of
from diffdope.experiments.learning_rates_plot import plot_rates
from diffdope.experiments.study import Study
from diffdope.experiments.tables import numbers, summaries
from diffdope.jobs.task import Task
from diffdope.pipelines.settings import Preset

Rates = Literal["uniform", "log-uniform", "single"]


@dataclass(frozen=True)
@checked_fields(
    least={
        "hypotheses": 1,
        "single_rates": 0.0,
        "decays": 0.0,
        "repeats": 1,
        "angle_deg": 0.0,
        "distance_mm": 0.0,
    }
)
class LearningRatesStudySettings:
    """Ways to draw learning rates."""

    hypotheses: tuple[int, ...] = (1, 4, 16, 64)
    """B, for uniform and log-uniform rates over the preset's range."""
    single_rates: tuple[float, ...] = (0.5, 1, 2, 4)
    """Multipliers for one hypothesis with a rate that is not drawn."""
    ranges: tuple[str, ...] = ("0.5:2", "0.1:4", "0.02:20", "0.01:100")
    """low:high of the multipliers, uniform and log-uniform, at the preset's B."""
    decays: tuple[float, ...] = (1.0, 0.1, 0.01)
    """Factor on the rate at the last iteration, at the preset's B."""
    angle_deg: float = 40.0
    """Starts are turned by exactly this angle ..."""
    distance_mm: float = 16.0
    """... and moved by exactly this length."""
    repeats: int = 4
    """Random starts for every variant and case."""
    preset: Preset = field(default_factory=Preset)
    """Numbers of the refinement that are not varied."""

    def __post_init__(self) -> None:
        """Refuses ranges that are none."""
        for span in self.ranges:
            bounds_of(span)


@dataclass(frozen=True)
class Variant:
    """One way."""

    part: str
    rates: Rates
    low: float
    high: float
    hypotheses: int
    decay: float

    @property
    def name(self) -> str:
        """For tables."""
        drawn = f"single {self.low:g}" if self.rates == "single" else f"{self.rates} {self.low:g}-{self.high:g}"
        return f"{drawn}, B = {self.hypotheses}, decay {self.decay:g}"


def variants(settings: LearningRatesStudySettings) -> Iterator[Variant]:
    """All ways, in three parts: hypotheses, range, decay."""
    old = settings.preset.descent
    distributions: tuple[Rates, ...] = ("uniform", "log-uniform")
    for rate in settings.single_rates:
        yield Variant("hypotheses", "single", rate, rate, 1, old.decay)
    for rates in distributions:
        for count in settings.hypotheses:
            yield Variant("hypotheses", rates, old.rate_low, old.rate_high, count, old.decay)
    for rates in distributions:
        for span in settings.ranges:
            low, high = bounds_of(span)
            yield Variant("range", rates, low, high, old.hypotheses, old.decay)
    for decay in settings.decays:
        yield Variant("decay", old.rate_distribution, old.rate_low, old.rate_high, old.hypotheses, decay)


def bounds_of(span: str) -> tuple[float, float]:
    """The two numbers of "0.1:4".

    Raises:
        DiffDopeError: if they are no range.
    """
    try:
        low, high = (float(word) for word in span.split(":"))
    except ValueError:
        low, high = 0.0, 0.0
    if not 0.0 < low <= high:
        raise expected("ranges", "low:high with 0 < low <= high, such as 0.1:4", repr(span))
    return low, high


def trials(settings: LearningRatesStudySettings, source: Source) -> list[Task]:
    """One for every case, variant and repeat; the packaged example comes with a plain and a symmetric companion."""
    keys = case_keys(source)
    keys = [PACKAGED, STRIPPED, CYLINDER] if keys == [PACKAGED] else keys
    return [
        Task(
            f"{key}/{number:03d}/{repeat:04d}",
            group_of(key),
            {"case": key, **asdict(variant), "variant": variant.name, "repeat": repeat},
        )
        for key in keys
        for number, variant in enumerate(variants(settings))
        for repeat in range(settings.repeats)
    ]


def varied(preset: Preset, trial: Row) -> Preset:
    """The preset with the trial's rates."""
    descent = replace(
        preset.descent,
        hypotheses=int(numbers(trial, "hypotheses")),
        rate_low=numbers(trial, "low"), rate_high=numbers(trial, "high"), decay=numbers(trial, "decay"),
        rate_distribution="log-uniform" if trial["rates"] == "log-uniform" else "uniform",
    )  # fmt: skip
    return replace(preset, descent=descent)


def measure(bench: Bench, settings: LearningRatesStudySettings, trial: Row) -> Row:
    """One refinement; of symmetric objects, what counts is ADD-S."""
    case, repeat = bench.case(str(trial["case"])), int(numbers(trial, "repeat"))
    start = bench.start(case, StartLevel(settings.angle_deg, settings.distance_mm), repeat)
    result = bench.refine(
        case.mesh, case.observation, start, varied(settings.preset, trial), repeat=repeat, case_key=case.key
    )
    found = measured(case.mesh, case.symmetries, case.truth, start, result)
    error = found["add_s_mm" if case.category == "symmetric" else "add_mm"]
    return {"object": case.object_name, "category": case.category, "error_mm": error, **found}


def table(settings: LearningRatesStudySettings, records: Sequence[Row]) -> list[Row]:
    """A row for every variant and category."""
    keys = ("part", "rates", "low", "high", "hypotheses", "decay", "category")
    return summaries(records, *keys, error="error_mm")


def plot(settings: LearningRatesStudySettings, records: Sequence[Row], path: Path) -> None:
    """See `plot_rates`."""
    plot_rates(table(settings, records), records, path)


STUDY = Study(
    name="learning-rates",
    purpose="how to draw the hypotheses' learning rates, how many pay, and how the rate should decay",
    settings=LearningRatesStudySettings(),
    quick=LearningRatesStudySettings(
        hypotheses=(1, 2), single_rates=(1.0,), ranges=("0.1:4",), decays=(0.1,), repeats=1
    ),
    trials=trials, measure=measure, table=table, plot=plot,
)  # fmt: skip
