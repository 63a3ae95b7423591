"""The files of a session: nothing is lost, other tools read them, and masks follow the poses."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from diffdope import Camera, Mesh, Pose
from diffdope.annotate import undo
from diffdope.annotate.background import BackgroundWriter
from diffdope.annotate.export import SIGNATURES, Exporter
from diffdope.annotate.pictures import FolderPictures
from diffdope.annotate.session import Session
from diffdope.annotate.silhouettes import bbox_of, silhouettes_of
from diffdope.annotate.state import Annotations, Origin
from diffdope.annotate.store import KEPT, OWN, TRUTH, UNDO, Store
from diffdope.annotate.undo import step_between
from diffdope.bop.dataset import DataSet
from diffdope.errors import DiffDopeError
from diffdope.scene.packaged import PackagedExample
from tests.annotate.conftest import with_worlds


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "out", "annotated", 1)


def worked(store: Store, pictures: FolderPictures, example: PackagedExample) -> Session:
    """Two objects in one picture, one of which was carried into the next."""
    session = Session(pictures.ids, [1], saved=store.save)
    session.add(1, example.truth, Origin.LOCATED)
    session.move(example.truth, Origin.REFINED, confidence=0.99, sigma_mm=0.3, sigma_deg=0.1)
    session.mark(checked=True)
    session.add(1, example.truth.retract([0.05, 0.0, 0.1, 0.0, 0.0, 0.4]))
    session.mark(ambiguous=True)
    session.step(1)
    return session


def test_a_session_goes_on_exactly_where_it_was(
    store: Store, pictures: FolderPictures, example: PackagedExample
) -> None:
    session = worked(store, pictures, example)
    back = store.load()
    assert back is not None
    assert (back.im_id, back.selected, back.things) == (session.state.im_id, 2, session.state.things)
    for old, new in zip(session.state.placements, back.placements, strict=True):
        assert np.array_equal(old.pose.matrix, new.pose.matrix)
        assert {**vars(old), "pose": 0} == {**vars(new), "pose": 0}
    Session(pictures.ids, [1], state=back)


def test_scene_gt_holds_what_was_annotated_and_no_more(
    store: Store, pictures: FolderPictures, example: PackagedExample
) -> None:
    worked(store, pictures, example)
    truth = json.loads((store.folder / TRUTH).read_text())
    assert list(truth) == ["3"]
    assert [one["obj_id"] for one in truth["3"]] == [1, 1]
    assert np.allclose(
        Pose.from_bop(truth["3"][0]["cam_R_m2c"], truth["3"][0]["cam_t_m2c"]).matrix, example.truth.matrix
    )


def test_the_whole_is_a_data_set_that_our_own_tools_read(
    store: Store, pictures: FolderPictures, example: PackagedExample
) -> None:
    session = worked(store, pictures, example)
    exporter = Exporter(store, pictures, lambda _: example.mesh)
    assert exporter.write(session.state) == 1
    dataset = DataSet.open(store.out, "annotated")
    scene = dataset.scene(1)
    first, second = scene.truth(3)
    view = pictures.observation(3)
    assert scene.camera(3) == view.camera
    assert np.array_equal(np.asarray(scene.rgb(3)), np.round(255 * np.asarray(view.rgb)))
    assert np.abs(np.asarray(scene.depth(3)) - view.depth).max() < 6e-5  # type: ignore[operator]
    mesh = dataset.models.mesh(1)
    assert np.allclose(mesh.vertices_m, example.mesh.vertices_m, atol=1e-6)
    assert mesh.texture is not None and np.array_equal(mesh.texture, example.mesh.texture)
    assert np.allclose(mesh.uv, example.mesh.uv, atol=1e-6)
    assert dataset.models.diameter_m(1) == pytest.approx(example.mesh.diameter)
    whole, visible = scene.mask(3, 0, "mask"), scene.mask(3, 0)
    assert whole is not None and visible is not None and not (visible & ~whole).any()
    assert first.visib_fract == pytest.approx(visible.sum() / whole.sum()) and first.bbox == tuple(bbox_of(visible))
    behind = scene.mask(3, 1)
    assert behind is not None and not (behind & visible).any() and second.visib_fract is not None
    seen = np.asarray(Image.open(Path(__file__).parents[2] / "src/diffdope/data/demo/mask.png")) > 127
    agree = np.count_nonzero(seen & visible) / np.count_nonzero(seen | visible)
    assert agree > 0.95


def test_masks_are_written_again_only_where_poses_changed(
    store: Store, pictures: FolderPictures, example: PackagedExample
) -> None:
    session = worked(store, pictures, example)
    exporter = Exporter(store, pictures, lambda _: example.mesh)
    exporter.write(session.state)
    assert exporter.write(session.state) == 0
    session.nudge([0.01, 0.0, 0.0])  # the object that was carried into picture 4
    assert exporter.write(session.state) == 1
    assert sorted(path.name for path in (store.folder / "mask").iterdir()) == [
        "000003_000000.png", "000003_000001.png", "000004_000000.png",
    ]  # fmt: skip
    session.go_to(3)
    session.select(1)
    session.remove()
    assert exporter.write(session.state) == 1
    names = sorted(path.name for path in (store.folder / "mask_visib").iterdir())
    assert names == ["000003_000000.png", "000004_000000.png"]
    session.remove()
    exporter.write(session.state)
    info = json.loads((store.folder / "scene_gt_info.json").read_text())
    assert list(info) == ["4"] and list(json.loads((store.folder / TRUTH).read_text())) == ["4"]


def test_masks_that_a_crash_cut_off_are_written_by_the_next_run(
    store: Store, pictures: FolderPictures, example: PackagedExample, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = worked(store, pictures, example)
    exporter = Exporter(store, pictures, lambda _: example.mesh)
    exporter.write(session.state)
    session.go_to(3)
    session.nudge([0.0, 0.01, 0.0])

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("diffdope.annotate.export.silhouettes_of", crash)
        with pytest.raises(KeyboardInterrupt):
            exporter.write(session.state)
    assert json.loads((store.folder / SIGNATURES).read_text()) == {}
    assert Exporter(store, pictures, lambda _: example.mesh).write(session.state) == 1


def test_a_scene_of_another_tool_is_taken_over_and_kept(
    store: Store, pictures: FolderPictures, example: PackagedExample
) -> None:
    R, t = example.truth.to_bop()
    text = json.dumps({"3": [{"cam_R_m2c": R, "cam_t_m2c": t, "obj_id": 1}], "7": []})
    (store.folder / TRUTH).write_text(text)
    state = store.load()
    assert state is not None and state.current is not None and state.current.origin == Origin.FILE
    exporter = Exporter(store, pictures, lambda _: example.mesh)
    theirs = store.folder / "mask_visib" / "000003_000000.png"
    theirs.parent.mkdir()
    theirs.write_bytes(b"theirs")
    exporter.adopt(state)
    assert exporter.write(state) == 0 and not (store.folder / "mask").exists()  # nothing of its own is touched
    assert theirs.read_bytes() == b"theirs"
    session = Session(pictures.ids, [1], state=state, saved=store.save)
    session.nudge([0.01, 0.0, 0.0])
    assert (store.folder / KEPT).read_text() == text
    session.undo()
    assert (store.folder / KEPT).read_text() == text
    with pytest.raises(DiffDopeError, match="objects 2, got 1"):
        Session(pictures.ids, [2], state=state)


def test_poses_that_were_taken_over_without_masks_get_all_that_is_missing(
    store: Store, pictures: FolderPictures, example: PackagedExample
) -> None:
    R, t = example.truth.to_bop()
    entry = {"cam_R_m2c": R, "cam_t_m2c": t, "obj_id": 1}
    (store.folder / TRUTH).write_text(json.dumps({"3": [entry], "4": [entry]}))  # as `track` writes it
    state = store.load()
    assert state is not None
    exporter = Exporter(store, pictures, lambda _: example.mesh)
    exporter.adopt(state)
    session = Session(pictures.ids, [1], state=state, saved=store.save)
    session.nudge([0.01, 0.0, 0.0])  # of picture 3
    assert exporter.write(session.state) == 2
    scene = DataSet.open(store.out, "annotated").scene(1)
    for im_id in (3, 4):
        assert scene.mask(im_id, 0, "mask") is not None and scene.rgb(im_id) is not None
    assert list(json.loads((store.folder / "scene_camera.json").read_text())) == ["3", "4"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "expected JSON"),
        ('{"diffdope_annotation": 9, "state": {}}', "diffdope_annotation 1, got 9"),
        ('{"diffdope_annotation": 1, "state": {"im_id": "x"}}', "annotation.json"),
        ('{"diffdope_annotation": 1}', "annotation.json"),
    ],
)
def test_a_broken_session_is_named_and_left_as_it_is(store: Store, text: str, why: str) -> None:
    (store.folder / OWN).write_text(text)
    with pytest.raises(DiffDopeError, match=why):
        store.load()
    assert (store.folder / OWN).read_text() == text


def test_one_process_at_a_time(store: Store) -> None:
    with pytest.raises(DiffDopeError, match="no other process"):
        Store(store.out, "annotated", 1)
    Store(store.out, "annotated", 2).close()
    store.close()
    Store(store.out, "annotated", 1).close()


def test_an_object_hides_another_and_depth_hides_both() -> None:
    box = Mesh.from_trimesh(trimesh.creation.box((0.1, 0.1, 0.1)))
    camera = Camera(200.0, 200.0, 49.5, 49.5, 100, 100)
    near, far = Pose(np.eye(3), np.array([0.03, 0.0, 0.5])), Pose(np.eye(3), np.array([0.0, 0.0, 0.7]))
    drawn = silhouettes_of([(box, near), (box, far)], camera, None)
    assert np.array_equal(drawn.visible[0], drawn.whole[0])
    assert np.array_equal(drawn.visible[1], drawn.whole[1] & ~drawn.whole[0])
    depth = np.zeros((100, 100), np.float32)
    depth[:50] = 0.3  # something before both in the upper half, nothing measured below
    hidden = silhouettes_of([(box, near)], camera, depth)
    assert not hidden.visible[0][:50].any() and np.array_equal(hidden.visible[0][50:], hidden.whole[0][50:])
    info = hidden.info(depth)[0]
    assert info["px_count_valid"] == int(hidden.whole[0][:50].sum())
    beside = silhouettes_of([(box, Pose(np.eye(3), np.array([9.0, 0.0, 0.5])))], camera, None)
    assert beside.info(None)[0]["bbox_obj"] == [-1, -1, -1, -1] and beside.info(None)[0]["visib_fract"] == 0.0
    under = silhouettes_of([(box, near)], camera, np.full((100, 100), 0.2, np.float32)).info(None)[0]
    assert under["bbox_obj"] == [-1, -1, -1, -1] and under["px_count_all"] > 0  # a box of what is seen of it only


@pytest.mark.parametrize("edge_m", [0.1, 0.6])  # 0.6: larger than the picture, so drawn in coarser pixels
def test_what_lies_outside_of_the_picture_counts_as_bop_counts_it(edge_m: float) -> None:
    plate = Mesh.from_trimesh(trimesh.creation.box((edge_m, edge_m, 0.001)))
    camera, z_m = Camera(200.0, 200.0, 49.5, 49.5, 100, 100), 0.5005
    side_px = 200.0 * edge_m / 0.5
    x_px = 99.5 - 0.25 * side_px  # its middle; a quarter of it is beyond the right border at least
    pose = Pose(np.eye(3), np.array([(x_px - 49.5) / 400.0, 0.0, z_m]))
    [info] = silhouettes_of([(plate, pose)], camera, None).info(None)
    low, seen = x_px - side_px / 2, min(side_px, 100.0) * (99.5 - max(x_px - side_px / 2, -0.5))
    k = np.ceil(1.1 * side_px / 100.0)  # at most: pixels of the box are that coarse
    assert np.abs(np.array(info["bbox_obj"]) - [low, 49.5 - side_px / 2, side_px, side_px]).max() <= 2 * k
    assert info["px_count_all"] == pytest.approx(side_px**2, rel=0.05)
    assert info["px_count_visib"] == pytest.approx(seen, rel=0.02)
    assert info["visib_fract"] == pytest.approx(seen / side_px**2, rel=0.05)
    assert info["bbox_visib"][0] + info["bbox_visib"][2] == 100


def test_cameras_of_a_still_scene_come_from_the_file_and_go_into_it(
    store: Store, folder: Path, example: PackagedExample, rng: np.random.Generator
) -> None:
    worlds = {im_id: example.truth.retract(0.01 * rng.normal(size=6)) for im_id in (3, 4, 7)}
    path = with_worlds(folder, worlds)
    pictures = FolderPictures({"rgb": folder / "rgb", "depth": folder / "depth"}, path)
    found = pictures.cameras()
    assert all(np.allclose(found[im_id].matrix, T.matrix) for im_id, T in worlds.items())
    session = Session(pictures.ids, [1], cameras=found, still=True, saved=store.save)
    session.add(1, example.truth)
    assert list(json.loads((store.folder / TRUTH).read_text())) == ["3", "4", "7"]
    assert Exporter(store, pictures, lambda _: example.mesh).write(session.state) == 3
    scene = DataSet.open(store.out, "annotated").scene(1)
    again = scene.world(7)
    assert again is not None and np.allclose(again.matrix, worlds[7].matrix)


def test_a_camera_file_that_lacks_a_picture_is_refused(folder: Path, example: PackagedExample) -> None:
    path = with_worlds(folder, {3: example.truth, 4: example.truth})
    with pytest.raises(DiffDopeError, match="an entry for each of 3 pictures, got none for 7"):
        FolderPictures({"rgb": folder / "rgb"}, path)


def test_the_background_writer_takes_the_newest_state_and_ends_with_it() -> None:
    done: list[Annotations] = []
    errors: list[BaseException] = []

    def work(state: Annotations) -> None:
        done.append(state)
        if state.im_id == 99:
            raise OSError("no space")

    background = BackgroundWriter(work, errors.append)
    for im_id in range(20):
        background.give(Annotations(im_id))
    deadline = time.monotonic() + 10.0
    while not done and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [one.im_id for one in done] == [19]
    background.give(Annotations(99))
    background.finish()
    assert [one.im_id for one in done] == [19, 99] and len(errors) == 1


def again(store: Store, pictures: FolderPictures, objects: tuple[int, ...] = (1,)) -> Session:
    """As the next run begins."""
    state = store.load()
    assert state is not None
    return Session(
        pictures.ids, objects, state=state, saved=store.save, history=store.load_history(state),
        recorded=store.save_history,
    )  # fmt: skip


def looks(session: Session) -> list[object]:
    state = session.state
    return [state.im_id, state.things, sorted((one.key, one.pose.matrix.tobytes(), one.checked, one.ambiguous)
                                              for one in state.placements)]  # fmt: skip


def test_what_was_done_in_a_run_before_can_be_taken_back_and_made_again(
    store: Store, pictures: FolderPictures, example: PackagedExample
) -> None:
    session = Session(pictures.ids, [1], saved=store.save, recorded=store.save_history)
    states = [looks(session)]
    changes = [
        lambda: session.add(1, example.truth),
        lambda: session.nudge([0.01, 0.0, 0.0]),
        lambda: session.mark(checked=True),
        lambda: session.add(1, example.truth.retract([0.05, 0.0, 0.1, 0.0, 0.0, 0.4])),
        lambda: session.step(1),
        session.remove,
    ]
    for change in changes:
        change()
        states.append(looks(session))
    for shift in (0.001, 0.002):  # a drag is one step
        session.move(example.truth.retract([shift, 0, 0, 0, 0, 0]), gesture="drag")
    states.append(looks(session))
    for _ in range(2):  # with something to redo, too
        assert session.undo()
    for k in range(len(states) - 3, 0, -1):
        session = again(store, pictures)
        assert looks(session) == states[k] and session.undo() and looks(session) == states[k - 1], k
    assert not session.can_undo
    for k in range(1, len(states)):
        session = again(store, pictures)
        assert session.redo() and looks(session) == states[k], k
    assert not session.can_redo


def test_a_history_of_another_state_or_a_broken_one_is_none(
    store: Store, pictures: FolderPictures, example: PackagedExample
) -> None:
    session = Session(pictures.ids, [1], saved=store.save, recorded=store.save_history)
    session.add(1, example.truth)
    session.nudge([0.01, 0.0, 0.0])
    whole = (store.folder / UNDO).read_text()
    session.nudge([0.01, 0.0, 0.0])
    for text in (whole, "", "{", whole[:-40], "[]", "{}"):  # the first is that of the state before
        (store.folder / UNDO).write_text(text)
        assert not again(store, pictures).can_undo, text[:40]
    session.nudge([0.01, 0.0, 0.0])
    for spoil in ({"placements": [{}]}, {"placements": 3}, {"im_id": "x"}, {"gone": [[1]]}, {"things": [{}]}, 3):
        entry = json.loads((store.folder / UNDO).read_text())
        entry["undo"][0] = {**entry["undo"][0], **spoil} if isinstance(spoil, dict) else spoil
        kept = (store.folder / UNDO).read_text()
        (store.folder / UNDO).write_text(json.dumps(entry))
        assert not again(store, pictures).can_undo, spoil
        (store.folder / UNDO).write_text(kept)
    assert again(store, pictures).can_undo


def test_a_full_disk_loses_the_history_alone(
    store: Store, pictures: FolderPictures, example: PackagedExample, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(pictures.ids, [1], saved=store.save, recorded=store.save_history)
    session.add(1, example.truth)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        session.nudge([0.01, 0.0, 0.0])
    assert not (store.folder / UNDO).exists()
    assert not again(store, pictures).can_undo and looks(again(store, pictures)) == looks(session)


def test_steps_that_were_written_are_not_looked_at_again(
    store: Store, pictures: FolderPictures, example: PackagedExample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five hundred steps of forty objects: the file holds what changed, not five hundred times everything."""
    session = Session(pictures.ids, [1])
    for k in range(40):
        session.add(1, example.truth.retract([0.001 * k, 0, 0, 0, 0, 0]))
    for k in range(500):
        session.select(1 + k % 40)
        session.nudge([1e-4, 0.0, 0.0])
    history = (session._done, session._undone)
    store.save_history(history, session.state)
    looked_at: list[object] = []
    monkeypatch.setattr(undo, "step_between", lambda one, other: looked_at.append(one) or step_between(one, other))
    session.nudge([1e-4, 0.0, 0.0])
    store.save_history((session._done, session._undone), session.state)
    assert len(looked_at) == 1
    assert (store.folder / UNDO).stat().st_size < 1e6
