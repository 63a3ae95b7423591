"""A folder of pictures of the packaged example, as a user has them, and an editor of it."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope import Observation, Pose
from diffdope.annotate.editor import Editor
from diffdope.annotate.pictures import FolderPictures
from diffdope.annotate.session import Session
from diffdope.annotate.snap import Snapped, Snapper
from diffdope.annotate.state import Origin
from diffdope.scene.packaged import PackagedExample, packaged_example

DEMO = Path(str(files("diffdope") / "data" / "demo"))


@pytest.fixture(scope="session")
def example() -> PackagedExample:
    return packaged_example()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """rgb/000003.png and so on of three pictures (of which one has no depth around the carton), camera, mesh."""
    made = tmp_path / "mine"
    for kind in ("rgb", "depth"):
        (made / kind).mkdir(parents=True)
        for name in ("000003", "000004", "000007"):
            shutil.copy(DEMO / f"{kind}.png", made / kind / f"{name}.png")
    hole = np.array(Image.open(DEMO / "depth.png"))
    hole[100:400, 150:450] = 0
    Image.fromarray(hole).save(made / "depth" / "000007.png")
    for name in ("camera.json", "object.ply", "object.png"):
        shutil.copy(DEMO / name, made / name)
    return made


@pytest.fixture
def pictures(folder: Path) -> FolderPictures:
    return FolderPictures({"rgb": folder / "rgb", "depth": folder / "depth"}, folder / "camera.json")


class FakeSnapper(Snapper):
    """Finds what it is told to find."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.answer: Pose | None = Pose.identity()

    def refine(self, view: Observation, obj_id: int, pose: Pose) -> Snapped:
        self.asked.append(("refine", obj_id, pose))
        return self._made(Origin.REFINED, pose)

    def locate(self, view: Observation, obj_id: int, box: object = None) -> Snapped:
        self.asked.append(("locate", obj_id, box))
        return self._made(Origin.LOCATED, Pose.identity())

    def _made(self, origin: Origin, start: Pose) -> Snapped:
        return Snapped(self.answer or start, self.answer is not None, origin, f"{origin}: said", 0.9, 0.4, 0.2, True)


@pytest.fixture
def editor(pictures: FolderPictures, example: PackagedExample) -> Editor:
    session = Session(pictures.ids, [1])
    return Editor(session, pictures, {1: example.mesh}.__getitem__, FakeSnapper(), {1: "carton"})


def with_worlds(folder: Path, poses: dict[int, Pose]) -> Path:
    """A scene_camera.json with a camera, and its place in the world, for each picture."""
    camera = json.loads((folder / "camera.json").read_text())
    K = camera.get("cam_K") or [camera["fx"], 0, camera["cx"], 0, camera["fy"], camera["cy"], 0, 0, 1]
    scale = camera.get("depth_scale", 1.0)
    entries = {}
    for im_id, pose in poses.items():
        R, t = pose.to_bop()
        entries[str(im_id)] = {"cam_K": K, "depth_scale": scale, "cam_R_w2c": R, "cam_t_w2c": t}
    path = folder / "scene_camera.json"
    path.write_text(json.dumps(entries))
    return path
