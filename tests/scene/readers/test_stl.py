"""STL in text and in bytes, with the two customs of colours."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh
from tests.scene.readers.plates import CORNERS, FACES, color_at


def stl(folder: Path, attributes: tuple[int, int] = (0, 0), title: bytes = b"made by hand") -> Path:
    triangles = b""
    for face, attribute in zip(FACES, attributes, strict=True):
        corners = [c for k in face for c in (*CORNERS[k], 0)]
        triangles += struct.pack("<12fH", 0, 0, 1, *corners, attribute)
    path = folder / "m.stl"
    path.write_bytes(title.ljust(80, b" ") + struct.pack("<I", len(FACES)) + triangles)
    return path


def five_bits(first: int, second: int, third: int, flag: int) -> int:
    return flag << 15 | first << 10 | second << 5 | third


def test_corners_are_welded(tmp_path: Path) -> None:
    mesh = Mesh.load(stl(tmp_path), unit="m")
    assert len(mesh.vertices_m) == 4 and not mesh.has_color and mesh.warnings == ()


@pytest.mark.parametrize("title", [b"solid by a careless exporter", b"solid facet normal"])
def test_bytes_that_begin_as_text_does(tmp_path: Path, title: bytes) -> None:
    assert len(Mesh.load(stl(tmp_path, title=title), unit="m").faces) == 2


def test_text_of_several_solids(tmp_path: Path) -> None:
    one = trimesh.creation.box().export(file_type="stl_ascii")
    two = trimesh.creation.box(transform=trimesh.transformations.translation_matrix([3, 0, 0])).export(
        file_type="stl_ascii"
    )
    (tmp_path / "m.STL").write_text(
        one.replace("\n", "\r\n") + two.replace("facet", "FACET").replace("vertex", "VERTEX")
    )
    mesh = Mesh.load(tmp_path / "m.STL", unit="m")
    assert (len(mesh.vertices_m), len(mesh.faces), mesh.is_closed) == (16, 24, True)


def test_colours_as_viscam_keeps_them(tmp_path: Path) -> None:
    mesh = Mesh.load(stl(tmp_path, (five_bits(31, 0, 0, 1), five_bits(0, 31, 0, 1))), unit="m")
    assert color_at(mesh, 0.9, 0.5) == (255, 0, 0) and color_at(mesh, 0.1, 0.5) == (0, 255, 0)


def test_colours_as_magics_keeps_them(tmp_path: Path) -> None:
    title = b"COLOR=" + bytes((255, 128, 0, 255))
    mesh = Mesh.load(stl(tmp_path, (five_bits(31, 0, 0, 0), five_bits(0, 0, 0, 1)), title), unit="m")
    assert color_at(mesh, 0.9, 0.5) == (0, 0, 255) and color_at(mesh, 0.1, 0.5) == (255, 128, 0)


def test_colours_of_some_triangles_are_none_with_a_word(tmp_path: Path) -> None:
    mesh = Mesh.load(stl(tmp_path, (five_bits(31, 0, 0, 1), 0)), unit="m")
    assert not mesh.has_color and mesh.warnings == ("only some triangles have a colour; none is taken",)


def test_damaged_files(tmp_path: Path) -> None:
    whole = stl(tmp_path).read_bytes()
    for content, message in (
        (whole[:-10], "the file ends before all 2 triangles"),
        (
            b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nendloop\nendfacet\nendsolid\n",
            "three corners",
        ),
        (b"solid a\nfacet normal 0 0 1\nvertex 0 0 zero\nvertex 1 0 0\nvertex 1 1 0\nendsolid\n", "got b'zero'"),
        (b"short", "expected an STL file"),
        (b"solid empty\nendsolid empty\n", "expected triangles, got none"),
    ):
        (tmp_path / "m.stl").write_bytes(content)
        with pytest.raises(DiffDopeError, match=message):
            Mesh.load(tmp_path / "m.stl", unit="m")


def test_a_million_triangles_are_read_in_seconds(tmp_path: Path) -> None:
    """Unwelded, as CAD programs write them; the order of the vertices is that of the file."""
    count = 1_000_000
    triangles = np.zeros(count, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    x, y = np.arange(count) % 1000, np.arange(count) // 1000
    corners = np.stack([np.stack([x + dx, y + dy, 0 * x], axis=1) for dx, dy in ((0, 0), (1, 0), (0, 1))], axis=1)
    triangles["corners"] = corners * np.float32(1e-3)
    (tmp_path / "m.stl").write_bytes(bytes(80) + struct.pack("<I", count) + triangles.tobytes())
    mesh = Mesh.load(tmp_path / "m.stl", unit="m")
    assert len(mesh.faces) == count and len(mesh.vertices_m) == 1001 * 1001 - 1
    np.testing.assert_array_equal(mesh.vertices_m[mesh.faces[12345]], triangles["corners"][12345])
