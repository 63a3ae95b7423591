"""A data set in the BOP format, as a viewer shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diffdope.bop.dataset import DataSet
from diffdope.bop.evaluation import read_known
from diffdope.bop.scene import BopScene
from diffdope.errors import DiffDopeError, expected
from diffdope.io.bop_results import Estimate
from diffdope.scene.observation import Observation
from diffdope.viewer.content import Content
from diffdope.viewer.several_content import Named, images_content


@dataclass(frozen=True)
class Shown:
    """One scene of a data set, and the estimates of its images.

    Attributes:
        dataset: with its models.
        scene: of it.
        estimates: by image.
    """

    dataset: DataSet
    scene: BopScene
    estimates: dict[int, list[Estimate]]

    def view(self, im_id: int) -> Observation | None:
        """The images; None where there are none."""
        rgb, depth = self.scene.rgb(im_id), self.scene.depth(im_id)
        return None if rgb is None and depth is None else Observation(self.scene.camera(im_id), rgb=rgb, depth=depth)

    def truth(self, im_id: int) -> Sequence[Named]:
        """What is annotated."""
        return [
            Named(f"object {one.obj_id}", self.dataset.models.mesh(one.obj_id), one.pose)
            for one in self.scene.truth(im_id)
        ]

    def found(self, im_id: int) -> Sequence[Named]:
        """What was estimated, best score first."""
        ordered = sorted(self.estimates.get(im_id, ()), key=lambda one: -one.score)
        return [Named(f"object {e.obj_id}", self.dataset.models.mesh(e.obj_id), e.pose, e.score) for e in ordered]


def bop_content(dataset: DataSet, results: Path | None, scene_id: int | None, im_id: int | None) -> Content:
    """The images of a scene, with the truth beside estimates.

    Args:
        dataset: one split.
        results: BOP results CSV; None for the truth alone.
        scene_id: which scene; None for the first that has estimates, or the first.
        im_id: image to begin with; None for the first that has estimates, or the first.

    Raises:
        DiffDopeError: if there is no such scene or image, or the CSV cannot be read or names what is not there.
    """
    known = [] if results is None else read_known(results, dataset)
    estimates: defaultdict[int, defaultdict[int, list[Estimate]]] = defaultdict(lambda: defaultdict(list))
    for one in known:
        estimates[one.scene_id][one.im_id].append(one)
    chosen = scene_id if scene_id is not None else min(estimates, default=dataset.scene_ids[0])
    shown = Shown(dataset, dataset.scene(chosen), dict(estimates[chosen]))
    ids = shown.scene.image_ids
    if not ids:
        raise DiffDopeError(f"scene {chosen}: expected images in {shown.scene.folder}, got none")
    first = im_id if im_id is not None else next((one for one in ids if one in shown.estimates), ids[0])
    if first not in ids:
        raise expected("image", f"one of scene {chosen}: {ids[0]} to {ids[-1]}", first)
    missing = () if results is not None else ("no estimates: --results FILE.csv shows them beside the truth",)
    return images_content(
        [f"scene {chosen}, image {one}" for one in ids], lambda k: shown.view(ids[k]),
        lambda k: shown.truth(ids[k]), lambda k: shown.found(ids[k]),
        title=f"{dataset.name} {dataset.split}", first=ids.index(first), missing=missing,
    )  # fmt: skip
