"""What a study is, and the one driver that runs all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from diffdope.errors import expected
from diffdope.experiments.bench import Bench, Row
from diffdope.experiments.cases import Source
from diffdope.experiments.tables import markdown, write_csv
from diffdope.io.files import atomic
from diffdope.jobs.engine import Engine
from diffdope.jobs.inline_engine import InlineEngine
from diffdope.jobs.journal import Journal
from diffdope.jobs.local_engine import LocalEngine
from diffdope.jobs.run_tasks import run_tasks
from diffdope.jobs.task import Task
from diffdope.pipelines.compilation.compile_ahead import compile_apart
from diffdope.pipelines.settings import Preset

S = TypeVar("S")
Handler = Callable[[Any], dict[str, Any]]
OnTrial = Callable[[int, int, Row], None]


@dataclass(frozen=True)
class Study(Generic[S]):
    """One experiment.

    Attributes:
        name: as on the command line.
        purpose: one line.
        settings: its numbers, a frozen dataclass whose fields become flags.
        quick: the same on a grid so small that a test can run it.
        trials: settings, source -> tasks; the payload is a flat dict, which becomes the first columns of the trial.
        measure: bench, settings, payload -> its numbers, or {"skipped": why} where there is nothing to try.
        table: settings, records -> rows of the summary.
        plot: settings, records, path of the PNG.
        timed: whether time is what it measures, so that trials must not run side by side.
        takes: what of a `Source` it looks at: the cases of a data set, whether depth is used, or nothing.
        any_preset: whether its question can be asked of every preset; if not, of the one in its settings.
    """

    name: str
    purpose: str
    settings: S
    quick: S
    trials: Callable[[S, Source], list[Task]]
    measure: Callable[[Bench, S, Row], Row]
    table: Callable[[S, Sequence[Row]], list[Row]]
    plot: Callable[[S, Sequence[Row], Path], None]
    timed: bool = False
    takes: Literal["cases", "depth", "nothing"] = "cases"
    any_preset: bool = False


@dataclass(frozen=True)
class StudyWork(Generic[S]):
    """What a worker process is told."""

    measure: Callable[[Bench, S, Row], Row]
    settings: S
    source: Source
    seed: int
    threads: int | None

    def __call__(self) -> Handler:
        """The function that runs one trial; its bench keeps what the next one needs too."""
        compile_apart(Preset())
        bench = Bench(self.source, seed=self.seed, threads=self.threads)
        return lambda payload: {**payload, **self.measure(bench, self.settings, payload)}


@dataclass(frozen=True)
class StudyResult:
    """What a run of a study left.

    Attributes:
        rows: of the summary table.
        failures: texts of the trials that ended in an error.
        trials: how many there were.
        files: what was written.
    """

    rows: list[Row]
    failures: list[str]
    trials: int
    files: list[Path]


def run_study(
    study: Study[S],
    settings: S,
    source: Source,
    out: Path,
    *,
    seed: int = 0,
    workers: int = 1,
    threads: int | None = None,
    fresh: bool = False,
    on_trial: OnTrial | None = None,
) -> StudyResult:
    """Runs what is left of a study, and writes journal.jsonl, trials.csv, NAME.csv, NAME.png and summary.md.

    Args:
        study: which.
        settings: its numbers.
        source: of the cases.
        out: folder; a run that was interrupted there is continued.
        seed: of start poses, learning rates and synthetic pictures.
        workers: processes.
        threads: of each; None divides the cores among the workers.
        fresh: forget an earlier run.
        on_trial: called as on_trial(done, total, record) at the start and after every trial.

    Raises:
        DiffDopeError: if the folder holds a run with other settings, the source is broken, or every trial failed.
    """
    tasks = study.trials(settings, source)
    if not tasks:
        raise expected(study.name, "at least one trial", "none", "an option is empty or --repeats is 0")
    engine, threads = choose_engine(study, workers, threads)
    work = StudyWork(study.measure, settings, source, seed, threads)
    out.mkdir(parents=True, exist_ok=True)
    with Journal.open(out / "journal.jsonl", header_of(study, settings, source, seed), fresh=fresh) as journal:
        state = Progress(len(tasks), sum(task.key in journal.done for task in tasks), on_trial)
        run_tasks(tasks, work, engine=engine, journal=journal, on_record=state)
        keys = [task.key for task in tasks]
        journal.finish(keys)
        records = [dict(journal.done[key]) for key in keys]
    return written(study, settings, out, records)


class Progress:
    """Counts trials."""

    def __init__(self, total: int, done: int, on_trial: OnTrial | None) -> None:
        self._total, self._done, self._on_trial = total, done, on_trial
        if on_trial is not None:
            on_trial(done, total, {})

    def __call__(self, task: Task, record: dict[str, Any]) -> None:
        """One more."""
        self._done += 1
        if self._on_trial is not None:
            self._on_trial(self._done, self._total, record)


def choose_engine(study: Study[Any], workers: int, threads: int | None) -> tuple[Engine, int | None]:
    """The engine, and how many threads each of its workers gets.

    Raises:
        DiffDopeError: if a number is not positive, or a study of time is to run side by side with itself.
    """
    from diffdope.render.pool import available_cores

    if workers < 1:
        raise expected("workers", "at least 1", workers)
    if threads is not None and threads < 1:
        raise expected("threads", "at least 1", threads)
    if workers == 1:
        return InlineEngine(), threads
    if study.timed:
        raise expected("workers", f"1 for {study.name}, which measures time", workers)
    return LocalEngine(workers), threads or max(1, available_cores() // workers)


def header_of(study: Study[S], settings: S, source: Source, seed: int) -> dict[str, Any]:
    """What must be equal for a run to be continued."""
    from diffdope import __version__

    values = asdict(settings)  # type: ignore[call-overload]
    return {
        "experiment": study.name, "settings": values, "source": source.described(), "seed": seed,
        "diffdope_version": __version__,
    }  # fmt: skip


def written(study: Study[S], settings: S, out: Path, records: list[Row]) -> StudyResult:
    """Writes tables and plot of complete records."""
    good = [record for record in records if "error" not in record and "skipped" not in record]
    failures = [str(record["error"]) for record in records if "error" in record]
    if not good:
        reason = failures[0] if failures else str(records[0]["skipped"])
        raise expected(study.name, "trials that end", f"none of {len(records)}", f"the first: {reason}")
    rows = study.table(settings, good)
    names = ("trials.csv", f"{study.name}.csv", "summary.md", f"{study.name}.png")
    files = [out / name for name in names]
    write_csv(files[0], records)
    write_csv(files[1], rows)
    with atomic(files[2]) as temporary:
        temporary.write_text(f"# {study.name}: {study.purpose}\n\n{markdown(rows)}", encoding="utf-8")
    study.plot(settings, good, files[3])
    return StudyResult(rows, failures, len(records), files)
