"""Writing meshes as BOP has them: binary PLY in millimetres, with a texture beside it or colours at the vertices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.io.files import atomic
from diffdope.io.png import write_png


def write_ply(
    path: Path,
    vertices_m: NDArray[np.float64],
    faces: NDArray[np.int32],
    *,
    uv: NDArray[np.float64] | None = None,
    texture: NDArray[np.uint8] | None = None,
    colors: NDArray[np.float64] | None = None,
) -> None:
    """Writes a mesh, and its texture as a PNG of the same name.

    Args:
        path: ending in .ply.
        vertices_m: (V, 3) metres.
        faces: (F, 3).
        uv: (V, 2), v down from the top of the texture.
        texture: (H, W, 3) sRGB.
        colors: (V, 3) in [0, 1], where there is no texture.
    """
    columns: list[tuple[str, str, NDArray[Any]]] = [
        (name, "<f4", 1e3 * vertices_m[:, k]) for k, name in enumerate("xyz")
    ]
    lines = ["ply", "format binary_little_endian 1.0"]
    if texture is not None and uv is not None:
        write_png(path.with_suffix(".png"), texture)
        lines.append(f"comment TextureFile {path.stem}.png")
        columns += [("texture_u", "<f4", uv[:, 0]), ("texture_v", "<f4", 1.0 - uv[:, 1])]
    elif colors is not None:
        levels = np.round(255.0 * np.clip(colors, 0.0, 1.0))
        columns += [(name, "u1", levels[:, k]) for k, name in enumerate(("red", "green", "blue"))]
    vertex = np.zeros(len(vertices_m), dtype=[(name, kind) for name, kind, _ in columns])
    for name, _, values in columns:
        vertex[name] = values
    face = np.zeros(len(faces), dtype=[("n", "u1"), ("index", "<i4", 3)])
    face["n"], face["index"] = 3, faces
    types = {"<f4": "float", "u1": "uchar"}
    lines += [f"element vertex {len(vertex)}", *(f"property {types[kind]} {name}" for name, kind, _ in columns)]
    lines += [f"element face {len(face)}", "property list uchar int vertex_indices", "end_header", ""]
    with atomic(path) as temporary:
        temporary.write_bytes("\n".join(lines).encode() + vertex.tobytes() + face.tobytes())
