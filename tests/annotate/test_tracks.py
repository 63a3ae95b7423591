"""Runs of `track`, one an object, as a session begins with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope import Pose
from diffdope.annotate.export import Exporter
from diffdope.annotate.pictures import FolderPictures
from diffdope.annotate.session import Session
from diffdope.annotate.state import Origin
from diffdope.annotate.store import TRUTH, Store
from diffdope.annotate.tracks import state_of_tracks
from diffdope.errors import DiffDopeError
from diffdope.io.poses import pose_entry
from diffdope.jobs.journal import Journal
from diffdope.scene.packaged import PackagedExample

NAMES = {"000003": 3, "000004": 4, "000007": 7}


def run_of(folder: Path, mesh: str | None, poses: dict[str, Pose], lost: tuple[str, ...] = ()) -> Path:
    """A folder as `track` leaves it, as far as it is read."""
    with Journal.open(folder / "poses.jsonl", {"inputs": {"mesh": mesh, "rgb": "rgb"}, "settings": {}}) as journal:
        for name, pose in poses.items():
            gone = name in lost
            status = "lost" if gone else "converged"
            record = {"confidence": 0.0 if gone else 0.75, "status": status, "notes": []}
            journal.append(name, {**pose_entry(pose), **record})
    return folder


def test_each_run_is_one_object_of_all_its_frames(
    tmp_path: Path, pictures: FolderPictures, example: PackagedExample
) -> None:
    moved = {name: example.truth.retract([0.01 * k, 0, 0, 0, 0, 0]) for k, name in enumerate(NAMES)}
    others = {name: pose.retract([0, 0.05, 0, 0, 0.1, 0]) for name, pose in moved.items()}
    runs = [
        run_of(tmp_path / "box", "C:\\meshes\\box.ply", others, lost=("000004",)),
        run_of(tmp_path / "carton", "../mine/carton.ply", moved),
    ]
    state = state_of_tracks(runs, {1: "carton", 2: "box"}, NAMES)
    assert [thing.obj_id for thing in state.things] == [2, 1]
    for im_id, count in ((3, 2), (4, 1), (7, 2)):
        placed = state.within(im_id)
        assert len(placed) == count and {one.origin for one in placed} == {Origin.TRACKED}
        assert {one.confidence for one in placed} == {0.75}
    carton = state.at(7, 2)
    assert carton is not None and np.array_equal(carton.pose.matrix, moved["000007"].matrix)
    store = Store(tmp_path / "out", "annotated", 1)
    session = Session(pictures.ids, [1, 2], state=state, saved=store.save)
    session.go_to(4)
    session.select(2)
    session.nudge([0.001, 0.0, 0.0])
    Exporter(store, pictures, {1: example.mesh, 2: replace(example.mesh)}.__getitem__).write(session.state)
    truth = json.loads((store.folder / TRUTH).read_text())
    assert {key: [one["obj_id"] for one in entry] for key, entry in truth.items()} == {
        "3": [2, 1], "4": [1], "7": [2, 1],
    }  # fmt: skip
    assert len(list((store.folder / "mask_visib").iterdir())) == 5
    store.close()


@pytest.mark.parametrize(
    ("mesh", "frames", "names", "why"),
    [
        ("cup.ply", ("000003",), NAMES, "expected one of the meshes carton, box, got a run with cup.ply; give the sa"),
        (None, ("000003",), NAMES, "expected a run of one rigid object, with its mesh, got none of a mesh"),
        ("box.ply", ("a", "b"), NAMES, "expected frames named as the pictures 000003, 000004, 000007, got frames a, b"),
        ("box.ply", ("000000", "000001"), {"000001": 1, "000002": 2}, "expected a picture 000000, .*-start_number 0"),
    ],
)
def test_runs_of_something_else_are_refused(
    tmp_path: Path, mesh: str | None, frames: tuple[str, ...], names: dict[str, int], why: str
) -> None:
    run = run_of(tmp_path / "run", mesh, dict.fromkeys(frames, Pose.identity()))
    with pytest.raises(DiffDopeError, match=why):
        state_of_tracks([run], {1: "carton", 2: "box"}, names)
    with pytest.raises(DiffDopeError, match=r"tracked: expected a folder of `diffdope track` with poses.jsonl"):
        state_of_tracks([tmp_path], {1: "carton"}, names)


def test_a_film_is_refused_with_the_way_to_its_frames(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"")
    with pytest.raises(DiffDopeError, match=r"rgb: expected a folder of pictures, .*ffmpeg -i film.mp4 -start_number"):
        FolderPictures({"rgb": tmp_path / "film.mp4"}, tmp_path / "camera.json")


def test_photographs_of_a_phone_have_each_its_own_camera(tmp_path: Path) -> None:
    """The main lens, the wide one, and the main one held upright."""
    for name, focal_mm, orientation in (("a", 26, 1), ("b", 13, 1), ("c", 26, 6)):
        tags = Image.Exif()
        tags[0x0112] = orientation
        tags.get_ifd(0x8769)[0xA405] = focal_mm
        Image.new("RGB", (400, 300), (90, 120, 60)).save(tmp_path / f"{name}.jpg", exif=tags)
    for camera in (tmp_path, tmp_path / "a.jpg"):
        pictures = FolderPictures({"rgb": tmp_path}, camera)
        cameras = [pictures.observation(im_id).camera for im_id in pictures.ids]
        assert [(one.width, one.height) for one in cameras] == [(400, 300), (400, 300), (300, 400)]
        assert cameras[1].fx == pytest.approx(cameras[0].fx / 2) and cameras[2].fx == pytest.approx(cameras[0].fx)
        assert pictures.cameras() == {}


def test_a_run_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", "carton.ply", {"000003": Pose.identity()})
    for again in (run, run / "poses.jsonl", tmp_path / "run" / ".." / "run"):
        with pytest.raises(DiffDopeError, match="tracked: expected each run once, got .* twice"):
            state_of_tracks([run, again], {1: "carton"}, NAMES)
