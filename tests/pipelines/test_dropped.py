"""What a refiner holds goes with it, at once: no ring of references keeps megabytes until Python looks for such."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest

import diffdope as dd
from diffdope.render.buffers import Buffers
from diffdope.render.scratches import Held
from diffdope.search.mesh_levels import MeshLevels

DEMO = Path(str(files("diffdope"))) / "data" / "demo"
MESH = dd.Mesh.load(DEMO / "object.ply", unit="mm")
ENTRY = json.loads((DEMO / "init.json").read_text())
START = dd.Pose.from_bop(ENTRY["cam_R_m2c"], ENTRY["cam_t_m2c"])
HEAVY = (dd.Refiner, dd.SceneRefiner, dd.Renderer, MeshLevels, Buffers, Held)


def seen(*names: str) -> dd.Observation:
    rgb, depth, mask = (DEMO / f"{name}.png" if name in names else None for name in ("rgb", "depth", "mask"))
    return dd.Observation.load(DEMO / "camera.json", rgb=rgb, depth=depth, mask=mask)


ALL = seen("rgb", "depth", "mask")


def in_grey() -> dd.Observation:
    assert ALL.rgb is not None
    return dd.Observation(ALL.camera, rgb=ALL.rgb.mean(axis=2), mask=ALL.mask)


def alive() -> Counter[str]:
    return Counter(type(one).__name__ for one in gc.get_objects() if type(one) in HEAVY)


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


USES: dict[str, Callable[[], object]] = {
    "refine": lambda: dd.Refiner(MESH).refine(ALL, START),
    "refine a grey photograph": lambda: dd.Refiner(MESH).refine(in_grey(), START),
    "refine slowly": lambda: dd.Refiner(MESH, preset="paper").refine(seen("mask"), START),
    "locate": lambda: dd.Refiner(MESH).locate(ALL),
    "locate in depth": lambda: dd.Refiner(MESH).locate(seen("depth")),
    "locate in a grey photograph": lambda: dd.Refiner(MESH).locate(in_grey()),
    "track": lambda: [dd.Refiner(MESH, preset="fast").track(ALL, START)],
    "a scene": lambda: dd.SceneRefiner([MESH]).refine(dd.View(ALL)),
    "render": lambda: dd.Renderer(MESH, ALL.camera).render(START.R_m2c, START.t_m2c),
}


@pytest.mark.parametrize("name", USES)
def test_what_is_dropped_is_gone(name: str, no_collector: None) -> None:
    before = alive()
    result = USES[name]()
    assert alive() == before and result is not None
    kept = dd.Refiner(MESH)  # what would be counted, if it were there
    assert alive() - before == Counter({"Refiner": 1, "MeshLevels": 1, "Buffers": 1}) and kept is not None
