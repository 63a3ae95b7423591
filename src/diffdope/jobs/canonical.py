"""One text for one value: JSON with sorted keys and shortest exact floats, so that equal runs end with equal bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

TASKS, COUNT = "tasks_sha256", "task_count"
"""What a header says of its tasks: a hash of all of them, and how many they are."""


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


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Each differing setting, as "preset.iterations: 60 became 30"; tasks, of which a header has a hash, come first."""
    before, after = flat(old), flat(new)
    texts = {path: (_text(before, path), _text(after, path)) for path in dict.fromkeys([*before, *after])}
    changed = {path: pair for path, pair in texts.items() if pair[0] != pair[1]}
    if TASKS in changed:  # nobody knows them by their hash
        was, now = changed.pop(COUNT, texts.get(COUNT, ("", "")))
        counts = f" ({was} before, {now} now)" if was != now else ""
        yield f"other tasks than before{counts}: which scenes, images, objects or start poses"
        del changed[TASKS]
    yield from (f"{path}: {was} became {now}" for path, (was, now) in changed.items())


def _text(settings: Mapping[str, Any], path: str) -> str:
    return json.dumps(settings[path]) if path in settings else "(not there)"
