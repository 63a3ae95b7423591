"""Start poses: what is to be refined, from the places where people have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.bop.dataset import DataSet
from diffdope.bop.plausible import check_frame
from diffdope.bop.scene import Instance
from diffdope.errors import DiffDopeError, expected, some_of
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import read_results
from diffdope.io.json_files import integer_field, read_numbered
from diffdope.io.poses import pose_of


@dataclass(frozen=True)
class Start:
    """One start pose of one object in one image, or one that is located without.

    Attributes:
        scene_id: of the image.
        im_id: of the image.
        index: its position among the starts of its image; with scene and image, its identity.
        obj_id: which model.
        pose: rough; None where the object is located by the mask whose number is `index`, or with neither.
        score: of the method that found it; None if it has none.
        gt_id: the instance that it belongs to, where the source says so by its order.
        rank: with neither pose nor mask: which instance of the object, 0 the surest that depth shows in the image.
        asked: how many instances of the object are looked for then.
    """

    scene_id: int
    im_id: int
    index: int
    obj_id: int
    pose: Pose | None
    score: float | None = None
    gt_id: int | None = None
    rank: int | None = None
    asked: int = 0

    @property
    def key(self) -> str:
        """Sortable, and the same whenever the same command is given."""
        return f"{self.group}/{self.index:06d}"

    @property
    def group(self) -> str:
        """Starts of one image share what is read from disk."""
        return f"{self.scene_id:06d}/{self.im_id:06d}"

    def described(self) -> dict[str, Any]:
        """As JSON; millimetres. Without a pose there is none in it."""
        ids = {
            "scene_id": self.scene_id, "im_id": self.im_id, "start": self.index, "obj_id": self.obj_id,
            "initial_score": self.score,
        }  # fmt: skip
        ids |= {} if self.rank is None else {"rank": self.rank, "asked": self.asked}
        return ids if self.pose is None else ids | described_pose(self.pose)


def described_pose(pose: Pose) -> dict[str, Any]:
    """A start pose as records have it; millimetres."""
    R, t = pose.to_bop()
    return {"initial_cam_R_m2c": R, "initial_cam_t_m2c": t}


@dataclass(frozen=True)
class Selection:
    """Which of the starts are refined; None means all."""

    scenes: tuple[int, ...] | None = None
    images: tuple[int, ...] | None = None
    objects: tuple[int, ...] | None = None
    min_visib: float = 0.0
    """Least visible share of the silhouette (scene_gt_info.json); an object whose share is unknown stays."""

    def __post_init__(self) -> None:
        """Refuses a share that is none."""
        if not 0.0 <= self.min_visib <= 1.0:
            raise expected("min_visib", "a share between 0 and 1", self.min_visib)

    def has_image(self, scene_id: int, im_id: int) -> bool:
        """Whether an image is wanted."""
        return (self.scenes is None or scene_id in self.scenes) and (self.images is None or im_id in self.images)


def starts_of_truth(
    dataset: DataSet, selection: Selection, *, angle_rad: float = 0.0, distance_m: float = 0.0, seed: int = 0
) -> list[Start]:
    """The truth of every instance, turned by an exact angle about a random axis and moved by an exact length.

    Each instance has its own generator, seeded by `seed`, scene, image and instance: a selection changes no pose.

    Args:
        dataset: with scene_gt.json.
        selection: which scenes and images.
        angle_rad: angle of the turn.
        distance_m: length of the move, metres.
        seed: of axes and directions.

    Raises:
        DiffDopeError: if none of the scenes has a scene_gt.json.
    """
    starts = []
    for scene_id, im_id in selected_images(dataset, selection):
        for truth in dataset.scene(scene_id).truth(im_id):
            pose = truth.pose
            if angle_rad or distance_m:
                rng = np.random.default_rng([seed, scene_id, im_id, truth.gt_id])
                pose = perturb(pose, angle_rad=angle_rad, distance_m=distance_m, rng=rng)
            starts.append(Start(scene_id, im_id, truth.gt_id, truth.obj_id, pose, None, truth.gt_id))
    if not starts:
        dataset.check_truth(selection.scenes)
    return starts


def starts_of_json(dataset: DataSet, selection: Selection, path_of: Callable[[int], Path]) -> list[Start]:
    """The paper's published start poses: {image: [{cam_R_m2c, cam_t_m2c (mm), obj_id}, ...]}, ordered as scene_gt.

    Where the order does not fit the truth (other length or other objects), no instance is claimed, and the starts are
    matched by overlap when they are refined.

    Args:
        dataset: to compare with.
        selection: which scenes and images.
        path_of: gives the file of a scene.

    Raises:
        DiffDopeError: if a file or a key of it is missing or broken.
    """
    starts = []
    for scene_id in selection.scenes if selection.scenes is not None else dataset.scene_ids:
        scene, path = dataset.scene(scene_id), path_of(scene_id)
        entries = read_numbered(path)
        for im_id in sorted(entries):
            if not selection.has_image(scene_id, im_id):
                continue
            where = f"{path}, key {im_id}"
            if not isinstance(entries[im_id], list):
                raise expected(where, "a list of poses", type(entries[im_id]).__name__)
            found = [
                Start(scene_id, im_id, k, integer_field(entry, "obj_id", f"{where}, pose {k}"), pose_of(entry, where))
                for k, entry in enumerate(entries[im_id])
            ]
            starts += _aligned(found, scene.truth(im_id))
    return starts


def starts_of_results(dataset: DataSet, selection: Selection, path: Path) -> list[Start]:
    """All estimates of a results CSV, with their scores; several of one object stay several.

    Raises:
        DiffDopeError: if the file is broken, or speaks of scenes that the data set has not.
    """
    starts: list[Start] = []
    count: dict[tuple[int, int], int] = {}
    estimates = read_results(path)
    for estimate in estimates:
        image = (estimate.scene_id, estimate.im_id)
        index = count[image] = count.get(image, -1) + 1  # counted before selecting: a selection changes no key
        if selection.has_image(*image):
            dataset.scene(estimate.scene_id)
            starts.append(Start(*image, index, estimate.obj_id, estimate.pose, estimate.score))
    check_frame(estimates, path, name="init")
    return starts


def select(dataset: DataSet, selection: Selection, starts: Iterable[Start]) -> list[Start]:
    """The starts of the wanted objects that are visible enough, in the order of their keys.

    A start without an instance is dropped for lack of visibility only if every instance of its object is hidden.

    Raises:
        DiffDopeError: if nothing is left, or a model is missing.
    """
    starts = list(starts)
    kept = [start for start in starts if is_selected(dataset, selection, start)]
    if not kept:
        raise _nothing_left(dataset, selection, starts)
    for obj_id in {start.obj_id for start in kept}:
        dataset.models.path(obj_id)
    return sorted(kept, key=lambda start: start.key)


def _nothing_left(dataset: DataSet, selection: Selection, starts: Sequence[Start]) -> DiffDopeError:
    """The error of a selection that leaves nothing: it names the choice that does, and what there is to choose."""
    scenes = selection.scenes if selection.scenes is not None else dataset.scene_ids
    images = sorted({im_id for scene_id in scenes for im_id in dataset.scene(scene_id).image_ids})
    if selection.images is not None and not set(images) & set(selection.images):
        return expected("images", f"some of {some_of(images)}", some_of(selection.images), "see --scenes, too")
    objects = sorted({start.obj_id for start in starts})
    if not objects:
        return expected("init", "start poses in the chosen scenes and images", "none", "see --scenes, --images")
    if selection.objects is not None and not set(objects) & set(selection.objects):
        cure = "of those that have a start pose in the chosen images"
        return expected("objects", f"some of {some_of(objects, most=30)}", some_of(selection.objects), cure)
    got = f"{len(starts)} start poses, of which none is visible enough"
    return expected("selection", "at least one object", got, "see --objects, --min-visib")


def is_selected(dataset: DataSet, selection: Selection, start: Start) -> bool:
    """Whether a start is of a wanted object that is visible enough."""
    if selection.objects is not None and start.obj_id not in selection.objects:
        return False
    return selection.min_visib <= 0.0 or _visible(dataset, start) >= selection.min_visib


def level_path(folder: Path, level: str, scene_id: int) -> Path:
    """The published file of a scene: FOLDER/SCENE/scene_error_deg_LEVEL.json.

    Raises:
        DiffDopeError: if it does not exist; the levels that do are listed.
    """
    path = folder / f"{scene_id:06d}" / f"scene_error_deg_{level}.json"
    if not path.is_file():
        stems = sorted(p.stem.removeprefix("scene_error_deg_") for p in path.parent.glob("scene_error_deg_*.json"))
        raise expected("level", f"one of {', '.join(stems) or 'none'} in {path.parent}", repr(level))
    return path


def selected_images(dataset: DataSet, selection: Selection) -> Iterator[tuple[int, int]]:
    """Scene and image, in order, of all that are wanted."""
    for scene_id in selection.scenes if selection.scenes is not None else dataset.scene_ids:
        for im_id in dataset.scene(scene_id).image_ids:
            if selection.has_image(scene_id, im_id):
                yield scene_id, im_id


def _aligned(starts: list[Start], truth: tuple[Instance, ...]) -> list[Start]:
    fits = len(starts) == len(truth) and all(s.obj_id == t.obj_id for s, t in zip(starts, truth, strict=True))
    return [replace(start, gt_id=start.index) for start in starts] if fits else starts


def _visible(dataset: DataSet, start: Start) -> float:
    truth = dataset.scene(start.scene_id).truth(start.im_id)
    shares = [t.visib_fract for t in truth if t.obj_id == start.obj_id and start.gt_id in (None, t.gt_id)]
    known = [share for share in shares if share is not None]
    return max(known) if known and len(known) == len(shares) else 1.0
