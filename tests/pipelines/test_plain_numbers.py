"""Numbers of results are Python's, whatever way they came about: numpy's are shown otherwise, and JSON refuses some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

import diffdope as dd
from diffdope.io.poses import read_start_pose

DEMO = Path(dd.__file__).parent / "data" / "demo"


def of_numpy(value: Any, where: str = "result") -> Iterator[str]:
    if isinstance(value, np.generic):
        yield f"{where}: {type(value).__name__}"
    elif is_dataclass(value):
        for field in fields(value):
            yield from of_numpy(getattr(value, field.name), f"{where}.{field.name}")
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from of_numpy(one, f"{where}[{key!r}]")
    elif isinstance(value, tuple | list):
        for number, one in enumerate(value):
            yield from of_numpy(one, f"{where}[{number}]")


def test_no_number_of_a_result_is_numpys() -> None:
    refiner = dd.Refiner(dd.Mesh.load(DEMO / "object.ply", unit="mm"), preset="fast")
    files = {name: DEMO / f"{name}.png" for name in ("rgb", "depth", "mask")}
    seen, start = dd.Observation.load(DEMO / "camera.json", **files), read_start_pose(DEMO / "init.json")
    bare, scene = seen.without_mask(), dd.SceneRefiner.of([dd.SceneObject(refiner.mesh)], [refiner])
    assert seen.mask_box is not None
    x0, y0, x1, y1 = seen.mask_box
    box = x0, y0, x1 - x0 + 1.0, y1 - y0 + 1.0
    results: dict[str, Any] = {
        "refined": refiner.refine(seen, start), "of several": refiner.refine(seen, [start, start.inverse()]),
        "photograph": refiner.refine(seen.without_depth(), start), "located": refiner.locate(seen),
        "in a box": refiner.locate(bare, box=box), "box of depth": refiner.locate(bare.without_rgb(), box=box),
        "anywhere": refiner.locate(bare), "elsewhere": refiner.locate(bare, box=(10.0, 10.0, 60.0, 60.0)),
        "tracked": refiner.track(seen, pose=start),
        "scene": scene.refine(dd.View(bare), {(0, 0): seen.mask}),
    }  # fmt: skip
    assert results["in a box"].ok and results["scene"].objects[0].status.ok
    assert {name: found for name, one in results.items() if (found := list(of_numpy(one)))} == {}


def test_masks_and_boxes_of_a_scene_may_be_none() -> None:
    refiner = dd.Refiner(dd.Mesh.load(DEMO / "object.ply", unit="mm"), preset="fast")
    seen = dd.Observation.load(
        DEMO / "camera.json", rgb=DEMO / "rgb.png", depth=DEMO / "depth.png", mask=DEMO / "mask.png"
    )
    scene = dd.SceneRefiner.of([dd.SceneObject(refiner.mesh)], [refiner])
    bare = seen.without_mask()
    given = scene.refine(dd.View(bare), masks={(0, 0): seen.mask})
    same = scene.refine(dd.View(seen), masks={(0, 0): bare.mask}, boxes={(0, 0): None})
    assert np.array_equal(given.objects[0].pose.matrix, same.objects[0].pose.matrix)


def test_a_start_in_the_camera_beside_all_images() -> None:
    mesh = dd.Mesh.load(DEMO / "object.ply", unit="mm")
    files = {name: DEMO / f"{name}.png" for name in ("rgb", "depth", "mask")}
    seen = dd.Observation.load(DEMO / "camera.json", **files)
    start = dd.Pose(np.eye(3), -mesh.center_m)
    result = dd.Refiner(mesh, preset="fast").refine(seen, start)
    assert result.ok or "start" in result.message
