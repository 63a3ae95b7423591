"""Depth images as sensors, renderers and converters write them."""

from __future__ import annotations

import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.lens import Distortion
from diffdope.geometry.pose import Pose
from diffdope.io.capture import read_capture
from diffdope.io.depth import DepthSource, along_axis
from diffdope.io.images import read_depth
from diffdope.scene.observation import Observation

CAMERA = Camera(120.0, 121.0, 49.0, 39.5, 100, 80)
PLANE = 0.7 + 0.001 * np.arange(100.0)[None, :] + 0.0005 * np.arange(80.0)[:, None]


def camera_file(folder: Path, camera: Camera = CAMERA, name: str = "camera.json", **more: float) -> Path:
    path = folder / name
    sizes = {"width": camera.width, "height": camera.height}
    path.write_text(json.dumps({"cam_K": camera.K.ravel().tolist(), **sizes, **more}))
    return path


def observed(folder: Path, file: str, camera: Path | None = None, **how: object) -> np.ndarray:
    """Metres, as a capture of the file gives them to an observation."""
    capture = read_capture(camera_file(folder) if camera is None else camera, depth=folder / file, **how)
    depth = Observation(capture.camera, **capture.images).depth
    assert depth is not None
    return depth


def exr(
    path: Path, depth: np.ndarray | dict[str, np.ndarray], compression: int, *, corner: tuple[int, int] = (0, 0),
    shown: tuple[int, int, int, int] | None = None,
) -> None:  # fmt: skip
    """As OpenEXR writes channels of float32, one Z unless they have names, in scan lines: 0 none, 2 ZIPS, 3 ZIP.

    `corner` is the first column and row of its pixels in the picture, `shown` the picture's first and last ones.
    """
    named = dict(sorted(depth.items())) if isinstance(depth, dict) else {"Z": depth}
    stack = np.stack(list(named.values()), axis=1)  # (H, channels, W), as lines are stored
    height, _, width = stack.shape
    left, top = corner

    def attribute(name: str, kind: str, value: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(value)) + value

    box = struct.pack("<4i", left, top, left + width - 1, top + height - 1)
    display = box if shown is None else struct.pack("<4i", *shown)
    head = struct.pack("<II", 20000630, 2)
    of_channel = b"\0" + struct.pack("<iIii", 2, 0, 1, 1)
    head += attribute("channels", "chlist", b"".join(name.encode() + of_channel for name in named) + b"\0")
    head += attribute("compression", "compression", bytes([compression]))
    head += attribute("dataWindow", "box2i", box) + attribute("displayWindow", "box2i", display) + b"\0"
    lines = 16 if compression == 3 else 1
    chunks = []
    for row in range(0, height, lines):
        raw = np.frombuffer(stack[row : row + lines].astype("<f4").tobytes(), np.uint8)
        packed = raw.tobytes()
        if compression:
            halves = np.concatenate([raw[0::2], raw[1::2]]).astype(int)
            differences = np.concatenate([halves[:1], np.diff(halves) + 128]) & 0xFF
            squeezed = zlib.compress(differences.astype(np.uint8).tobytes())
            packed = squeezed if len(squeezed) < len(packed) else packed
        chunks.append(struct.pack("<iI", top + row, len(packed)) + packed)
    at = len(head) + 8 * len(chunks)
    table = b""
    for chunk in chunks:
        table += struct.pack("<Q", at)
        at += len(chunk)
    path.write_bytes(head + table + b"".join(chunks))


def test_float_metres_of_every_kind_of_file(tmp_path: Path) -> None:
    plane = PLANE.astype(np.float32)
    np.save(tmp_path / "d.npy", plane)
    np.save(tmp_path / "batch.npy", plane[None, ..., None])
    np.savez(tmp_path / "d.npz", depth=plane, confidence=np.ones(3))
    Image.fromarray(plane).save(tmp_path / "d.tiff")
    for compression in (0, 2, 3):
        exr(tmp_path / f"d{compression}.exr", plane, compression)
    for file in ("d.npy", "batch.npy", "d.npz", "d.tiff", "d0.exr", "d2.exr", "d3.exr"):
        assert np.array_equal(observed(tmp_path, file), plane), file
    np.savez(tmp_path / "e.npz", a=plane, b=plane)
    with pytest.raises(DiffDopeError, match="depth: expected one array in .*, or one named depth, got a, b"):
        read_depth(tmp_path / "e.npz")


def test_missing_depth_of_every_kind(tmp_path: Path) -> None:
    plane = PLANE.astype(np.float32)
    plane[0, :4] = [np.nan, np.inf, -np.inf, 1e10]
    np.save(tmp_path / "d.npy", plane)
    depth = observed(tmp_path, "d.npy")
    assert (depth[0, :4] == 0).all() and (depth[1:] > 0).all()
    words = np.rint(1000 * PLANE).astype(np.uint16)
    words[5:9, 5:9] = 65535
    Image.fromarray(words).save(tmp_path / "d.png")
    depth = observed(tmp_path, "d.png", depth_scale_mm=1.0)
    assert (depth[5:9, 5:9] == 0).all() and depth[9, 9] > 0


@pytest.mark.parametrize("scale", [0.1, 0.25, 1.0, 1000 / 5000])
def test_16_bits_of_any_scale(tmp_path: Path, scale: float) -> None:
    Image.fromarray(np.rint(1000 * PLANE / scale).astype(np.uint16)).save(tmp_path / "d.png")
    assert np.abs(observed(tmp_path, "d.png", depth_scale_mm=scale) - PLANE).max() < 1e-3 * scale


def test_distance_along_the_ray(tmp_path: Path) -> None:
    distance = np.linalg.norm(CAMERA.back_project(PLANE), axis=-1)
    np.save(tmp_path / "d.npy", distance)
    assert np.abs(observed(tmp_path, "d.npy", depth_kind="ray") - PLANE).max() < 1e-6
    assert np.abs(observed(tmp_path, "d.npy") - PLANE).max() > 0.03
    assert np.abs(along_axis(distance, CAMERA) - PLANE).max() < 1e-12


def test_depth_of_another_size_of_the_same_camera(tmp_path: Path) -> None:
    half = PLANE.reshape(40, 2, 50, 2).mean(axis=(1, 3))
    np.save(tmp_path / "half.npy", half)
    Image.new("RGB", (100, 80)).save(tmp_path / "rgb.png")
    depth = observed(tmp_path, "half.npy", rgb=tmp_path / "rgb.png")
    assert depth.shape == (80, 100)
    assert np.abs(depth - PLANE).max() < 0.0011  # half a small pixel
    capture = read_capture(camera_file(tmp_path), depth=tmp_path / "half.npy", rgb=tmp_path / "rgb.png")
    assert "depth of 50 x 40 pixels was enlarged to 100 x 80" in capture.notes
    np.save(tmp_path / "other.npy", PLANE[:, :60])
    with pytest.raises(DiffDopeError, match="depth: expected 100 x 80 as the photograph.*--depth-extrinsics"):
        observed(tmp_path, "other.npy", rgb=tmp_path / "rgb.png")


@pytest.mark.parametrize("unit", ["matrix in metres", "matrix in millimetres", "rotation and translation"])
def test_depth_of_another_camera_is_registered(tmp_path: Path, unit: str) -> None:
    own = Camera(100.0, 100.0, 63.5, 47.5, 128, 96)
    place = Pose.from_wxyz_xyz([0.999, 0.01, -0.02, 0.005, 0.05, 0.002, -0.01])
    normal, distance = np.array([0.1, -0.05, 1.0]), 0.8  # of a plane in the photograph's camera
    rays = own.back_project(np.ones((96, 128)))
    turned = rays @ place.R_m2c.T
    z = (distance - place.t_m2c @ normal) / (turned @ normal)
    np.save(tmp_path / "d.npy", z)
    Image.new("RGB", (100, 80)).save(tmp_path / "rgb.png")
    content: object = place.matrix.tolist()
    if unit == "matrix in millimetres":
        content = np.block([[place.R_m2c, 1e3 * place.t_m2c[:, None]], [np.array([[0, 0, 0, 1]])]]).tolist()
    if unit == "rotation and translation":
        content = {"rotation": place.R_m2c.tolist(), "translation": place.t_m2c.tolist()}
    (tmp_path / "T.json").write_text(json.dumps(content))
    depth = observed(
        tmp_path, "d.npy", rgb=tmp_path / "rgb.png", depth_extrinsics=tmp_path / "T.json",
        depth_camera=camera_file(tmp_path, own, "depth.json"),
    )  # fmt: skip
    expected = distance / (CAMERA.back_project(np.ones((80, 100))) @ normal)
    there = depth > 0
    assert there.mean() > 0.85
    assert np.abs(depth - expected)[there].max() < 0.004 and np.median(np.abs(depth - expected)[there]) < 0.001
    with pytest.raises(DiffDopeError, match="depth-extrinsics: expected a file beside the other one, got none"):
        observed(tmp_path, "d.npy", rgb=tmp_path / "rgb.png", depth_camera=tmp_path / "depth.json")


WIDE, FISHEYE = Distortion((-0.3, 0.1, 1e-3, -1e-3)), Distortion((0.02, -0.01, 0.003, -0.0005), model="fisheye")


@pytest.mark.parametrize(("of_depth", "of_rgb"), [(WIDE, None), (None, WIDE), (WIDE, FISHEYE), (FISHEYE, WIDE)])
def test_registration_knows_the_lenses_of_both_cameras(of_depth: Distortion | None, of_rgb: Distortion | None) -> None:
    place = Pose.from_wxyz_xyz([0.9998, 0.01, -0.015, 0.005, 0.02, 0.002, -0.01])
    normal, distance = np.array([0.3, -0.25, 1.0]), 0.8  # of a plane in the photograph's camera, at a slant

    def depth_camera(lens: Distortion | None) -> Camera:
        return Camera(100.0, 100.0, 79.5, 59.5, 160, 120, lens)

    def rgb_camera(lens: Distortion | None) -> Camera:
        return Camera(120.0, 121.0, 49.0, 39.5, 100, 80, lens)

    turned = depth_camera(of_depth).back_project(np.ones((120, 160))) @ place.R_m2c.T
    z = (distance - place.t_m2c @ normal) / (turned @ normal)
    expected = distance / (rgb_camera(of_rgb).back_project(np.ones((80, 100))) @ normal)

    def error_m(own: Camera, photograph: Camera) -> float:
        seen, _, _ = DepthSource(camera=own, T_depth2rgb=place).registered(z, None, photograph)
        return float(np.percentile(np.abs(seen - expected)[seen > 0], 99))

    assert error_m(depth_camera(of_depth), rgb_camera(of_rgb)) < 0.006  # depth is that of the nearest pixel
    if of_depth is not None:
        assert error_m(depth_camera(None), rgb_camera(of_rgb)) > 0.01
    if of_rgb is not None:
        assert error_m(depth_camera(of_depth), rgb_camera(None)) > 0.01


def test_extrinsics_that_move_all_depth_out_of_the_photograph_are_refused() -> None:
    own = Camera(100.0, 100.0, 49.5, 39.5, 100, 80)
    for away in ([3.0, 0.0, 0.0], [0.0, 0.0, -4.0]):  # millimetres that were taken for metres
        source = DepthSource(camera=own, T_depth2rgb=Pose(np.eye(3), away))
        with pytest.raises(DiffDopeError, match=r"depth-extrinsics: .* got none of it; .* [34] m away: write t in"):
            source.registered(np.full((80, 100), 0.7), None, own)
    missing, _, _ = source.registered(np.zeros((80, 100)), None, own)
    assert not missing.any()  # which says nothing about extrinsics


def test_the_nearer_surface_hides_the_farther_one() -> None:
    own = Camera(100.0, 100.0, 49.5, 39.5, 100, 80)
    depth = np.full((80, 100), 1.0)
    depth[20:60, 40:60] = 0.5
    source = DepthSource(camera=own, T_depth2rgb=Pose(np.eye(3), [0.1, 0.0, 0.0]))
    seen, scale, _ = source.registered(depth, None, own)
    assert scale is None
    assert set(np.unique(seen)) == {np.float32(0), np.float32(0.5), np.float32(1)}
    assert (seen[20:60, 60:80] == 0.5).all()  # shifted by 100 * 0.1 / 0.5
    assert (seen[20:60, 51:58] == 0).all()  # what the near one hid from the depth camera


def test_pictures_for_viewing_are_no_depth(tmp_path: Path) -> None:
    shades = np.linspace(0, 255, 8000).reshape(80, 100).astype(np.uint8)
    colourised = np.dstack([shades, 255 - shades, shades // 2])
    Image.fromarray(colourised).save(tmp_path / "jet.png")
    Image.fromarray(shades).save(tmp_path / "grey.png")
    Image.fromarray(np.dstack([shades] * 3)).save(tmp_path / "grey3.jpg")
    with pytest.raises(DiffDopeError, match="jet.png: expected distances, got a colourised picture.*16-bit PNG"):
        observed(tmp_path, "jet.png", camera_file(tmp_path, depth_scale=1.0))
    for name in ("grey.png", "grey3.jpg"):
        with pytest.raises(DiffDopeError, match=f"{name}: expected distances, got shades of 8 bits, 0 to 25"):
            observed(tmp_path, name, camera_file(tmp_path, depth_scale=1.0))
    assert observed(tmp_path, "grey.png", depth_scale_mm=10.0).max() == pytest.approx(2.55)
    words = np.dstack([np.rint(1000 * PLANE).astype(np.uint16)] * 3)
    np.save(tmp_path / "three.npy", words)
    assert np.abs(observed(tmp_path, "three.npy", depth_scale_mm=1.0) - PLANE).max() < 6e-4


def test_exr_whose_empty_border_was_left_out_or_that_goes_beyond_the_picture(tmp_path: Path) -> None:
    """Half of the width and of the height, at another place, would be taken for a smaller picture of the whole."""
    height, width = PLANE.shape
    part = PLANE[2 : 2 + height // 2, 3 : 3 + width // 2].astype(np.float32)
    exr(tmp_path / "d.exr", part, 3, corner=(3, 2), shown=(0, 0, width - 1, height - 1))
    read = read_depth(tmp_path / "d.exr")
    assert read.shape == PLANE.shape and np.array_equal(read[2 : 2 + height // 2, 3 : 3 + width // 2], part)
    assert np.count_nonzero(read) == part.size
    plane = PLANE.astype(np.float32)
    exr(tmp_path / "o.exr", plane, 0, corner=(-2, -1), shown=(0, 0, width - 5, height - 4))
    assert np.array_equal(read_depth(tmp_path / "o.exr"), plane[1 : height - 2, 2 : width - 2])
    exr(tmp_path / "away.exr", plane, 0, corner=(500, 0), shown=(0, 0, width - 1, height - 1))
    assert not read_depth(tmp_path / "away.exr").any()


VECTORS = {
    f"View Layer.{layer}.{axis}": np.full(PLANE.shape, 0.3 + 0.1 * k, np.float32)
    for layer in ("Denoising Normal", "Normal", "Vector") for k, axis in enumerate("XYZ")
}  # fmt: skip


@pytest.mark.parametrize("compression", [0, 3])
def test_the_channel_of_an_exr_that_is_depth(compression: int, tmp_path: Path) -> None:
    plane = PLANE.astype(np.float32)
    other = {name: np.full_like(plane, grey) for name, grey in (("R", 0.2), ("G", 0.5), ("B", 0.7), ("A", 1.0))}
    for channels in (
        {"R": plane, "G": plane, "B": plane},  # as Blender writes it; 1.09 times as much by OpenCV's mixture to grey
        {"V": plane},
        {"Y": plane},
        {**other, "Z": plane},
        {**other, "View Layer.Depth.Z": plane},
        {**other, **VECTORS, "View Layer.Depth.Z": plane},  # as Blender sorts it, behind the denoiser's passes
        {**other, **VECTORS, "camera.Z": plane},
        {"X": plane + 1.0, "Y": plane + 2.0, "Z": plane},  # points: their z
    ):
        exr(tmp_path / "d.exr", channels, compression)
        assert np.array_equal(read_depth(tmp_path / "d.exr"), plane), list(channels)
    for channels, named in ((other, "A, B, G, R"), ({**other, **VECTORS}, "A, B, G, R, View Layer.Denoising Normal.X")):
        exr(tmp_path / "d.exr", channels, compression)
        with pytest.raises(DiffDopeError, match=f"a channel Z in .*d.exr, got channels {named}"):
            read_depth(tmp_path / "d.exr")


def test_what_is_no_exr(tmp_path: Path) -> None:
    exr(tmp_path / "d.exr", PLANE, 3)
    data = (tmp_path / "d.exr").read_bytes()
    for name, content in {
        "cut": data[:-400], "empty": b"", "png": b"\x89PNG\r\n",
        "piz": data.replace(b"\0\x01\0\0\0\x03", b"\0\x01\0\0\0\x04"),
        "noise": data[:330] + bytes(range(256)) * 9,
    }.items():  # fmt: skip
        (tmp_path / f"{name}.exr").write_bytes(content)
        with pytest.raises(DiffDopeError, match="depth: expected"):
            read_depth(tmp_path / f"{name}.exr")


def test_other_packings_of_exr_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    exr(tmp_path / "d.exr", PLANE, 0)
    data = (tmp_path / "d.exr").read_bytes()
    piz = data.replace(b"compression\0\x01\0\0\0\0", b"compression\0\x01\0\0\0\x04")
    assert piz != data
    for content, packing in ((piz, "PIZ"), (data[:5] + b"\x02" + data[6:], "tiles or several parts")):
        (tmp_path / "d.exr").write_bytes(content)
        with pytest.raises(DiffDopeError, match=f"got {packing}; save it so, or pip install .diffdope.exr"):
            read_depth(tmp_path / "d.exr")


@pytest.mark.parametrize("kind", ["PIZ", "PXR24", "tiles"])
def test_the_package_of_the_format_reads_other_packings(kind: str, tmp_path: Path) -> None:
    OpenEXR = pytest.importorskip("OpenEXR", reason="the extra `exr` is not installed: OpenEXR")
    head = {"compression": getattr(OpenEXR, f"{'ZIP' if kind == 'tiles' else kind}_COMPRESSION")}
    head |= {"type": OpenEXR.scanlineimage} if kind != "tiles" else {
        "type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription(),
    }  # fmt: skip
    depth = np.random.default_rng(0).uniform(0.5, 2.0, (40, 50)).astype(np.float32)
    with OpenEXR.File(head, {"Z": depth}) as file:
        file.write(str(tmp_path / "d.exr"))
    assert np.allclose(read_depth(tmp_path / "d.exr"), depth, atol=2e-5)
    if kind == "PIZ":
        windows = {"dataWindow": ((3, 2), (52, 41)), "displayWindow": ((0, 0), (59, 49))}
        with OpenEXR.File(
            {**head, **{key: tuple(map(np.int32, box)) for key, box in windows.items()}}, {"Z": depth}
        ) as file:
            file.write(str(tmp_path / "part.exr"))
        part = read_depth(tmp_path / "part.exr")
        assert part.shape == (50, 60) and np.allclose(part[2:42, 3:53], depth, atol=2e-5) and not part[:2].any()
    (tmp_path / "d.exr").write_bytes((tmp_path / "d.exr").read_bytes()[:900])
    with pytest.raises(DiffDopeError, match="depth: expected an EXR image in .*d.exr"):
        read_depth(tmp_path / "d.exr")


def test_depth_in_a_later_part_of_an_exr(tmp_path: Path) -> None:
    """As Blender 5 writes passes: the colours first, here those of a grey picture, each in a part of its own."""
    OpenEXR = pytest.importorskip("OpenEXR", reason="the extra `exr` is not installed: OpenEXR")
    depth = np.random.default_rng(0).uniform(0.5, 2.0, (40, 50)).astype(np.float32)
    grey = {f"ViewLayer.Combined.{one}": np.full((40, 50), 0.2, np.float32) for one in "RGBA"}
    normal = {f"ViewLayer.Normal.{one}": np.full((40, 50), 0.3, np.float32) for one in "XYZ"}
    passes = {"Combined": grey, "Normal": normal, "Depth": {"ViewLayer.Depth.Z": depth}}
    kind = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    for corner in ((0, 0), (3, 2)):  # of the depth in the picture
        parts = []
        for number, (name, channels) in enumerate(passes.items()):
            first = np.array(corner if name == "Depth" else (0, 0), np.int32)
            own = {"dataWindow": (first, first + np.array((49, 39), np.int32))}
            own["displayWindow"] = (np.zeros(2, np.int32), np.array((59, 49), np.int32))
            parts.append(OpenEXR.Part({**kind, **own, "name": f"ViewLayer.{name}", "partNumber": number}, channels))
        OpenEXR.File(parts).write(str(tmp_path / "d.exr"))
        whole = np.zeros((50, 60), np.float32)
        whole[corner[1] : corner[1] + 40, corner[0] : corner[0] + 50] = depth
        assert np.array_equal(read_depth(tmp_path / "d.exr"), whole), corner
    (tmp_path / "d.exr").write_bytes((tmp_path / "d.exr").read_bytes()[:-2000])  # of the depth, behind the grey
    with pytest.raises(DiffDopeError, match="depth: expected an EXR image in .*d.exr, got a damaged file"):
        read_depth(tmp_path / "d.exr")


def points_of(depth: np.ndarray) -> np.ndarray:
    points = CAMERA.back_project(depth)
    points[depth == 0] = np.nan
    return points


def pcd(path: Path, points: np.ndarray, kind: str, fields: str = "x y z rgb") -> None:
    """As PCL writes a cloud with colours, which are packed into a float."""
    height, width = points.shape[:2]
    rows = np.concatenate([points.reshape(-1, 3), np.full((height * width, 1), 4.2e-39)], -1).astype("<f4")
    head = (
        f"# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS {fields}\nSIZE 4 4 4 4\nTYPE F F F F\n"
        f"COUNT 1 1 1 1\nWIDTH {width}\nHEIGHT {height}\nVIEWPOINT 0 0 0 1 0 0 0\n"
        f"POINTS {width * height}\nDATA {kind}\n"
    )
    body = rows.tobytes() if kind != "ascii" else "".join(" ".join(map(str, row)) + "\n" for row in rows).encode()
    path.write_bytes(head.encode() + body)


def test_points_of_the_pixels(tmp_path: Path) -> None:
    holed = np.where(np.arange(100)[None, :] % 7 == 0, 0.0, PLANE)
    np.save(tmp_path / "points.npy", points_of(holed).astype(np.float32))
    np.save(tmp_path / "integers.npy", np.rint(1000 * np.nan_to_num(points_of(holed))).astype(np.int16))
    pcd(tmp_path / "bytes.pcd", points_of(holed), "binary")
    pcd(tmp_path / "text.pcd", points_of(holed), "ascii")
    for name in ("points.npy", "bytes.pcd", "text.pcd"):
        assert observed(tmp_path, name) == pytest.approx(holed, abs=1e-6)
    assert observed(tmp_path, "integers.npy", camera_file(tmp_path, depth_scale=1.0)) == pytest.approx(holed, abs=6e-4)


def test_points_of_another_frame_are_refused(tmp_path: Path) -> None:
    points = points_of(PLANE)
    turned = {
        "opengl": points * [1, -1, -1], "world": points[..., [2, 0, 1]] * [1, -1, -1], "up": points * [1, -1, 1],
        "flipped": points[:, ::-1],
    }  # fmt: skip
    for name, other in turned.items():
        np.save(tmp_path / f"{name}.npy", other)
        with pytest.raises(
            DiffDopeError, match="expected points as a camera sees them, got .*; give points of the cam"
        ):
            read_depth(tmp_path / f"{name}.npy")


def test_pcd_files_that_are_none(tmp_path: Path) -> None:
    pcd(tmp_path / "whole.pcd", points_of(PLANE), "binary")
    whole = (tmp_path / "whole.pcd").read_bytes()
    spoilt = {
        "a file that was cut off": whole[:2000], "none, or one that was cut off": whole[:60],
        "HEIGHT 1": whole.replace(b"WIDTH 100\nHEIGHT 80", b"WIDTH 8000\nHEIGHT 1"),
        "a damaged one": whole.replace(b"DATA binary", b"DATA binary_compressed"),
        "ascii, binary or binary_compressed, got odd": whole.replace(b"DATA binary", b"DATA odd"),
        "no such x": whole.replace(b"COUNT 1", b"COUNT 0"),
        "no such z": whole.replace(b"FIELDS x y z", b"FIELDS x y u"),
        "a broken one": whole.replace(b"TYPE F F", b"TYPE Q F"),
        "as many points as a sensor has": whole.replace(b"WIDTH 100", b"WIDTH 999999999"),
    }  # fmt: skip
    for words, content in spoilt.items():
        (tmp_path / "spoilt.pcd").write_bytes(content)
        with pytest.raises(DiffDopeError, match=words):
            read_depth(tmp_path / "spoilt.pcd")


def lzf(data: bytes) -> bytes:
    """Compresses by LZF: references where three bytes came before within its window, else letters."""
    out, plain, seen, at = bytearray(), bytearray(), {}, 0

    def flush() -> None:
        for first in range(0, len(plain), 32):
            part = plain[first : first + 32]
            out.extend(bytes([len(part) - 1]) + part)
        plain.clear()

    while at < len(data):
        place = seen.get(data[at : at + 3], -1)
        seen[data[at : at + 3]] = at
        if place < 0 or at - place > 8192 or at + 3 > len(data):
            plain.append(data[at])
            at += 1
            continue
        length = 3
        while length < 264 and at + length < len(data) and data[place + length] == data[at + length]:
            length += 1
        flush()
        high, low = divmod(at - place - 1, 256)
        short = length - 2
        out.extend([min(short, 7) << 5 | high, *([short - 7] if short >= 7 else []), low])
        at += length
    flush()
    return bytes(out)


def test_compressed_points(tmp_path: Path) -> None:
    holed = np.where(np.arange(100)[None, :] % 7 == 0, 0.0, PLANE)
    pcd(tmp_path / "bytes.pcd", points_of(holed), "binary")
    head, _, body = (tmp_path / "bytes.pcd").read_bytes().partition(b"DATA binary\n")
    fields = np.frombuffer(body, "<f4").reshape(-1, 4).T.tobytes()  # one after the other, each of all points
    packed = lzf(fields)
    assert len(packed) < 0.8 * len(fields)
    whole = head + b"DATA binary_compressed\n" + struct.pack("<II", len(packed), len(fields)) + packed
    (tmp_path / "packed.pcd").write_bytes(whole)
    assert observed(tmp_path, "packed.pcd") == pytest.approx(holed, abs=1e-6)
    for words, content in {"cut off": whole[:-9], "damaged": whole[: len(whole) - 9] + bytes([255] * 9)}.items():
        (tmp_path / "packed.pcd").write_bytes(content)
        with pytest.raises(DiffDopeError, match=words):
            read_depth(tmp_path / "packed.pcd")


def ply(points: np.ndarray, *, order: str = "binary_little_endian", said: str = "", camera: bool = False) -> bytes:
    """A cloud with colours; `camera` as PCL writes it, with the picture's size."""
    height, width = points.shape[:2]
    lines = ["ply", f"format {order} 1.0", *([said] if said else []), f"element vertex {height * width}"]
    lines += [f"property float {axis}" for axis in "xyz"] + ["property uchar red"]
    lines += ["element camera 1", "property float focal", "property int viewportx", "property int viewporty"] * camera
    rows = np.zeros(height * width, [(axis, "f4") for axis in "xyz"] + [("red", "u1")])
    for k, axis in enumerate("xyz"):
        rows[axis] = points[..., k].ravel()
    if order == "ascii":
        text = "".join(" ".join(map(str, row)) + "\n" for row in rows.tolist())
        body = (text + (f"0 {width} {height}\n" if camera else "")).encode()
    else:
        mark = "<" if "little" in order else ">"
        body = rows.astype(rows.dtype.newbyteorder(mark)).tobytes()
        body += struct.pack(f"{mark}fii", 0.0, width, height) if camera else b""
    return "\n".join([*lines, "end_header\n"]).encode() + body


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("camera", [True, False])
def test_points_of_ply_files(order: str, camera: bool, tmp_path: Path) -> None:
    holed = np.where(np.arange(100)[None, :] % 7 == 0, 0.0, PLANE)
    (tmp_path / "points.ply").write_bytes(ply(points_of(holed), order=order, camera=camera))
    assert observed(tmp_path, "points.ply") == pytest.approx(holed, abs=1e-6)


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian"])
def test_the_range_grid_of_a_ply_file(order: str, tmp_path: Path) -> None:
    holed = np.where(np.arange(100)[None, :] % 7 == 0, 0.0, PLANE)
    seen = holed.ravel() > 0
    points = points_of(holed).reshape(-1, 3)[seen][:, None]
    head, _, body = ply(points, order=order, said="obj_info num_cols 100\nobj_info num_rows 80").partition(
        b"end_header\n"
    )
    head += f"element range_grid {len(seen)}\nproperty list uchar int vertex_indices\nend_header\n".encode()
    numbers = np.where(seen, np.cumsum(seen) - 1, -1).tolist()
    for one in numbers:
        if order == "ascii":
            body += f"1 {one}\n".encode() if one >= 0 else b"0\n"
        else:
            body += struct.pack("<Bi", 1, one) if one >= 0 else b"\0"
    (tmp_path / "grid.ply").write_bytes(head + body)
    assert observed(tmp_path, "grid.ply") == pytest.approx(holed, abs=1e-6)
    (tmp_path / "grid.ply").write_bytes(head + body[:-40])
    with pytest.raises(DiffDopeError, match="cut off"):
        read_depth(tmp_path / "grid.ply")


def test_ply_files_that_are_no_picture(tmp_path: Path) -> None:
    whole = ply(points_of(PLANE))
    drawn = np.random.default_rng(0).permutation(points_of(PLANE).reshape(-1, 3)).reshape(80, 100, 3)
    spoilt = {
        "8000 points in no such order; give points": ply(drawn),
        "7999 points": ply(points_of(PLANE).reshape(-1, 1, 3)[:-1]),
        "cut off": whole[:-7], "end_header": whole[:30], "empty": b"",
        "element vertex with x, y and z": whole.replace(b"property float z", b"property float q"),
        "a type of PLY": whole.replace(b"property float z", b"property long z"),
        "how many rows": whole.replace(b"vertex 8000", b"vertex -8"),
        "as many points": whole.replace(b"vertex 8000", b"vertex 99999999999"),
    }  # fmt: skip
    for words, content in spoilt.items():
        (tmp_path / "spoilt.ply").write_bytes(content)
        with pytest.raises(DiffDopeError, match=words):
            read_depth(tmp_path / "spoilt.ply")
