"""Photographs that EXIF turns, beside masks, depth and cameras of the picture before that."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import diffdope as dd
from diffdope.errors import DiffDopeError
from diffdope.io.capture import read_capture

WIDE, HIGH = 48, 64  # of the picture as it is shown


def files_in(folder: Path, orientation: int, *, size: tuple[int, int] = (WIDE, HIGH)) -> dict[str, Path]:
    """A photograph that is shown in a size, the mask of it as shown, one of it as stored, and a camera of each."""
    wide, high = size
    stored = (high, wide) if orientation in (5, 6, 7, 8) else (wide, high)
    tags = Image.Exif()
    tags[0x0112] = orientation
    Image.new("RGB", stored, (90, 120, 60)).save(folder / "photo.jpg", exif=tags)
    for name, (columns, rows) in (("shown", (wide, high)), ("stored", stored)):
        mask = np.zeros((rows, columns), np.uint8)
        mask[rows // 3 : rows // 2, columns // 4 : columns // 2] = 255
        Image.fromarray(mask).save(folder / f"{name}.png")
        Image.fromarray(np.full((rows, columns), 700, np.uint16)).save(folder / f"depth_{name}.png")
        entry = {"fx": 70.0, "fy": 70.0, "cx": (columns - 1) / 2, "cy": (rows - 1) / 2, "depth_scale": 1.0}
        (folder / f"{name}.json").write_text(json.dumps({**entry, "width": columns, "height": rows}))
    return {path.stem: path for path in folder.iterdir() if path.suffix != ".json"}


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_what_is_of_the_picture_as_it_is_stored_is_refused_with_the_reason(tmp_path: Path, orientation: int) -> None:
    files, camera = files_in(tmp_path, orientation), tmp_path / "shown.json"
    told = rf"48 x 64 pixels, as the photograph has once EXIF \(orientation {orientation}\).*got 64 x 48.*turn the"
    for name, file in (("mask", files["stored"]), ("depth", files["depth_stored"])):
        with pytest.raises(DiffDopeError, match=f"{name}: expected {told} {name} as well"):
            read_capture(camera, rgb=files["photo"], **{name: file})
        with pytest.raises(DiffDopeError, match=f"{name}: expected {told} {name} as well"):
            dd.Observation.load(camera, rgb=files["photo"], **{name: file})
    with pytest.raises(DiffDopeError, match=r"camera: expected that of the upright picture, 48 x 64 .* one of 64 x 48"):
        read_capture(tmp_path / "stored.json", rgb=files["photo"], mask=files["shown"])
    read = read_capture(camera, rgb=files["photo"], mask=files["shown"], depth=files["depth_shown"])
    assert (read.camera.width, read.camera.height) == (WIDE, HIGH) and not read.notes


@pytest.mark.parametrize(
    "orientation, size", [(2, (48, 64)), (3, (48, 64)), (4, (48, 64)), (3, (50, 50)), (6, (50, 50))]
)
def test_where_sizes_cannot_tell_a_note_does(tmp_path: Path, orientation: int, size: tuple[int, int]) -> None:
    files, camera = files_in(tmp_path, orientation, size=size), tmp_path / "shown.json"
    read = read_capture(camera, rgb=files["photo"], mask=files["shown"])
    loaded = dd.Observation.load(camera, rgb=files["photo"], mask=files["shown"])
    for notes in (read.notes, loaded.notes):
        assert [note.code for note in notes if note.code == "rgb-upright"] == ["rgb-upright"]
        assert any(f"(orientation {orientation})" in note and "mask and K have to be" in note for note in notes)
    assert not read_capture(camera, rgb=files["photo"]).notes  # nothing is beside it


@pytest.mark.parametrize("orientation", [0, 1])
def test_a_picture_that_is_not_turned_has_no_note(tmp_path: Path, orientation: int) -> None:
    files = files_in(tmp_path, orientation, size=(50, 50))
    assert not read_capture(tmp_path / "shown.json", rgb=files["photo"], mask=files["shown"]).notes


def test_png_is_turned_as_browsers_and_opencv_show_it(tmp_path: Path) -> None:
    files, tags = files_in(tmp_path, 6), Image.Exif()
    tags[0x0112] = 6
    with Image.open(files["photo"]) as photo, Image.open(files["stored"]) as mask:
        photo.save(tmp_path / "photo.png", exif=tags)
        mask.save(tmp_path / "mask.png", exif=tags)
    read = read_capture(tmp_path / "shown.json", rgb=tmp_path / "photo.png", mask=tmp_path / "mask.png")
    stored = np.asarray(Image.open(files["stored"])) > 0
    assert read.images["rgb"].shape == (HIGH, WIDE, 3)
    assert np.array_equal(read.images["mask"], np.rot90(stored, -1))  # 6: a quarter turn clockwise
    with pytest.raises(DiffDopeError, match=r"mask: expected 48 x 64 pixels, as the photograph has once EXIF"):
        read_capture(tmp_path / "shown.json", rgb=tmp_path / "photo.png", mask=files["stored"])
