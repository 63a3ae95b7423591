"""The library that the extra `viewer` installs, loaded when it is needed."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from diffdope.errors import not_installed


def viser_module(command: str = "view") -> Any:
    """viser.

    Args:
        command: the one to blame.

    Raises:
        DiffDopeError: if it is not installed; the message says how it is.
    """
    if importlib.util.find_spec("viser") is None:
        raise not_installed(command, "viser", "viewer")
    return importlib.import_module("viser")
