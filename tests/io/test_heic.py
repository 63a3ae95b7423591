"""Photographs in HEIC, as iPhones write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io import heic
from diffdope.io.cameras import load_camera, load_camera_of_image
from diffdope.io.images import read_rgb
from diffdope.io.memory_file import MemoryFile

HEAD = b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00mif1heicmiaf"


def photograph(path: Path, orientation: int) -> Path:
    """64 x 48 pixels on the sensor, white in its top left corner."""
    pytest.importorskip("pillow_heif").register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769).update({0xA405: 26, 0xA002: 640, 0xA003: 480})
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:10, :20] = 255
    Image.fromarray(picture).save(path, format="HEIF", quality=95, exif=exif.tobytes())
    return path


@pytest.mark.parametrize(("orientation", "corner"), [(1, np.s_[:10, :20]), (6, np.s_[:20, -10:])])
def test_photograph_and_camera_are_as_it_is_shown(tmp_path: Path, orientation: int, corner: tuple[slice, ...]) -> None:
    path = photograph(tmp_path / "IMG_0001.HEIC", orientation)
    for source in (path, MemoryFile("IMG_0001.HEIC", path.read_bytes())):
        rgb = read_rgb(source)
        assert rgb.shape == ((48, 64, 3) if orientation == 1 else (64, 48, 3))
        assert rgb[corner].mean() > 240 and rgb.mean() < 30
    camera, _ = load_camera_of_image(path, rgb.shape)
    assert (camera.height, camera.width) == rgb.shape[:2]
    assert camera.fx == pytest.approx(80.0 * 26.0 / np.hypot(36.0, 24.0))


def test_without_the_package_the_cure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heic, "find_spec", lambda _: None)
    path = tmp_path / "IMG_0002.heic"
    path.write_bytes(HEAD)
    for read in (read_rgb, load_camera):
        with pytest.raises(DiffDopeError, match=r'a photograph in HEIC; pip install "diffdope\[heif\]", or save it as'):
            read(path)


@pytest.mark.parametrize("head", [HEAD.replace(b"heic", b"avif"), b"\x00\x00\x00\x20ftypmif1\x00\x00\x00\x00mif1avif"])
def test_what_pillow_reads_itself_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    monkeypatch.setattr(heic, "find_spec", lambda _: None)
    path = tmp_path / "picture.avif"
    path.write_bytes(head)
    heic.prepare_heic("rgb", path)  # raises nothing
