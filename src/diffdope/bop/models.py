"""The object models of a data set: where each lies, how large it is, how it may be turned unnoticed."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.symmetry import Symmetries
from diffdope.io.json_files import field_of, read_numbered
from diffdope.scene.mesh import Mesh

_CACHED = 40  # meshes that stay in memory: all of a usual data set, a few hundred MB at most
_MODEL = re.compile(r"obj_(\d+)\.(ply|obj|glb)$", re.IGNORECASE)


class ModelSet:
    """Models by object id, from several folders: for each object the first folder that has it.

    Args:
        root: of the data set.
        folders: names of its model folders, best first; those that do not exist are passed over.
        cached: how many meshes are kept in memory.

    Raises:
        DiffDopeError: if none of the folders holds a model.
    """

    def __init__(self, root: Path, folders: tuple[str, ...] = ("models", "models_eval"), *, cached: int = _CACHED):
        self.folders = tuple(root / name for name in folders if (root / name).is_dir())
        self._paths: dict[int, Path] = {}
        for folder in self.folders:
            for path in sorted(folder.iterdir()):
                match = _MODEL.match(path.name)
                if match:
                    self._paths.setdefault(int(match[1]), path)
        if not self._paths:
            there = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir()))
            where = f"{' or '.join(folders)} of {root}"
            raise expected("models", f"obj_000001.ply and so on in {where}", f"folders {there or 'none'}")
        self._mesh = lru_cache(maxsize=cached)(self._load)

    @property
    def ids(self) -> tuple[int, ...]:
        """Object ids, ascending."""
        return tuple(sorted(self._paths))

    def path(self, obj_id: int) -> Path:
        """The model file of an object.

        Raises:
            DiffDopeError: if no folder has it.
        """
        if obj_id not in self._paths:
            where = ", ".join(str(folder) for folder in self.folders)
            raise expected("obj_id", f"one of {', '.join(map(str, self.ids))} in {where}", obj_id)
        return self._paths[obj_id]

    def mesh(self, obj_id: int) -> Mesh:
        """The mesh, metres; the most recently used ones are kept.

        Raises:
            DiffDopeError: if there is none, or it cannot be read.
        """
        return self._mesh(obj_id)

    def _load(self, obj_id: int) -> Mesh:
        return Mesh.load(self.path(obj_id), unit="mm")

    @cached_property
    def _info(self) -> dict[int, tuple[Path, dict[str, Any]]]:
        """Entries of models_info.json by object; of several folders, the first that has the entry."""
        entries: dict[int, tuple[Path, dict[str, Any]]] = {}
        for folder in self.folders:
            path = folder / "models_info.json"
            if path.is_file():
                for obj_id, entry in read_numbered(path).items():
                    entries.setdefault(obj_id, (path, entry))
        return entries

    def diameter_m(self, obj_id: int) -> float:
        """The largest distance of two points, metres: of models_info.json, else of the mesh."""
        if obj_id not in self._info:
            return self.mesh(obj_id).diameter
        path, entry = self._info[obj_id]
        where = f"{path}, key {obj_id}"
        value = field_of(entry, "diameter", where)
        if not isinstance(value, int | float) or not value > 0:
            raise expected(f"{where}, diameter", "a length in millimetres > 0", repr(value))
        return 1e-3 * float(value)

    def symmetries(self, obj_id: int) -> Symmetries:
        """How models_info.json says that the object can be turned unnoticed; none where it says nothing."""
        if obj_id not in self._info:
            return Symmetries.none()
        path, entry = self._info[obj_id]
        try:
            return Symmetries.from_bop(entry)
        except DiffDopeError as error:
            raise DiffDopeError(f"{path}, key {obj_id}: {error}") from error
