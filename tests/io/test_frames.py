"""Frames of a video, from folders and from films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.frames import Film, ImageFolders, open_frames
from diffdope.io.images import endings_in
from diffdope.viz.animation import write_film


def write(folder: Path, *names: str, value: int = 100) -> Path:
    folder.mkdir(exist_ok=True)
    for k, name in enumerate(names):
        Image.fromarray(np.full((4, 6, 3), value + k, np.uint8)).save(folder / name)
    return folder


def film(path: Path, count: int = 5) -> Path:
    pictures = (np.full((16, 32, 3), 40 * k, np.uint8) for k in range(count))
    write_film(path, pictures, fps=25.0)
    return path


def test_a_folder_above_those_of_images_names_them(tmp_path: Path) -> None:
    for name in ("rgb", "depth"):
        write(tmp_path / name, "a.png")
    (tmp_path / "models").mkdir()
    with pytest.raises(DiffDopeError, match="rgb: expected images in .*, got none; its folders depth, rgb have some$"):
        ImageFolders({"rgb": tmp_path}, fps=10.0)
    with pytest.raises(DiffDopeError, match="depth: expected images in .*models, got none; known endings: .bmp, "):
        ImageFolders({"rgb": tmp_path / "rgb", "depth": tmp_path / "models"}, fps=10.0)


def test_folders_are_read_in_the_order_of_names(tmp_path: Path) -> None:
    rgb = write(tmp_path / "rgb", "b.png", "a.jpg", "c.png")
    mask = write(tmp_path / "mask", "a.png", "b.png", "c.png", "d.png")
    (rgb / "notes.txt").write_text("no image")
    frames = ImageFolders({"rgb": rgb, "mask": mask}, fps=10.0)
    assert frames.count == 3 and frames.names == ["a", "b", "c"]
    read = list(frames.read(1))
    assert [(frame.name, frame.time_s) for frame in read] == [("b", 0.1), ("c", 0.2)]
    assert read[0].size == (4, 6) and read[0].rgb is not None and read[0].depth is None
    assert read[0].mask is not None and read[0].mask.dtype == bool


def test_a_frame_without_its_depth_is_named(tmp_path: Path) -> None:
    rgb, depth = write(tmp_path / "rgb", "a.png", "b.png"), write(tmp_path / "depth", "a.png")
    with pytest.raises(DiffDopeError, match="depth: expected an image for each of the 2 of rgb, got none for 1.* b"):
        ImageFolders({"rgb": rgb, "depth": depth})


def test_a_folder_may_have_gaps_but_not_other_names_alone(tmp_path: Path) -> None:
    rgb, mask = write(tmp_path / "rgb", "a.png", "b.png"), write(tmp_path / "mask", "b.png")
    frames = ImageFolders({"rgb": rgb, "mask": mask}, gaps=True)
    assert [frame.mask is None for frame in frames.read()] == [True, False] and frames.missing == {"mask": 1}
    other = write(tmp_path / "other", "c.png")
    with pytest.raises(DiffDopeError, match="mask: expected an image for each of the 2 of rgb, got none for 2"):
        ImageFolders({"rgb": rgb, "mask": other}, gaps=True)


@pytest.mark.parametrize(
    ("names", "words"), [((), "got none"), (("a.png", "a.jpg"), "each name once"), (None, "there is none at")]
)
def test_folders_that_hold_no_video(tmp_path: Path, names: tuple[str, ...] | None, words: str) -> None:
    folder = tmp_path / "rgb"
    if names is not None:
        write(folder, *names)
    with pytest.raises(DiffDopeError, match=f"rgb: .*{words}"):
        ImageFolders({"rgb": folder})


def test_frames_come_as_people_count_and_dropped_ones_take_time(tmp_path: Path) -> None:
    rgb = write(tmp_path / "rgb", *(f"{k}.png" for k in (0, 1, 2, 8, 9, 10, 11)))
    frames = list(ImageFolders({"rgb": rgb}, fps=10.0).read())
    assert [frame.name for frame in frames] == ["0", "1", "2", "8", "9", "10", "11"]
    assert np.allclose([frame.time_s for frame in frames], [0.0, 0.1, 0.2, 0.8, 0.9, 1.0, 1.1])
    assert [frame.time_s for frame in ImageFolders({"rgb": rgb}, fps=10.0).read(5)] == [frames[5].time_s, 1.1]


def test_masks_of_several_objects_need_a_label(tmp_path: Path) -> None:
    labels = np.zeros((20, 30), np.uint8)
    labels[2:10, 2:10], labels[2:10, 14:24] = 1, 2
    (tmp_path / "mask").mkdir()
    Image.fromarray(labels).save(tmp_path / "mask" / "0.png")
    with pytest.raises(DiffDopeError, match="mask: expected one object, got the labels 1, 2"):
        next(ImageFolders({"mask": tmp_path / "mask"}).read())
    frame = next(ImageFolders({"mask": tmp_path / "mask"}, mask_label=2).read())
    assert frame.mask is not None and np.array_equal(frame.mask, labels == 2)


def test_folders_or_a_film_are_opened_by_what_is_there(tmp_path: Path) -> None:
    rgb = write(tmp_path / "rgb", "a.png")
    assert isinstance(open_frames({"rgb": rgb}), ImageFolders) and open_frames({"mask": rgb}).fps == 30.0
    path = film(tmp_path / "film.mp4")
    assert isinstance(open_frames({"rgb": path}), Film) and open_frames({"rgb": path}, fps=7.0).fps == 7.0
    with pytest.raises(DiffDopeError, match="mask: expected an image for each of the 5 frames of the film, got 1"):
        open_frames({"rgb": path, "mask": rgb})


def test_a_single_image_is_no_folder_and_no_film(tmp_path: Path) -> None:
    rgb = write(tmp_path / "rgb", "a.png")
    for kind, wanted in (("rgb", "a folder of photographs or a film"), ("depth", "a folder of images")):
        folders = {"rgb": rgb, kind: rgb / "a.png"}
        with pytest.raises(DiffDopeError, match=f"{kind}: expected {wanted}, got the single .*a.png; give the folder"):
            open_frames(folders)
    (rgb / "a.png").rename(tmp_path / "a.jfif")  # which the ending does not tell
    pytest.importorskip("av")
    with pytest.raises(DiffDopeError, match="rgb: expected a folder of photographs or a film, got the single image"):
        open_frames({"rgb": tmp_path / "a.jfif"})


def test_a_film_is_read_from_any_frame_on(tmp_path: Path) -> None:
    source = Film(film(tmp_path / "film.mp4"))
    assert source.count == 5 and source.fps == 25.0
    read = list(source.read(2))
    assert [frame.name for frame in read] == ["000002", "000003", "000004"]
    assert np.allclose([frame.time_s for frame in read], [0.08, 0.12, 0.16])
    assert read[0].rgb is not None and read[0].rgb.shape == (16, 32, 3) and abs(int(read[0].rgb.mean()) - 80) < 6


def test_a_given_rate_wins_over_the_film(tmp_path: Path) -> None:
    frames = list(Film(film(tmp_path / "film.mp4"), fps=5.0).read())
    assert np.allclose([frame.time_s for frame in frames], [0.0, 0.2, 0.4, 0.6, 0.8])


def test_without_pyav_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "film.mp4")
    monkeypatch.setattr("diffdope.io.frames.find_spec", lambda name: None)
    with pytest.raises(DiffDopeError, match=r"PyAV.*pip install \"diffdope\[video\]\""):
        Film(path)


def test_files_that_are_no_film(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("no film")
    with pytest.raises(DiffDopeError, match="rgb: expected a film in .*unreadable"):
        Film(tmp_path / "film.mp4")
    with pytest.raises(DiffDopeError, match="there is none at"):
        Film(tmp_path / "other.mp4")


def test_a_mesh_among_images_is_no_depth_unless_it_is_alone(tmp_path: Path) -> None:
    assert ".ply" not in endings_in("depth", [Path("1.png"), Path("model.ply")])
    assert ".ply" in endings_in("depth", [Path("1.ply"), Path("notes.txt")])
    assert ".ply" not in endings_in("rgb", [Path("1.ply")])
