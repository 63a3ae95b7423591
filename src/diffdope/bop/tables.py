"""Evaluations as files: a row an instance, a row a summary, and both as JSON."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.evaluation import BopEvaluation, Row
from diffdope.bop.metrics.vsd import VSD_TAUS
from diffdope.bop.run_records import RunRecords
from diffdope.bop.summary import Summary, by, summarise
from diffdope.note_codes import codes_of

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Report:
    """An evaluation with its summaries, and what is known of where the estimates come from.

    Attributes:
        evaluation: a row an instance.
        total: over all.
        objects: by object.
        scenes: by scene.
        other_max_m: second maximum of the areas under the curves, metres.
        described: data set, split and files, for the reader.
        notes: what a reader of the figures must know.
        run: records of the run, if there are any.
    """

    evaluation: BopEvaluation
    total: Summary
    objects: Mapping[int, Summary]
    scenes: Mapping[int, Summary]
    other_max_m: float
    described: Mapping[str, str]
    notes: tuple[str, ...]
    run: RunRecords | None

    @classmethod
    def of(
        cls,
        evaluation: BopEvaluation,
        *,
        other_max_m: float,
        described: Mapping[str, str],
        notes: Sequence[str] = (),
        run: RunRecords | None = None,
    ) -> Report:
        """Summarises an evaluation."""
        seconds = None if run is None else run.seconds

        def figures(rows: Sequence[Row]) -> Summary:
            return summarise(rows, other_max_m=other_max_m, seconds=seconds)

        rows = evaluation.rows
        objects = {key: figures(those) for key, those in by(rows, lambda row: row.obj_id).items()}
        scenes = {key: figures(those) for key, those in by(rows, lambda row: row.scene_id).items()}
        all_notes = (*evaluation.notes, *notes)
        return cls(evaluation, figures(rows), objects, scenes, other_max_m, dict(described), all_notes, run)

    def status(self, row: Row) -> str:
        """How the refinement of a row ended; "missing" without an estimate, "" where nobody knows."""
        if row.number is None:
            return "missing"
        return "" if self.run is None else str(self.run.by_estimate[row.number].get("status", ""))

    @property
    def start_add_m(self) -> F64 | None:
        """ADD of the start poses, metres, in the order of the rows; None where the run does not say."""
        if self.run is None:
            return None
        records, values = self.run.by_estimate, []
        for row in self.evaluation.rows:
            errors = None if row.number is None else records[row.number].get("errors")
            values.append(1e-3 * float(errors["start_add_mm"]) if errors else np.inf)
        return np.array(values) if np.isfinite(values).any() else None

    def as_json(self) -> dict[str, Any]:
        """Everything but the rows."""
        evaluation = self.evaluation
        return {
            **self.described,
            "match": evaluation.how,
            "estimates": evaluation.estimates,
            "estimates_unused": len(evaluation.unused),
            "missing": [row.key for row in evaluation.missing],
            "notes": list(self.notes),
            "note_codes": [str(code) for code in codes_of(self.notes)],
            "auc_max_mm": [100.0, 1e3 * self.other_max_m],
            "units": "lengths mm, angles degrees, shares and recalls 0 to 1, null where infinite or unknown",
            "all": self.total.as_json(),
            "objects": {str(key): summary.as_json() for key, summary in self.objects.items()},
            "scenes": {str(key): summary.as_json() for key, summary in self.scenes.items()},
            "statuses": {} if self.run is None else self.run.statuses,
            "run": {} if self.run is None else dict(self.run.header),
        }


def write_errors(path: Path, report: Report) -> None:
    """One row an instance; lengths in millimetres, angles in degrees, empty where infinite or unknown."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_columns())
        writer.writerows([_text(value) for value in _row(report, row)] for row in report.evaluation.rows)


def write_summaries(path: Path, report: Report) -> None:
    """One row a group: all, then scenes, then objects."""
    groups = [("all", "", report.total)]
    groups += [("scene", str(key), summary) for key, summary in report.scenes.items()]
    groups += [("object", str(key), summary) for key, summary in report.objects.items()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["group", "id", *(field.name for field in fields(Summary))])
        for group, key, summary in groups:
            writer.writerow([group, key, *(_text(getattr(summary, field.name)) for field in fields(Summary))])


def _columns() -> list[str]:
    return [
        "scene_id", "im_id", "obj_id", "gt_id", "trial", "visib_fract", "estimate", "score", "status", "seconds",
        "add_mm", "add_s_mm", "rotation_deg", "translation_mm", "mssd_mm", "mspd_px",
        *(f"vsd_{tau:.2f}" for tau in VSD_TAUS),
        "add_below_5mm", "add_s_below_5mm", "add_below_tenth",
        "recall_vsd", "recall_mssd", "recall_mspd", "recall_absolute",
    ]  # fmt: skip


def _row(report: Report, row: Row) -> list[Any]:
    e, run = row.errors, report.run
    found = row.estimate is not None
    seconds = run.seconds.get(row.number) if run is not None and row.number is not None else None
    return [
        row.scene_id, row.im_id, row.obj_id, row.gt_id, row.trial, row.visib_fract,
        row.number, row.estimate.score if row.estimate else None, report.status(row), seconds,
        1e3 * e.add, 1e3 * e.add_s, float(np.degrees(e.rotation)), 1e3 * e.translation, 1e3 * e.mssd, e.mspd,
        *(e.vsd if e.vsd is not None else (None,) * len(VSD_TAUS)),
        int(found and e.add < 0.005), int(found and e.add_s < 0.005), int(found and e.add < 0.1 * row.diameter_m),
        row.recall_vsd, row.recall_mssd, row.recall_mspd, row.recall_absolute,
    ]  # fmt: skip


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
