"""Files that tests write and read."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any


def written(path: Path, content: Any) -> Path:
    """The path, at which there is a text now, or what JSON makes of anything else."""
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, by its header."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
