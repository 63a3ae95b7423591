"""A square plate in z = 0 with a picture of four quadrants, and the colours that a mesh shows on it."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from diffdope.scene.mesh import Mesh

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
ORANGE = (255, 128, 0)
QUADRANTS = np.zeros((64, 64, 3), np.uint8)
QUADRANTS[:32, :32], QUADRANTS[:32, 32:], QUADRANTS[32:, :32], QUADRANTS[32:, 32:] = RED, GREEN, BLUE, WHITE

# Corners in metres, y up; where they lie in the picture, v up.
CORNERS = [(0, 0), (1, 0), (1, 1), (0, 1)]
FACES = [(0, 1, 2), (0, 2, 3)]
# Where to look, and what is there if the picture is put on the plate upright: off the diagonal between the faces.
UPRIGHT = {(0.2, 0.9): RED, (0.9, 0.7): GREEN, (0.2, 0.4): BLUE, (0.8, 0.4): WHITE}


def save_quadrants(folder: Path, name: str = "tex.png") -> None:
    Image.fromarray(QUADRANTS).save(folder / name)


def encoded(pixels: np.ndarray = QUADRANTS, kind: str = "png", **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def color_at(mesh: Mesh, x: float, y: float) -> tuple[int, ...] | None:
    """The colour of a point of the plate, as levels of 8 bits; None if no triangle is there or it has no colour."""
    for face in mesh.faces:
        a, b, c = mesh.vertices_m[face][:, :2]
        weights = np.linalg.lstsq(np.array([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]]), [x, y, 1], rcond=None)[
            0
        ]
        if weights.min() < -1e-9:
            continue
        if mesh.texture is not None and mesh.uv is not None:
            height, width = mesh.texture.shape[:2]
            column, row = (weights @ mesh.uv[face] * [width, height]).astype(int)
            return tuple(int(k) for k in mesh.texture[min(row, height - 1), min(column, width - 1)])
        if mesh.colors is not None:
            return tuple(int(k) for k in np.rint(255 * weights @ mesh.colors[face]))
    return None


def assert_upright(mesh: Mesh) -> None:
    assert {point: color_at(mesh, *point) for point in UPRIGHT} == UPRIGHT


def area(mesh: Mesh) -> float:
    a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces], 1, 0)
    return float(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())


class Glb:
    """A GLB file of one primitive, put together attribute by attribute."""

    def __init__(self) -> None:
        self.data = b""
        self.tree: dict[str, Any] = {"asset": {"version": "2.0"}, "accessors": [], "bufferViews": []}
        self.attributes: dict[str, int] = {}
        self.primitive: dict[str, Any] = {"attributes": self.attributes}
        self.node: dict[str, Any] = {"mesh": 0}

    def view(self, data: bytes, **more: Any) -> int:
        self.data += b"\0" * (-len(self.data) % 4)
        self.tree["bufferViews"].append({"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data), **more})
        self.data += data
        return len(self.tree["bufferViews"]) - 1

    def accessor(self, array: np.ndarray, **more: Any) -> int:
        types = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
        kind = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}[1 if array.ndim == 1 else array.shape[1]]
        self.tree["accessors"].append({
            "bufferView": self.view(array.tobytes()), "componentType": types[array.dtype.name],
            "count": len(array), "type": kind, **more,
        })  # fmt: skip
        return len(self.tree["accessors"]) - 1

    def plate(self) -> Glb:
        self.attributes["POSITION"] = self.accessor(np.array([(x, y, 0) for x, y in CORNERS], np.float32))
        self.primitive["indices"] = self.accessor(np.array(FACES, np.uint16).ravel())
        return self

    def attribute(self, name: str, values: Any, kind: type = np.float32, **more: Any) -> Glb:
        self.attributes[name] = self.accessor(np.array(values, kind), **more)
        return self

    def material(self, **material: Any) -> Glb:
        self.primitive["material"] = 0
        self.tree["materials"] = [material]
        return self

    def picture(self, pixels: np.ndarray = QUADRANTS, **texture: Any) -> Glb:
        self.tree["images"] = [{"bufferView": self.view(encoded(pixels)), "mimeType": "image/png"}]
        self.tree["textures"] = [texture or {"source": 0}]
        return self

    def save(self, path: Path) -> Path:
        tree = {
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [self.node],
            "meshes": [{"primitives": [self.primitive]}],
        }
        self.data += b"\0" * (-len(self.data) % 4)
        text = json.dumps({**tree, **self.tree, "buffers": [{"byteLength": len(self.data)}]}).encode()
        text += b" " * (-len(text) % 4)
        path.write_bytes(
            struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(self.data))
            + struct.pack("<I4s", len(text), b"JSON") + text
            + struct.pack("<I4s", len(self.data), b"BIN\0") + self.data
        )  # fmt: skip
        return path


DOWN = [(x, 1 - y) for x, y in CORNERS]  # texture coordinates of the plate as glTF has them, v down


def textured(**info: Any) -> dict[str, Any]:
    return {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0, **info}}}
