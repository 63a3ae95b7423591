"""A run in parts, for machines that share nothing but a list of tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from diffdope.errors import expected
from diffdope.jobs.task import Task


def shard(tasks: Sequence[Task], index: int, count: int) -> list[Task]:
    """Part `index` of `count` (from 1): every `count`-th group, whole, in the order of `tasks`.

    All parts together are `tasks`, and none overlap. A part may be empty.

    Raises:
        DiffDopeError: unless 1 <= index <= count.
    """
    if not 1 <= index <= count:
        raise expected("shard", "i/n with 1 <= i <= n", f"{index}/{count}")
    number = {group: n for n, group in enumerate(dict.fromkeys(task.group for task in tasks))}
    return [task for task in tasks if number[task.group] % count == index - 1]


def parse_shard(text: str) -> tuple[int, int]:
    """(index, count) of "2/4".

    Raises:
        DiffDopeError: if it is anything else.
    """
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip(), re.ASCII)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise expected("shard", "i/n with 1 <= i <= n, such as 2/4", repr(text))
    return int(match[1]), int(match[2])
