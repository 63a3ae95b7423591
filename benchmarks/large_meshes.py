"""Meshes of millions of triangles, as CAD programs and scanners write them: seconds to load and to make levels of them.

    python -m benchmarks.large_meshes [MILLIONS ...]

Each is written as a binary STL of unwelded triangles, then loaded, and its levels of detail are made: one closed
surface; 64 shells; bolts of needles, their ends fans around a corner; a sphere of which one half is twice as fine,
so that edges of one half end on edges of the other.
"""

from __future__ import annotations

import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.lod import levels_of_detail
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]
COUNTS = (500, 2000)
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def grid(points: F64) -> F64:
    """Triangles (T, 3, 3) of a grid of points (M, N, 3)."""
    a, b, c, d = points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]
    return np.concatenate([np.stack(corners, axis=2).reshape(-1, 3, 3) for corners in ((a, b, c), (a, c, d))])


def torus(count: int, middle: tuple[float, float, float] = (0, 0, 0), radius: float = 0.04) -> F64:
    """One closed surface of about `count` triangles."""
    rows = max(8, round(np.sqrt(count / 4)))
    u, v = np.meshgrid(*(np.linspace(0, 2 * np.pi, n + 1) for n in (2 * rows, rows)), indexing="ij")
    u, v = u % (2 * np.pi), v % (2 * np.pi)  # the same numbers at both ends, to the bit
    ring = radius + 0.3 * radius * np.cos(v)
    points = np.stack([ring * np.cos(u), ring * np.sin(u), 0.3 * radius * np.sin(v)], axis=-1)
    return grid(points) + middle


def shells(count: int) -> F64:
    """Many closed surfaces, some of them in one another."""
    places = [(0.05 * x, 0.05 * y, 0.02 * z) for x in range(4) for y in range(4) for z in range(4)]
    return np.concatenate([torus(count // 64, place, 0.02) for place in places])


def needles(count: int) -> F64:
    """Bolts of 500 sides, which are long needles, while their ends are fans around a corner."""
    sides = 500
    angle = 2 * np.pi * (np.arange(sides + 1) % sides) / sides
    low = np.stack([0.002 * np.cos(angle), 0.002 * np.sin(angle), 0.0 * angle], axis=1)
    high = low + np.array([0.0, 0.0, 0.05])
    fans = [np.stack([np.broadcast_to(rim[0], rim[2:].shape), rim[1:-1], rim[2:]], axis=1) for rim in (low, high)]
    bolt = np.concatenate([grid(np.stack([low, high], axis=1)), fans[0][:, ::-1], fans[1]])
    across = round(np.sqrt(count / len(bolt)))
    places = [np.array((0.005 * x, 0.005 * y, 0.0)) for x in range(across) for y in range(across)]
    return np.concatenate([bolt + place for place in places])


def t_junctions(count: int) -> F64:
    """A sphere whose upper half has four times as many triangles."""
    rows = round(np.sqrt(count / 40))
    halves = []
    for fine, low, high in ((1, -np.pi / 2, 0.0), (2, 0.0, np.pi / 2)):
        shape = (np.linspace(0, 2 * np.pi, 4 * rows * fine + 1), np.linspace(low, high, rows * fine + 1))
        u, v = np.meshgrid(*shape, indexing="ij")
        u = u % (2 * np.pi)
        halves.append(grid(0.04 * np.stack([np.cos(v) * np.cos(u), np.cos(v) * np.sin(u), np.sin(v)], axis=-1)))
    return np.concatenate(halves)


SHAPES: dict[str, Callable[[int], F64]] = {
    "one surface": torus, "64 shells": shells, "needles": needles, "T-junctions": t_junctions
}  # fmt: skip


def write_stl(path: Path, triangles: F64) -> None:
    rows = np.zeros(len(triangles), _TRIANGLE)
    rows["corners"] = triangles
    path.write_bytes(bytes(80) + struct.pack("<I", len(rows)) + rows.tobytes())


def area(mesh: Mesh) -> float:
    a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces], 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def main() -> None:
    millions = [float(word) for word in sys.argv[1:]] or [1.0, 2.0, 5.0]
    print("| triangles | shape | load | levels | triangles of levels | their area |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.stl"
        for million in millions:
            for name, make in SHAPES.items():
                write_stl(path, make(int(1e6 * million)))
                began = time.process_time()
                mesh = Mesh.load(path, unit="m")
                loaded = time.process_time()
                levels = levels_of_detail(mesh, COUNTS)
                done = time.process_time()
                sizes = " / ".join(str(len(levels[count].faces)) for count in COUNTS)
                areas = " / ".join(f"{area(levels[count]) / area(mesh):.3f}" for count in COUNTS)
                print(f"| {len(mesh.faces) / 1e6:.2f} M | {name} | {loaded - began:.1f} s | {done - loaded:.1f} s "
                      f"| {sizes} | {areas} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
