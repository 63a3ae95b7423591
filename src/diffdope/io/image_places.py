"""Where the images of a model stand that structure from motion or a phone has made: T_w2c of each, by its file.

| file | place |
|---|---|
| COLMAP: images.txt, images.bin | world to camera, in the unit of the model |
| nerfstudio, instant-ngp: frames | transform_matrix: camera to world, of cameras that look along -z, y up |
| Polycam, one an image | t_00 to t_23: the first three rows of the same, metres |

The world is the file's: nerfstudio's applied_transform has been applied to it already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from diffdope.errors import DiffDopeError, expected, refused, some_of
from diffdope.geometry.pose import Pose
from diffdope.io.camera_phones import numbers_in
from diffdope.io.colmap import is_images_text, read_images
from diffdope.io.json_files import read_text

_ROWS = [[f"t_{row}{column}" for column in range(4)] for row in range(3)]  # Polycam's names
_CURE = "give the photographs by the names that the file has, or choose with --image-id"


@dataclass(frozen=True)
class ImagePlaces:
    """Places of images.

    Attributes:
        files: of the photographs, by the image's number.
        T_w2c: by the image's number.
    """

    files: Mapping[int, str]
    T_w2c: Mapping[int, Pose]

    def of_views(
        self, count: int, image_ids: Sequence[int | None], pictures: Sequence[str | Path], where: str
    ) -> list[Pose]:
        """T_w2c of each view: of the numbers that were chosen, else of the photographs' names.

        Args:
            count: how many views there are.
            image_ids: a number each, or None.
            pictures: files of the photographs, one each, or none.
            where: the file, for errors.

        Raises:
            DiffDopeError: if a view has no place, or several images have its name.
        """
        chosen = self.chosen(image_ids, where)
        if chosen:
            return [self.T_w2c[number] for number in chosen]
        if count == len(self.T_w2c) == 1:
            return list(self.T_w2c.values())
        if len(pictures) == count:
            return [self.T_w2c[self._number_of(picture, where)] for picture in pictures]
        if len(self.T_w2c) != count:
            raise expected(where, f"a place for each of {count} views", f"{len(self.T_w2c)} images", _CURE)
        return list(self.T_w2c.values())

    def chosen(self, image_ids: Sequence[int | None], where: str) -> list[int]:
        """The images' numbers, a number each; empty where none was chosen.

        Raises:
            DiffDopeError: if one is none of these images, or some views have no number.
        """
        if all(number is None for number in image_ids):
            return []
        unknown = [number for number in image_ids if number is None or number not in self.files]
        if unknown:
            raise expected(where, f"images {some_of(self.files)}", f"image {unknown[0]}", "see --image-id")
        return [number for number in image_ids if number is not None]

    def numbers_of(self, picture: str | Path) -> list[int]:
        """Images whose file ends as a photograph's does: those that share most folders with it."""
        parts = PurePosixPath(Path(picture).as_posix()).parts
        shared = {number: _alike(parts, PurePosixPath(file).parts) for number, file in self.files.items()}
        most = max(shared.values(), default=0)
        return [number for number, count in shared.items() if count == most and most > 0]

    def _number_of(self, picture: str | Path, where: str) -> int:
        found = self.numbers_of(picture)
        if len(found) == 1:
            return found[0]
        got = f"none among {some_of(self.files.values())}" if not found else f"{len(found)} of that name"
        raise expected(where, f"an image {Path(picture).name}", got, _CURE)


def places_of_colmap(path: Path, name: str) -> ImagePlaces | None:
    """Of images.txt or images.bin; None for another file.

    Args:
        path: the file.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it was cut off, or holds what is no place.
    """
    suffix = path.suffix.lower()
    if suffix == ".txt":
        lines = [line.strip() for line in read_text(path, name).splitlines()]
        if not is_images_text([line for line in lines if line and not line.startswith("#")]):
            return None
    elif suffix != ".bin":
        return None
    images = read_images(path, name)
    return ImagePlaces({key: file for key, (file, _) in images.items()}, {key: T for key, (_, T) in images.items()})


def places_of_frames(data: Any) -> ImagePlaces | None:
    """Of transforms.json, or of Polycam's file of one image; None for another.

    Raises:
        DiffDopeError: if a matrix is no rigid transform: it is named.
    """
    if not isinstance(data, Mapping):
        return None
    if all(key in data for row in _ROWS for key in row):
        matrix = [[data[key] for key in row] for row in _ROWS]
        return ImagePlaces({0: ""}, {0: _of_opengl(matrix, "t_00 to t_23")})
    listed = data.get("frames")
    if not isinstance(listed, list):
        return None
    frames = [one for one in listed if isinstance(one, Mapping) and "transform_matrix" in one]
    if not frames:
        return None
    files = [str(one.get("file_path", place)) for place, one in enumerate(frames)]
    places = [_of_opengl(one["transform_matrix"], file) for one, file in zip(frames, files, strict=True)]
    numbers = numbers_in(files)
    return ImagePlaces(dict(zip(numbers, files, strict=True)), dict(zip(numbers, places, strict=True)))


def _of_opengl(T_gl2w: Any, where: str) -> Pose:
    try:
        matrix = np.asarray(T_gl2w, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise expected(where, "a matrix of 4 x 4 numbers", "something else") from error
    try:
        return Pose.from_opengl(Pose.from_matrix(matrix).inverse().matrix)
    except DiffDopeError as error:
        raise refused(where, str(error)) from error


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts at their ends are the same; the file's ending counts only where both have one."""
    if not one or not other or (one[-1] != other[-1] and PurePosixPath(one[-1]).stem != other[-1]):
        return 0
    count = 1
    for mine, its in zip(one[-2::-1], other[-2::-1], strict=False):
        if mine != its:
            break
        count += 1
    return count
