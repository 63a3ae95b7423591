"""Pieces put in place by 4 x 4 matrices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.parts import Part

F64 = NDArray[np.float64]


def moved(part: Part, matrix: F64) -> Part:
    """The part, moved by a matrix (4, 4); one that mirrors does not turn its faces inside out."""
    if np.array_equal(matrix, np.eye(4)):
        return part
    vertices = part.vertices @ matrix[:3, :3].T + matrix[:3, 3]
    mirrors = np.linalg.det(matrix[:3, :3]) < 0
    return replace(part, vertices=vertices, faces=part.faces[:, ::-1] if mirrors else part.faces)


def translation(offset: F64 | list[float]) -> F64:
    """The matrix (4, 4) of an offset (3,)."""
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    return matrix


def scaling(factors: F64 | list[float]) -> F64:
    """The matrix (4, 4) of factors (3,)."""
    return np.diag([*np.asarray(factors, np.float64), 1.0])


def about_axis(axis: F64 | list[float], angle: float) -> F64:
    """The matrix (4, 4) of a turn about an axis (3,), of any length, by an angle [rad]; Rodrigues' formula."""
    direction = np.asarray(axis, np.float64)
    length = float(np.linalg.norm(direction))
    matrix = np.eye(4)
    if length > 0:
        x, y, z = direction / length
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        matrix[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return matrix
