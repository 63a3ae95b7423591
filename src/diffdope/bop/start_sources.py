"""Where the start poses of a run come from: the truth, the paper's files, another method's results, or nowhere."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from diffdope.bop.dataset import DataSet
from diffdope.bop.masks import NO_MASK, mask_source
from diffdope.bop.starts import (
    Selection,
    Start,
    level_path,
    select,
    starts_of_json,
    starts_of_results,
    starts_of_truth,
)
from diffdope.bop.starts_without_poses import starts_of_masks, starts_of_targets
from diffdope.errors import expected

TRUTH = "gt"
NOWHERE = "none"
_ALONE = "use --init none"


@dataclass(frozen=True)
class StartSource:
    """Start poses by name.

    Attributes:
        init: "gt" for the truth, "none" for no start poses (all masks are located; without masks, as many as targets
            ask for are looked for in depth), or a file or folder, seen from here or from the data set: a folder with
            SCENE/scene_error_deg_LEVEL.json, one such file, or BOP results CSV.
        level: which files of the folder, such as 010_trans_004.
        perturb_deg: of the truth: turn every pose by this angle about a random axis.
        perturb_mm: of the truth: move every pose by this length in a random direction.
        seed: of axes and directions.
        mask: of the run; says what is located without start poses.
    """

    init: str
    level: str | None = None
    perturb_deg: float = 0.0
    perturb_mm: float = 0.0
    seed: int = 0
    mask: str = "mask_visib"

    def __post_init__(self) -> None:
        """Refuses what makes sense only with start poses, if there are none."""
        if self.init != NOWHERE:
            return
        if self.level is not None:
            raise expected("level", "only with start poses from a folder", self.level, f"{_ALONE} without --level")
        if self.perturb_deg or self.perturb_mm:
            got = f"{self.perturb_deg:g} deg, {self.perturb_mm:g} mm"
            cure = f"{_ALONE} without --perturb-deg and --perturb-mm"
            raise expected("perturb", "only with --init gt", got, cure)

    @property
    def described(self) -> str:
        """Where they come from, in a few words."""
        if self.init == NOWHERE:
            return "none: found in depth" if self.mask == NO_MASK else "none: located by masks"
        if self.init == TRUTH:
            return f"gt, turned by {self.perturb_deg:g} deg, moved by {self.perturb_mm:g} mm"
        return Path(self.init).name + (f" {self.level}" if self.level else "")

    def starts(self, dataset: DataSet, selection: Selection) -> list[Start]:
        """Those that are selected, in the order of their keys.

        Raises:
            DiffDopeError: if there is no such file or folder, it is broken, or nothing of it is selected.
        """
        return select(dataset, selection, self.every(dataset, selection))

    def every(self, dataset: DataSet, selection: Selection) -> list[Start]:
        """Those of the selected images, whatever object they are of and however hidden it is.

        Raises:
            DiffDopeError: if there is no such file or folder, or it is broken.
        """
        if self.level is not None and (self.init == TRUTH or not self._path(dataset.root).is_dir()):
            raise expected("level", f"a folder of start poses as init, not {self.init}", self.level, "leave it out")
        if self.init == TRUTH:
            angle_rad, distance_m = self.perturb_deg * math.pi / 180.0, 1e-3 * self.perturb_mm
            return starts_of_truth(dataset, selection, angle_rad=angle_rad, distance_m=distance_m, seed=self.seed)
        if self.init == NOWHERE:
            masks = mask_source(dataset, self.mask)
            return (
                starts_of_targets(dataset, selection) if masks is None else starts_of_masks(dataset, selection, masks)
            )
        if self.perturb_deg or self.perturb_mm:
            raise expected("perturb", "only with --init gt", f"it with --init {self.init}")
        path = self._path(dataset.root)
        if path.is_dir():
            level = self.level
            if level is None:
                raise expected("level", "which start poses of the folder, such as 010_trans_004", "none")
            return starts_of_json(dataset, selection, lambda scene_id: level_path(path, level, scene_id))
        if path.suffix.lower() == ".csv":
            return starts_of_results(dataset, selection, path)
        return starts_of_json(dataset, _one_scene(path, dataset, selection), lambda _: path)

    def _path(self, root: Path) -> Path:
        for path in (Path(self.init), root / self.init):
            if path.exists():
                return path
        where = f"{self.init} (looked for here and in {root})"
        raise expected("init", "gt, none, or a file or folder that exists", where)


def _one_scene(path: Path, dataset: DataSet, selection: Selection) -> Selection:
    """A single JSON file speaks of one scene: the one selected, or of its folder's name, or the only one."""
    scenes = selection.scenes or dataset.scene_ids
    if len(scenes) > 1 and path.parent.name.isdigit() and int(path.parent.name) in scenes:
        scenes = (int(path.parent.name),)
    if len(scenes) != 1:
        cure = f"choose one of {', '.join(map(str, scenes))} by --scenes"
        raise expected("scenes", f"one, because {path} holds the start poses of one", len(scenes), cure)
    return replace(selection, scenes=scenes)
