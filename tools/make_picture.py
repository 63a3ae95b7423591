"""Draws the picture of the README: the packaged example before and after a refinement.

    python tools/make_picture.py

Both halves show the photograph with the mesh, as rendered under a pose, blended in, and its outline. Picture and mesh
are the package's own (CC0).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import diffdope as dd
from diffdope.geometry.crop import choose_crop
from diffdope.render.renderer import Renderer
from diffdope.scene.packaged import packaged_example
from diffdope.viz.compose import GREEN, blend, caption, contour, enlarge, side_by_side, to_bytes

OUT = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "before_after.png"
COLOURS = 256  # a palette, dithered: a third of the bytes, and no difference to see
PANEL = 480  # pixels, of each half
MARGIN = 0.12  # around the object, as a share of its longer side


def panel(example_image: NDArray[np.floating], renderer: Renderer, pose: dd.Pose, title: str) -> NDArray[np.float64]:
    """The photograph (H, W, 3) with the mesh under a pose, enlarged, below a title."""
    drawn = renderer.render(pose.R_m2c, pose.t_m2c)
    factor = max(1, round(PANEL / example_image.shape[1]))
    coverage = np.clip(drawn.coverage[0], 0.0, 1.0).astype(np.float64)
    mixed = blend(example_image, np.clip(drawn.rgb[0], 0.0, 1.0), coverage, alpha=0.7)
    outlined = contour(enlarge(mixed, factor), enlarge(coverage, factor), color=GREEN, thickness=2.5)
    return caption(outlined, title, size=17)


def make(out: Path) -> None:
    """Refines the packaged example and writes the picture."""
    mesh, observation, start, truth = packaged_example()
    result = dd.refine(mesh, observation, start)
    boxes = []
    for pose in (start, result.pose):
        u, v = observation.camera.project(pose.apply(mesh.vertices_m))
        boxes.append((float(u.min()), float(v.min()), float(u.max()), float(v.max())))
    crop = observation.crop(choose_crop(boxes, observation.camera, margin=MARGIN, max_size=PANEL))
    assert crop.rgb is not None
    renderer = Renderer(mesh, crop.camera)
    panels = []
    for name, pose in (("start pose", start), ("refined", result.pose)):
        degrees, millimetres = np.degrees(pose.angle_to(truth)), 1e3 * pose.distance_to(truth)
        panels.append(panel(crop.rgb, renderer, pose, f"{name}: {degrees:.2f} deg, {millimetres:.2f} mm off"))
    picture = Image.fromarray(to_bytes(side_by_side(*panels, gap=8)))
    out.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT).save(out, optimize=True)
    print(f"{out}: {picture.width} x {picture.height}, {out.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    make(parser.parse_args().out)
