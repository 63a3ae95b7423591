"""Where names were in an earlier state of the package: one table, kept for one more release (CHANGELOG, Deprecated)."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

FORMER_HOMES: dict[str, dict[str, str]] = {
    "diffdope.bop.results": dict.fromkeys(
        ("COLUMNS", "Estimate", "read_results", "write_results"), "diffdope.io.bop_results"
    ),
    "diffdope.geometry": {
        "Camera": "diffdope.geometry.camera",
        "CropWindow": "diffdope.geometry.crop",
        "Pose": "diffdope.geometry.pose",
        "choose_crop": "diffdope.geometry.crop",
        "load_camera": "diffdope.io.cameras",
    },
    "diffdope.geometry.camera": {"load_camera": "diffdope.io.cameras"},
    "diffdope.scene.frames": dict.fromkeys(("Film", "Frame", "Frames", "ImageFolders"), "diffdope.io.frames"),
    "diffdope.scene.images": {
        "as_rgb_texture": "diffdope.io.images",
        "read_image": "diffdope.io.images",
        "read_mask": "diffdope.io.masks",
        "read_rgb": "diffdope.io.images",
    },
}
"""By former module and name: the module in which it is now."""


def leading_on(module: str) -> Callable[[str], Any]:
    """A module's `__getattr__`, which finds names where they are now, with a `DeprecationWarning` that says where.

    Args:
        module: the former one, of the table.
    """

    def find(name: str) -> Any:
        now = FORMER_HOMES[module].get(name)
        if now is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        text = f"{module}.{name} is {now}.{name}; the old name works for one more release"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return getattr(importlib.import_module(now), name)

    return find
