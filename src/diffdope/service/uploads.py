"""Bytes of strangers as meshes and observations: pictures stay in memory, meshes lie in a folder for a moment."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from diffdope.errors import DiffDopeError, check_choice, expected
from diffdope.geometry.camera import Camera
from diffdope.io.cameras import load_camera_of_image
from diffdope.io.capture import CaptureFiles
from diffdope.io.memory_file import MemoryFile
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.service.asked import Asked

# Of the kinds that `Mesh.load` reads, those that need no other program and unpack no archive.
MESH_SUFFIXES = (".ply", ".obj", ".glb", ".stl")
_CAMERAS = 64  # that are remembered
_MOST_BESIDE = 32  # textures and materials of one mesh
_LOG = logging.getLogger(__name__)


def mesh_of(name: str, data: bytes, beside: Sequence[tuple[str, bytes]], *, most_pixels: int, **how: Any) -> Mesh:
    """A mesh from an uploaded file; of its name, only the ending is looked at, and errors repeat it.

    Args:
        name: of the file, as the client has it.
        data: its content.
        beside: textures and materials, with the names by which the mesh calls them.
        most_pixels: of a texture that is given beside it.
        how: unit and allow_missing_texture of `Mesh.load`.

    Raises:
        DiffDopeError: if the ending is not among `MESH_SUFFIXES`, or for what `Mesh.load` refuses.
    """
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    check_choice("mesh, file ending", suffix, MESH_SUFFIXES)
    if len(beside) > _MOST_BESIDE:
        raise expected("beside", f"at most {_MOST_BESIDE} files", len(beside))
    with upload_folder("mesh") as folder:
        file = folder / f"mesh{suffix}"
        file.write_bytes(data)
        places = {}
        for k, (called, content) in enumerate(beside):
            _check_pixels("beside", content, most_pixels)
            place = folder / f"beside_{k}"
            place.write_bytes(content)
            places[called.replace("\\", "/").rsplit("/", 1)[-1]] = place
        try:
            return Mesh.load(file, beside=places, **how)
        except DiffDopeError as error:
            raise DiffDopeError(str(error).replace(file.name, PurePosixPath(name.replace("\\", "/")).name)) from error


def id_of(data: bytes, beside: Sequence[tuple[str, bytes]], how: Mapping[str, Any]) -> str:
    """An id of a mesh by its content: what is registered twice is kept once."""
    digest = hashlib.sha256(json.dumps(dict(how), sort_keys=True).encode())
    for part in (data, *(part for name, content in beside for part in (name.encode("utf-8", "replace"), content))):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:24]


def observation_of(asked: Asked, images: Mapping[str, bytes], *, most_pixels: int) -> Observation:
    """What the uploaded pictures show.

    Args:
        asked: the JSON part.
        images: PNG or JPEG by "rgb", "depth" and "mask".
        most_pixels: of each.

    Raises:
        DiffDopeError: if one is no such picture or too large, or for what `CaptureFiles` and `Observation` refuse.
    """
    for name, data in images.items():
        check_picture(name, data, most_pixels)
    with told_apart("request"):
        files: dict[str, Any] = {name: MemoryFile(name, data) for name, data in images.items()}
        files |= {"camera": "camera.json", "camera_text": json.dumps(dict(asked.camera))}
        said: dict[str, Any] = {
            "depth_scale_mm": asked.depth_scale, "mask_label": asked.mask_id, "mask_inverted": asked.mask_inverted,
            "depth_kind": asked.depth_kind, "camera_size": asked.camera_size, "rectified": asked.rectified,
            "depth_rectified": asked.depth_rectified,
        }  # fmt: skip
        capture = _UploadedFiles(**files, **said).read()
        return Observation(capture.camera, **capture.images)


@dataclass(frozen=True, kw_only=True)
class _UploadedFiles(CaptureFiles):
    """Files of a request, whose camera is a text: of clients that send the same one with every picture, it is read
    once."""

    camera_text: str

    def read_camera(self, shape: tuple[int, ...]) -> tuple[Camera, float | None]:
        """See `CaptureFiles`."""
        return _camera_of(self.camera_text, shape[:2], self.camera_size, self.rectified)

    def entry_of(self, camera: str | Path, image_id: int | None, camera_id: int | None) -> Mapping[str, Any]:
        """See `CaptureFiles`."""
        entry: Mapping[str, Any] = json.loads(self.camera_text)
        return entry


@lru_cache(maxsize=_CAMERAS)
def _camera_of(
    text: str, shape: tuple[int, ...], camera_size: tuple[int, int] | None, rectified: bool
) -> tuple[Camera, float | None]:  # fmt: skip
    with upload_folder("camera") as folder:
        file = folder / "camera.json"
        file.write_text(text, encoding="utf-8")
        return load_camera_of_image(file, shape, camera_size=camera_size, rectified=rectified)


@contextmanager
def upload_folder(what: str) -> Iterator[Path]:
    """A folder for one request; errors of the block do not name it."""
    with tempfile.TemporaryDirectory(prefix="diffdope-") as name, told_apart(what):
        try:
            yield Path(name)
        except DiffDopeError as error:
            raise DiffDopeError(str(error).replace(f"{name}/", "").replace(name, "the upload")) from error


@contextmanager
def told_apart(what: str) -> Iterator[None]:
    """Whatever a reader of files stumbles over in the block is the file's fault, as far as others go."""
    try:
        yield
    except DiffDopeError:
        raise
    except Exception as error:
        _LOG.exception("a %s that cannot be read", what)
        raise expected(what, "files that can be read", type(error).__name__) from error


def check_picture(name: str, data: bytes, most: int) -> int:
    """The pixels of a picture by the size in its header, before it is unpacked; 0 of what its reader will refuse.

    Args:
        name: of the part.
        data: its content.
        most: pixels.

    Raises:
        DiffDopeError: if it is neither PNG nor JPEG, or has more pixels.
    """
    if not data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        raise expected(name, "a PNG or a JPEG", f"{len(data)} bytes of something else")
    return _check_pixels(name, data, most)


def _check_pixels(name: str, data: bytes, most: int) -> int:
    """What is no picture is left to its reader."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
    except Exception:  # Pillow raises many kinds; the reader words it
        return 0
    if width * height > most:
        raise expected(name, f"at most {most} pixels", f"{width} x {height}")
    return int(width * height)
