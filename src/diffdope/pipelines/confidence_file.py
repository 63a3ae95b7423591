"""Files of `diffdope bop calibrate`: a map of confidences that was fitted to a user's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from diffdope.error_kinds import unknown_keys
from diffdope.errors import check_number, expected
from diffdope.estimate.confidence import TOLERANCE, ConfidenceSettings
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
        beside: where it comes from, for people; "preset", the name of the one that it was fitted with, is also checked
            where the map is applied.
    """
    about = (
        f"ADD below {1e3 * settings.tolerance_m:g} mm" if settings.tolerance_m
        else f"ADD below {100 * TOLERANCE:g} % of the object's diameter, which tolerance_m 0 stands for"
    )  # fmt: skip
    numbers = {"tolerance_m": settings.tolerance_m, "odds": settings.odds, "slope": settings.slope}
    write_json(Path(path), {"format": FORMAT, "version": VERSION, "right": about, **numbers, **dict(beside or {})})


def read_confidence(path: str | Path) -> ConfidenceSettings:
    """Reads what `diffdope bop calibrate` wrote, for `SearchSettings.confidence`.

    Args:
        path: confidence.json.

    Raises:
        DiffDopeError: if the file cannot be read, is of another kind, or lacks a number.
    """
    return _settings_of(_checked(path), path)


def _checked(path: str | Path) -> dict[str, Any]:
    entry = read_object(Path(path), "confidence-file")
    if entry.get("format") != FORMAT:
        cure = "diffdope bop calibrate writes one"
        raise expected("confidence-file", f'a file with "format": "{FORMAT}"', entry.get("format", "none"), cure)
    if entry.get("version") != VERSION:
        raise expected("confidence-file", f"version {VERSION}", entry.get("version"), "fit it anew with this version")
    return dict(entry)


def _settings_of(entry: Mapping[str, Any], path: str | Path) -> ConfidenceSettings:
    for name in ("tolerance_m", "odds", "slope"):
        if name not in entry:
            raise unknown_keys(f"confidence-file, {path}", f"the number {name}", entry)
    numbers = {
        name: check_number(f"confidence-file, {name}", entry[name], "a number")
        for name in ("tolerance_m", "odds", "slope")
    }
    return ConfidenceSettings(**numbers)


def with_confidence_file(preset: Preset, path: str | Path | None) -> Preset:
    """A preset whose confidences are mapped as a file says.

    A tolerance that the preset sets must be that of the file, for another one needs another map; so must the preset's
    name, where the file states one.

    Args:
        preset: all numbers.
        path: of the file; None for none.

    Raises:
        DiffDopeError: if the file cannot be read, the preset has no confidence, or another tolerance, name or map.
    """
    if path is None:
        return preset
    if preset.solver != "newton":
        raise expected("confidence-file", f"none with preset {preset.name!r}, which has no confidence", str(path))
    entry, own = _checked(path), preset.search.confidence
    found, fitted_with = _settings_of(entry, path), entry.get("preset", preset.name)
    if fitted_with != preset.name:
        cure = f"use --preset {fitted_with}, or fit a file with results of bop refine --preset {preset.name}"
        raise expected("confidence-file", f"one that was fitted with preset {preset.name}", fitted_with, cure)
    if own.tolerance_m not in (0.0, found.tolerance_m):
        cure = "leave search.confidence.tolerance_m out, or fit another file with a run of that tolerance"
        raise expected(
            "confidence-file", f"one for a tolerance of {own.tolerance_m:g} m", f"{found.tolerance_m:g}", cure
        )
    if not own.idle:
        raise expected("confidence-file", "no search.confidence.odds and slope beside it", "both")
    return replace(preset, search=replace(preset.search, confidence=found))
