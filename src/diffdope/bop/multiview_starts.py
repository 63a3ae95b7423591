"""What is known of each object of a group of views before the work: start poses or masks, from the usual sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.masks import NO_MASK
from diffdope.bop.scene import Instance
from diffdope.bop.start_sources import NOWHERE, TRUTH, StartSource
from diffdope.bop.starts import Selection, Start, is_selected
from diffdope.bop.view_groups import SensorSets, ViewGroup
from diffdope.errors import expected
from diffdope.jobs.task import Task


@dataclass(frozen=True)
class Sighting:
    """A start in one view of a group.

    Attributes:
        view: number of the view.
        start: with a pose in that camera, or with a mask alone.
    """

    view: int
    start: Start

    @property
    def where(self) -> tuple[int, int]:
        """View and position among the starts of its image: its identity in a group."""
        return self.view, self.start.index


@dataclass(frozen=True)
class Thing:
    """One object of a group: its sightings, and what they were matched with.

    Attributes:
        obj_id: which model.
        sightings: of at most one a view.
        masks: by view, of those that have one.
        truth: by view, where it is known.
    """

    obj_id: int
    sightings: tuple[Sighting, ...]
    masks: dict[int, NDArray[np.bool_]]
    truth: dict[int, Instance]

    @property
    def scores(self) -> list[float]:
        """Of the start poses."""
        return [one.start.score for one in self.sightings if one.start.score is not None]


@dataclass(frozen=True)
class GroupTask:
    """The work on one group: the payload of a task."""

    group: ViewGroup
    sightings: tuple[Sighting, ...]

    def described(self) -> dict[str, Any]:
        """As JSON; millimetres."""
        return {
            "scene_id": self.group.scene_id, "images": [list(one) for one in self.group.images],
            "starts": [{"view": one.view, **one.start.described()} for one in self.sightings],
        }  # fmt: skip


def sensor_file(name: str, sensor: str, *, first: bool) -> Path | None:
    """The file of a sensor: NAME_SENSOR.csv beside NAME.csv if it exists, else NAME.csv for the first sensor alone.

    Args:
        name: as it was given.
        sensor: which one.
        first: whether it is the first of the data set.
    """
    path = Path(name)
    own = path.with_name(f"{path.stem}_{sensor}{path.suffix}")
    if own.exists():
        return own
    return path if first else None


def group_tasks(
    sets: SensorSets, groups: Sequence[ViewGroup], source: StartSource, selection: Selection
) -> list[Task]:  # fmt: skip
    """A task for each group in which there is something to find, in the order of their keys.

    Args:
        sets: the data set by sensor.
        groups: which images are seen together.
        source: where start poses come from; the truth is taken as it is, and disturbed with the work, once an object.
        selection: which objects.

    Raises:
        DiffDopeError: if a file is missing or broken, a camera's place is not known, or nothing is selected.
    """
    starts: dict[tuple[str, int, int], list[Start]] = defaultdict(list)
    for sensor in sets.names:
        for start in _starts_of(sets, sensor, groups, source, selection):
            starts[sensor, start.scene_id, start.im_id].append(start)
    tasks = []
    for group in groups:
        sets.places(group)
        sightings = tuple(
            Sighting(view, start)
            for view, image in enumerate(group.images)
            for start in starts[image.sensor, group.scene_id, image.im_id]
            if group.objects is None or start.obj_id in group.objects
        )
        if sightings:
            tasks.append(Task(group.key, group.key, GroupTask(group, sightings)))
    if not tasks:
        cure = "see --scenes, --objects, --min-visib, --init and --mask"
        raise expected("selection", "at least one object in a group of views", "none", cure)
    return sorted(tasks, key=lambda task: task.key)


def mask_of_sensor(mask: str, sensor: str, *, first: bool) -> str:
    """A run's word for masks, for one sensor: of a detector's file, that of the sensor; "none" where there is none."""
    if Path(mask).suffix.lower() != ".json":
        return mask
    path = sensor_file(mask, sensor, first=first)
    return NO_MASK if path is None else str(path)


def _starts_of(
    sets: SensorSets, sensor: str, groups: Sequence[ViewGroup], source: StartSource, selection: Selection
) -> list[Start]:  # fmt: skip
    """Of the selected objects in the images of one sensor."""
    dataset = sets[sensor]
    images: dict[int, set[int]] = defaultdict(set)
    for group in groups:
        images[group.scene_id] |= {one.im_id for one in group.images if one.sensor == sensor}
    own = _source_of(source, sensor, first=sensor == sets.names[0])
    if own is None:
        return []
    found = []
    for scene_id, im_ids in sorted(images.items()):
        if im_ids:
            wanted = replace(selection, scenes=(scene_id,), images=tuple(sorted(im_ids)))
            found += [one for one in own.every(dataset, wanted) if is_selected(dataset, wanted, one)]
    for obj_id in {start.obj_id for start in found}:
        dataset.models.path(obj_id)
    return found


def _source_of(source: StartSource, sensor: str, *, first: bool) -> StartSource | None:
    """The source as it is for one sensor; None where it says nothing about that."""
    if source.init == TRUTH:
        return replace(source, perturb_deg=0.0, perturb_mm=0.0)
    if source.init == NOWHERE:
        mask = mask_of_sensor(source.mask, sensor, first=first)
        return None if mask == NO_MASK else replace(source, mask=mask)
    if Path(source.init).suffix.lower() == ".csv":
        path = sensor_file(source.init, sensor, first=first)
        return None if path is None else replace(source, init=str(path))
    return source
