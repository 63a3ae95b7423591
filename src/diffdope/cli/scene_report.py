"""The files and the summary of `diffdope scene`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from diffdope.cli.report import view_line
from diffdope.io.bop_results import Estimate, write_results
from diffdope.io.files import write_json
from diffdope.io.plain import to_plain
from diffdope.io.scene_results import encode_scene
from diffdope.io.wording import in_options
from diffdope.joint.result import SceneResult
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.render.renderer import Renderer
from diffdope.scene.view import View
from diffdope.viz.compose import GREEN, RED, contour, enlarge, to_bytes, written
from diffdope.viz.draw import whole_window
from diffdope.viz.overlay import write_overlay

_ANSWERS = 5  # that are printed of an object; scene.json has all


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
        draw_view(folder / f"overlay{suffix}.png", refiner, view, number, result)


def draw_view(path: Path, refiner: SceneRefiner, view: View, number: int, result: SceneResult) -> None:
    """One picture of all objects of a view: outlines in the photograph, green where found, red where not.

    Args:
        path: the file.
        refiner: of the objects.
        view: its images.
        number: of the view.
        result: of the scene.
    """
    window = whole_window(view.camera)
    crop = view.observation.crop(window)
    size = (crop.camera.height, crop.camera.width, 3)
    photo = crop.rgb if crop.rgb is not None else np.full(size, 0.4, np.float32)
    picture = enlarge(np.asarray(photo, np.float64), 2)
    for one, drawn in zip(result.objects, refiner.refiners, strict=True):
        if not one.views or one.views[number].pose.t_m2c[2] <= 0.0:
            continue
        pose = one.views[number].pose
        images = Renderer(drawn.mesh, crop.camera).render(pose.R_m2c, pose.t_m2c)
        coverage = enlarge(np.asarray(images.coverage[0], np.float64), 2)
        if coverage.max() <= 0.5:
            continue
        color = GREEN if one.ok else RED
        picture = contour(picture, coverage, color=color, thickness=2.0)
        rows, columns = np.nonzero(coverage > 0.5)
        picture = written(picture, one.name, (float(columns.mean()), float(rows.mean())), color=color)
    write_overlay(path, to_bytes(picture))


def print_scene(result: SceneResult, out: Path, console: Console) -> None:
    """A line an object, what is worth a word of views, where the files are."""
    for one in result.objects:
        x, y, z = 1e3 * one.pose.t_m2c
        place = f", confidence {one.confidence:.2f}, at ({x:.1f}, {y:.1f}, {z:.1f}) mm"
        why = "" if one.ok else f": {in_options(one.message)}"
        console.print(f"{one.name}: {one.status}{place if one.views else ''}{why}", soft_wrap=True, markup=False)
        for number, answer in enumerate(one.answers[:_ANSWERS] if len(one.answers) > 1 and not one.ok else (), 1):
            x, y, z = 1e3 * answer.pose.t_m2c
            text = f"  answer {number}: probability {answer.probability:.2f}, at ({x:.1f}, {y:.1f}, {z:.1f}) mm"
            console.print(text, soft_wrap=True, markup=False)
    for view in result.views:
        if view.refined and view.used:  # what is left out stays where it was, which says nothing of its camera
            text = f"{view.name}: camera moved by {view.moved_mm:.2f} mm and {view.moved_deg:.3f} degrees"
            console.print(text, soft_wrap=True, markup=False)
    for note in result.notes:
        console.print(f"note: {in_options(note)}", soft_wrap=True, markup=False)
    found = sum(one.ok for one in result.objects)
    console.print(f"{found} of {len(result.objects)} found; files: {out}", soft_wrap=True, markup=False)
    console.print(view_line(out), highlight=False, soft_wrap=True, markup=False)
