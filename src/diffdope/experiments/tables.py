"""Records to rows: grouping, shares and medians, CSV, and tables for people."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from diffdope.experiments.bench import RECOVERED_MM, Row
from diffdope.io.files import atomic


def grouped(records: Iterable[Row], *keys: str) -> dict[tuple[object, ...], list[Row]]:
    """Records by the values of some columns, in order of first appearance."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for record in records:
        groups.setdefault(tuple(record[key] for key in keys), []).append(record)
    return groups


def column(records: Iterable[Row], name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A column as numbers."""
    return np.array([record[name] for record in records], dtype=np.float64)


def summary(records: Sequence[Row], error: str = "add_mm") -> Row:
    """Count, share recovered, errors and time of some trials."""
    errors = column(records, error)
    return {
        "n": len(records),
        "recovered": float(np.mean(errors < RECOVERED_MM)),
        f"{error}_median": float(np.median(errors)),
        f"{error}_p90": float(np.percentile(errors, 90)),
        "add_s_mm_median": float(np.median(column(records, "add_s_mm"))),
        "seconds_median": float(np.median(column(records, "seconds"))),
    }


def summaries(records: Iterable[Row], *keys: str, error: str = "add_mm") -> list[Row]:
    """A row for every combination of the key columns that occurs."""
    groups = grouped(records, *keys)
    return [dict(zip(keys, values, strict=True)) | summary(group, error) for values, group in groups.items()]


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Rows with a header; columns in order of first appearance, numbers in full precision."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def markdown(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table, numbers rounded for people."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(heading(name) for name in columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(worded(name, row.get(name)) for name in columns) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def heading(name: str) -> str:
    """A column's name for people: medians are not called so, since nearly all columns are."""
    name = name.removesuffix("_median").replace("add_s_mm", "ADD-S mm").replace("add_mm", "ADD mm")
    return name.replace("_modulo_deg", "_modulo").replace("_", " ")


def worded(name: str, value: object) -> str:
    """A value for people: shares in per cent, three significant digits."""
    if value is None or value == "":
        return ""
    if isinstance(value, float):
        if name in SHARES:
            return f"{100 * value:.0f} %"
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


SHARES = frozenset(
    {"recovered", "right_modulo", "disagree", "disagree_modulo", "within_1_sigma", "within_2_sigma", "within_3_sigma"}
)


def numbers(row: Mapping[str, object], name: str) -> float:
    """A value as a number."""
    value = row[name]
    assert isinstance(value, int | float)
    return float(value)
