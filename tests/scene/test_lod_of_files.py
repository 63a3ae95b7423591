"""Levels of detail of files as CAD programs write them: single precision, unwelded, in shells, in polygons."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from diffdope.geometry.vectors import areas
from diffdope.scene.lod import levels_of_detail, tolerance_of
from diffdope.scene.mesh import Mesh
from tests.scene.solids import SOLIDS, distances_m

COUNT = 500
SHAPES = ("ring", "ribbed_housing", "hinge", "needle_fans", "with_t_junctions", "unwelded")


def write_stl(mesh: Mesh, path: Path, scale: float) -> Path:
    """Binary, each triangle with corners of its own, in single precision."""
    rows = np.zeros(len(mesh.faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows["corners"] = scale * mesh.vertices_m[mesh.faces]
    path.write_bytes(bytes(80) + struct.pack("<I", len(rows)) + rows.tobytes())
    return path


def write_obj(polygons: list[np.ndarray], path: Path) -> Path:
    """Each polygon in a group of its own, with vertices of its own, as exporters of faces do."""
    lines = []
    for outline in polygons:
        lines += [f"v {x:.7g} {y:.7g} {z:.7g}" for x, y, z in outline]
        lines += ["g face", "f " + " ".join(str(k - len(outline)) for k in range(len(outline)))]
    path.write_text("\n".join(lines) + "\n")
    return path


def assert_same_surface(mesh: Mesh, level: Mesh) -> None:
    spacing_m = 3.0 * np.sqrt(areas(mesh.vertices_m, mesh.faces).sum() / 200_000)  # of the cloud that is measured with
    limit_m = tolerance_of(COUNT) * mesh.diameter + spacing_m
    assert distances_m(mesh, level).max() <= limit_m
    assert distances_m(level, mesh).max() <= limit_m


def kept_area(mesh: Mesh, level: Mesh) -> float:
    return float(areas(level.vertices_m, level.faces).sum() / areas(mesh.vertices_m, mesh.faces).sum())


@pytest.mark.parametrize("name", SHAPES)
def test_unwelded_stl_in_millimetres(tmp_path: Path, name: str) -> None:
    whole = SOLIDS[name]()
    mesh = Mesh.load(write_stl(whole, tmp_path / "m.stl", 1000.0), unit="mm")
    assert len(mesh.faces) == len(whole.faces) and mesh.diameter == pytest.approx(whole.diameter, rel=1e-6)
    level = levels_of_detail(mesh, (COUNT,))[COUNT]
    assert_same_surface(mesh, level)
    assert 0.95 < kept_area(mesh, level) < 1.02
    if name != "ribbed_housing":  # its thin walls are many faces as it is
        assert len(level.faces) <= 0.7 * len(mesh.faces)


def test_faces_of_a_channel_as_polygons(tmp_path: Path) -> None:
    """U-profiles of concave and of quadrangular faces, 64 of them, each a shell: no notch is filled on any level."""
    outline = np.array([(0, 0), (80, 0), (80, 60), (70, 60), (70, 10), (10, 10), (10, 60), (0, 60)]) / 10
    polygons = []
    for k in range(64):
        place = np.array([10.0 * (k % 8), 8.0 * (k // 8), 0.0])
        low, high = (np.column_stack([outline, np.full(8, z)]) + place for z in (0.0, 3.0))
        sides = [np.array([low[i], low[(i + 1) % 8], high[(i + 1) % 8], high[i]]) for i in range(8)]
        polygons += [low[::-1], high, *sides]
    mesh = Mesh.load(write_obj(polygons, tmp_path / "m.obj"), unit="cm")
    assert mesh.is_closed and len(mesh.faces) == 64 * 28
    level = levels_of_detail(mesh, (COUNT,))[COUNT]
    assert_same_surface(mesh, level)  # the notches are 60 mm wide, and the tolerance is 12 mm
    assert len(level.faces) < len(mesh.faces)


def test_many_unwelded_triangles_of_one_surface(tmp_path: Path) -> None:
    """180,000; millions are timed by benchmarks.large_meshes."""
    rows = 300
    u, v = (2 * np.pi * np.arange(rows + 1) / rows for _ in range(2))
    u, v = np.meshgrid(u % (2 * np.pi), v % (2 * np.pi), indexing="ij")
    ring = 0.04 + 0.012 * np.cos(v) + 0.0005 * np.sin(20 * u)
    points = np.stack([ring * np.cos(u), ring * np.sin(u), 0.012 * np.sin(v)], axis=-1)
    a, b, c, d = points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]
    corners = np.concatenate([np.stack(t, axis=2).reshape(-1, 3, 3) for t in ((a, b, c), (a, c, d))])
    rows_of_file = np.zeros(len(corners), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows_of_file["corners"] = corners
    path = tmp_path / "m.stl"
    path.write_bytes(bytes(80) + struct.pack("<I", len(corners)) + rows_of_file.tobytes())
    mesh = Mesh.load(path, unit="m")
    assert mesh.is_closed and len(mesh.vertices_m) == rows * rows
    level = levels_of_detail(mesh, (COUNT,))[COUNT]
    assert len(level.faces) <= 2 * COUNT
    assert_same_surface(mesh, level)
    assert 0.95 < kept_area(mesh, level) < 1.02
