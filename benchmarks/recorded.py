"""Results of a long benchmark in a file of JSON lines, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Recorded:
    """Rows by what they are about, a few words each; kept in memory alone where there is no path."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: dict[tuple[str, ...], Row] = {}
        if path is not None and path.exists():
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            self._rows = {tuple(one["about"]): one["row"] for one in lines}

    def __contains__(self, about: tuple[str, ...]) -> bool:
        return about in self._rows

    def __getitem__(self, about: tuple[str, ...]) -> Row:
        return self._rows[about]

    def __setitem__(self, about: tuple[str, ...], row: Row) -> None:
        self._rows[about] = row
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps({"about": about, "row": row}) + "\n")
