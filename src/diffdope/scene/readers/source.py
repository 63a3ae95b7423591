"""What a reader is given, and what it gives: files beside the mesh file, pictures, pieces, notes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import refused
from diffdope.io.images import as_rgb_texture
from diffdope.scene.mesh_checks import stray_note

U8 = NDArray[np.uint8]


@dataclass
class MeshSource:
    """A mesh file that is being read.

    A texture that cannot be had is no error yet, since the caller may go without colours: `texture` returns None,
    and `problem` says what is wrong.

    Attributes:
        path: the mesh file.
        missing: names of files that it names but that are not there.
        broken: names of files that are no images.
        unread: what else keeps textures from being read, each as 'what it is; the cure'.
        notes: what was repaired, changed or left out.
        unit_m: metres per unit of length, if the file states its unit.
        turned_up: of COLLADA: whether x or y that points up is turned to z.
        beside: the files that it may name, by name without folders; None for whatever lies where it says.
    """

    path: Path
    turned_up: bool = True
    beside: Mapping[str, Path] | None = None
    missing: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unit_m: float | None = None
    _textures: dict[Path, U8 | None] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Adds a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def note_strays(self, count: int, *indices: NDArray[Any]) -> None:
        """Adds a note if some of `count` vertices are in none of the arrays of indices."""
        used = np.zeros(count, np.bool_)
        for index in indices:
            used[index[(index >= 0) & (index < count)]] = True
        if not used.all():
            self.note(stray_note(used))

    def find(self, name: str) -> Path | None:
        """The file that the mesh file names, where it says or in the mesh file's own folder; None if there is none.

        Names are found as people write them: with backslashes, with %20 for a space, as a file:// address, in
        other capitals, with the folders of the machine that wrote them.
        """
        plain = name.strip().strip('"').removeprefix("file://").replace("\\", "/")
        for written in dict.fromkeys((plain, unquote(plain))):
            for candidate in (written, written.rsplit("/", 1)[-1]):
                found = self._existing(candidate) if candidate else None
                if found is not None:
                    return found
        return None

    def _existing(self, candidate: str) -> Path | None:
        if self.beside is None:
            return _existing(self.path.parent, candidate)
        return next((path for name, path in self.beside.items() if name.lower() == candidate.lower()), None)

    def read(self, name: str) -> bytes:
        """The content of a file that the mesh cannot be read without.

        Raises:
            DiffDopeError: if it is not there.
        """
        path = self.find(name)
        if path is None:
            raise refused("mesh", f"{self.path.name} names {name.strip()}, {self._not_there}; put it there")
        return path.read_bytes()

    def texture(self, name: str) -> U8 | None:
        """The picture (H, W, 3) in a file that the mesh file names; None if it cannot be read."""
        path = self.find(name)
        if path is None:
            self.missing.append(name.strip())
            return None
        if path not in self._textures:
            try:
                self._textures[path] = decoded(path.read_bytes())
            except (OSError, ValueError):
                self.broken.append(path.name)
                self._textures[path] = None
        return self._textures[path]

    @property
    def _not_there(self) -> str:
        place = f"in {self.path.resolve().parent}" if self.beside is None else "among the files given with it"
        return f"but that is not {place}"

    @property
    def problem(self) -> str:
        """Why the colours are not whole, with the cure; empty if they are."""
        if self.missing:
            names = ", ".join(dict.fromkeys(self.missing))
            return f"mesh: {self.path.name} names {names}, {self._not_there}; put it there"
        if self.broken:
            names = ", ".join(dict.fromkeys(self.broken))
            return f"mesh: {self.path.name} names {names}, which cannot be read as an image; replace it"
        return f"mesh: {self.path.name} {self.unread[0]}" if self.unread else ""


def decoded(data: bytes) -> U8:
    """A picture (H, W, 3) of the bytes of an image file.

    Raises:
        ValueError: if it cannot be read.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            return as_rgb_texture(image)
    except Exception as error:  # of damaged bytes Pillow raises whatever their fields lead to
        raise ValueError(str(error) or type(error).__name__) from error


def _existing(folder: Path, name: str) -> Path | None:
    path = folder / name
    try:
        if path.is_file():
            return path
        if path.parent.is_dir():  # a name from a system that does not tell capitals from small letters
            wanted = path.name.lower()
            return next((p for p in sorted(path.parent.iterdir()) if p.name.lower() == wanted and p.is_file()), None)
    except (OSError, ValueError):  # too long for a name, or with a zero byte in it
        return None
    return None
