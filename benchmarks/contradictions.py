"""Inputs that contradict each other: is a wrong pose called sure, and is the cause named?

    python -m benchmarks.contradictions
    python -m benchmarks.contradictions --sets sim --without mask --every 4
    python -m benchmarks.contradictions --sets hope sim parts ycbv --every 14 --first 3 --record contradictions.jsonl
    python -m benchmarks.contradictions --located --every 4

From starts 10 degrees and 4 mm off, or, `--located`, from none. Wrong: ADD-S beyond 5 % of the diameter; of a mirrored
model, of its own surface (the poses of a thing that is its own mirror image differ by the way from the middle of its
frame to that plane). Named: a note says that something contradicts the result, that depth is shifted, or that it was
left out, or which image or what of the mesh is the other way round; of all cases, and of the wrong ones. With
`--record`, each result is written to a file as it is found, and a run that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

import diffdope as dd
from benchmarks.recorded import Recorded
from benchmarks.shared_data import DATA, Case, CaseSet, evaluation_points, load_mesh
from diffdope.bop.metrics import add_s

SETS = {
    "hope": CaseSet("hope", "val", ("000002",), images=(0,)),
    "sim": CaseSet("sim", "dev", ("000001",)),
    "parts": CaseSet("parts", "dev", ("000001",)),
    "ycbv": CaseSet("ycbv_frames", "val", ("000001",)),
}
Change = Callable[[dd.Mesh], dd.Mesh]
Spoil = Callable[[dd.Observation, tuple[str, ...]], dd.Observation]
_WRONG = 0.05
_ACROSS = np.array([-1.0, 1.0, 1.0])
_NAMES = (
    "contradiction", "registration", "colours are left out", "depth is left out", "scale:", "the mask fits when",
    "depth fits when", "the photograph fits when", "the colours fit with", "the mirror image of the mesh fits",
)  # fmt: skip
"""How notes begin that name what contradicts a result."""


def _images(observation: dd.Observation, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    return {name: getattr(observation, name) for name in names}


def focal(factor: float) -> Spoil:
    """K of a picture of another size."""

    def spoil(seen: dd.Observation, names: tuple[str, ...]) -> dd.Observation:
        camera = replace(seen.camera, fx=factor * seen.camera.fx, fy=factor * seen.camera.fy)
        return dd.Observation(camera, **_images(seen, names))

    return spoil


def depth_times(factor: float) -> Spoil:
    """Another depth scale."""

    def spoil(seen: dd.Observation, names: tuple[str, ...]) -> dd.Observation:
        images = _images(seen, names)
        return dd.Observation(seen.camera, **{**images, "depth": factor * images["depth"]})

    return spoil


def along_the_ray(seen: dd.Observation, names: tuple[str, ...]) -> dd.Observation:
    """Depth as the length of the ray."""
    camera, images = seen.camera, _images(seen, names)
    v, u = np.mgrid[: camera.height, : camera.width]
    longer = np.sqrt(1.0 + ((u - camera.cx) / camera.fx) ** 2 + ((v - camera.cy) / camera.fy) ** 2)
    return dd.Observation(camera, **{**images, "depth": longer * images["depth"]})


def shifted(right: int, down: int) -> Spoil:
    """Depth of a camera that stands a little beside where its extrinsics have it: by so many pixels."""

    def spoil(seen: dd.Observation, names: tuple[str, ...]) -> dd.Observation:
        images = _images(seen, names)
        return dd.Observation(seen.camera, **{**images, "depth": np.roll(images["depth"], (down, right), (0, 1))})

    return spoil


def mask_turned(rows: bool, columns: bool) -> Spoil:
    """A mask whose rows are stored from below, or its columns from the right."""

    def spoil(seen: dd.Observation, names: tuple[str, ...]) -> dd.Observation:
        images = _images(seen, names)
        turned = images["mask"][:: -1 if rows else 1, :: -1 if columns else 1].copy()
        return dd.Observation(seen.camera, **{**images, "mask": turned})

    return spoil


def swapped(seen: dd.Observation, names: tuple[str, ...]) -> dd.Observation:
    """Channels in the order BGR."""
    images = _images(seen, names)
    return dd.Observation(seen.camera, **{**images, "rgb": images["rgb"][..., ::-1].copy()})


def scaled(factor: float) -> Change:
    """A model of another size."""
    return lambda mesh: mesh.scaled(factor)


def mirrored(mesh: dd.Mesh) -> dd.Mesh:
    """A model of which one axis is the wrong way."""
    return replace(mesh, vertices_m=mesh.vertices_m * _ACROSS, faces=mesh.faces[:, ::-1])


def textured_upside_down(mesh: dd.Mesh) -> dd.Mesh:
    """A model of which v of the texture coordinates is the other way."""
    return mesh if mesh.uv is None else replace(mesh, uv=mesh.uv * [1.0, -1.0] + [0.0, 1.0])


def as_it_is(seen: dd.Observation, names: tuple[str, ...]) -> dd.Observation:
    """Nothing is wrong."""
    return dd.Observation(seen.camera, **_images(seen, names))


_RIGHT = scaled(1.0)
# Name: what is done to the mesh, what to the observation, and the image that this needs.
SITUATIONS: dict[str, tuple[Change, Spoil, str]] = {
    "nothing": (_RIGHT, as_it_is, ""),
    **{f"model x {k:g}": (scaled(k), as_it_is, "") for k in (0.85, 0.9, 0.93, 1.07, 1.1, 1.15)},
    **{f"focal length x {k:g}": (_RIGHT, focal(k), "") for k in (0.9, 1.1)},
    **{f"depth x {k:g}": (_RIGHT, depth_times(k), "depth") for k in (0.9, 0.95, 1.05, 1.1)},
    "depth along the ray": (_RIGHT, along_the_ray, "depth"),
    **{f"depth {x} px to the right, {y} down": (_RIGHT, shifted(x, y), "depth") for x, y in ((4, -3), (8, 0))},
    "mask upside down": (_RIGHT, mask_turned(True, False), "mask"),
    "mask mirrored": (_RIGHT, mask_turned(False, True), "mask"),
    "mesh mirrored": (mirrored, as_it_is, ""),
    "texture upside down": (textured_upside_down, as_it_is, "rgb"),
    "red and blue swapped": (_RIGHT, swapped, "rgb"),
}


def off_m(points_m: NDArray[np.float64], pose: dd.Pose, truth: dd.Pose, *, of_mirrored: bool) -> float:
    """ADD-S of points (N, 3), metres; where the model is mirrored, of its own points, which lie where it is drawn."""
    if not of_mirrored:
        return add_s(pose, truth, points_m)
    drawn = cKDTree(pose.apply(points_m * _ACROSS))
    return float(drawn.query(truth.apply(points_m))[0].mean())


def found_of(
    case: Case, refiner: dd.Refiner, spoilt: dd.Observation, *, located: bool, of_mirrored: bool
) -> dict[str, object]:  # fmt: skip
    """What a table needs of a result: its error as a share of the diameter, and what is said of it."""
    result = refiner.locate(spoilt) if located else refiner.refine(spoilt, case.start)
    error_m = off_m(evaluation_points(case.mesh_path), result.pose, case.truth, of_mirrored=of_mirrored)
    named = any(note.startswith(_NAMES) for note in result.notes)
    share = error_m / load_mesh(case.mesh_path).diameter
    return {"share": share, "sure": result.confidence or 0.0, "named": named, "ok": bool(result.ok)}


def rows_of(
    name: str, sets: list[str], without: tuple[str, ...], every: int, first: int, recorded: Recorded, *, located: bool
) -> list[dict[str, object]]:
    """Results of every n-th case of sets in a situation; those that are recorded are not refined again."""
    change, spoil, _ = SITUATIONS[name]
    found: list[dict[str, object]] = []
    for key in sets:
        refiners: dict[object, dd.Refiner] = {}
        for case in SETS[key].cases("10", first=first, every=every):
            names = tuple(one for one in case.observation.modalities if one not in without)
            about = (name, "+".join(names) + (", located" if located else ""), case.name)
            if about not in recorded:
                if case.mesh_path not in refiners:
                    refiners[case.mesh_path] = dd.Refiner(change(load_mesh(case.mesh_path)), threads=1)
                spoilt = spoil(case.observation, names)
                how = {"located": located, "of_mirrored": change is mirrored}
                recorded[about] = found_of(case, refiners[case.mesh_path], spoilt, **how)
            found.append(recorded[about])
    return found


def line(name: str, found: list[dict[str, object]]) -> str:
    """A line of the table."""
    share, sure, named, ok = (np.array([one[key] for one in found]) for key in ("share", "sure", "named", "ok"))
    wrong = share > _WRONG
    return (
        f"| {name} | {len(found)} | {wrong.sum()} | {(wrong & (sure > 0.5)).sum()}, {(wrong & (sure > 0.9)).sum()} "
        f"| {100 * named.mean():.0f} % | {(wrong & named).sum()} of {wrong.sum()} "
        f"| {(~wrong & ~ok).sum()} of {(~wrong).sum()} |"
    )


def main(argv: list[str] | None = None) -> int:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["hope", "sim"], choices=list(SETS))
    parser.add_argument("--without", nargs="+", default=[], choices=["rgb", "depth", "mask"])
    parser.add_argument("--only", nargs="+", default=list(SITUATIONS), choices=list(SITUATIONS))
    parser.add_argument("--located", action="store_true", help="locate, which needs no start, in place of refine")
    parser.add_argument("--every", type=int, default=1, help="take every n-th case")
    parser.add_argument("--first", type=int, default=0, help="from this one on")
    parser.add_argument("--record", type=Path, help="JSON lines: results that are there are taken, new ones added")
    options = parser.parse_args(argv)
    if not DATA.is_dir():
        print(f"the shared data are not at {DATA.name}: nothing to measure", file=sys.stderr)
        return 1
    recorded, without = Recorded(options.record), tuple(options.without)
    print("| situation | cases | wrong | wrong > 0.5, > 0.9 | named | wrong, named | right, failed |")
    print("|---" * 7 + "|")
    every_one: list[dict[str, object]] = []
    for name in options.only:
        if SITUATIONS[name][2] not in options.without:
            found = rows_of(
                name, options.sets, without, options.every, options.first, recorded, located=options.located
            )
            every_one += found
            print(line(name, found), flush=True)
    print(line("all", every_one))
    return 0


if __name__ == "__main__":
    sys.exit(main())
