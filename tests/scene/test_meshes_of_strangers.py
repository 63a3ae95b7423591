"""`Mesh.load(beside=)`: a mesh reads what it is given, whatever it names."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh

DEMO = Path(str(files("diffdope"))) / "data" / "demo"


def test_only_the_given_files_are_read(tmp_path: Path) -> None:
    texture = DEMO / "object.png"
    ply = (DEMO / "object.ply").read_bytes()
    for called in ("object.png", str(texture), f"file://{texture}", f"..\\..\\{texture.name}"):
        mesh = tmp_path / "mesh.ply"
        mesh.write_bytes(ply.replace(b"TextureFile object.png", f"TextureFile {called}".encode()))
        (tmp_path / "object.png").write_bytes(texture.read_bytes())
        assert Mesh.load(mesh, unit="mm").texture is not None
        with pytest.raises(DiffDopeError, match="not among the files given with it"):
            Mesh.load(mesh, unit="mm", beside={})
        assert Mesh.load(mesh, unit="mm", beside={"OBJECT.png": texture}).texture is not None
