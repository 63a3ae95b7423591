"""Where the cases of a study come from: the packaged example, a BOP data set, or painted primitives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from diffdope.bop.starts import Selection, select, starts_of_truth
from diffdope.errors import check_choice, expected
from diffdope.experiments.shapes import primitives
from diffdope.experiments.synthetic import SensorNoise, picture, random_pose
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example

if TYPE_CHECKING:
    from diffdope.bop.dataset import DataSet

Category = Literal["textured", "texture-less", "symmetric"]
PACKAGED, STRIPPED, CYLINDER = "packaged", "packaged without texture", "cylinder"


@dataclass(frozen=True)
class Source:
    """Pictures and objects.

    Attributes:
        dataset: folder of a BOP data set; None for the packaged example.
        split: its folder of scenes.
        models: folders of models, best first.
        scenes: only these; none for all.
        images: only these; none for all.
        objects: only these; none for all.
        min_visib: least visible share of an object; one whose share is unknown stays.
        mask: mask folder of the scenes.
        depth: whether depth images are used, those of synthetic pictures included.
        max_cases: at most so many objects, evenly spread over what was selected.
    """

    dataset: Path | None = None
    split: str | None = None
    models: tuple[str, ...] = ("models", "models_eval")
    scenes: tuple[int, ...] = ()
    images: tuple[int, ...] = ()
    objects: tuple[int, ...] = ()
    min_visib: float = 0.1
    mask: str = "mask_visib"
    depth: bool = True
    max_cases: int = 12

    @property
    def selection(self) -> Selection:
        """Which of the data set's objects, in the words of `bop refine`."""
        return Selection(self.scenes or None, self.images or None, self.objects or None, self.min_visib)

    def described(self) -> dict[str, Any]:
        """As JSON, for the journal's header."""
        if self.dataset is None:
            return {"example": "packaged", "depth": self.depth}
        return {**asdict(self), "dataset": self.dataset.resolve().name}

    def seen(self, observation: Observation) -> Observation:
        """An observation without its depth, if depth is off."""
        if self.depth or observation.depth is None:
            return observation
        return Observation(observation.camera, rgb=observation.rgb, mask=observation.mask)


@dataclass(frozen=True, eq=False)
class Case:
    """One object in one picture with its true pose."""

    key: str
    object_name: str
    category: Category
    mesh: Mesh
    observation: Observation
    truth: Pose
    symmetries: Symmetries


def case_keys(source: Source) -> list[str]:
    """Names of all cases, in a stable order; SCENE/IMAGE/INSTANCE for data sets.

    Raises:
        DiffDopeError: if the data set is broken, or nothing of it was selected.
    """
    if source.dataset is None:
        return [PACKAGED]
    if source.max_cases < 1:
        raise expected("max-cases", "at least 1", source.max_cases)
    dataset, selection = open_dataset(source), source.selection
    keys = [start.key for start in select(dataset, selection, starts_of_truth(dataset, selection))]
    chosen = np.unique(np.linspace(0, len(keys) - 1, min(source.max_cases, len(keys))).round().astype(int))
    return [keys[k] for k in chosen]


def open_dataset(source: Source) -> DataSet:
    """The data set that the source names.

    Raises:
        DiffDopeError: if it or the split is missing.
    """
    from diffdope.bop.dataset import DataSet

    assert source.dataset is not None
    if source.split is None:
        raise expected("split", "the data set's folder of scenes", "none", "give --split val, for example")
    return DataSet.open(source.dataset, source.split, models=source.models)


def group_of(key: str) -> str:
    """Cases of one group share a picture."""
    return key.rsplit("/", 1)[0]


class CaseLoader:
    """Loads cases by key and keeps the latest ones."""

    def __init__(self, source: Source, *, kept: int = 8) -> None:
        self._source = source
        self._case = lru_cache(maxsize=kept)(self._load)
        self._dataset = None if source.dataset is None else open_dataset(source)

    def __call__(self, key: str) -> Case:
        """The case of that key.

        Raises:
            DiffDopeError: if something of it is missing or broken.
        """
        return self._case(key)

    def _load(self, key: str) -> Case:
        if self._dataset is not None:
            case = case_of(self._dataset, key, self._source.mask)
        else:
            check_choice("case", key, tuple(BUILT_IN))
            case = BUILT_IN[key]()
        return replace(case, observation=self._source.seen(case.observation))


def case_of(dataset: DataSet, key: str, mask_folder: str) -> Case:
    """One annotated object of a data set.

    Raises:
        DiffDopeError: if a file is missing or broken.
    """
    scene_id, im_id, gt_id = (int(part) for part in key.split("/"))
    scene = dataset.scene(scene_id)
    truth, mask = scene.truth(im_id)[gt_id], scene.mask(im_id, gt_id, mask_folder)
    if mask is None:
        raise expected(str(scene.folder), f"{mask_folder}/{im_id:06d}_{gt_id:06d}", "no such file", "see --mask")
    rgb, depth = scene.rgb(im_id), scene.depth(im_id)
    observation = Observation(scene.camera(im_id), rgb=rgb, depth=depth, mask=mask)
    mesh, symmetries = dataset.models.mesh(truth.obj_id), dataset.models.symmetries(truth.obj_id)
    if rgb is not None and rgb.ndim == 2:
        mesh = mesh.in_grey()
    return Case(key, f"object {truth.obj_id}", category_of(mesh, symmetries), mesh, observation, truth.pose, symmetries)


def category_of(mesh: Mesh, symmetries: Symmetries) -> Category:
    """Symmetric wins over texture: of a symmetric object not even the texture tells two poses apart."""
    if symmetries.symmetric:
        return "symmetric"
    return "textured" if mesh.has_color else "texture-less"


@lru_cache(maxsize=1)
def packaged() -> Case:
    """A carton in a path-traced scene."""
    mesh, observation, _, truth = packaged_example()
    return Case(PACKAGED, "carton", "textured", mesh, observation, truth, Symmetries.none())


def packaged_without_texture() -> Case:
    """The same picture, but the mesh has no colours."""
    case = packaged()
    mesh = replace(case.mesh, texture=None, uv=None)
    return replace(case, key=STRIPPED, object_name="carton without texture", category="texture-less", mesh=mesh)


def cylinder() -> Case:
    """A banded cylinder in a synthetic picture; turned about its axis or upside down it looks the same."""
    shape, rng = primitives()["cylinder"], np.random.default_rng(4)
    truth = random_pose(rng)
    observation = picture([(shape.mesh, truth)], rng, noise=SensorNoise())
    return Case(CYLINDER, "cylinder", "symmetric", shape.mesh, observation, truth, shape.symmetries)


BUILT_IN: dict[str, Callable[[], Case]] = {
    PACKAGED: packaged,
    STRIPPED: packaged_without_texture,
    CYLINDER: cylinder,
}
