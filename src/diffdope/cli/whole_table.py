"""Tables that are printed whole: what is too wide for a pipe's 80 columns, or a narrow window, is not cut."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table


def print_whole(table: Table, console: Console) -> None:
    """Prints a table in as many columns as it takes; a window that has fewer wraps its lines."""
    wide = console.options.update(width=10_000)
    needed = Measurement.get(console, wide, table).maximum
    Console(file=console.file, width=max(console.width, needed)).print(table)
