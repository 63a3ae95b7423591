"""One text for one value: JSON with sorted keys and shortest exact floats, so that equal runs end with equal bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def canonical(entry: Mapping[str, Any]) -> str:
    """One line of JSON without a line break.

    Raises:
        ValueError: for NaN and infinity, which JSON does not have.
        TypeError: for values of other types.
    """
    return json.dumps(dict(entry), sort_keys=True, allow_nan=False, separators=(", ", ": "))


def normal(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The value as it comes back from a file: tuples are lists, keys are strings."""
    value: dict[str, Any] = json.loads(canonical(entry))
    return value


def flat(entry: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted path; lists stay whole."""
    found: dict[str, Any] = {}
    for name, value in entry.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{path}.")
        else:
            found[path] = value
    return found


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Each differing setting, as "preset.iterations: 60 became 30"."""
    before, after = flat(old), flat(new)
    texts = {path: (_text(before, path), _text(after, path)) for path in dict.fromkeys([*before, *after])}
    return [f"{path}: {was} became {now}" for path, (was, now) in texts.items() if was != now]


def _text(settings: Mapping[str, Any], path: str) -> str:
    return json.dumps(settings[path]) if path in settings else "(not there)"
