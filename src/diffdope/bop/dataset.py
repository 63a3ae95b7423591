"""A data set in the classic BOP layout, as it is found in the wild: most parts may be missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from diffdope.bop.models import ModelSet
from diffdope.bop.scene import BopScene
from diffdope.errors import expected
from diffdope.io.json_files import integer_field, read_json

_SCENE_FILE = re.compile(r"scene_(?:camera|gt)(?P<suffix>_.+)?\.json$")


@dataclass(frozen=True)
class Target:
    """So many instances of an object are to be found in an image."""

    scene_id: int
    im_id: int
    obj_id: int
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
        if not root.is_dir():
            raise expected("dataset", "the folder of a BOP data set", f"{root}, which is none")
        folder = root / split
        if not folder.is_dir():
            splits = sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("models"))
            raise expected("split", f"a folder of {root}: {', '.join(splits) or 'it has none'}", split)
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and path.name.isdigit())
        if not folders:
            raise expected("split", f"folders of scenes (000001, ...) in {folder}", "none")
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

    def targets(self, path: str | Path | None = None) -> tuple[Target, ...] | None:
        """The instances to be found, of a targets file; None where the data set has none.

        Args:
            path: the file; by default test_targets_bop19.json, then test_targets_bop24.json of the data set, which
                count only if they speak of this split's scenes.

        Raises:
            DiffDopeError: if the file named does not exist, or an entry is broken.
        """
        if path is not None:
            return _read_targets(Path(path))
        for year in ("19", "24"):
            file = self.root / f"test_targets_bop{year}.json"
            if file.is_file():
                targets = _read_targets(file)
                return targets if any(target.scene_id in self._scenes for target in targets) else None
        return None


def _read_targets(path: Path) -> tuple[Target, ...]:
    entries = read_json(path)
    if not isinstance(entries, list):
        raise expected(str(path), "a list of targets", type(entries).__name__)
    targets = []
    for number, entry in enumerate(entries):
        where = f"{path}, entry {number}"
        scene_id, im_id = integer_field(entry, "scene_id", where), integer_field(entry, "im_id", where)
        # Targets of detection tasks (BOP24) name images only: nothing to count there.
        if "obj_id" in entry:
            count = integer_field(entry, "inst_count", where) if "inst_count" in entry else 1
            targets.append(Target(scene_id, im_id, integer_field(entry, "obj_id", where), count))
    return tuple(targets)


def _suffix(folders: list[Path], camera_type: str | None) -> str:
    found = {match["suffix"] or "" for folder in folders for match in _matches(folder)}
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
