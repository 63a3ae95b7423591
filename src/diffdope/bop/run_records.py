"""The records of the run that wrote a results file, if they lie beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.bop.dataset import DataSet
from diffdope.bop.duplicates import without_duplicates
from diffdope.bop.targets import identified, indexed
from diffdope.io.bop_results import Estimate
from diffdope.io.poses import pose_of
from diffdope.io.results import decode
from diffdope.jobs.journal_file import read_journal
from diffdope.pipelines.result import RefinementResult

_SAME_M, _SAME_R = 1e-6, 1e-6  # the CSV holds ten digits


@dataclass(frozen=True)
class RunRecords:
    """What `bop refine` wrote down of each start pose, beside the estimates.

    Attributes:
        path: the file.
        header: settings of the run.
        records: in order; those without `error` are the estimates, in the order of the CSV.
        indexed: whether every start pose knew its instance by its place in the list.
    """

    path: Path
    header: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...]
    indexed: bool

    @classmethod
    def beside(cls, results: Path, dataset: DataSet, estimates: Sequence[Estimate]) -> tuple[RunRecords | None, str]:
        """The records beside a results CSV, and a note where they cannot be used.

        Raises:
            DiffDopeError: if the file is there, but is damaged or no journal.
        """
        path = results.with_suffix(".jsonl")
        if not path.is_file():
            return None, ""
        header, by_key, complete = read_journal(path)
        if header.get("command") != "bop refine" or not complete:
            command = header.get("command")
            if command == "bop refine":
                return None, f"{path.name} belongs to an unfinished run, and is not used"
            return (
                None,
                f"{path.name} was written by `{command}`; only records of `bop refine` tell which start is whose",
            )
        records = identified(dataset, by_key)
        good = [record for record in records if "error" not in record]
        dropped = header.get("duplicates") == "drop"
        if dropped:
            good = _kept(good, dataset)
            kept = {id(record) for record in good}
            records = [record for record in records if "error" in record or id(record) in kept]
        if not _same(good, estimates):
            return None, f"{path.name} holds other poses than {results.name}, and is not used"
        return cls(path, header, tuple(records), indexed(records)), ""

    @property
    def statuses(self) -> dict[str, int]:
        """How many ended how; "error" for those without a result."""
        return dict(Counter(str(record.get("status", "error")) for record in self.records).most_common())

    @property
    def errors(self) -> tuple[tuple[str, str], ...]:
        """Where and why there is no result."""
        return tuple((_name(record), str(record["error"])) for record in self.records if "error" in record)

    @property
    def by_estimate(self) -> dict[int, Mapping[str, Any]]:
        """Records by the position of their estimate."""
        return dict(enumerate(record for record in self.records if "error" not in record))

    def result(self, number: int) -> RefinementResult:
        """The result by the position of its estimate, without its history.

        Raises:
            DiffDopeError: if its record lacks a key or is broken.
        """
        record = self.by_estimate[number]
        return decode(record, RefinementResult, f"{self.path}, {_name(record)}")

    @property
    def seconds(self) -> dict[int, float]:
        """Seconds an object, by the position of its estimate."""
        return {number: float(record["seconds"]) for number, record in self.by_estimate.items()}


def _kept(records: list[dict[str, Any]], dataset: DataSet) -> list[dict[str, Any]]:
    """The records whose results the run kept."""
    rows = [
        Estimate(r["scene_id"], r["im_id"], r["obj_id"], r["score"], pose_of(r, _name(r)), number)
        for number, r in enumerate(records)
    ]
    return [records[int(row.time)] for row in without_duplicates(rows, dataset.models.diameter_m)]


def _same(records: Sequence[Mapping[str, Any]], estimates: Sequence[Estimate]) -> bool:
    if len(records) != len(estimates):
        return False
    for record, e in zip(records, estimates, strict=True):
        if (record["scene_id"], record["im_id"], record["obj_id"]) != (e.scene_id, e.im_id, e.obj_id):
            return False
        pose = pose_of(record, _name(record))
        turned = np.abs(e.pose.R_m2c - pose.R_m2c).max() > _SAME_R
        if turned or np.abs(e.pose.t_m2c - pose.t_m2c).max() > _SAME_M * max(1.0, e.pose.t_m2c[2]):
            return False
    return True


def _name(record: Mapping[str, Any]) -> str:
    return f"{record['scene_id']:06d}/{record['im_id']:06d}/{record['start']:06d}"
