"""Content that no tool writes on purpose: numbers of thousands of digits, lists without end, promises of gigabytes."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import diffdope as dd
from benchmarks.hostile_readers import GROUPS
from diffdope.bop.unpack import unpack
from diffdope.cli.main import main
from diffdope.errors import DiffDopeError, expected
from diffdope.io.camera_info import optical_frame_of
from diffdope.io.cameras import load_camera
from diffdope.io.capture import read_capture
from diffdope.io.extrinsics import read_camera_places
from diffdope.io.flange_poses import read_flange_poses
from diffdope.io.images import read_depth, read_rgb
from diffdope.io.joints import read_joints
from diffdope.io.poses import read_start_poses
from diffdope.io.rle import decode_rle
from diffdope.io.yaml_files import read_yaml
from diffdope.scene.urdf import load_robot

DIGITS = "9" * 5000
OPENSFM = {"a": {"projection_type": "perspective", "width": 32, "height": 24, "focal": 1.0}}
FRAME = {"fl_x": 40, "fl_y": 40, "cx": 16, "cy": 12, "w": 32, "h": 24, "transform_matrix": np.eye(4).tolist()}
LAUGHS = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)


def camera(path: Path) -> object:
    return load_camera(path, width=32, height=24)


def place(path: Path) -> object:
    return read_camera_places([path], 1)


def flanges(convention: str) -> Callable[[Path], object]:
    return lambda path: read_flange_poses(path, ("a", "b", "c"), convention=convention)


def drawn(geometry: str) -> str:
    return f"<robot name='r'><link name='a'><visual><geometry>{geometry}</geometry></visual></link></robot>"


REFUSED: tuple[tuple[str, str | bytes, Callable[[Path], Any], str], ...] = (
    ("c.json", json.dumps({"a": OPENSFM["a"] | {"projection_type": []}}), camera, r"projection_type: expected one of"),
    ("c.json", json.dumps({"a": OPENSFM["a"] | {"width": 32.5}}), camera, r"width: expected a positive whole number"),
    ("c.json", json.dumps({"cameraData": [[0, {"cameraType": [], "intrinsicMatrix": [1] * 9}]]}), camera,
     r"cameraType: expected 0"),
    ("c.yaml", "[" * 20_000, camera, r"expected JSON, YAML"),
    ("c.json", '{"a":' * 3000, camera, r"camera: expected JSON"),
    ("c.yaml", LAUGHS, camera, r"expected JSON, YAML"), ("c.yaml", "a: &a [*a]", camera, r"expected JSON, YAML"),
    ("c.xml", "<opencv_storage>" + "<a>" * 5000 + "</a>" * 5000 + "</opencv_storage>", camera, r"without end"),
    ("m.dae", "<?xml version='1.0' encoding='no-such'?><COLLADA/>", dd.Mesh.load, r"mesh: expected XML"),
    ("c.xml", "<document><sensor><calibration type='frame'><resolution width='wide' height='24'/><f>40</f>"
     "</calibration></sensor></document>", camera, r"got no width"),
    ("c.xml", "<calibration><width>inf</width><height>24</height><f>40</f></calibration>", camera, r"width: expected"),
    ("cameras.txt", f"1 PINHOLE {DIGITS} 24 40 40 16 12\n", camera, r"expected"),
    ("i.json", json.dumps({"frames": [FRAME | {"transform_matrix": 10**400}]}), place, r"4 x 4 numbers"),
    ("i.json", json.dumps([10**400]), place, r"extrinsics"),
    ("i.json", json.dumps({DIGITS: {"R": np.eye(3).tolist(), "t": [0, 0, 1]}}), read_start_poses, r"expected"),
    ("i.txt", "1 1 0 0 0 0.1 0 1e308 1 a.png\n\n", place, r"t_m2c: expected metres, up to 1e\+12"),
    ("j.json", json.dumps({"unit": [], "0": {"a": 1.0}}), read_joints, r"joints in .*j\.json: expected one of rad"),
    ("f.txt", "1,2,3,1e300,0,0\n" * 3, flanges("kuka"), r"at most 360 degrees"),
    ("j.npz", {"joint_names": np.array(1.0), "positions": np.zeros((1, 1))}, read_joints, r"an array of texts"),
    ("d.pfm", b"Pf\n2 2\nnan\n" + bytes(16), lambda path: read_depth(path, told=True), r"a PFM file"),
    ("r.urdf", drawn("<box size='0.1 0.1'/>"), load_robot, r"link a, box: expected 3 finite numbers"),
    ("r.urdf", drawn("<sphere radius='nan'/>"), load_robot, r"link a, sphere: expected a finite number"),
    ("r.urdf", drawn("<capsule radius='-1' length='1'/>"), load_robot, r"link a, capsule: expected a radius"),
    ("r.urdf", "<robot name='r'><link name='a'/><link name='b'/><joint name='j' type='revolute'><parent link='a'/>"
     "<child link='b'/><axis xyz='0 nan 1'/></joint></robot>", load_robot, r"joint j, axis: expected 3 finite"),
    ("r.urdf", "<robot name='r'><link name='a'/><link name='b'/><joint name='j' type='fixed'><parent name='a'/>"
     "<child link='b'/></joint></robot>", load_robot, r"expected one of a, b, got None"),
    ("r.urdf", "<robot name='r'><link name='a'/><link name=''/></robot>", load_robot, r"a name for each link"),
)  # fmt: skip


K = [[40, 0, 15.5], [0, 40, 11.5], [0, 0, 1]]
LENSES: tuple[tuple[str, str], ...] = (
    ("c.json", json.dumps({"cameraData": [[0, {"cameraType": 0, "intrinsicMatrix": K, "distortionCoeff": ["x", 0]}]]})),
    ("c.json", json.dumps({"fc": [40, 40], "cc": [15.5, 11.5], "kc": "text"})),
    ("c.json", json.dumps({"IntrinsicMatrix": np.transpose(K).tolist(), "RadialDistortion": [[0.1], None]})),
    ("c.json", json.dumps({"model_type": "KANNALA_BRANDT", "projection_parameters": dict.fromkeys(
        ("mu", "mv", "u0", "v0", "k3", "k4", "k5"), 12) | {"k2": None}})),
    ("c.json", json.dumps({"M1": K, "M2": K, "D1": ["a", 0, 0, 0, 0], "D2": [0, 0, 0, 0, 0]})),
    ("c.xml", "<calibration><width>32</width><height>24</height><f>40</f><k1>0,1</k1></calibration>"),
    ("c.conf", "[LEFT_CAM_VGA]\nfx=40\nfy=40\ncx=15\ncy=11\nk1=0,1\n"),
    ("ost.txt", "camera matrix\n40 0 15.5\n0 40 11.5\n0 0 1\ndistortion\n0.1 0 x 0 0\nprojection\n"
     "40 0 15.5 0\n0 40 11.5 0\n0 0 1 0\n"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "text"), LENSES)
def test_a_lens_that_cannot_be_read_is_not_taken_for_none(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    for number in (None, 0, 1):
        with pytest.raises(DiffDopeError, match="expected") as error:
            load_camera(path, width=32, height=24, camera_id=number)
    assert "camera" in str(error.value)


@pytest.mark.parametrize(("name", "content", "read", "said"), REFUSED)
def test_is_refused_in_words(name: str, content: Any, read: Callable[[Path], Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if isinstance(content, dict):
        np.savez(path, **content)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    began = time.process_time()
    with pytest.raises(DiffDopeError, match=said) as error:
        read(path)
    assert time.process_time() - began < 5.0 and len(str(error.value)) < 3000


def test_numbers_of_thousands_of_digits_are_parts_of_names(tmp_path: Path) -> None:
    """A picture may be called so; it is no reason to refuse its camera."""
    path = tmp_path / "transforms.json"
    path.write_text(json.dumps({"frames": [FRAME | {"file_path": f"images/{DIGITS}.png"}]}))
    assert load_camera(path)[0].fx == 40.0


def test_aliases_that_tools_write_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: &id001 [1, 2]\nb: *id001\nc: [*id001, *id001]\n")
    assert read_yaml(path, "a") == {"a": [1, 2], "b": [1, 2], "c": [[1, 2], [1, 2]]}
    path.write_text("b: [[[[1]]]]\n" * 1 + "text: 'a [ in words'\n")
    assert read_yaml(path, "a")["b"] == [[[[1]]]]


@pytest.mark.parametrize("text", ["when: 2024-13-45\n", "[" * 5000, "a: *a\n"])
def test_a_frame_without_a_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    assert optical_frame_of(path) == "camera_optical_frame"


@pytest.mark.parametrize(
    "lengths",
    [{"size": [2**20, 2**20], "counts": [2**40]}, {"size": [24, 32], "counts": [2**62, 2**62, 2**62, 2**62, 768]},
     {"size": [24, 32], "counts": "`" * 100_000}, {"size": [24, 32], "counts": "\x01\x02"},
     {"size": [True, 768], "counts": [768]}],
)  # fmt: skip
def test_runs_that_promise_more_than_they_hold(lengths: dict[str, Any]) -> None:
    began = time.process_time()
    with pytest.raises(DiffDopeError, match="segmentation"):
        decode_rle(lengths)
    assert time.process_time() - began < 2.0


def test_a_disparity_of_a_camera_without_focal_length(tmp_path: Path) -> None:
    camera, depth = tmp_path / "calib.txt", tmp_path / "d.pfm"
    K = "[0 0 15.5; 0 40 11.5; 0 0 1]"
    camera.write_text(f"cam0={K}\ncam1={K}\ndoffs=1\nbaseline=100\nwidth=32\nheight=24\n")
    depth.write_bytes(b"Pf\n32 24\n-1\n" + np.full(768, 5, "<f4").tobytes())
    with pytest.raises(DiffDopeError, match="fx: expected a positive number"):
        read_capture(camera, depth=depth, depth_kind="disparity")


def test_viewports_that_are_no_numbers(tmp_path: Path) -> None:
    """The points tell their size, then."""
    points = dd.Camera(40.0, 40.0, 15.5, 11.5, 32, 24).back_project(np.full((24, 32), 0.7)).reshape(-1, 3)
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 768\nproperty float x\nproperty float y\n"
    head += "property float z\nelement camera 1\nproperty float viewportx\nproperty float viewporty\nend_header\n"
    path = tmp_path / "d.ply"
    path.write_bytes(head.encode() + points.astype("<f4").tobytes() + struct.pack("<ff", np.nan, np.inf))
    assert read_depth(path).shape == (24, 32)


def test_a_tiff_without_its_fields(tmp_path: Path) -> None:
    """Pillow raises TypeError there."""
    path = tmp_path / "a.tif"
    Image.fromarray(np.zeros((24, 32), np.uint16)).save(path)
    whole = path.read_bytes()
    for at in range(8, len(whole), 16):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        for read in (read_rgb, read_depth, load_camera):
            try:
                read(path)
            except DiffDopeError as error:
                assert "a.tif" in str(error)


def test_exif_that_no_lens_has(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 65_535
    path = tmp_path / "a.jpg"
    Image.fromarray(np.zeros((24, 32, 3), np.uint8)).save(path, exif=exif)
    with pytest.raises(DiffDopeError, match="without it"):
        load_camera(path)


@pytest.mark.parametrize("name", ["a\0b.json", "a" * 300 + ".png"])
def test_names_that_no_file_has(name: str, tmp_path: Path) -> None:
    for read in (load_camera, read_rgb, read_depth, read_start_poses, read_joints, load_robot, dd.Mesh.load):
        with pytest.raises(DiffDopeError):
            read(tmp_path / name)  # type: ignore[operator]


def test_messages_are_not_as_long_as_what_is_wrong() -> None:
    error = expected("a", "b" * 100_000, "c" * 100_000, "cure")
    assert len(str(error)) < 3000 and str(error).endswith("(100000 letters); cure")


# ---------------- BOP's imagewise tars


def tar(path: Path, **files: bytes) -> Path:
    stream = io.BytesIO()
    Image.fromarray(np.zeros((24, 32, 3), np.uint8)).save(stream, format="PNG")
    camera = {"cam_K": [40, 0, 15.5, 0, 40, 11.5, 0, 0, 1]}
    whole = {"rgb.png": stream.getvalue(), "camera.json": json.dumps(camera).encode()}
    with tarfile.open(path, "w") as archive:
        for name, content in (whole | {key.replace("__", "."): one for key, one in files.items()}).items():
            about = tarfile.TarInfo(f"000001_000002.{name}")
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("camera__json", b"[]", "expected a dict, got list"), ("camera__json", b'{"cam_K": 3}', "camera: expected"),
        ("camera__json", b'{"cam_K": [40,0,15,0,40,11,0,0,1], "depth_scale": NaN}', "expected finite numbers"),
        ("camera__json", '{"a": "ä"}'.encode("latin-1"), "JSON in UTF-8"), ("gt__json", b"{}", "expected a list"),
        ("gt__json", b'[{"obj_id": 1}]', "cam_R_m2c"), ("rgb__png", b"no picture", "expected a picture"),
        ("mask__json", b'{"0": {"size": [24, 32], "counts": [768]}, "00": {"size": [24, 32], "counts": [768]}}',
         "run lengths by the number"),
        ("mask__json", b'{"' + DIGITS.encode() + b'": 1}', "run lengths by the number"),
        ("mask__json", b'{"0": {"size": [1048576, 1048576], "counts": [1099511627776]}}', "at most"),
        ("depth__exe", b"", r"expected 000001_000002.depth.png, jpg or tiff"),
    ],
)  # fmt: skip
def test_a_broken_file_in_a_tar_leaves_nothing(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    source = tar(tmp_path / "s.tar", **{name: content})
    with pytest.raises(DiffDopeError, match=said):
        unpack([source], tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["s.tar"]


def test_a_tar_that_promises_gigabytes(tmp_path: Path) -> None:
    """GNU's sparse files: a map of holes takes the place of their zeros."""
    path = tmp_path / "s.tar"
    about = tarfile.TarInfo("000001_000002.rgb.png")
    header = bytearray(about.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = b"S"
    header[483:495] = b"%011o\0" % (1 << 32)  # the size with the holes
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    camera = b'{"cam_K": [40, 0, 15.5, 0, 40, 11.5, 0, 0, 1]}'
    other = tarfile.TarInfo("000001_000002.camera.json")
    other.size = len(camera)
    path.write_bytes(bytes(header) + other.tobuf() + camera.ljust(512, b"\0") + bytes(1024))
    with pytest.raises(DiffDopeError, match=r"files of at most 268435456 bytes, got 4294967296"):
        unpack([path], tmp_path / "out")


def test_settings_and_objects_of_yaml_without_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.yaml"
    for text in ("[" * 20_000, LAUGHS, "when: 2024-13-45"):
        path.write_text(text)
        words = ["--camera", "c.json", "--rgb", "a.png", "--out", str(tmp_path / "out")]
        assert main(["scene", "--objects", str(path), *words]) == 2
        assert main(["refine", "--mesh", "a.ply", "--settings", str(path), *words]) == 2
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 2 and said[0].startswith("error: --objects") and said[1].startswith("error: --settings")


@pytest.mark.parametrize("group", GROUPS)
def test_whole_files_are_read(group: str, tmp_path: Path) -> None:
    """Else damage to them would prove nothing."""
    for number, file in enumerate(GROUPS[group]()):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / file.name).write_bytes(file.data)
        file.read(folder / file.name)
