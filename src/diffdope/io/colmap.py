"""COLMAP's models: cameras and the places of images, as text (cameras.txt, images.txt) and as bytes (.bin).

The layout of both is that of COLMAP's documentation, 'Output Format'; x_camera = R(q) x_world + t.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.files import bytes_of
from diffdope.io.json_files import read_text
from diffdope.io.numbers import DIGITS

# COLMAP's models (src/colmap/sensor/models.h): names of the parameters in their order.
_PARAMETERS = {
    "SIMPLE_PINHOLE": "f cx cy",
    "PINHOLE": "fx fy cx cy",
    "SIMPLE_RADIAL": "f cx cy k1",
    "RADIAL": "f cx cy k1 k2",
    "OPENCV": "fx fy cx cy k1 k2 p1 p2",
    "FULL_OPENCV": "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6",
    "OPENCV_FISHEYE": "fx fy cx cy k1 k2 k3 k4",
    "SIMPLE_RADIAL_FISHEYE": "f cx cy k1",
    "RADIAL_FISHEYE": "f cx cy k1 k2",
    "FOV": "fx fy cx cy omega",
    "SIMPLE_FISHEYE": "f cx cy",
    "FISHEYE": "fx fy cx cy",
    "THIN_PRISM_FISHEYE": "fx fy cx cy k1 k2 p1 p2 k3 k4 sx1 sy1",
    "RAD_TAN_THIN_PRISM_FISHEYE": "fx fy cx cy k0 k1 k2 k3 k4 k5 p0 p1 s0 s1 s2 s3",  # Project Aria's FISHEYE624
}
_NUMBERS = {
    0: "SIMPLE_PINHOLE", 1: "PINHOLE", 2: "SIMPLE_RADIAL", 3: "RADIAL", 4: "OPENCV", 5: "OPENCV_FISHEYE",
    6: "FULL_OPENCV", 7: "FOV", 8: "SIMPLE_RADIAL_FISHEYE", 9: "RADIAL_FISHEYE", 10: "THIN_PRISM_FISHEYE",
    11: "RAD_TAN_THIN_PRISM_FISHEYE",
}  # fmt: skip
_CAMERA_LINE = re.compile(rf"{DIGITS}\s+[A-Z][A-Z_]+\s+{DIGITS}\s+{DIGITS}(\s+[-+.\deEnNaAfFiI]+)*\s*")
_NUMBER = r"[-+]?[\d.]+(?:[eE][-+]?\d+)?"
_IMAGE_LINE = re.compile(rf"{DIGITS}(?:\s+{_NUMBER}){{7}}\s+\d+\s+(?=\S*[A-Za-z])\S.*")
_MOST = 1 << 24  # cameras, images: more would be a file of another kind
_OFF_UNIT = 1e-2  # quaternions of COLMAP are normalised; a file cut short of digits rounds them less
_POINT_BYTES = 24  # of an image's keypoint: x, y, the number of its 3-D point
_CURE = "undistort the images by COLMAP first"


def is_cameras_text(rows: list[str]) -> bool:
    """Whether lines without comments are those of cameras.txt."""
    return bool(rows) and all(_CAMERA_LINE.fullmatch(row) for row in rows)


def is_images_text(rows: list[str]) -> bool:
    """Whether lines without comments are those of images.txt, in which keypoints may follow each image."""
    return bool(rows) and _IMAGE_LINE.fullmatch(rows[0]) is not None


def cameras_of_text(rows: list[str], where: str) -> dict[str, Any]:
    """Cameras of cameras.txt, by number, with the names that `camera_entries` knows.

    Raises:
        DiffDopeError: if a model is not known, or its parameters are not as many as it has.
    """
    return {f"camera {row.split()[0]}": _camera(row.split(), where) for row in rows}


def read_cameras_bytes(path: Path, name: str) -> dict[str, Any]:
    """Cameras of cameras.bin, as those of the text.

    Args:
        path: the file.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it is none, was cut off, or a model is not known.
    """
    where, found = f"{name} file {path}", {}
    content = _Bytes(bytes_of(path, name), where, "COLMAP's cameras.bin")
    for _ in range(content.count()):
        number, model, width, height = content.take("<iiQQ")
        if model not in _NUMBERS:
            known = ", ".join(f"{key} {value}" for key, value in _NUMBERS.items())
            raise expected(where, f"a camera model of {known}", model, f"is it cameras.bin? If so, {_CURE}")
        kind = _NUMBERS[model]
        numbers = content.take(f"<{len(_PARAMETERS[kind].split())}d")
        found[f"camera {number}"] = _camera([number, kind, width, height, *numbers], where)
    content.check_end()
    return found


def read_images(path: Path, name: str) -> dict[int, tuple[str, Pose]]:
    """{number: (file of the photograph, T_w2c)} of images.txt or images.bin, in the unit of the model.

    Args:
        path: the file; .bin for bytes.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it is none, was cut off, or a place is no rigid transform.
    """
    where = f"{name} file {path}"
    rows = _images_of_bytes(path, name) if path.suffix.lower() == ".bin" else _images_of_text(path, name)
    found = {}
    for number, numbers, picture in rows:
        image = f"{where}, image {picture}"
        if not abs(math.hypot(*numbers[:4]) - 1.0) < _OFF_UNIT:
            got = " ".join(f"{one:.4g}" for one in numbers[:4])
            raise expected(image, "a quaternion of length 1", got, "is it COLMAP's file?")
        if not all(map(math.isfinite, numbers)):
            raise expected(image, "numbers that are finite", numbers[4:])
        found[number] = (picture, Pose.from_wxyz_xyz(numbers))
    if not found:
        raise expected(where, "images that COLMAP has placed", "none")
    return found


def _images_of_text(path: Path, name: str) -> Iterator[tuple[int, list[float], str]]:
    lines = [line.strip() for line in read_text(path, name).splitlines()]
    for line in lines:
        if _IMAGE_LINE.fullmatch(line):  # keypoints' lines are numbers alone
            words = line.split(None, 9)
            yield int(words[0]), [_float(word, f"{name} file {path}") for word in words[1:8]], words[9]


def _images_of_bytes(path: Path, name: str) -> Iterator[tuple[int, list[float], str]]:
    content = _Bytes(bytes_of(path, name), f"{name} file {path}", "COLMAP's images.bin")
    for _ in range(content.count()):
        number, *numbers, _ = content.take("<I7dI")
        picture = content.text()
        content.skip(_POINT_BYTES * content.count(_MOST * _POINT_BYTES))
        yield number, numbers, picture
    content.check_end()


def _camera(words: list[Any], where: str) -> dict[str, Any]:
    """A camera of its number, model, width, height and parameters."""
    try:
        model, numbers = words[1], [float(word) for word in words[4:]]
    except ValueError as error:
        raise expected(where, "numbers after the model and the size", str(error)) from error
    if model not in _PARAMETERS:
        raise expected(where, f"a camera model of {', '.join(_PARAMETERS)}", model, _CURE)
    names = _PARAMETERS[model].split()
    if len(numbers) != len(names):
        raise expected(where, f"the parameters {' '.join(names)} of {model}", f"{len(numbers)} numbers")
    values: dict[str, Any] = dict(zip(names, numbers, strict=True))
    focal = values.pop("f", None)
    if focal is not None:
        values |= {"fx": focal, "fy": focal}
    values["cx"], values["cy"] = values["cx"] - 0.5, values["cy"] - 0.5  # COLMAP's first pixel spans 0 to 1
    kind = "fisheye" if "FISHEYE" in model else "fov" if model == "FOV" else "opencv"
    if "PRISM" in model:  # whose names mean something else than OpenCV's
        kind = "thin_prism_fisheye" if model == "THIN_PRISM_FISHEYE" else "fisheye"
        values = {**{name: values[name] for name in ("fx", "fy", "cx", "cy")}, "coeffs": numbers[4:]}
    return {**values, "width": int(words[2]), "height": int(words[3]), "camera_model": kind}


def _float(word: str, where: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise expected(where, "numbers before a photograph's name", repr(word)) from error


class _Bytes:
    """A file of little-endian records, read one after the other."""

    def __init__(self, content: bytes, where: str, wanted: str) -> None:
        self._content, self._where, self._wanted, self._at = content, where, wanted, 0

    def take(self, layout: str) -> tuple[Any, ...]:
        """The next values."""
        size = struct.calcsize(layout)
        self._check(size)
        values = struct.unpack_from(layout, self._content, self._at)
        self._at += size
        return values

    def count(self, most: int = _MOST) -> int:
        """How many records follow."""
        (number,) = self.take("<Q")
        if number > most:
            raise expected(self._where, self._wanted, "a file of another kind, or a damaged one")
        return int(number)

    def text(self) -> str:
        """Letters up to a zero."""
        end = self._content.find(b"\0", self._at)
        if end < 0:
            raise expected(self._where, self._wanted, "a file that was cut off")
        found = self._content[self._at : end]
        self._at = end + 1
        return found.decode("utf-8", "replace")

    def skip(self, size: int) -> None:
        """Passes over bytes."""
        self._check(size)
        self._at += size

    def check_end(self) -> None:
        """Refuses what goes on: it is a file of another kind."""
        if self._at != len(self._content):
            raise expected(self._where, self._wanted, "a file of another kind, which goes on after it")

    def _check(self, size: int) -> None:
        if self._at + size > len(self._content):
            got = "a file that was cut off, or of another kind" if self._content else "an empty file"
            raise expected(self._where, self._wanted, got)
