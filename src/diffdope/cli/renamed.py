"""Settings that have another name than before: the old one still works, and a line on stderr says the new one."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from diffdope.errors import expected

RENAMED = {
    "search.doubt": "search.fallback_confidence",
    "search.other_sides": "search.symmetric_alternatives",
    "search.step.longest": "search.step.max_step",
    "search.step.shrink": "search.step.decrease",
    "search.step.grow": "search.step.increase",
    "search.step.negligible": "search.step.reduction_tolerance",
}
"""Old path of a preset's setting -> new path, in the same group."""

_FLAG = re.compile(r"--((?:[\w-]+\.)*?)(no-)?([\w-]+)(=.*)?")


def current_flags(arguments: Sequence[str]) -> list[str]:
    """Command-line words with old flags replaced by new ones; those of a study begin with `--preset.`."""
    return [_current_flag(word) for word in arguments]


def current_settings(data: Mapping[str, Any], where: str, path: str = "") -> dict[str, Any]:
    """Nested settings with old names replaced by new ones; what is no setting is left for others to refuse.

    Args:
        data: as a file has them.
        where: the file, for messages.
        path: of `data` within a preset, with a dot behind it.

    Raises:
        DiffDopeError: if a setting comes under both names.
    """
    found: dict[str, Any] = {}
    for key, value in data.items():
        old = path + str(key).replace("-", "_")
        name = str(key)
        if old in RENAMED:
            name = RENAMED[old].removeprefix(path)
            _say(f"{where}: {old}", RENAMED[old])
        if name in found:
            raise expected(f"{where}: {path}{name}", "each setting once", f"{name} and its old name")
        found[name] = current_settings(value, where, f"{old}.") if isinstance(value, Mapping) else value
    return found


def _current_flag(word: str) -> str:
    given = _FLAG.fullmatch(word)
    if given is None:
        return word
    group, negated, name, value = given.groups(default="")
    prefix = "preset." if group.startswith("preset.") else ""
    old = (group.removeprefix(prefix) + name).replace("-", "_")
    if old not in RENAMED:
        return word
    group, _, name = RENAMED[old].rpartition(".")
    flag = f"--{prefix}{group}.{negated}{name}".replace("_", "-")
    _say(word.partition("=")[0], flag)
    return flag + value


def _say(old: str, new: str) -> None:
    print(f"note: {old} is now called {new}; the old name will go", file=sys.stderr)
