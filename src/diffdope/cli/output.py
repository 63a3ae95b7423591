"""The folder of results: written aside, moved into place when everything is there."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import Preset


def check_output(out: Path) -> None:
    """Refuses a folder that cannot be written, before any work is done.

    Raises:
        DiffDopeError: if `out` is a file, or its parent is missing or read-only.
    """
    if out.exists() and not out.is_dir():
        raise expected("out", "a folder", f"the file {out}")
    parent = out if out.is_dir() else out.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise expected("out", "a folder that can be written", f"{out}", f"{parent} is not writable")


def check_results_file(out: Path) -> None:
    """Refuses a results file that cannot be written, and makes its folder.

    Raises:
        DiffDopeError: if `out` is a folder or does not end in .csv, or its folder cannot be written.
    """
    if out.suffix.lower() != ".csv" or out.is_dir():
        raise expected("out", "a file ending in .csv", str(out))
    check_output(out.absolute().parent)
    out.absolute().parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def results_folder(out: Path) -> Iterator[Path]:
    """Yields a temporary folder; its files replace those of `out` if the block succeeds."""
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield temporary
        out.mkdir(exist_ok=True)
        for file in sorted(temporary.iterdir()):
            file.replace(out / file.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def pose_entry(pose: Pose) -> dict[str, Any]:
    """BOP's keys (millimetres), and the 4x4 matrix in metres."""
    R, t_mm = pose.to_bop()
    return {"cam_R_m2c": list(R), "cam_t_m2c": list(t_mm), "T_m2c_metres": pose.matrix.tolist()}


def number(value: float) -> float | None:
    """JSON has no infinity."""
    return value if math.isfinite(value) else None


def result_entry(result: RefinementResult, preset: Preset, inputs: dict[str, Any]) -> dict[str, Any]:
    """Everything about a refinement but its history, as JSON."""
    from diffdope import __version__

    window = result.window
    turn, shift = result.pose.angle_to(result.initial_pose), result.pose.distance_to(result.initial_pose)
    return {
        **pose_entry(result.pose),
        "status": str(result.status),
        "message": result.message,
        "confidence": result.confidence,
        "evidence": None if result.evidence is None else asdict(result.evidence),
        "covariance": None if result.covariance is None else result.covariance.tolist(),
        "unobserved": None if result.unobserved is None else result.unobserved.tolist(),
        "cost": number(result.cost),
        "initial_cost": number(result.initial_cost),
        "cost_per_modality": result.cost_per_modality,
        "initial_cost_per_modality": result.initial_cost_per_modality,
        "modalities": list(result.modalities),
        "notes": list(result.notes),
        "initial": pose_entry(result.initial_pose),
        "change_deg": float(np.degrees(turn)),
        "change_mm": 1e3 * shift,
        "iterations": result.iterations,
        "winner": result.winner,
        "winner_iteration": result.winner_iteration,
        "window": None if window is None else asdict(window),
        "seconds": result.elapsed_s,
        "seed": result.seed,
        "settings": asdict(preset),
        "inputs": inputs,
        "diffdope_version": __version__,
    }


def write_json(path: Path, entry: dict[str, Any]) -> None:
    """Indented JSON."""
    path.write_text(json.dumps(entry, indent=2, allow_nan=False) + "\n", encoding="utf-8")
