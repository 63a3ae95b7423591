"""`diffdope bop refine --multiview`: the images of each target of a data set as one problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import radians
from pathlib import Path

import numpy as np
from rich.console import Console

from diffdope.bop.masks import mask_origin
from diffdope.bop.multiview_record import results_file
from diffdope.bop.multiview_run import refine_groups
from diffdope.bop.multiview_starts import group_tasks
from diffdope.bop.multiview_work import MultiviewWork
from diffdope.bop.refine_run import Execution, RunFiles
from diffdope.bop.refine_work import RefineWork
from diffdope.bop.start_sources import StartSource
from diffdope.bop.starts import Selection
from diffdope.bop.view_groups import SensorSets, read_view_groups, selected_groups
from diffdope.cli.bop_refine_flags import BopRefineArguments, engine_of
from diffdope.cli.input_flags import sigma_of
from diffdope.cli.journal_display import JournalDisplay, Record
from diffdope.cli.lists import names_of
from diffdope.cli.progress import Activity
from diffdope.errors import expected
from diffdope.io.files import check_csv
from diffdope.pipelines.result import Status

_ERRORS = 5  # that are printed; the records have all


def run_multiview(
    given: BopRefineArguments, source: StartSource, work: RefineWork, selection: Selection, part: tuple[int, int] | None
) -> int:  # fmt: skip
    """Runs it and returns the exit code: 1 if some targets ended in an error."""
    assert given.multiview is not None
    if work.preset.solver == "descent":
        cure = "use default or fast, or leave --multiview out"
        raise expected("preset", "one whose solver searches, because of --multiview", work.preset.name, cure)
    if given.camera_type is not None:
        cure = "leave it out: the targets file says which sensors are seen together"
        raise expected("camera_type", "none beside --multiview", given.camera_type, cure)
    sigma = sigma_of(given.extrinsics_sigma)
    check_csv(given.out)
    with Activity("reading the data set"):
        groups = selected_groups(read_view_groups(targets_path(given.multiview, given.dataset)), selection)
        sensors = [one.sensor for group in groups for one in group.images]
        sets = SensorSets.open(given.dataset, given.split, sensors, models=names_of(given.models))
        tasks = group_tasks(sets, groups, source, selection)
    each = replace(work, camera_type=sets.first.camera_type or None)
    disturbed = radians(source.perturb_deg), 1e-3 * source.perturb_mm
    files = RunFiles.at(given.out, part)
    with GroupDisplay(sets.first.name, files, sets.names) as display:
        execution = Execution(engine_of(given), part, given.fresh, display.begin, display.add)
        groups_work, keep_duplicates = MultiviewWork(each, sets.names, sigma, disturbed), given.duplicates == "keep"
        records = refine_groups(
            groups_work, tasks, files, execution, init=source.described, keep_duplicates=keep_duplicates
        )  # fmt: skip
    return display.summarise(records, masks=mask_origin(given.mask))


def targets_path(path: Path, root: Path) -> Path:
    """The file, as it was given or in the data set.

    Raises:
        DiffDopeError: if there is none.
    """
    for one in (path, root / path):
        if one.is_file():
            return one
    cure = "BOP calls it test_targets_multiview_bop25.json"
    raise expected("multiview", "a targets file of several views", f"{path} (looked for here and in {root})", cure)


class GroupDisplay(JournalDisplay):
    """Progress with the running error against the truth, and failures."""

    def __init__(self, name: str, files: RunFiles, sensors: Sequence[str]) -> None:
        console = Console(stderr=True)
        activity = Activity(f"{name}: preparing", console, period_s=300.0)
        super().__init__("targets", files.records, activity, console)
        self._files, self._sensors = files, sensors
        self._add_mm: list[float] = []
        self._objects = self._failures = 0

    def described(self) -> str:
        """Objects, running error and failures, in a few words."""
        words = [f"{self._objects} objects"]
        if self._add_mm:
            words.append(f"ADD median {np.median(self._add_mm):.2f} mm")
        return ", ".join([*words, f"{self._failures} failed"])

    def count(self, record: Record) -> None:
        """Takes the errors of a target's objects against the truth, and which failed."""
        for one in record.get("objects", ()):
            self._objects += 1
            self._failures += not Status(one["status"]).ok
            if one["errors"]:
                self._add_mm.append(one["errors"]["add_mm"])

    def summarise(self, records: Sequence[Record], *, masks: str) -> int:
        """Prints what became of the targets; 1 if some ended in an error."""
        console = Console()
        statuses = [one["status"] for record in records for one in record.get("objects", ())]
        counts = ", ".join(f"{statuses.count(status)} {status}" for status in sorted(set(statuses)))
        console.print(f"targets of several views: {len(records)}; objects: {len(statuses)}: {counts or 'none refined'}")
        console.print(f"masks: {masks}", highlight=False, markup=False)
        if self._add_mm:
            found = [one["errors"] for record in records for one in record.get("objects", ()) if one["errors"]]
            symmetric = np.median([one["add_s_mm"] for one in found])
            console.print(f"ADD median {np.median(self._add_mm):.2f} mm, ADD-S median {symmetric:.2f} mm")
        notes = [(key_of(record), note) for record in records for note in record.get("notes", ())]
        for key, note in notes[:_ERRORS]:
            console.print(f"note, target {key}: {note}", markup=False, highlight=False, soft_wrap=True)
        if len(notes) > _ERRORS:
            console.print(f"{len(notes) - _ERRORS} more notes are in the records")
        errors = [(key_of(record), str(record["error"])) for record in records if "error" in record]
        for key, text in errors[:_ERRORS]:
            console.print(f"error, target {key}: {text}", style="red", markup=False, highlight=False, soft_wrap=True)
        if errors:
            console.print(f"{len(errors)} of {len(records)} ended in an error and have no row in the results")
        written = [results_file(self._files.results, sensor, self._sensors) for sensor in self._sensors]
        console.print(f"files: {', '.join(map(str, [*written, self._files.records]))}", soft_wrap=True)
        return 1 if errors else 0


def key_of(record: Record) -> str:
    """Scene and images of a record, for messages."""
    images = ", ".join(" ".join(map(str, image)) for image in record["images"])
    return f"scene {record['scene_id']} ({images})"
