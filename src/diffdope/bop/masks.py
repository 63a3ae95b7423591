"""Where the masks of a run come from, and which of them a start pose belongs to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.dataset import DataSet
from diffdope.bop.detections import read_detections

Bool = NDArray[np.bool_]
NO_MASK = "none"
NEARLY = 0.7  # a second overlap of this share of the best one makes the choice ambiguous


@dataclass(frozen=True)
class Candidate:
    """A mask that a start pose may belong to: `number` is gt_id in a mask folder, else that of the detection."""

    number: int
    mask: Bool


class MaskSource(ABC):
    """Gives the masks of an object in an image."""

    indexed_by_truth = False
    """Whether masks are numbered as the instances of scene_gt."""

    @abstractmethod
    def candidates(self, scene_id: int, im_id: int, obj_id: int) -> tuple[Candidate, ...]:
        """All masks of that object in that image."""

    @abstractmethod
    def objects(self, scene_id: int, im_id: int) -> tuple[int, ...]:
        """The object ids of an image's masks, in the order of their numbers, which begin at 0."""


class MaskFolder(MaskSource):
    """Files FOLDER/IMAGE_INSTANCE.png, numbered as scene_gt."""

    indexed_by_truth = True

    def __init__(self, dataset: DataSet, folder: str) -> None:
        self._dataset, self._folder = dataset, folder

    def candidates(self, scene_id: int, im_id: int, obj_id: int) -> tuple[Candidate, ...]:
        """Those of the instances of the object that have a file."""
        scene = self._dataset.scene(scene_id)
        ids = [instance.gt_id for instance in scene.truth(im_id) if instance.obj_id == obj_id]
        masks = [(gt_id, scene.mask(im_id, gt_id, self._folder)) for gt_id in ids]
        return tuple(Candidate(gt_id, mask) for gt_id, mask in masks if mask is not None)

    def objects(self, scene_id: int, im_id: int) -> tuple[int, ...]:
        """Those of the instances, with a file or without."""
        return tuple(instance.obj_id for instance in self._dataset.scene(scene_id).truth(im_id))


class DetectedMasks(MaskSource):
    """A detector's JSON file, or a folder of them."""

    def __init__(self, dataset: DataSet, path: Path) -> None:
        self._dataset, self._detections = dataset, read_detections(path)

    def candidates(self, scene_id: int, im_id: int, obj_id: int) -> tuple[Candidate, ...]:
        """Detections of that category."""

        def size() -> tuple[int, int]:
            camera = self._dataset.scene(scene_id).camera(im_id)
            return camera.height, camera.width

        found = self._detections.get((scene_id, im_id), ())
        return tuple(Candidate(d.number, d.mask(size)) for d in found if d.obj_id == obj_id)

    def objects(self, scene_id: int, im_id: int) -> tuple[int, ...]:
        """Their categories."""
        return tuple(d.obj_id for d in self._detections.get((scene_id, im_id), ()))


@dataclass(frozen=True)
class Choice:
    """What a start pose was matched with.

    Attributes:
        number: of the candidate; None if none overlaps.
        how: "index" (the source of the start says so), "overlap" (largest intersection over union with the start's
            silhouette), "ambiguous" (so too, but a second one is nearly as good) or "none".
        overlap: intersection over union of the best; None if it was not needed.
    """

    number: int | None
    how: str
    overlap: float | None = None

    def described(self) -> dict[str, Any]:
        """As JSON."""
        return {"number": self.number, "by": self.how, "overlap": self.overlap}


NOTHING = Choice(None, "none")


def choose(silhouette: Bool, candidates: tuple[Candidate, ...]) -> Choice:
    """The candidate whose mask overlaps the start's silhouette (H, W) most."""
    if not candidates:
        return NOTHING
    overlaps = np.array([overlap(silhouette, candidate.mask) for candidate in candidates])
    best = int(overlaps.argmax())
    if overlaps[best] <= 0.0:
        return NOTHING
    others = np.delete(overlaps, best)
    ambiguous = len(others) > 0 and others.max() >= NEARLY * overlaps[best]
    return Choice(candidates[best].number, "ambiguous" if ambiguous else "overlap", float(overlaps[best]))


def overlap(a: Bool, b: Bool) -> float:
    """Intersection over union of two masks; 0 for sizes that differ."""
    if a.shape != b.shape:
        return 0.0
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 0.0


def mask_origin(name: str) -> str:
    """Where masks come from, as every report says it: the truth, a detector, or nowhere.

    Args:
        name: the command line's word, or the last part of it, as records have it.
    """
    if name == NO_MASK:
        return "none"
    if Path(name).suffix.lower() == ".json" or Path(name).is_dir():
        return f"detections ({Path(name).name})"
    folder = Path(name).name
    spoilt = "" if folder in ("mask", "mask_visib") else ", perhaps spoilt"
    return f"ground truth ({folder}, numbered as scene_gt.json{spoilt})"


def mask_source(dataset: DataSet, name: str) -> MaskSource | None:
    """The source of a command line's word: "none", a file or folder of detections, else a mask folder of the scenes.

    Raises:
        DiffDopeError: if it is a file of detections that is broken.
    """
    if name == NO_MASK:
        return None
    path = Path(name)
    if path.suffix.lower() == ".json" or (path.is_dir() and any(path.glob("*.json"))):
        return DetectedMasks(dataset, path)
    return MaskFolder(dataset, name)
