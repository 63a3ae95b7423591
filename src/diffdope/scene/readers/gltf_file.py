"""The container of glTF 2.0: its JSON, its buffers, and arrays of numbers in them."""

from __future__ import annotations

import base64
import struct
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected, refused
from diffdope.io.json_files import parse_json
from diffdope.scene.readers.source import MeshSource

Json = dict[str, Any]

_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_JSON, _BIN = 0x4E4F534A, 0x004E4942
_COMPRESSED = ("EXT_meshopt_compression", "KHR_meshopt_compression")
DRACO = "KHR_draco_mesh_compression"
# What changes shapes, and is followed; extensions of materials, lights and the like change none.
_FOLLOWED = (
    "KHR_mesh_quantization", "KHR_texture_transform", "KHR_texture_basisu", "EXT_mesh_gpu_instancing",
    "KHR_node_visibility", DRACO, *_COMPRESSED,
)  # fmt: skip
_HARMLESS = (
    "KHR_materials_",
    "KHR_lights_",
    "EXT_lights_",
    "EXT_texture_",
    "MSFT_texture_",
    "KHR_xmp",
    "ADOBE_materials_",
)


def uncompressed(what: str) -> DiffDopeError:
    """The error for geometry that is compressed."""
    return refused("mesh", f"its geometry is compressed with {what}, which is not read; export it uncompressed")


def _tree(data: bytes) -> Json:
    tree: Json = parse_json(data.decode("utf-8-sig"), "mesh", "glTF's JSON")
    return tree


class Gltf:
    """A glTF file that is being read."""

    def __init__(self, source: MeshSource) -> None:
        data = source.path.read_bytes()
        self.source = source
        self._binary: bytes | None = None
        self._buffers: dict[int, bytes] = {}
        self.pictures: dict[int, NDArray[np.uint8] | None] = {}  # by image, decoded once
        self.tree: Json = self._of_glb(data) if data[:4] == b"glTF" else _tree(data)
        if not isinstance(self.tree, dict):
            raise expected("mesh", "a JSON object", type(self.tree).__name__, "the file is damaged")
        self._check()

    def _of_glb(self, data: bytes) -> Json:
        _, version, length = struct.unpack_from("<4sII", data)
        if version != 2:
            raise expected("mesh", "glTF 2.0", f"version {version}", "export the mesh again")
        if length > len(data):
            raise refused(
                "mesh", f"the file ends after {len(data)} of its {length} bytes: it was cut off; export it again"
            )
        tree: Json | None = None
        at = 12
        while at + 8 <= len(data):
            size, kind = struct.unpack_from("<II", data, at)
            chunk = data[at + 8 : at + 8 + size]
            if kind == _JSON and tree is None:
                tree = _tree(chunk)
            elif kind == _BIN and self._binary is None:
                self._binary = chunk
            at += 8 + size + -size % 4
        if tree is None:
            raise expected("mesh", "a chunk of JSON in the GLB file", "none", "the file is damaged")
        return tree

    def _check(self) -> None:
        version = str(self.tree.get("asset", {}).get("version", "2.0"))
        if not version.startswith("2"):
            raise expected("mesh", "glTF 2.0", f"version {version}", "export the mesh again")
        for name in self.tree.get("extensionsRequired", ()):
            if name not in _FOLLOWED and not name.startswith(_HARMLESS):
                raise refused("mesh", f"it cannot be read without {name}, which is unknown; export it without")

    def list(self, name: str) -> list[Json]:
        """One of the lists at the top: meshes, nodes and so on."""
        entries: list[Json] = self.tree.get(name, [])
        return entries

    def bytes_of_view(self, index: int) -> bytes:
        """The bytes of a buffer view.

        Raises:
            DiffDopeError: if they are compressed, or the file that holds them is not there.
        """
        view = self.list("bufferViews")[index]
        for name in _COMPRESSED:
            if name in view.get("extensions", {}):
                raise uncompressed(f"meshopt ({name})")
        start = view.get("byteOffset", 0)
        whole = self._buffer(view["buffer"])
        if start < 0 or view["byteLength"] < 0 or start + view["byteLength"] > len(whole):
            raise refused("mesh", "a buffer ends before the data that are said to be in it; the file is damaged")
        return whole[start : start + view["byteLength"]]

    def data_of(self, uri: str) -> bytes:
        """What an address holds: of data itself, or of a file beside."""
        if not uri.startswith("data:"):
            return self.source.read(uri)
        head, _, body = uri.partition(",")
        return base64.b64decode(unquote_to_bytes(body)) if head.endswith(";base64") else unquote_to_bytes(body)

    def _buffer(self, index: int) -> bytes:
        if index not in self._buffers:
            uri = self.list("buffers")[index].get("uri")
            if uri is None and self._binary is None:
                raise expected("mesh", "a chunk of bytes in the file", "none", "the file is damaged")
            self._buffers[index] = self.data_of(uri) if uri is not None else self._binary or b""
        return self._buffers[index]

    def array(self, index: int) -> NDArray[Any]:
        """The numbers of an accessor (N, K); normalised integers as floats in [0, 1] or [-1, 1].

        Raises:
            DiffDopeError: if the data end early, or are compressed.
        """
        accessor = self.list("accessors")[index]
        kind, width, count = _kind(accessor), _WIDTHS[accessor["type"]], accessor["count"]
        if "bufferView" in accessor:
            values = self._strided(accessor["bufferView"], accessor.get("byteOffset", 0), kind, width, count)
        else:
            values = np.zeros((count, width), kind)
        if "sparse" in accessor:
            sparse = accessor["sparse"]
            at, new = sparse["indices"], sparse["values"]
            where = self._strided(at["bufferView"], at.get("byteOffset", 0), _kind(at), 1, sparse["count"])[:, 0]
            values = values.copy()
            values[where] = self._strided(new["bufferView"], new.get("byteOffset", 0), kind, width, sparse["count"])
        if accessor.get("normalized") and kind.kind in "iu":
            return np.maximum(values.astype(np.float64) / np.iinfo(kind).max, -1.0)
        return values

    def _strided(self, view: int, start: int, kind: np.dtype[Any], width: int, count: int) -> NDArray[Any]:
        data = self.bytes_of_view(view)
        size = width * kind.itemsize
        step = self.list("bufferViews")[view].get("byteStride", size) or size
        if count < 0 or start < 0 or (count and start + step * (count - 1) + size > len(data)):
            raise refused("mesh", f"a buffer ends before all {count} of its elements; the file is damaged")
        if step == size:
            return np.frombuffer(data, kind, count * width, start).reshape(count, width)
        rows = np.lib.stride_tricks.as_strided(np.frombuffer(data, np.uint8)[start:], (count, size), (step, 1))
        return np.ascontiguousarray(rows).view(kind)


def _kind(entry: Json) -> np.dtype[Any]:
    if entry["componentType"] not in _TYPES:
        raise expected("mesh", "a type of glTF", entry["componentType"], "the file is damaged")
    return np.dtype(_TYPES[entry["componentType"]])
