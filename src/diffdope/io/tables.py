"""Rows of CSV files."""

from __future__ import annotations

import csv

from diffdope.errors import refused


def rows_of(text: str, where: str, *, delimiters: str = ",") -> list[list[str]]:
    """The cells of a table without the blanks around them, and without rows that hold nothing.

    Args:
        text: of the file.
        where: for the error.
        delimiters: of which the one is taken that the first line has most of.

    Raises:
        DiffDopeError: if it is no table.
    """
    first = text.lstrip().split("\n", 1)[0]
    try:
        rows = list(csv.reader(text.splitlines(), delimiter=max(delimiters, key=first.count)))
    except csv.Error as error:
        raise refused(where, f"no table: {error}") from error
    return [cells for row in rows if any(cells := [cell.strip() for cell in row])]
