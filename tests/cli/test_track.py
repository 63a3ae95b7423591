"""`diffdope track` on a short drawn sequence, interrupted and resumed, and its mistakes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.cli import track_run
from diffdope.cli.help_text import parsed
from diffdope.cli.main import main
from diffdope.cli.track_command import TrackArguments, header_of, preset_of, read_video
from diffdope.cli.track_report import estimates, far_away
from diffdope.cli.track_run import last_good, poses_of, state_began
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import read_results
from diffdope.io.masks import read_mask
from diffdope.io.poses import pose_of
from diffdope.io.results import decode
from diffdope.jobs.journal import read_journal
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import preset
from diffdope.scene.mesh import Mesh
from diffdope.viz.animation import write_film
from tests.cli.conftest import DEMO, truth

FRAMES = 6


@pytest.fixture(scope="module")
def drawn() -> list[dict[str, np.ndarray]]:
    mesh, frames = Mesh.load(DEMO / "object.ply", unit="mm"), []
    for k in range(FRAMES):
        made = picture([(mesh, truth(k))], np.random.default_rng(k), noise=SensorNoise())
        assert made.rgb is not None and made.depth is not None and made.mask is not None
        frames.append({
            "rgb": np.round(255 * made.rgb).astype(np.uint8), "depth": np.round(1e4 * made.depth).astype(np.uint16),
            "mask": np.asarray(made.mask > 0.5),
        })  # fmt: skip
    return frames


@pytest.fixture(scope="module")
def recorded(drawn: list[dict[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with mesh, camera, start pose and folders of images; tests must not change it."""
    inputs = tmp_path_factory.mktemp("recorded") / "inputs"
    shutil.copytree(DEMO, inputs)
    for kind in ("rgb", "depth", "mask"):
        (inputs / kind).mkdir()
        for k, frame in enumerate(drawn):
            Image.fromarray(frame[kind]).save(inputs / kind / f"{k + 10:06d}.png")
    camera = {"cam_K": CAMERA.K.ravel().tolist(), "depth_scale": 0.1, "width": CAMERA.width, "height": CAMERA.height}
    (inputs / "camera.json").write_text(json.dumps(camera))
    R, t_mm = truth(0).retract([0.002, -0.002, 0.003, 0.03, 0.02, 0]).to_bop()
    (inputs / "init.json").write_text(json.dumps({"cam_R_m2c": R, "cam_t_m2c": t_mm}))
    return inputs


@pytest.fixture
def video(recorded: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(recorded, tmp_path / "inputs")
    return tmp_path / "inputs"


def words(folder: Path, **changes: object) -> list[str]:
    """Flags for that folder; a flag changed to None is left out."""
    given: dict[str, object] = {
        "mesh": folder / "object.ply", "camera": folder / "camera.json", "init": folder / "init.json",
        "rgb": folder / "rgb", "depth": folder / "depth", "out": folder.parent / "out",
    }  # fmt: skip
    given |= changes
    flags = [(f"--{name.replace('_', '-')}", value) for name, value in given.items() if value is not None]
    return ["track", *(word for flag, value in flags for word in ([flag] if value is True else [flag, str(value)]))]


def test_it_writes_poses_plot_and_film(video: Path) -> None:
    out = video.parent / "out"
    assert main(words(video, mask=video / "mask", obj_id=7)) == 0
    header, records, complete = read_journal(out / "poses.jsonl")
    assert complete and header["settings"]["name"] == "fast"
    assert list(records) == [f"{k:06d}" for k in range(10, 10 + FRAMES)]
    for k, record in enumerate(records.values()):
        pose = Pose.from_bop(record["cam_R_m2c"], record["cam_t_m2c"])
        assert pose.distance_to(truth(k)) < 0.003 and record["confidence"] > 0.5 and record["time_s"] == k / 30
    rows = read_results(out / "poses.csv")
    assert [row.im_id for row in rows] == list(range(10, 10 + FRAMES)) and {row.obj_id for row in rows} == {7}
    names = ["poses.csv", "poses.jsonl", "scene_gt.json", "track.mp4", "track.png", "trajectory.txt"]
    assert sorted(path.name for path in out.iterdir()) == names


def test_one_mask_is_that_of_the_first_frame(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = video / "mask" / f"{10:06d}.png"
    assert main([*words(video, init=None, mask=one), "--no-film"]) == 0
    _, records, _ = read_journal(video.parent / "out" / "poses.jsonl")
    assert all(pose.distance_to(truth(k)) < 0.003 for k, (_, pose, _) in enumerate(poses_of(records)))
    first, *others = (record["modalities"] for record in records.values())
    assert "mask" in first and len(others) == FRAMES - 1 and not any("mask" in names for names in others)
    assert main(words(video, init=None, mask=one, box="1,2,30,40", out=video.parent / "both")) == 2
    assert "--box: expected a box or a mask, got both" in capsys.readouterr().err
    Image.new("L", (8, 6), 255).save(video / "small.png")
    assert main(words(video, mask=video / "small.png", out=video.parent / "small")) == 2
    assert "pixels, as the first frame has, or a folder with a mask a frame, got 8 x 6" in capsys.readouterr().err


def test_a_line_holds_the_whole_result(video: Path) -> None:
    assert main([*words(video), "--no-film"]) == 0
    _, records, _ = read_journal(video.parent / "out" / "poses.jsonl")
    for record in records.values():
        result = decode(record, RefinementResult)
        assert result.ok and result.evidence is not None and result.modalities == ("rgb", "depth", "outline")
        assert not any(note.startswith("the record") for note in result.notes)


def test_frames_come_in_the_order_of_their_numbers(video: Path) -> None:
    for kind in ("rgb", "depth", "mask"):
        for k in range(FRAMES):
            (video / kind / f"{k + 10:06d}.png").rename(video / kind / f"{k + 7}.png")
    assert main([*words(video), "--no-film"]) == 0
    _, records, _ = read_journal(video.parent / "out" / "poses.jsonl")
    assert list(records) == ["7", "8", "9", "10", "11", "12"]
    assert all(pose.distance_to(truth(k)) < 0.003 for k, (_, pose, _) in enumerate(poses_of(records)))


def test_a_run_that_0_1_0_began_has_the_same_header(video: Path) -> None:
    files = {"mesh": video / "object.ply", "camera": video / "camera.json", "init": video / "init.json"}
    given = TrackArguments(**files, out=video / "out")
    assert "mask_id" not in header_of(given, preset("fast"))["inputs"]
    assert header_of(replace(given, mask_id=2), preset("fast"))["inputs"]["mask_id"] == 2


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"rgb": "rgb"}, "default"),
        ({"rgb": "rgb", "mask": "mask"}, "default"),
        ({"rgb": "rgb", "preset": "fast"}, "fast"),
        ({"rgb": "rgb", "depth": "depth"}, "fast"),
        ({"depth": "depth", "preset": "default"}, "default"),
        ({"depth": "depth"}, "fast"),
        ({"bag": "film.mcap"}, "fast"),
        ({"rgb": "rgb", "urdf": "arm.urdf"}, "fast"),
    ],
)
def test_photographs_without_depth_take_default_if_no_preset_is_named(changes: dict[str, str], name: str) -> None:
    paths = {key: value if key == "preset" else Path(value) for key, value in changes.items()}
    assert preset_of(TrackArguments(out=Path("out"), **paths)).name == name  # type: ignore[arg-type]


def test_an_interrupted_run_keeps_what_it_has_and_goes_on(
    video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    track, calls = Refiner.track, []

    def interrupted(self: Refiner, *args: object, **given: object) -> object:
        calls.append(given)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return track(self, *args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(Refiner, "track", interrupted)
    assert main(words(video, film="no")) == 2  # a typing mistake writes nothing
    assert main([*words(video), "--no-film"]) == 130
    assert "3 frames are in" in capsys.readouterr().err
    _, records, complete = read_journal(video.parent / "out" / "poses.jsonl")
    assert len(records) == 3 and not complete
    assert main([*words(video), "--no-film"]) == 0
    _, resumed, complete = read_journal(video.parent / "out" / "poses.jsonl")
    assert complete and len(resumed) == FRAMES and len(calls) == 4 + FRAMES  # those it has are tracked again
    assert {name: resumed[name] for name in records} == records
    assert "resuming: 3 frames" in capsys.readouterr().out


def test_a_broken_file_keeps_the_frames_before_it_and_says_how_to_go_on(
    video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = video / "depth" / "000013.png"
    broken.write_bytes(broken.read_bytes()[:200])
    assert main([*words(video), "--no-film"]) == 2
    told = capsys.readouterr().err
    assert "000013" in told and "the 3 frames before it are kept: replace" in told
    _, records, complete = read_journal(video.parent / "out" / "poses.jsonl")
    assert len(records) == 3 and not complete
    assert main([*words(video), "--no-film"]) == 2  # nothing else has changed
    for kind in ("rgb", "depth"):
        (video / kind / "000013.png").unlink()
    assert main([*words(video), "--no-film"]) == 0
    _, whole, complete = read_journal(video.parent / "out" / "poses.jsonl")
    assert complete and len(whole) == FRAMES - 1 and {name: whole[name] for name in records} == records
    capsys.readouterr()
    (video / "rgb" / "000010.png").write_bytes(b"")
    assert main([*words(video, out=video / "other"), "--no-film"]) == 2
    assert "kept" not in capsys.readouterr().err and not (video / "other").exists()


def cut_after(journal: Path, frames: int) -> None:
    """As a run leaves it that was killed then."""
    lines = journal.read_text().splitlines(keepends=True)
    lines[0] = lines[0].replace('"complete": true', '"complete": false')
    journal.write_text("".join(lines[: 1 + frames]))


@pytest.mark.parametrize(("again", "apart_m"), [(30, 1e-6), (2, 5e-4)])
def test_wherever_it_is_cut_a_run_goes_on_as_if_it_had_not_been(
    video: Path, monkeypatch: pytest.MonkeyPatch, again: int, apart_m: float
) -> None:
    """From the first frame on it is the same run; from a later one, poses are apart by what noise leaves of each."""
    monkeypatch.setattr(track_run, "AGAIN", again)
    flags, journal = [*words(video), "--no-film"], video.parent / "out" / "poses.jsonl"
    main(flags)
    whole = read_journal(journal)[1]
    surface_m = Mesh.load(video / "object.ply", unit="mm").vertices_m
    for frames in (1, 3, 5):
        cut_after(journal, frames)
        main(flags)
        _, records, complete = read_journal(journal)
        assert complete and list(records) == list(whole)
        for (_, pose, record), (_, wanted, before) in zip(poses_of(records), poses_of(whole), strict=True):
            assert record["status"] == before["status"]
            away_m = np.linalg.norm(pose.apply(surface_m) - wanted.apply(surface_m), axis=1)
            assert away_m.mean() < apart_m and pose.distance_to(wanted) < apart_m


def test_what_is_tracked_again_begins_at_a_frame_that_was_trusted() -> None:
    good = {"status": "converged", "notes": [], "cam_R_m2c": np.eye(3).ravel().tolist()}
    rows = {f"{k}": {**good, "cam_t_m2c": [k, 0, 500]} for k in range(50)}
    rows["12"] |= {"notes": ["in doubt for 1 of 3 frames (confidence 0.30)"], "note_codes": ["in-doubt"]}
    for k in range(43, 50):
        rows[f"{k}"]["status"] = "lost"
    first, last, pose = state_began(rows, None)
    assert (first, last) == (11, 42) and pose is not None and np.isclose(pose.t_m2c[0], 0.011)
    start = truth(0)
    assert state_began(dict(list(rows.items())[:20]), start) == (0, 19, start)


def test_frames_that_came_later_are_tracked_too(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = [path.rename(video / f"{path.parent.name}-{path.name}") for path in sorted(video.glob("*/00001[45].png"))]
    assert len(later) == 6 and main([*words(video), "--no-film"]) == 0
    assert "frames 4: 0 lost" in " ".join(capsys.readouterr().out.split())
    for path in later:
        kind, name = path.name.split("-")
        path.rename(video / kind / name)
    assert main([*words(video), "--no-film"]) == 0
    assert f"frames {FRAMES}: 0 lost" in " ".join(capsys.readouterr().out.split())
    _, records, complete = read_journal(video.parent / "out" / "poses.jsonl")
    assert complete and all(pose.distance_to(truth(k)) < 0.003 for k, (_, pose, _) in enumerate(poses_of(records)))


def test_a_frame_without_a_mask_is_tracked_without_and_the_summary_says_how_many(
    video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for k in (12, 13):
        (video / "mask" / f"{k:06d}.png").unlink()
    assert main([*words(video, mask=video / "mask"), "--no-film"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2 of 6 frames have no mask image and were tracked without" in said
    for path in (video / "mask").iterdir():
        path.rename(path.with_name(f"other-{path.name}"))
    assert main([*words(video, mask=video / "mask", out=video.parent / "again"), "--no-film"]) == 2
    assert "mask: expected an image for each of the 6 of rgb" in capsys.readouterr().err


def test_the_summary_names_frames_in_which_it_may_be_another_one() -> None:
    note = "found 525 mm from where it was lost 0.5 s before: another one of its kind would look the same"
    rows = {
        "000012": {"notes": ["found again after 3 lost frames"], "note_codes": ["found-again"]},
        "000027": {"notes": ["off", note], "note_codes": ["rgb-off", "found-far"]},
    }
    assert far_away(rows) == [("000027", note)]


def test_a_finished_run_is_not_repeated(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main([*words(video), "--no-film"]) == 0
    monkeypatch.setattr(Refiner, "track", None)
    assert main([*words(video), "--no-film"]) == 0


def test_other_settings_do_not_go_on(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words(video), "--no-film"]) == 0
    assert main([*words(video, seed=1), "--no-film"]) == 2
    assert "--fresh" in capsys.readouterr().err
    assert main([*words(video, seed=1), "--no-film", "--fresh"]) == 0


def test_a_film_will_do(video: Path, drawn: list[dict[str, np.ndarray]]) -> None:
    write_film(video / "film.mp4", (frame["rgb"] for frame in drawn), fps=15.0)
    main([*words(video, rgb=video / "film.mp4", depth=None), "--no-film"])
    _, records, _ = read_journal(video.parent / "out" / "poses.jsonl")
    assert list(records) == [f"{k:06d}" for k in range(FRAMES)]
    assert np.allclose([record["time_s"] for record in records.values()], np.arange(FRAMES) / 15.0)


def test_an_empty_mask_is_no_mask_and_the_summary_says_in_how_many_frames(
    video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for k in (12, 13):
        Image.fromarray(np.zeros((CAMERA.height, CAMERA.width), bool)).save(video / "mask" / f"{k:06d}.png")
    assert main([*words(video, mask=video / "mask"), "--no-film"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "in 2 frames: mask: empty, as where the object is not in the picture" in said


def test_a_depth_image_as_photograph_is_told(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([*words(video, rgb=video / "depth"), "--no-film"])
    said = " ".join(capsys.readouterr().out.split())
    assert f"in {FRAMES} frames: rgb: one channel of 16 bits" in said and "was it to be given as depth?" in said


def test_a_lost_end_is_exit_code_1_and_guesses_are_no_results(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(3, FRAMES):  # the object is gone
        flat = np.full((CAMERA.height, CAMERA.width), 12000, np.uint16)
        Image.fromarray(flat).save(video / "depth" / f"{k + 10:06d}.png")
        Image.fromarray(np.full((*flat.shape, 3), 90, np.uint8)).save(video / "rgb" / f"{k + 10:06d}.png")
    assert main(words(video)) == 1
    _, records, _ = read_journal(video.parent / "out" / "poses.jsonl")
    lost = [record["status"] == "lost" for record in records.values()]
    assert lost[:3] == [False] * 3 and lost[-1]
    assert all(record["confidence"] == 0.0 for record, gone in zip(records.values(), lost, strict=True) if gone)
    told = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("frame "))
    assert "lost for 1 frame (" in told and "lost, confidence" not in told
    assert len(read_results(video.parent / "out" / "poses.csv")) == len(estimates(records, 1)) == lost.count(False)
    assert last_good(records).distance_to(truth(2)) < 0.05


MISTAKES = {
    "no images": (dict(rgb=None, depth=None), "images: expected at least one of --rgb, --depth and --mask"),
    "no folder": (dict(rgb="nowhere"), "rgb: expected a film or a folder of images, but there is none at nowhere"),
    "no film": (dict(rgb="object.ply", depth=None), "rgb: expected a film in object.ply"),
    "preset without confidence": (dict(preset="paper"), "preset: expected one whose solver is newton"),
    "no preset": (dict(preset="fastest"), "preset: expected one of default, fast"),
    "no start": (dict(init="nowhere.json"), "init: cannot read nowhere.json"),
    "rate": (dict(fps=-1), "fps: expected a positive number, got -1"),
    "no threads": (dict(threads=0), "threads: expected at least 1, got 0"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_writes_nothing(
    name: str, video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(video)
    changes, message = MISTAKES[name]
    assert main(words(video, **changes)) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (video.parent / "out").exists()


def test_a_broken_frame_is_named_and_those_before_it_are_kept(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (video / "rgb" / "000013.png").write_text("no image")
    assert main(words(video)) == 2
    assert "000013.png" in capsys.readouterr().err
    _, records, _ = read_journal(video.parent / "out" / "poses.jsonl")
    assert list(records) == ["000010", "000011", "000012"]


def test_a_frame_of_another_size_is_named(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(video / "rgb" / "000012.png")
    assert main(words(video)) == 2
    assert "frame 000012: --rgb: expected shape (240, 320, 3)" in capsys.readouterr().err


def test_where_every_frame_is_in_doubt_the_summary_says_why(
    video: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """A focal length that is a third too long: depth and colours fit only in part."""
    camera = json.loads((video / "camera.json").read_text())
    for k in (0, 4):
        camera["cam_K"][k] *= 1.35
    (video / "camera.json").write_text(json.dumps(camera))
    assert main(words(video, mask=video / "mask")) == 0
    said = " ".join(capsys.readouterr().out.split())
    records = [json.loads(line) for line in (video.parent / "out" / "poses.jsonl").read_text().splitlines()][1:]
    sure = [one["confidence"] for one in records if one.get("confidence") is not None]
    assert f"{len(sure)} in doubt" in said and max(sure) < 0.5
    assert f"why confidence {min(sure):.2f} to {max(sure):.2f}, below 0.5 in all frames: " in said
    assert "depth fits at" in said and "drawing and mask share" in said and "cure look at it" in said
    assert f"to see it: diffdope view {video.parent / 'out'}" in said


def test_without_a_start_the_first_frame_is_located(video: Path) -> None:
    main(words(video, init=None, mask=video / "mask"))
    records = read_journal(video.parent / "out" / "poses.jsonl")[1]
    first = next(iter(records.values()))
    pose = Pose.from_bop(first["cam_R_m2c"], first["cam_t_m2c"])
    assert first["status"] in ("converged", "iteration_limit") and 1e3 * pose.distance_to(truth(0)) < 3.0


def test_without_a_start_and_masks_nothing_is_written(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(video, init=None)) == 2
    assert "or a mask to find the object in" in capsys.readouterr().err
    assert not (video.parent / "out").exists()


def test_a_search_in_vain_goes_on_after_an_interruption(video: Path) -> None:
    """The first frame shows nothing in its mask, and the second has none: whether interrupted or not, both are lost."""
    masks = sorted((video / "mask").iterdir())
    mask = np.asarray(Image.open(masks[0]))
    Image.fromarray(np.roll(mask, 90, axis=1)).save(masks[0])
    Image.fromarray(np.zeros_like(mask)).save(masks[1])
    flags = [*words(video, init=None, mask=video / "mask"), "--no-film"]
    main(flags)
    journal = video.parent / "out" / "poses.jsonl"
    whole = [record["status"] for record in read_journal(journal)[1].values()]
    assert whole[:2] == ["lost", "lost"] and whole[2] != "lost"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([lines[0].replace('"complete": true', '"complete": false'), lines[1]]))
    main(flags)
    assert [record["status"] for record in read_journal(journal)[1].values()] == whole


def test_a_video_through_a_lens(video: Path) -> None:
    entry = json.loads((video / "camera.json").read_text())
    (video / "camera.json").write_text(json.dumps(entry | {"dist_coeffs": [1e-6, 0.0, 0.0, 0.0]}))
    assert main(words(video)) == 0
    _, records, _ = read_journal(video.parent / "out" / "poses.jsonl")
    assert all(pose.distance_to(truth(k)) < 0.003 for k, (_, pose, _) in enumerate(poses_of(records)))
    assert any("lens distortion" in note for note in next(iter(records.values()))["notes"])


def test_depth_without_the_lens_in_a_video_that_shows_it(video: Path) -> None:
    plain = read_video(parsed(TrackArguments, words(video)[1:], "diffdope track"))
    entry = json.loads((video / "camera.json").read_text())
    (video / "camera.json").write_text(json.dumps(entry | {"dist_coeffs": [-0.2, 0.05, 0.0, 0.0]}))
    bent = read_video(parsed(TrackArguments, [*words(video)[1:], "--depth-rectified"], "diffdope track"))
    frame = next(bent.frames.read())
    assert np.array_equal(bent.observation(frame).depth, plain.observation(frame).depth)
    assert not np.array_equal(bent.observation(frame).rgb, plain.observation(frame).rgb)
    assert any("removed from all but depth" in note for note in bent.notes)


def test_a_box_locates_the_object_in_the_first_frame(video: Path) -> None:
    rows, columns = np.nonzero(read_mask(video / "mask" / "000010.png"))
    box = f"{columns.min()},{rows.min()},{np.ptp(columns) + 1},{np.ptp(rows) + 1}"
    assert main([*words(video, init=None, box=box), "--no-film"]) in (0, 1)
    _, records, _ = read_journal(video.parent / "out" / "poses.jsonl")
    first, *others = (pose_of(record, "record") for record in records.values())
    assert len(others) == FRAMES - 1
    assert first.distance_to(truth(0)) < 0.03
    assert main([*words(video, init=None, out=video.parent / "again"), "--no-film"]) == 2
