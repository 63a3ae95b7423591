"""What a run over a data set shows while it works, and at its end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np
from rich.console import Console

from diffdope.bop.refine_run import RunFiles, Tally
from diffdope.cli.progress import COMPILES, Activity
from diffdope.pipelines.result import Status


class RunDisplay:
    """Progress with rate, time left, running error against the truth, and failures."""

    def __init__(self, name: str, files: RunFiles) -> None:
        self._files = files
        self._console = Console(stderr=True)
        self._activity = Activity(f"{name}: preparing{COMPILES}", self._console, period_s=300.0)
        self._add_mm: list[float] = []
        self._failures = self._done = self._new = self._total = 0
        self._began = time.monotonic()

    def __enter__(self) -> RunDisplay:
        self._activity.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._activity.__exit__(kind, error, trace)
        if isinstance(error, KeyboardInterrupt):
            kept = f"{self._done} of {self._total} objects are in {self._files.records}"
            raise KeyboardInterrupt(f"interrupted; {kept}; the same command goes on from there") from None

    def begin(self, total: int, done: Mapping[str, Mapping[str, Any]]) -> None:
        """Takes the number of objects and the records of an earlier, interrupted run."""
        self._total, self._began = total, time.monotonic()
        for record in done.values():
            self._count(record)
        if done:
            self._console.print(f"resuming: {len(done)} of {total} objects are done already")
        self._activity.begin(total, self._done, self.described())

    def add(self, record: Mapping[str, Any]) -> None:
        """Takes a new record."""
        self._count(record)
        self._new += 1
        self._activity.update(self._done, text=self.described())

    @property
    def rate(self) -> float:
        """Objects a second, of this run."""
        return self._new / max(time.monotonic() - self._began, 1e-9)

    def described(self) -> str:
        """Rate, running error and failures, in a few words."""
        words = [f"{self.rate:.2f}/s" if self._new else "starting"]
        if self._add_mm:
            good = float(np.mean(np.array(self._add_mm) < 5.0))
            words.append(f"ADD median {np.median(self._add_mm):.2f} mm, {good:.0%} < 5 mm")
        words.append(f"{self._failures} failed")
        return ", ".join(words)

    def _count(self, record: Mapping[str, Any]) -> None:
        self._done += 1
        if record.get("errors"):
            self._add_mm.append(record["errors"]["add_mm"])
        self._failures += "error" in record or not Status(record["status"]).ok

    def summarise(self, records: Sequence[Mapping[str, Any]], *, masks: str = "") -> int:
        """Prints what became of the start poses, and where masks came from; 1 if some ended in an error."""
        tally = Tally.of(records)
        console = Console()
        counts = ", ".join(f"{count} {status}" for status, count in sorted(tally.statuses.items()))
        console.print(f"{len(records)} objects: {counts or 'none refined'}")
        if masks:
            console.print(f"masks: {masks}", highlight=False, markup=False)
        console.print("matched: " + ", ".join(f"{count} {how}" for how, count in sorted(tally.matched.items())))
        if self._add_mm:
            starts = [r["errors"]["start_add_mm"] for r in records if r.get("errors")]
            console.print(f"ADD median {np.median(starts):.2f} mm -> {np.median(self._add_mm):.2f} mm")
        for text in tally.errors[:5]:
            console.print("error:", text, style="red", markup=False, highlight=False, soft_wrap=True)
        if tally.errors:
            console.print(f"{len(tally.errors)} of {len(records)} ended in an error and have no row in the results")
        console.print(f"files: {self._files.results}, {self._files.records}", soft_wrap=True)
        return 1 if tally.errors else 0
