"""What highlights on printed objects do to errors: `python -m benchmarks.surfaces_drawn`.

The objects of `sim` are drawn anew into its photographs, in their true poses and where they are seen, in directional
light: matt, and with Blinn-Phong highlights of growing sharpness, which no mesh and no gain and bias of the light
know. Depth and masks are those of the set, so only what highlights do to colours and edges is measured. Model and
picture agree otherwise better than on photographs: rows are to be compared with the matt one only.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import table
from benchmarks.shared_data import MODES, SIM, Case, load_mesh
from benchmarks.surfaces import adds_mm
from diffdope import Observation, Refiner
from diffdope.bop.metrics import add
from diffdope.render.renderer import Renderer

F64 = NDArray[np.float64]

# Strength and exponent of the highlight; the exponent 2 / alpha^2 - 2 is about that of a roughness alpha.
SURFACES = {"matt": (0.0, 1.0), "alpha 0.4": (0.4, 10.0), "alpha 0.2": (0.6, 48.0), "alpha 0.1": (0.8, 198.0)}
AMBIENT, DIFFUSE, NOISE = 0.55, 0.45, 0.01
SHOWN = ("rgbd+mask", "rgb+mask", "rgbd", "rgb")


def normals_of(depth: F64, case: Case) -> F64:
    """(H, W, 3) unit normals towards the camera, by differences of 1 / Z."""
    camera = case.observation.camera
    inverse = np.where(depth > 0.0, 1.0 / np.maximum(depth, 1e-9), 0.0)
    down, across = np.gradient(inverse)
    v, u = np.mgrid[: depth.shape[0], : depth.shape[1]]
    towards = inverse - across * (u - camera.cx) - down * (v - camera.cy)
    n = -np.stack([across * camera.fx, down * camera.fy, towards], axis=-1)
    return np.asarray(n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-12))


def relit(picture: F64, case: Case, strength: float, exponent: float, light: F64) -> None:
    """Draws an object into a picture (H, W, 3), where it is seen."""
    images = Renderer(load_mesh(case.mesh_path), case.observation.camera).render(case.truth.R_m2c, case.truth.t_m2c)
    coverage, mask = images.coverage[0], case.observation.mask
    assert mask is not None
    inside = (coverage > 0.99) & (np.asarray(mask) > 0.5)
    camera = case.observation.camera
    v, u = np.mgrid[: camera.height, : camera.width]
    view = -np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)], axis=-1)
    view /= np.linalg.norm(view, axis=-1, keepdims=True)
    half = view + light
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    n = normals_of(np.asarray(images.depth[0], np.float64), case)
    lit = AMBIENT + DIFFUSE * np.maximum(n @ light, 0.0)
    glare = strength * np.maximum((n * half).sum(axis=-1), 0.0) ** exponent
    colours = np.asarray(images.rgb[0], np.float64) * lit[..., None] + glare[..., None]
    picture[inside] = np.clip(colours, 0.0, 1.0)[inside]


def drawn_cases(level: str, surface: str, every: int) -> Iterator[Case]:
    """Every n-th case, in photographs whose objects have another surface."""
    cases = list(SIM.cases(level))
    for image in sorted({case.image for case in cases}):
        rng = np.random.default_rng(image)
        light = np.array([rng.uniform(-0.6, 0.6), rng.uniform(-0.9, -0.2), -1.0])
        light /= np.linalg.norm(light)
        there = [case for case in cases if case.image == image]
        rgb = there[0].observation.rgb
        assert rgb is not None
        picture = np.array(rgb, np.float64)
        picture = picture / 255.0 if picture.max() > 1.0 else picture
        for case in there:
            relit(picture, case, *SURFACES[surface], light)
        picture = np.clip(picture + NOISE * rng.standard_normal(picture.shape), 0.0, 1.0)
        for case in there[::every]:
            seen = case.observation
            yield replace(case, observation=Observation(seen.camera, rgb=picture, depth=seen.depth, mask=seen.mask))


def main() -> None:
    """Prints a row for each way of giving images and each surface."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", default="10", choices=("1", "10", "40"))
    parser.add_argument("--every", type=int, default=2, help="take every N-th object of a picture")
    parser.add_argument("--modes", nargs="+", default=list(SHOWN), choices=list(MODES))
    arguments = parser.parse_args()
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for surface in SURFACES:
        for case in drawn_cases(arguments.level, surface, arguments.every):
            refiner = Refiner(load_mesh(case.mesh_path), threads=1)
            for mode in arguments.modes:
                given = case.given(mode)
                assert given is not None
                result = refiner.refine(given.observation, given.start)
                points = load_mesh(case.mesh_path).vertices_m
                found.setdefault((mode, surface), []).append((
                    1e3 * add(result.pose, case.truth, points), adds_mm(result.pose, case), result.confidence or 0.0,
                ))  # fmt: skip
    rows = []
    for mode in arguments.modes:
        for surface in SURFACES:
            error, modulo, sure = np.array(found[mode, surface]).T
            rows.append([
                mode, surface, str(len(error)), f"{np.median(error):.2f}", f"{np.percentile(error, 90):.2f}",
                f"{100 * np.mean(error < 5.0):.0f}", f"{100 * np.mean(modulo < 5.0):.0f}",
                str(int(np.sum((error > 10.0) & (sure > 0.5)))),
            ])  # fmt: skip
    head = [
        "images", "surface", "n", "ADD median, mm", "p90", "ADD < 5 mm, %", "ADD-S < 5 mm, %", "> 10 mm and sure",
    ]  # fmt: skip
    table(head, rows)


if __name__ == "__main__":
    main()
