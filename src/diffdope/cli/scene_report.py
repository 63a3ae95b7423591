"""The files and the summary of `diffdope scene`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from diffdope.cli.wording import in_options
from diffdope.io.bop_results import Estimate, write_results
from diffdope.io.files import write_json
from diffdope.io.plain import to_plain
from diffdope.io.poses import pose_entry
from diffdope.joint.result import ObjectResult, SceneResult
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.render.renderer import Renderer
from diffdope.scene.view import View
from diffdope.viz.compose import GREEN, RED, contour, enlarge, to_bytes, written
from diffdope.viz.draw import whole_window
from diffdope.viz.overlay import write_overlay

_ANSWERS = 5  # that are printed of an object; scene.json has all
_COVARIANCE = (
    "(rho x y z [m], phi x y z [rad]), R <- Exp(phi) R, t <- t + rho: of T_m2w of each object in the order of objects, "
    "then of T_w2c of each view that was refined"
)


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
    write_json(folder / "scene.json", scene_entry(result, ids) | to_plain(dict(beside)))
    for number, view in enumerate(views):
        suffix = "" if len(views) == 1 else "_" + re.sub(r"[^\w.-]", "_", result.views[number].name)
        rows = [
            Estimate(0, images[number], obj_id, one.confidence, one.views[number].pose, result.elapsed_s)
            for one, obj_id in zip(result.objects, ids, strict=True)
            if one.views and one.ok
        ]
        write_results(folder / f"poses{suffix}.csv", rows)
        draw_view(folder / f"overlay{suffix}.png", refiner, view, number, result)


def scene_entry(result: SceneResult, ids: Sequence[int]) -> dict[str, Any]:
    """The result as JSON can hold it."""
    return {
        "frames": "T_m2w: model to world; T_w2c: world to camera (OpenCV: x right, y down, z forward); metres; "
        "cam_R_m2c and cam_t_m2c (millimetres): model to that camera",
        "objects": [_object_entry(one, obj_id) for one, obj_id in zip(result.objects, ids, strict=True)],
        "views": [
            {
                "name": one.name, "used": one.used, "reason": one.reason, "T_w2c": one.T_w2c.matrix.tolist(),
                "refined": one.refined, "covariance": to_plain(one.covariance), "moved_mm": one.moved_mm,
                "moved_deg": one.moved_deg, "deviations": one.deviations,
            }
            for one in result.views
        ],
        "covariance": to_plain(result.covariance), "covariance_of": _COVARIANCE,
        "notes": list(result.notes), "seconds": result.elapsed_s,
    }  # fmt: skip


def _object_entry(one: ObjectResult, obj_id: int) -> dict[str, Any]:
    return {
        "name": one.name, "obj_id": obj_id, "status": str(one.status), "message": in_options(one.message),
        "confidence": one.confidence, "T_m2w": one.pose.matrix.tolist(), "covariance": to_plain(one.covariance),
        "answers": [
            {
                "T_m2w": answer.pose.matrix.tolist(), "probability": answer.probability,
                "alternatives": [pose.matrix.tolist() for pose in answer.alternatives],
                "symmetry": list(answer.symmetry),
            }
            for answer in one.answers
        ],
        "unobserved": to_plain(one.unobserved), "notes": [in_options(note) for note in one.notes],
        "views": [
            {
                "view": seen.view, "used": seen.used, "reason": seen.reason, **pose_entry(seen.pose),
                "confidence": seen.confidence, "deviations": seen.deviations, "evidence": to_plain(seen.evidence),
            }
            for seen in one.views
        ],
    }  # fmt: skip


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
        if view.refined:
            text = f"{view.name}: camera moved by {view.moved_mm:.2f} mm and {view.moved_deg:.3f} degrees"
            console.print(text, soft_wrap=True, markup=False)
    for note in result.notes:
        console.print(f"note: {in_options(note)}", soft_wrap=True, markup=False)
    found = sum(one.ok for one in result.objects)
    console.print(f"{found} of {len(result.objects)} found; files: {out}", soft_wrap=True, markup=False)
