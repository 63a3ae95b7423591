"""What a former run wrote into a folder of results, so that none of it is taken for the next one's.

A hidden file lists what the last run of each kind wrote there. What the next run of that kind does not write again is
removed; whatever else lies there was never listed, and stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

LIST = ".diffdope.json"
Kind = Literal["poses", "calibration", "evaluation", "comparison", "confidence"]
"""Of what commands write: those of one kind replace each other's results."""


def take_over(out: Path, kind: Kind, written: Iterable[PurePosixPath]) -> None:
    """Removes what a former run of a kind wrote and this one did not, and lists what this one wrote.

    Args:
        out: the folder; what was written now is in its place.
        kind: of the command.
        written: files, relative to the folder.
    """
    listed, now = _listed(out / LIST), [str(one) for one in written]
    others = {name for other, names in listed.items() if other != kind for name in _names(names)}
    for name in set(_names(listed.get(kind))).difference(now, others):
        _remove(out, PurePosixPath(name))
    (out / LIST).write_text(json.dumps({**listed, kind: now}, indent=1) + "\n", encoding="utf-8")


def _listed(path: Path) -> dict[str, Any]:
    """What the list says; nothing where there is none, or it is none."""
    try:
        entry = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _names(entry: Any) -> list[str]:
    """Names of a kind that lie within the folder."""
    names = [one for one in entry if isinstance(one, str)] if isinstance(entry, list) else []
    return [name for name in names if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts]


def _remove(out: Path, name: PurePosixPath) -> None:
    """Removes a file, and the folders within `out` that are empty then; what cannot be removed stays."""
    path = out / name
    try:
        path.unlink()
        for folder in path.parents:
            if folder == out:
                return
            folder.rmdir()
    except OSError:
        return
