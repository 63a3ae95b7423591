"""Systematic damage to files: see `benchmarks.hostile_inputs`.

Every file is cut off at each 16th byte, and a byte of each 16 is changed; of texts, numbers and lines are replaced; of
JSON, each value and each key; of bytes, the words that may be counts.
"""

from __future__ import annotations

import copy
import json
import re
import struct
from collections.abc import Iterator
from typing import Any

STEP = 16  # bytes
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
_WORDS = (b"nan", b"-inf", b"1e308", b"-1", b"0", b"text", b"", b"9" * 30, b"1e-320", b"65536", b"9" * 5000)
_VALUES: tuple[Any, ...] = (
    None, True, "", "text", [], {}, float("nan"), 1e308, -1, 0, [[1, 2], [3]], 10**400, "9" * 5000, {"": None}, 1e-320,
)  # fmt: skip
_COUNTS = tuple(
    struct.pack("<Q", number) for number in (2**64 - 1, 2**63 - 1, 2**40, 2**32 - 1, 2**31 - 1, 2**30, 0)
) + tuple(struct.pack("<d", number) for number in (float("nan"), float("inf"), 1e308, -1.0))  # fmt: skip
_NUMBERS = 100  # of a text that are replaced, about
_DEEP = 20_000  # brackets within brackets
_ENCODINGS = ("utf-16", "utf-16-be", "utf-32", "cp500")


def damaged(data: bytes) -> Iterator[tuple[str, bytes]]:
    """A file with each damage, and what that is.

    Args:
        data: the whole file.
    """
    yield "whole", data
    yield "empty", b""
    for at in range(0, len(data), STEP):
        yield f"cut at {at}", data[:at]
    for k, at in enumerate(range(0, len(data), STEP)):
        place = at + k % min(STEP, len(data) - at)
        for byte in (0, 255, data[place] ^ 1, data[place] ^ 128):
            yield f"byte {place} is {byte}", data[:place] + bytes([byte]) + data[place + 1 :]
    yield from _text(data) if _is_text(data) else _counts(data)


def _is_text(data: bytes) -> bool:
    try:
        return data.decode("utf-8").isprintable() or b"\0" not in data
    except UnicodeDecodeError:
        return False


def _text(data: bytes) -> Iterator[tuple[str, bytes]]:
    numbers = list(_NUMBER.finditer(data))
    for found in numbers[:: 1 + len(numbers) // _NUMBERS]:
        for word in _WORDS:
            yield (
                f"{found[0].decode()} at {found.start()} is {word[:9].decode()}",
                (data[: found.start()] + word + data[found.end() :]),
            )
    lines = data.split(b"\n")
    for n, line in enumerate(lines):
        yield f"without line {n}", b"\n".join(lines[:n] + lines[n + 1 :])
        yield f"line {n} twice", b"\n".join([*lines[:n], line, *lines[n:]])
    text = data.decode("utf-8")
    for encoding in _ENCODINGS:
        yield encoding, text.encode(encoding, "replace")
    yield "a byte that is no UTF-8", data[: len(data) // 2] + b"\xe9" + data[len(data) // 2 :]
    yield "carriage returns", data.replace(b"\n", b"\r\n")
    yield "only carriage returns", data.replace(b"\n", b"\r")
    for opening in (b"[", b'{"a":', b"<a>", b"("):
        yield f"{opening.decode()} within itself", opening * _DEEP
    yield from _json(text)


def _json(text: str) -> Iterator[tuple[str, bytes]]:
    try:
        data = json.loads(text)
    except ValueError:
        return
    for path in _paths(data):
        for value in _VALUES:
            yield f"{path} is {str(value)[:9]}", json.dumps(_with(data, path, value)).encode()
        if path:
            yield f"without {path}", json.dumps(_without(data, path)).encode()
            yield f"{path} as text", json.dumps(_with(data, path, str(_at(data, path)))).encode()
            yield f"{path} in a list", json.dumps(_with(data, path, [_at(data, path)])).encode()


def _paths(data: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield from _paths(value, (*above, key))


def _at(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


def _with(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    data = copy.deepcopy(data)
    _at(data, path[:-1])[path[-1]] = value
    return data


def _without(data: Any, path: tuple[Any, ...]) -> Any:
    data = copy.deepcopy(data)
    del _at(data, path[:-1])[path[-1]]
    return data


def _counts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Words of four and eight bytes, at every fourth."""
    for at in range(0, min(len(data), 512), 4):
        for word in _COUNTS:
            for size in (4, 8):
                yield f"{size} bytes at {at} are {word[:size].hex()}", data[:at] + word[:size] + data[at + size :]
