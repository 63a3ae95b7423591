"""A data set in the classic BOP layout, as it is found in the wild: most parts may be missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffdope.bop.models import ModelSet
from diffdope.bop.scene import BopScene
from diffdope.errors import expected
from diffdope.io.files import is_file, is_folder, missing_file
from diffdope.io.json_files import field_of, integer_field, read_json

TARGET_FILES = tuple(f"test_targets_{name}.json" for name in ("bop19", "bop24", "bop25", "multiview_bop25"))
_SCENE_FILE = re.compile(r"scene_(?:camera|gt)(?P<suffix>_.+)?\.json$")


@dataclass(frozen=True)
class Target:
    """So many instances of an object are to be found in an image.

    Attributes:
        scene_id: of the image.
        im_id: of the image.
        obj_id: which model; None for all that are annotated in the image, as the targets of detection tasks have it.
        inst_count: how many; of no meaning without `obj_id`.
    """

    scene_id: int
    im_id: int
    obj_id: int | None
    inst_count: int


class DataSet:
    """One split of a data set; `DataSet.open` finds its parts."""

    def __init__(self, root: Path, split: str, models: ModelSet, scenes: dict[int, BopScene]) -> None:
        self.root, self.split, self.models = root, split, models
        self._scenes = scenes

    @classmethod
    def open(
        cls,
        root: str | Path,
        split: str,
        *,
        models: tuple[str, ...] = ("models", "models_eval"),
        camera_type: str | None = None,
    ) -> DataSet:
        """Looks what there is; images, truth and meshes are read later, when they are needed.

        Args:
            root: DATASET, with models, camera.json and the folder of the split.
            split: folder with the scenes: "val", "test_primesense".
            models: folders of models, best first; for each object the first that has it.
            camera_type: sensor of data sets that have several (`scene_gt_CAMTYPE.json`, `rgb_CAMTYPE`); may be left
                out if there is only one.

        Raises:
            DiffDopeError: if there is no such folder, no scene or no model in it, or no sensor of that name.
        """
        root = Path(root)
        if not is_folder(root):
            raise expected("dataset", "the folder of a BOP data set", f"{root}, which is none")
        folder = root / split
        if not is_folder(folder):
            inside = (path for path in root.iterdir() if path.is_dir())
            splits = sorted(path.name for path in inside if any(one.name.isdigit() for one in path.iterdir()))
            raise expected("split", f"a folder of {root}: {', '.join(splits) or 'it has none'}", split)
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and path.name.isdigit())
        if not folders:
            got, cure = _instead(folder)
            raise expected("split", f"folders of scenes (000001, ...) in {folder}", got, cure)
        suffix = _suffix(folders, camera_type)
        # A sensor's own camera_CAMTYPE.json goes before the data set's camera.json.
        cameras = [root / f"camera{suffix}.json", root / "camera.json"]
        fallback = next((path for path in cameras if path.is_file()), None)
        scenes = {int(path.name): BopScene(path, suffix=suffix, fallback=fallback) for path in folders}
        return cls(root, split, ModelSet(root, models), scenes)

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.root.resolve().name

    @property
    def camera_type(self) -> str:
        """The sensor, where files are named after it; else empty."""
        return next(iter(self._scenes.values())).suffix.removeprefix("_")

    @property
    def scene_ids(self) -> tuple[int, ...]:
        """Ascending."""
        return tuple(sorted(self._scenes))

    def scene(self, scene_id: int) -> BopScene:
        """One scene.

        Raises:
            DiffDopeError: if there is none of that number.
        """
        if scene_id not in self._scenes:
            raise expected("scene", f"one of {', '.join(map(str, self.scene_ids))}", scene_id)
        return self._scenes[scene_id]

    def check_truth(self, scenes: Iterable[int] | None) -> None:
        """Refuses scenes of which none has a truth.

        Args:
            scenes: some; None for all.

        Raises:
            DiffDopeError: naming the file that is missing.
        """
        files = [self.scene(one).truth_file for one in (self.scene_ids if scenes is None else scenes)]
        if files and not any(file.is_file() for file in files):
            cure = "what is published for a test often has none: choose a split with the truth"
            raise expected("split", f"the truth, {files[0].name}, of the chosen scenes", f"no file {files[0]}", cure)

    def targets(self, path: str | Path | None = None) -> tuple[Target, ...] | None:
        """The instances to be found, of a targets file; None where the data set has none.

        Args:
            path: the file; by default the first of `TARGET_FILES` in the data set, which counts only if it speaks of
                this split's scenes.

        Raises:
            DiffDopeError: if the file named does not exist, or an entry is broken.
        """
        if path is not None:
            if not is_file(Path(path)):
                raise missing_file("targets", "a file of targets", path)
            return read_targets(Path(path), self.camera_type)
        for name in TARGET_FILES:
            file = self.root / name
            if file.is_file():
                targets = read_targets(file, self.camera_type)
                return targets if any(target.scene_id in self._scenes for target in targets) else None
        return None


def _instead(folder: Path) -> tuple[str, str]:
    """What a folder without scenes holds, and the cure."""
    names = [path.name for path in folder.iterdir()]
    if any(name.endswith(".tar") or ".camera." in name for name in names):
        cure = f"write it as folders of scenes: diffdope bop unpack {folder} --out {folder}_scenes"
        return "BOP's imagewise format (KEY.rgb.png, KEY.camera.json, ... , or shard-*.tar of them)", cure
    if any(name in ("scene_camera.json", "scene_gt.json", "rgb") for name in names):
        return "a scene itself", "give the folder above it"
    return "none", ""


def read_targets(path: Path, camera_type: str = "") -> tuple[Target, ...]:
    """The targets of a file.

    Entries of detection tasks (BOP24, BOP25) name no object. Those of several views (BOP25) have a list of images, or
    of [sensor, image], in place of one image: each is a target of its own.

    Args:
        path: the file.
        camera_type: sensor whose images count where a file names sensors; empty for all.

    Raises:
        DiffDopeError: if it is no list of targets, or an entry is broken: it is named.
    """
    entries = read_json(path)
    if not isinstance(entries, list):
        raise expected(str(path), "a list of targets", type(entries).__name__)
    targets: dict[Target, None] = {}
    for number, entry in enumerate(entries):
        where = f"{path}, entry {number}"
        scene_id = integer_field(entry, "scene_id", where)
        obj_id = integer_field(entry, "obj_id", where) if entry.get("obj_id") is not None else None
        count = integer_field(entry, "inst_count", where) if "inst_count" in entry else 1
        for im_id in _images_of(entry, camera_type, where):
            targets[Target(scene_id, im_id, obj_id, count)] = None
    return tuple(targets)


def _images_of(entry: dict[str, Any], camera_type: str, where: str) -> list[int]:
    name = "im_ids" if "im_ids" in entry else "im_id"
    views = field_of(entry, name, where)
    if not isinstance(views, list):
        return [integer_field(entry, name, where)]
    found = []
    for view in views:
        sensor, im_id = view if isinstance(view, list) and len(view) == 2 else (camera_type, view)
        if isinstance(im_id, bool) or not isinstance(im_id, int):
            raise expected(f"{where}, {name}", "images, or [sensor, image]", repr(view)[:60])
        if not camera_type or sensor == camera_type:
            found.append(im_id)
    return found


def camera_types(root: Path, split: str) -> tuple[str, ...]:
    """Names of the sensors that a split has files of; an empty one for files without a sensor's name."""
    folders = [path for path in (root / split).glob("*") if path.is_dir() and path.name.isdigit()]
    return tuple(sorted(suffix.removeprefix("_") for suffix in _suffixes(folders)))


def _suffixes(folders: list[Path]) -> set[str]:
    return {match["suffix"] or "" for folder in folders for match in _matches(folder)}


def _suffix(folders: list[Path], camera_type: str | None) -> str:
    found = _suffixes(folders)
    known = sorted(suffix.removeprefix("_") for suffix in found)
    if camera_type is not None:
        wanted = f"_{camera_type}" if camera_type else ""
        if wanted not in found:
            raise expected("camera_type", f"one of {', '.join(known) or 'none: there is no camera file'}", camera_type)
        return wanted
    if "" in found or not found:
        return ""
    if len(found) > 1:
        raise expected(
            "camera_type", f"one of {', '.join(known)}", "none", f"{folders[0]} has images of several sensors"
        )
    return found.pop()


def _matches(folder: Path) -> list[re.Match[str]]:
    matches = [_SCENE_FILE.match(path.name) for path in folder.glob("scene_*.json")]
    # scene_gt_info.json is no sensor called "info", but scene_gt_info_cam1.json has none of its own either.
    return [match for match in matches if match and not (match["suffix"] or "").startswith("_info")]
