"""The files and the summary of `diffdope scene`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from diffdope.cli.pictures import draw_all
from diffdope.cli.report import print_answers, view_line
from diffdope.geometry.deviations import camera_deviation
from diffdope.io.bop_results import Estimate, write_results
from diffdope.io.files import write_json
from diffdope.io.plain import to_plain
from diffdope.io.scene_results import encode_scene
from diffdope.io.wording import in_options
from diffdope.joint.result import SceneResult, ViewResult
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.scene.view import View


def write_scene(
    folder: Path, refiner: SceneRefiner, views: Sequence[View], result: SceneResult, ids: Sequence[int],
    images: Sequence[int], beside: Mapping[str, Any],
) -> None:  # fmt: skip
    """scene.json, BOP results and an overlay a view.

    Args:
        folder: for the files.
        refiner: of the objects.
        views: as they were given.
        result: of the scene.
        ids: of the objects in BOP's files.
        images: numbers of the views in BOP's files.
        beside: what stands beside the result in scene.json.
    """
    write_json(folder / "scene.json", encode_scene(result, ids, in_options) | to_plain(dict(beside)))
    for number, view in enumerate(views):
        suffix = "" if len(views) == 1 else "_" + re.sub(r"[^\w.-]", "_", result.views[number].name)
        rows = [
            Estimate(0, images[number], obj_id, one.confidence, one.views[number].pose, result.elapsed_s)
            for one, obj_id in zip(result.objects, ids, strict=True)
            if one.views and one.ok
        ]
        write_results(folder / f"poses{suffix}.csv", rows)
        drawn = [
            (one.name, one.ok, known.mesh, one.views[number].pose)
            for one, known in zip(result.objects, refiner.refiners, strict=True)
            if one.views and one.views[number].pose.t_m2c[2] > 0.0
        ]
        draw_all(folder / f"overlay{suffix}.png", view.observation, drawn)


def print_scene(result: SceneResult, out: Path, console: Console) -> None:
    """A line an object, what is worth a word of views, where the files are."""
    for one in result.objects:
        x, y, z = 1e3 * one.pose.t_m2c
        place = f", confidence {one.confidence:.2f}, at ({x:.1f}, {y:.1f}, {z:.1f}) mm"
        why = "" if one.ok else f": {in_options(one.message)}"
        console.print(f"{one.name}: {one.status}{place if one.views else ''}{why}", soft_wrap=True, markup=False)
        if len(one.answers) > 1 and not one.ok:
            print_answers(one.answers, console)
    for view in result.views:
        if view.place == "found":
            print_place(view, console)
        elif view.refined and view.used:  # what is left out stays where it was, which says nothing of its camera
            text = f"{view.name}: camera moved by {view.moved_mm:.2f} mm and {view.moved_deg:.3f} degrees"
            console.print(text, soft_wrap=True, markup=False)
    for note in result.notes:
        console.print(f"note: {in_options(note)}", soft_wrap=True, markup=False)
    found = sum(one.ok for one in result.objects)
    console.print(f"{found} of {len(result.objects)} found; files: {out}", soft_wrap=True, markup=False)
    console.print(view_line(out), highlight=False, soft_wrap=True, markup=False)


def print_place(view: ViewResult, console: Console) -> None:
    """Where a camera stands whose place was found, and how far off that may be."""
    x, y, z = 1e3 * view.T_c2w.t_m2c
    text = f"{view.name}: camera at ({x:.1f}, {y:.1f}, {z:.1f}) mm in the world"
    if view.covariance is not None:
        text += ", +- {:.1f} mm and {:.2f} degrees".format(*camera_deviation(view.covariance, view.T_w2c))
    console.print(text, soft_wrap=True, markup=False)
