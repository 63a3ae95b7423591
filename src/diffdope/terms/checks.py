"""Checks that settings share."""

from __future__ import annotations

from diffdope.errors import DiffDopeError


def check_at_least_zero(settings: object, *names: str) -> None:
    """Refuses numbers below 0.

    Raises:
        DiffDopeError: naming the setting.
    """
    for name in names:
        if not getattr(settings, name) >= 0.0:
            raise DiffDopeError(f"{name}: expected a number >= 0, got {getattr(settings, name)}")


def check_above_zero(settings: object, *names: str) -> None:
    """Refuses numbers that are not above 0.

    Raises:
        DiffDopeError: naming the setting.
    """
    for name in names:
        if not getattr(settings, name) > 0.0:
            raise DiffDopeError(f"{name}: expected a number > 0, got {getattr(settings, name)}")
