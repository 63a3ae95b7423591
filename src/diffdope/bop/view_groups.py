"""Images that show one scene at one moment, from several sensors or places: the targets of several views of BOP25."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from diffdope.bop.dataset import DataSet, camera_types
from diffdope.bop.starts import Selection
from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.json_files import field_of, integer_field, read_json

ONLY_SENSOR = "default"
"""What targets files call the sensor of a data set that has no others."""


class SensorImage(NamedTuple):
    """An image, and the sensor that took it."""

    sensor: str
    im_id: int

    @property
    def name(self) -> str:
        """For messages."""
        return f"image {self.im_id}" if self.sensor == ONLY_SENSOR else f"{self.sensor}, image {self.im_id}"


@dataclass(frozen=True)
class ViewGroup:
    """The images of one target.

    Attributes:
        number: of the group in its file, from 0.
        scene_id: of all of them.
        images: each once.
        objects: what is to be found; None for whatever there is.
    """

    number: int
    scene_id: int
    images: tuple[SensorImage, ...]
    objects: frozenset[int] | None = None

    @property
    def key(self) -> str:
        """Sortable, and the same whenever the same command is given."""
        return f"{self.scene_id:06d}/{self.number:06d}"


def read_view_groups(path: Path) -> tuple[ViewGroup, ...]:
    """The groups of a file: {"scene_id": 1, "im_id": [["cam1", 0], ["cam2", 0]]}, or images alone: [0, 3, 8].

    Entries of the same images, each with an object, are one group. An image that is named twice counts once.

    Raises:
        DiffDopeError: if it is no list of targets, or an entry is broken: it is named.
    """
    entries = read_json(path, "multiview")
    if not isinstance(entries, list) or not entries:
        got = "none" if isinstance(entries, list) else type(entries).__name__
        raise expected(f"multiview, {path}", "a list of targets, each with several images", got)
    objects: dict[tuple[int, tuple[SensorImage, ...]], set[int] | None] = {}
    for number, entry in enumerate(entries):
        where = f"{path}, entry {number}"
        scene_id, images = integer_field(entry, "scene_id", where), _images_of(entry, where)
        obj_id = None if entry.get("obj_id") is None else integer_field(entry, "obj_id", where)
        known = objects.setdefault((scene_id, images), set())
        if obj_id is None:
            objects[scene_id, images] = None
        elif known is not None:
            known.add(obj_id)
    return tuple(
        ViewGroup(number, scene_id, images, None if wanted is None else frozenset(wanted))
        for number, ((scene_id, images), wanted) in enumerate(objects.items())
    )


def _images_of(entry: Any, where: str) -> tuple[SensorImage, ...]:
    name = "im_ids" if isinstance(entry, dict) and "im_ids" in entry else "im_id"
    images = field_of(entry, name, where)
    wanted = 'images such as [["cam1", 0], ["cam2", 0]], or [0, 3, 8] of one sensor'
    if not isinstance(images, list) or not images:
        cure = "this file is of single images: leave --multiview out" if isinstance(images, int) else ""
        raise expected(f"{where}, {name}", wanted, repr(images)[:60], cure)
    found: dict[SensorImage, None] = {}
    for image in images:
        sensor, im_id = image if isinstance(image, list) and len(image) == 2 else (ONLY_SENSOR, image)
        if isinstance(im_id, bool) or not isinstance(im_id, int) or not isinstance(sensor, str):
            raise expected(f"{where}, {name}", wanted, repr(image)[:60])
        found[SensorImage(sensor, im_id)] = None
    return tuple(found)


class SensorSets:
    """A data set by sensor, the first one first.

    Args:
        sets: by name of the sensor.
    """

    def __init__(self, sets: Mapping[str, DataSet]) -> None:
        self._sets = dict(sets)

    @classmethod
    def open(cls, root: Path, split: str, sensors: Iterable[str], *, models: tuple[str, ...]) -> SensorSets:
        """Looks what there is.

        Args:
            root: the data set.
            split: folder with the scenes.
            sensors: as a targets file names them. A single one may be the only one that files have no name for.
            models: folders of models, best first.

        Raises:
            DiffDopeError: for what `DataSet.open` refuses, or a sensor that the split has not.
        """
        names = tuple(dict.fromkeys(sensors))
        there = camera_types(root, split)
        alone = len(names) == 1 and len(there) <= 1
        sets = {}
        for name in names:
            unnamed = name == ONLY_SENSOR or (alone and name not in there)
            sets[name] = DataSet.open(root, split, models=models, camera_type=None if unnamed else name)
        return cls(sets)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the sensors."""
        return tuple(self._sets)

    @property
    def first(self) -> DataSet:
        """That of the first sensor."""
        return next(iter(self._sets.values()))

    def __getitem__(self, sensor: str) -> DataSet:
        return self._sets[sensor]

    def places(self, group: ViewGroup) -> tuple[Pose, ...]:
        """T_w2c of each image of a group; a single one is the world.

        Raises:
            DiffDopeError: if a camera file does not say where a camera stands.
        """
        if len(group.images) == 1:
            return (Pose.identity(),)
        return tuple(self._sets[one.sensor].scene(group.scene_id).place(one.im_id) for one in group.images)


def selected_groups(groups: Sequence[ViewGroup], selection: Selection) -> tuple[ViewGroup, ...]:
    """Those of the wanted scenes.

    Raises:
        DiffDopeError: if images are selected, which the groups do, or nothing is left.
    """
    if selection.images is not None:
        cure = "leave --images out: the targets file says which images are seen together; or leave --multiview out"
        raise expected("images", "none beside --multiview", ",".join(map(str, selection.images)), cure)
    kept = tuple(one for one in groups if selection.scenes is None or one.scene_id in selection.scenes)
    if not kept:
        known = ", ".join(map(str, sorted({one.scene_id for one in groups})))
        raise expected("scenes", f"some of the targets file: {known}", ",".join(map(str, selection.scenes or ())))
    return kept
