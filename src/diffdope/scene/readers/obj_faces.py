"""The lines of faces in an OBJ file: `f 1 2 3`, `f 1/1 2/2 3/3`, `f 1//1 2//2 3//3` or `f 1/1/1 2/2/2 3/3/3`."""

from __future__ import annotations

import numpy as np

from diffdope.io.numbers import numbers_in
from diffdope.scene.readers.corners import Int, Polygons


def absolute(face: str, points: int, coordinates: int) -> str:
    """A line of a face whose negative indices, which count back from the last, are replaced by those from the first.

    Args:
        face: the line, without its keyword.
        points: how many points came before it.
        coordinates: how many texture coordinates came before it.
    """
    counts = (points, coordinates, 0)  # normals are not used
    corners = []
    for corner in face.split():
        indices = corner.split("/")
        for k, (index, count) in enumerate(zip(indices, counts, strict=False)):
            if index.startswith("-"):
                indices[k] = str(int(index) + count + 1)
        corners.append("/".join(indices))
    return " ".join(corners)


def polygons_of(faces: list[str]) -> Polygons:
    """Polygons of lines; indices of points and texture coordinates from 0, and -1 where there are none."""
    corners = " ".join(faces).split()
    sizes = _sizes(faces, len(corners))
    place, uv = _columns(corners)
    if uv is None or (uv < 0).all():
        return Polygons(sizes, place)
    return Polygons(sizes, place, uv)


def _sizes(faces: list[str], corners: int) -> Int:
    """How many corners each line has."""
    spaces = {face.count(" ") for face in faces}
    # No line has more corners than one more than its spaces, so that none has fewer if they add up.
    if len(spaces) == 1 and corners == (1 + min(spaces)) * len(faces) and not any("\t" in face for face in faces):
        return np.full(len(faces), 1 + min(spaces), np.intp)
    return np.array([len(face.split()) for face in faces], np.intp)


def _columns(corners: list[str]) -> tuple[Int, Int | None]:
    slashes = {corner.count("/") for corner in corners}
    text = " ".join(corners)
    if slashes == {0}:
        return numbers_in("mesh", text).astype(np.intp) - 1, None
    if len(slashes) == 1 and "//" not in text:
        numbers = numbers_in("mesh", text.replace("/", " "))
        if len(numbers) == (slashes.pop() + 1) * len(corners):
            table = numbers.astype(np.intp).reshape(len(corners), -1) - 1
            return np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
    split = [corner.split("/") for corner in corners]
    place = np.array([int(indices[0]) for indices in split], np.intp) - 1
    uv = np.array([int(indices[1]) if len(indices) > 1 and indices[1] else 0 for indices in split], np.intp) - 1
    return place, uv
