"""What a recording of rerun holds, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def columns(path: Path) -> dict[tuple[str, str], list[tuple[Any, Any]]]:
    """(entity, component) -> (time, value) in the order of the times; None for the time of what is static."""
    from rerun import chunk

    found: dict[tuple[str, str], list[tuple[Any, Any]]] = {}
    for one in chunk.RrdReader(path).stream():
        batch = one.to_record_batch()
        names = batch.schema.names
        clock = next((name for name in ("iteration", "frame") if name in names), None)
        times = [None] * batch.num_rows if clock is None else batch[clock].to_pylist()
        for name in names:
            if ":" in name:
                values = zip(times, batch[name].to_pylist(), strict=True)
                found.setdefault((one.entity_path, name), []).extend(v for v in values if v[1] is not None)
    return {key: sorted(values, key=lambda v: -1 if v[0] is None else v[0]) for key, values in found.items()}
