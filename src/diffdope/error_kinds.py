"""Errors that somebody has to tell from others: to go on without something, or to say more."""

from __future__ import annotations

from collections.abc import Iterable

from diffdope.errors import DiffDopeError, expected


class NothingToCompareError(DiffDopeError):
    """Mesh and observation have nothing in common: no colours for the photograph, no depth, no mask."""


class NothingSaysWhereError(DiffDopeError):
    """Nothing in an observation says where the object is: no mask, no depth, no print that keypoints could find."""


class UnknownKeysError(DiffDopeError):
    """None of the names in a file is known.

    Attributes:
        keys: the names that it has.
    """

    keys: tuple[str, ...] = ()


def unknown_keys(name: str, expectation: str, keys: Iterable[object], cure: str = "") -> DiffDopeError:
    """An `UnknownKeysError`: "camera: expected cam_K, got keys a, b; <cure>"."""
    listed = tuple(map(str, keys))
    error = expected(name, expectation, f"keys {', '.join(listed) or 'none'}", cure, kind=UnknownKeysError)
    assert isinstance(error, UnknownKeysError)
    error.keys = listed
    return error
