"""What a run over a data set shows while it works, and at its end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console

from diffdope.bop.refine_run import RunFiles, Tally
from diffdope.cli.journal_display import JournalDisplay, Record
from diffdope.cli.progress import Activity
from diffdope.pipelines.result import Status


class RunDisplay(JournalDisplay):
    """Progress with rate, time left, running error against the truth, and failures."""

    def __init__(self, name: str, files: RunFiles) -> None:
        console = Console(stderr=True)
        activity = Activity(f"{name}: preparing", console, period_s=300.0)
        super().__init__("objects", files.records, activity, console)
        self._files = files
        self._add_mm: list[float] = []
        self._failures = self._ambiguous = self._before = 0
        self._began = time.monotonic()

    def begin(self, total: int, done: Mapping[str, Record]) -> None:
        """Takes the number of objects and the records of an earlier, interrupted run."""
        self._before, self._began = len(done), time.monotonic()
        super().begin(total, done)

    @property
    def rate(self) -> float:
        """Objects a second, of this run."""
        return (self._done - self._before) / max(time.monotonic() - self._began, 1e-9)

    def described(self) -> str:
        """Rate, running error and failures, in a few words."""
        words = [f"{self.rate:.2f}/s" if self._done > self._before else "starting"]
        if self._add_mm:
            good = float(np.mean(np.array(self._add_mm) < 5.0))
            words.append(f"ADD median {np.median(self._add_mm):.2f} mm, {good:.0%} < 5 mm")
        words.append(f"{self._failures} failed")
        if self._ambiguous:
            words.append(f"{self._ambiguous} ambiguous")
        return ", ".join(words)

    def count(self, record: Record) -> None:
        """Takes the error against the truth, and whether it failed."""
        if record.get("errors"):
            self._add_mm.append(record["errors"]["add_mm"])
        status = None if "error" in record else Status(record["status"])
        self._ambiguous += status is Status.AMBIGUOUS
        self._failures += status is None or not (status.ok or status is Status.AMBIGUOUS)

    def summarise(self, records: Sequence[Record], *, masks: str = "", given: bool = True) -> int:
        """Prints what became of the start poses, if they were given, and where masks came from; 1 if some failed."""
        tally = Tally.of(records)
        console = Console()
        counts = ", ".join(f"{count} {status}" for status, count in sorted(tally.statuses.items()))
        console.print(f"{len(records)} objects: {counts or 'none refined'}")
        if masks:
            console.print(f"masks: {masks}", highlight=False, markup=False)
        console.print("matched: " + ", ".join(f"{count} {how}" for how, count in sorted(tally.matched.items())))
        if self._add_mm:
            # Without start poses, what a search began at says nothing.
            starts = [r["errors"]["start_add_mm"] for r in records if r.get("errors")] if given else []
            before = f"{np.median(starts):.2f} mm -> " if starts else ""
            symmetric = np.median([r["errors"]["add_s_mm"] for r in records if r.get("errors")])
            console.print(
                f"ADD median {before}{np.median(self._add_mm):.2f} mm, ADD-S median {symmetric:.2f} mm", soft_wrap=True
            )
        for text in tally.errors[:5]:
            console.print("error:", text, style="red", markup=False, highlight=False, soft_wrap=True)
        if tally.errors:
            console.print(f"{len(tally.errors)} of {len(records)} ended in an error and have no row in the results")
        console.print(f"files: {self._files.results}, {self._files.records}", soft_wrap=True)
        return 1 if tally.errors else 0
