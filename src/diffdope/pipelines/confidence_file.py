"""Files of `diffdope bop calibrate`: a map of confidences that was fitted to a user's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from diffdope.errors import check_number, expected
from diffdope.estimate.confidence import ConfidenceSettings
from diffdope.io.files import write_json
from diffdope.io.json_files import read_object
from diffdope.pipelines.settings import Preset

FORMAT = "diffdope confidence"
VERSION = 1


def write_confidence(path: str | Path, settings: ConfidenceSettings, beside: Mapping[str, Any] | None = None) -> None:
    """Writes a map, whole or not at all.

    Args:
        path: the file.
        settings: the map, and the tolerance that it was fitted for.
        beside: where it comes from, for people.
    """
    numbers = {"tolerance_m": settings.tolerance_m, "odds": settings.odds, "slope": settings.slope}
    write_json(Path(path), {"format": FORMAT, "version": VERSION, **numbers, **dict(beside or {})})


def read_confidence(path: str | Path) -> ConfidenceSettings:
    """Reads what `diffdope bop calibrate` wrote, for `SearchSettings.confidence`.

    Args:
        path: confidence.json.

    Raises:
        DiffDopeError: if the file cannot be read, is of another kind, or lacks a number.
    """
    entry = read_object(Path(path), "confidence-file")
    if entry.get("format") != FORMAT:
        cure = "diffdope bop calibrate writes one"
        raise expected("confidence-file", f'a file with "format": "{FORMAT}"', entry.get("format", "none"), cure)
    if entry.get("version") != VERSION:
        raise expected("confidence-file", f"version {VERSION}", entry.get("version"), "fit it anew with this version")
    for name in ("tolerance_m", "odds", "slope"):
        if name not in entry:
            raise expected(f"confidence-file, {path}", f"the number {name}", f"keys {', '.join(entry)}")
    numbers = {
        name: check_number(f"confidence-file, {name}", entry[name], "a number")
        for name in ("tolerance_m", "odds", "slope")
    }
    return ConfidenceSettings(**numbers)


def with_confidence_file(preset: Preset, path: str | Path | None) -> Preset:
    """A preset whose confidences are mapped as a file says.

    A tolerance that the preset sets must be that of the file, for another one needs another map.

    Args:
        preset: all numbers.
        path: of the file; None for none.

    Raises:
        DiffDopeError: if the file cannot be read, the preset has no confidence, or another tolerance or map.
    """
    if path is None:
        return preset
    if preset.solver != "newton":
        raise expected("confidence-file", f"none with preset {preset.name!r}, which has no confidence", str(path))
    found, own = read_confidence(path), preset.search.confidence
    if own.tolerance_m not in (0.0, found.tolerance_m):
        cure = "leave search.confidence.tolerance_m out, or fit another file with a run of that tolerance"
        raise expected(
            "confidence-file", f"one for a tolerance of {own.tolerance_m:g} m", f"{found.tolerance_m:g}", cure
        )
    if not own.idle:
        raise expected("confidence-file", "no search.confidence.odds and slope beside it", "both")
    return replace(preset, search=replace(preset.search, confidence=found))
