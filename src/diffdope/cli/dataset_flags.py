"""The flags that name a data set in the BOP format, and a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diffdope.bop.dataset import DataSet
from diffdope.bop.starts import Selection
from diffdope.cli.lists import names_of, numbers_of


@dataclass(frozen=True, kw_only=True)
class DataSetFlags:
    """A data set; a command's arguments are a subclass."""

    dataset: Path
    """Folder with models and the split, and camera.json where scenes have no cameras of their own."""
    split: str
    """Folder of the scenes: val, test, test_primesense."""
    models: str = "models_eval,models"
    """Folders of models; for each object the first that has it."""
    camera_type: str | None = None
    """Sensor, where a data set has several (scene_gt_CAMTYPE.json, rgb_CAMTYPE)."""

    def open(self) -> DataSet:
        """The data set, with its models."""
        return DataSet.open(self.dataset, self.split, models=names_of(self.models), camera_type=self.camera_type)


@dataclass(frozen=True, kw_only=True)
class SelectionFlags:
    """A part of a data set; a command's arguments are a subclass."""

    scenes: str | None = None
    """Only these: 1,3,5-8."""
    images: str | None = None
    """Only these: 0-4."""
    objects: str | None = None
    """Only these: 1,2,3."""

    def selection(self, min_visib: float = 0.0) -> Selection:
        """What was selected.

        Args:
            min_visib: least visible share of an object.

        Raises:
            DiffDopeError: if a list of numbers is none.
        """
        scenes, images, objects = (numbers_of(name, getattr(self, name)) for name in ("scenes", "images", "objects"))
        return Selection(scenes, images, objects, min_visib)
