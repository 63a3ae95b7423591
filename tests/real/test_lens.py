"""Pictures taken through a lens with distortion, refined as well as the same ones rectified; skipped where absent."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import diffdope as dd
from diffdope.geometry.camera import Camera
from diffdope.io.capture import read_capture

IMAGES = (0, 1)


def errors_mm(parts: Path, folder: Path, camera: Path | Camera, scale_mm: float) -> list[float]:
    """ADD of each instance of the pictures, refined from 10 degrees and 4 mm by depth and mask."""
    errors = []
    for image in IMAGES:
        entries = json.loads((parts / "dev" / "000001" / "scene_gt.json").read_text())[str(image)]
        starts = json.loads((parts / "init_poses" / "000001" / "scene_error_deg_010_trans_004.json").read_text())
        for k, (entry, start) in enumerate(zip(entries, starts[str(image)], strict=True)):
            mesh = dd.Mesh.load(parts / "models" / f"obj_{entry['obj_id']:06d}.ply", unit="mm")
            files = {kind: folder / kind / f"{image:06d}.png" for kind in ("rgb", "depth")}
            mask = folder / "mask_visib" / f"{image:06d}_{k:06d}.png"
            if isinstance(camera, Path):
                capture = read_capture(camera, **files, mask=mask, depth_scale_mm=scale_mm)
                seen = dd.Observation(capture.camera, **capture.images)
            else:
                seen = dd.Observation.load(camera, **files, mask=mask, depth_scale=1e-3 * scale_mm)
            if scale_mm < 1.0:  # the raw pictures have depth in whole millimetres
                seen = in_millimetres(seen)
            pose = dd.Pose.from_bop(start["cam_R_m2c"], start["cam_t_m2c"])
            truth = dd.Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])
            found, points = dd.refine(mesh, seen, pose).pose, mesh.vertices_m
            errors.append(1e3 * float(np.linalg.norm(found.apply(points) - truth.apply(points), axis=1).mean()))
    return errors


def in_millimetres(seen: dd.Observation) -> dd.Observation:
    """The same images with depth rounded to whole millimetres."""
    assert seen.depth is not None
    words = np.round(1e3 * seen.depth).astype(np.uint16)
    return dd.Observation(seen.camera, rgb=seen.rgb, depth=words, mask=seen.mask, depth_scale=1e-3)


def test_a_picture_through_a_lens_is_refined_as_its_rectified_one(shared_data: Path) -> None:
    parts = shared_data / "parts"
    dev, raw = parts / "dev" / "000001", parts / "raw"
    rectified = np.median(errors_mm(parts, dev, parts / "camera.json", 0.1))
    through_lens = np.median(errors_mm(parts, raw, raw / "camera_info.yaml", 1.0))
    passed_over = np.median(errors_mm(parts, raw, Camera(1163.2, 1161.9, 652.3, 351.8, 1280, 720), 1.0))
    # The parts lie in the middle, where the lens bends least.
    assert through_lens < rectified + 0.05, (rectified, through_lens)
    assert through_lens < passed_over, (through_lens, passed_over)
