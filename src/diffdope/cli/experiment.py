"""`diffdope experiment NAME`: the studies of the paper and beyond it."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from diffdope.checked_fields import check_fields
from diffdope.cli.dataset_flags import SelectionFlags
from diffdope.cli.help_text import HELP
from diffdope.cli.lists import names_of, numbers_of
from diffdope.cli.preset_flags import early, parse_flags
from diffdope.cli.progress import Activity
from diffdope.errors import check_choice, expected
from diffdope.experiments.cases import Source
from diffdope.experiments.registry import MODULES, find_study
from diffdope.experiments.study import Study, StudyResult, run_study
from diffdope.io.files import check_folder
from diffdope.pipelines.settings import preset as find_preset


@dataclass(frozen=True)
class Run:
    """How the study is run. The same command, given again, goes on where it was interrupted."""

    out: Path | None = None
    """Folder for the tables, the plot and the journal; default diffdope_experiment_NAME."""
    seed: int = 0
    """Of start poses, learning rates and synthetic pictures. Same seed, same tables but for times."""
    workers: int = 1
    """Processes."""
    threads: int | None = None
    """Of each worker; default: the cores divided among the workers."""
    quick: bool = False
    """A grid so small that it only shows that everything works."""
    fresh: bool = False
    """Forget an earlier run in the same folder."""


@dataclass(frozen=True)
class RunOfAnyPreset(Run):
    """The same of a study that can be run with every preset."""

    preset: str | None = None
    """default, fast or paper: what --preset.* are changes to, instead of the study's own preset."""


@dataclass(frozen=True)
class DrawnPictures:
    """How the pictures are made, which are drawn."""

    depth: Literal["on", "off"] = "on"
    """Whether depth images are used."""

    def source(self) -> Source:
        """As the studies want it."""
        return Source(depth=self.depth == "on")


@dataclass(frozen=True)
class Pictures(SelectionFlags):
    """Where the cases come from. Without --dataset: the packaged example."""

    dataset: Path | None = None
    """Folder of a BOP data set."""
    split: str | None = None
    """Its folder of scenes: val, test, dev."""
    models: str = "models,models_eval"
    """Folders of models; for each object the first that has it."""
    min_visib: float = 0.1
    """Least visible share of an object."""
    mask: str = "mask_visib"
    """Mask folder of the scenes."""
    depth: Literal["on", "off"] = "on"
    """Whether depth images are used, those of synthetic pictures included."""
    max_cases: int = 12
    """At most so many objects, evenly spread over what was selected."""

    def source(self) -> Source:
        """As the studies want it.

        Raises:
            DiffDopeError: if a list of numbers is none.
        """
        chosen = {name: numbers_of(name, getattr(self, name)) or () for name in ("scenes", "images", "objects")}
        return Source(
            self.dataset, self.split, names_of(self.models), **chosen,
            min_visib=self.min_visib, mask=self.mask, depth=self.depth == "on", max_cases=self.max_cases,
        )  # fmt: skip


LEAST_WIDTH = 118  # columns of the widest summary; a table cut off is worth less than one that wraps


def usage() -> str:
    """The text of `diffdope experiment --help`."""
    rows = "\n".join(f"  {name:15s} {find_study(name).purpose}" for name in MODULES)
    return (
        f"usage: diffdope experiment NAME [options]\n\nexperiments:\n{rows}\n\n"
        "`diffdope experiment NAME --help` lists the options."
    )


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 1 if some trials ended in an error."""
    if not arguments or arguments[0] in HELP:
        print(usage())
        return 0 if arguments else 2
    check_choice("experiment", arguments[0], tuple(MODULES))
    study = find_study(arguments[0])
    given, source, settings = parse(study, arguments[1:])
    out = given.out or Path(f"diffdope_experiment_{study.name.replace('-', '_')}")
    check_folder(out)
    return run_and_print(study, settings, source, given, out)


def parse(study: Study[Any], arguments: list[str]) -> tuple[Run, Source, Any]:
    """Reads the flags; with --quick, the defaults of the study's numbers are those of its small grid.

    Raises:
        DiffDopeError: if a preset is named that does not exist, or of which the study's question cannot be asked.
    """
    numbers = study.quick if "--quick" in arguments else study.settings
    name = early(arguments, "--preset")
    if name is not None:
        if not study.any_preset:
            asked = getattr(numbers, "preset", None)
            own = f"none for {study.name}" + ("" if asked is None else f", which asks about preset {asked.name!r}")
            raise expected("preset", own, name)
        numbers = replace(numbers, preset=find_preset(name))
    flat = tyro.conf.arg(name="")
    how = RunOfAnyPreset if study.any_preset else Run
    parts: list[tuple[str, Any, Any]] = [("run", Annotated[how, flat], field(default_factory=how))]
    shown = {"cases": Pictures, "depth": DrawnPictures}.get(study.takes)
    if shown is not None:
        parts.append(("pictures", Annotated[shown, flat], field(default_factory=shown)))
    parts.append(("settings", Annotated[type(numbers), flat], field(default=numbers)))
    flags = make_dataclass("Flags", parts, frozen=True)
    given: Any = parse_flags(flags, arguments, prog=f"diffdope experiment {study.name}", about=study.purpose)
    check_fields(given.run, {"seed": 0, "workers": 1, "threads": 1})
    if shown is None:
        return given.run, Source(), given.settings
    check_fields(given.pictures, {})
    return given.run, given.pictures.source(), given.settings


def run_and_print(study: Study[Any], settings: Any, source: Source, given: Run, out: Path) -> int:
    """Runs under a progress bar, then prints the table."""
    from rich.console import Console

    console = Console()
    try:
        outcome = with_bar(study, settings, source, given, out)
    except KeyboardInterrupt:
        text = f"interrupted; the trials done so far are in {out}, and the same command goes on from there"
        raise KeyboardInterrupt(text) from None
    print_outcome(study, outcome, console)
    return 1 if outcome.failures else 0


def with_bar(study: Study[Any], settings: Any, source: Source, given: Run, out: Path) -> StudyResult:
    """Runs the study; the bar says how many trials are done, and how long the rest will take."""
    failures = 0
    with Activity(f"{study.name}: preparing") as activity:

        def report(done: int, total: int, record: dict[str, object]) -> None:
            nonlocal failures
            failures += "error" in record
            note = f": {failures} failed" if failures else "" if record else ": preparing"
            activity.update(done, total, f"{study.name}{note}")

        return run_study(
            study, settings, source, out,
            seed=given.seed, workers=given.workers, threads=given.threads, fresh=given.fresh, on_trial=report,
        )  # fmt: skip


def print_outcome(study: Study[Any], outcome: StudyResult, console: Any) -> None:
    """The summary table, failures, and where the files are."""
    from rich.console import Console
    from rich.table import Table

    from diffdope.experiments.tables import heading, worded

    columns = list(dict.fromkeys(name for row in outcome.rows for name in row))
    table = Table(title=f"{study.name}: {study.purpose} (medians)", title_justify="left", box=None, padding=(0, 1))
    for name in columns:
        words = isinstance(outcome.rows[0].get(name), str)
        table.add_column(heading(name), justify="left" if words else "right", no_wrap=True)
    for row in outcome.rows:
        table.add_row(*(worded(name, row.get(name)) for name in columns))
    Console(width=max(console.width, LEAST_WIDTH)).print(table)
    if outcome.failures:
        console.print(
            f"[bold]{len(outcome.failures)} of {outcome.trials} trials failed[/]; the first: {outcome.failures[0]}"
        )
    console.print("files " + ", ".join(str(path) for path in outcome.files), soft_wrap=True)
