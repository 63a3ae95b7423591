"""Small files of every kind of reader, whole, and what reads them: see `benchmarks.hostile_inputs`."""

from __future__ import annotations

import io
import json
import struct
import tarfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, TiffImagePlugin

import diffdope as dd
from benchmarks.hostile_files import CAMERA, POSE, SIZE, checked, image_bytes, packed
from diffdope.bop.dataset import DataSet
from diffdope.bop.unpack import unpack
from diffdope.io.capture import read_capture
from diffdope.io.extrinsics import read_camera_places
from diffdope.io.flange_poses import read_flange_poses
from diffdope.io.images import read_depth, read_rgb
from diffdope.io.joints import read_joints
from diffdope.io.masks import read_labels, read_mask
from diffdope.io.poses import read_start_poses
from diffdope.scene.urdf import load_robot

Reader = Callable[[Path], None]
HEIGHT, WIDTH = SIZE


class File(NamedTuple):
    """A whole file and what reads it.

    Attributes:
        name: of the file.
        data: its bytes.
        read: refuses what is wrong, and checks that what comes out is finite.
    """

    name: str
    data: bytes
    read: Reader


def _json(data: Any) -> bytes:
    return json.dumps(data).encode()


# ---------------- cameras


def camera(path: Path) -> None:
    """Every camera that a file holds, or the only one."""
    for how in ({}, {"image_id": 0}, {"camera_id": 0}, {"camera_id": 1}):
        try:
            found, scale = dd.load_camera(path, width=WIDTH, height=HEIGHT, **how)  # type: ignore[arg-type]
        except dd.DiffDopeError:
            if how == {"camera_id": 1}:
                raise
            continue
        assert scale is None or (np.isfinite(scale) and scale > 0)
        dd.Observation(found, rgb=np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        return


def _colmap(model: int, *numbers: float) -> bytes:
    return struct.pack(f"<QiiQQ{len(numbers)}d", 1, 1, model, WIDTH, HEIGHT, *numbers)


_OPENSFM = {
    "v2 maker 32 24 brown 0.9": {
        "projection_type": "brown", "width": WIDTH, "height": HEIGHT, "focal_x": 1.2, "focal_y": 1.2, "c_x": 0.01,
        "c_y": 0.01, "k1": 0.1, "k2": 0.01, "p1": 0.0, "p2": 0.0, "k3": 0.0,
    }
}  # fmt: skip
_FRAMES = {
    "frames": [
        {"file_path": f"images/frame_{k}.png", "fl_x": 40.0, "fl_y": 40.0, "cx": 16.0, "cy": 12.0, "w": WIDTH,
         "h": HEIGHT, "transform_matrix": [[1.0, 0, 0, 0.1 * k], [0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]]}
        for k in range(2)
    ]
}  # fmt: skip
_RECORD3D = {"w": WIDTH, "h": HEIGHT, "K": [40.0, 0, 0, 0, 40.0, 0, 15.5, 11.5, 1], "fps": 60,
             "perFrameIntrinsicCoeffs": [[40.0, 40.0, 15.5, 11.5], [41.0, 41.0, 15.5, 11.5]]}  # fmt: skip
_POLYCAM = {"fx": 40.0, "fy": 40.0, "cx": 15.5, "cy": 11.5, "width": WIDTH, "height": HEIGHT, "timestamp": 123,
            **{f"t_{r}{c}": float(r == c) for r in range(3) for c in range(4)}}  # fmt: skip
_ARCORE = {"focalLength": {"x": 40.0, "y": 40.0}, "principalPoint": {"x": 15.5, "y": 11.5},
           "imageDimensions": {"x": WIDTH, "y": HEIGHT}}  # fmt: skip
_ARKIT = {"intrinsics": [[40.0, 0, 0], [0, 40.0, 0], [15.5, 11.5, 1.0]], "resolution": [WIDTH, HEIGHT]}
_DEPTHAI = {"cameraData": [[0, {"cameraType": 0, "intrinsicMatrix": [[40.0, 0, 15.5], [0, 40.0, 11.5], [0, 0, 1.0]],
            "distortionCoeff": [0.1, *[0.0] * 13], "width": WIDTH, "height": HEIGHT}]]}  # fmt: skip
_BASALT = {"value0": {"intrinsics": [{"camera_type": "kb4", "intrinsics": {
    "fx": 40.0, "fy": 40.0, "cx": 15.5, "cy": 11.5, "k1": 0.01, "k2": 0.0, "k3": 0.0, "k4": 0.0}}],
    "resolution": [[WIDTH, HEIGHT]]}}  # fmt: skip
_METASHAPE = f"""<?xml version="1.0"?>
<calibration><projection>frame</projection><width>{WIDTH}</width><height>{HEIGHT}</height><f>40</f><cx>0.1</cx>
<cy>0.2</cy><k1>0.1</k1><p1>0.001</p1></calibration>
""".encode()
_METASHAPE_PROJECT = f"""<document><chunk><sensors><sensor id="0"><calibration type="frame" class="adjusted">
<resolution width="{WIDTH}" height="{HEIGHT}"/><f>40</f><cx>0.1</cx></calibration></sensor>
<sensor id="1"><calibration type="frame" class="adjusted">
<resolution width="{WIDTH}" height="{HEIGHT}"/><f>41</f></calibration></sensor></sensors></chunk></document>
""".encode()
_ZED = b"""[LEFT_CAM_VGA]
fx=40
fy=40
cx=15.5
cy=11.5
k1=0.1
[RIGHT_CAM_MINE]
fx=41
fy=41
cx=15.5
cy=11.5
[STEREO]
Baseline=120
"""
_MIDDLEBURY = f"""cam0=[40 0 15.5; 0 40 11.5; 0 0 1]
cam1=[40 0 16.5; 0 40 11.5; 0 0 1]
doffs=1
baseline=100.5
width={WIDTH}
height={HEIGHT}
ndisp=20
""".encode()
_OST = f"""# oST version 5.0 parameters

[image]
width
{WIDTH}
height
{HEIGHT}
[narrow_stereo]
camera matrix
40 0 15.5
0 40 11.5
0 0 1
distortion
0.1 0 0 0 0
projection
40 0 15.5 0
0 40 11.5 0
0 0 1 0
""".encode()
_BOUGUET = {"fc": [40.0, 40.0], "cc": [15.5, 11.5], "kc": [0.1, 0.0, 0.0, 0.0, 0.0], "alpha_c": 0.0, "nx": WIDTH,
            "ny": HEIGHT}  # fmt: skip
_MATLAB = {"IntrinsicMatrix": [[40.0, 0, 0], [0, 40.0, 0], [16.5, 12.5, 1.0]], "RadialDistortion": [0.1, 0.0],
           "TangentialDistortion": [0.0, 0.0], "ImageSize": [HEIGHT, WIDTH]}  # fmt: skip
_CAMODOCAL = {"model_type": "KANNALA_BRANDT", "image_width": WIDTH, "image_height": HEIGHT, "projection_parameters": {
    "k2": 0.01, "k3": 0.0, "k4": 0.0, "k5": 0.0, "mu": 40.0, "mv": 40.0, "u0": 15.5, "v0": 11.5}}  # fmt: skip
_STEREO = {"M1": [[40.0, 0, 15.5], [0, 40.0, 11.5], [0, 0, 1.0]], "D1": [0.1, 0, 0, 0, 0],
           "M2": [[41.0, 0, 15.5], [0, 41.0, 11.5], [0, 0, 1.0]], "D2": [0.1, 0, 0, 0, 0]}  # fmt: skip


def _photograph(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 3
    exif.get_ifd(0x8769).update(
        {0x920A: TiffImagePlugin.IFDRational(4, 1), 0xA405: 27, 0xA002: 32, 0xA003: 24, 0xA20E: 300.0, 0xA210: 2}
    )
    image = Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    return packed(lambda file: image.save(file, kind, exif=exif))


def cameras() -> list[File]:
    """Of sensors, phones, calibrators and structure from motion."""
    return [
        File("camera_models.json", _json(_OPENSFM), camera), File("transforms.json", _json(_FRAMES), camera),
        File("metadata.json", _json(_RECORD3D), camera), File("polycam.json", _json(_POLYCAM), camera),
        File("arcore.json", _json(_ARCORE), camera), File("arkit.json", _json(_ARKIT), camera),
        File("frame.pincam", f"{WIDTH} {HEIGHT} 40 40 15.5 11.5".encode(), camera),
        File("depthai.json", _json(_DEPTHAI), camera), File("basalt.json", _json(_BASALT), camera),
        File("bouguet.json", _json(_BOUGUET), camera), File("matlab.json", _json(_MATLAB), camera),
        File("camodocal.json", _json(_CAMODOCAL), camera), File("stereo.json", _json(_STEREO), camera),
        File("metashape.xml", _METASHAPE, camera), File("cameras.xml", _METASHAPE_PROJECT, camera),
        File("SN1.conf", _ZED, camera), File("calib.txt", _MIDDLEBURY, camera), File("ost.txt", _OST, camera),
        File("cameras.bin", _colmap(4, 40.0, 40.0, 16.0, 12.0, 0.1, 0.0, 0.0, 0.0), camera),
        File("p.jpg", _photograph("JPEG"), camera), File("p.png", _photograph("PNG"), camera),
        File("p.webp", _photograph("WEBP"), camera),
        File("k.npy", packed(lambda file: np.save(file, CAMERA.K)), camera),
    ]  # fmt: skip


# ---------------- where cameras and flanges stand


def places(path: Path) -> None:
    """Of the two images that a file holds."""
    for pose in read_camera_places([path], 2, pictures=("images/frame_0.png", "images/frame_1.png")):
        checked(pose)


def place(path: Path) -> None:
    """Of one image."""
    checked(read_camera_places([path], 1)[0])


_IMAGES_TEXT = b"""# Image list
1 1 0 0 0 0.1 0 0.5 1 images/frame_0.png
1.5 2.5 -1 3 4 7
2 0.6 0.8 0 0 0.2 0 0.5 1 images/frame_1.png

"""
_IMAGES = struct.pack("<Q", 2) + b"".join(
    struct.pack("<I7dI", k, 0.6, 0.8, 0, 0, 0.1 * k, 0, 0.5, 1) + b"images/frame_%d.png\0" % k
    + struct.pack("<Q2dq", 1, 1.5, 2.5, -1)
    for k in range(2)
)  # fmt: skip
_EASY = b"""parameters: {eye_on_hand: false}
transformation: {x: 0.1, y: 0.0, z: 0.5, qx: 0.0, qy: 0.0, qz: 0.6, qw: 0.8}
"""
_TF = b"""transforms:
- header: {frame_id: base_link}
  child_frame_id: camera_color_optical_frame
  transform:
    translation: {x: 0.1, y: 0.0, z: 0.5}
    rotation: {x: 0.0, y: 0.0, z: 0.6, w: 0.8}
"""
_FLANGES = {
    "ur": b"picture x y z rx ry rz\na.png p[0.4, 0.1, 0.5, 0.1, 2.0, 0.3]\nb.png p[0.5, 0.1, 0.5, 0.2, 2.1, 0.3]\n",
    "kuka": b"400.0, 100.0, 500.0, 20.0, 80.0, -30.0\n410.0, 100.0, 500.0, 25.0, 70.0, -30.0\n",
    "abb": b"[[400,100,500],[0.6,0.8,0,0]]\n[[410,100,500],[0.8,0.6,0,0]]\n",
    "fanuc": b"a,400,100,500,20,80,-30\nb,410,100,500,25,70,-30\n",
}


def _flange(convention: str | None) -> Reader:
    def read(path: Path) -> None:
        for pose in read_flange_poses(path, ("a", "b"), convention=convention):
            checked(pose)
            assert np.linalg.norm(pose.t_m2c) < 100.0

    return read


def starts(path: Path) -> None:
    """Poses to start from."""
    for pose in read_start_poses(path).poses:
        checked(pose)


def poses() -> list[File]:
    """Places of cameras, of flanges, and trajectories."""
    R, t = POSE.to_bop()
    rows = [POSE.matrix.tolist()] * 2
    return [
        File("images.txt", _IMAGES_TEXT, places), File("images.bin", _IMAGES, places),
        File("transforms.json", _json(_FRAMES), places), File("polycam.json", _json(_POLYCAM), place),
        File("hand.yaml", _EASY, place), File("tf.yaml", _TF, place),
        File("rig.json", _json({"T_w2c": rows[0]}), place), File("rig.json", _json({"a": {"T_c2w": rows[0]}}), place),
        File("scene_camera.json", _json({"0": {"cam_R_w2c": R, "cam_t_w2c": t}}), place),
        *(File("flange.txt", text, _flange(word)) for word, text in _FLANGES.items()),
        File("flange.json", _json({"a": [0.4, 0.1, 0.5, 0.1, 2.0, 0.3], "b": [0.4, 0.1, 0.5, 0.1, 2.0, 0.3]}),
             _flange("ur")),
        File("flange.npy", packed(lambda file: np.save(file, np.full((2, 6), 0.3))), _flange("ur")),
        File("flange.json", _json({"a": rows[0], "b": {"R": R, "t": [0.1, 0.2, 0.3]}}), _flange(None)),
        File("flange.yaml", b"- {position: {x: 0.1, y: 0, z: 1}, orientation: {x: 0, y: 0, z: 0, w: 1}}\n" * 2,
             _flange(None)),
        File("t.txt", b"# timestamp tx ty tz qx qy qz qw\n1.0 0.1 0 0.6 0 0 0 1\n", starts),
        File("t.csv", b"#timestamp,p_RS_R_x [m],p_RS_R_y [m],p_RS_R_z [m],q_RS_w [],q_RS_x [],q_RS_y [],q_RS_z []\n"
             b"1,0.1,0,0.6,1,0,0,0\n", starts),
        File("t.npz", packed(lambda file: np.savez(file, rvec=[0.1, 0.2, 0.3], tvec=[0.0, 0.1, 0.6])), starts),
    ]  # fmt: skip


# ---------------- depth, labels and photographs


def depth(path: Path) -> None:
    """A depth image; of a disparity, distances."""
    read_depth(path, told=True)
    _observed(path, {"depth_kind": "disparity", "depth_baseline_mm": 100.0} if path.suffix == ".pfm" else {})


def disparity(path: Path) -> None:
    """Integers of a 256th of a pixel."""
    _observed(path, {"depth_kind": "disparity", "depth_baseline_mm": 100.0, "depth_scale_mm": 1 / 256})


def _observed(path: Path, how: dict[str, Any]) -> None:
    entry = {"cam_K": CAMERA.K.ravel().tolist(), "depth_scale": 0.1, "width": WIDTH, "height": HEIGHT}
    (path.parent / "c.json").write_text(json.dumps(entry))
    capture = read_capture(path.parent / "c.json", depth=path, **how)
    observation = dd.Observation(capture.camera, **capture.images)
    assert observation.depth is not None and np.isfinite(observation.depth).all() and (observation.depth >= 0).all()


def rgb(path: Path) -> None:
    """A photograph."""
    dd.Observation(CAMERA, rgb=read_rgb(path))


def mask(path: Path) -> None:
    """Labels, and one of them."""
    read_labels(path)
    dd.Observation(CAMERA, mask=read_mask(path, size=SIZE))


def _heic() -> list[File]:
    """A photograph of a phone, where what reads it is installed."""
    if find_spec("pillow_heif") is None:
        return []
    import pillow_heif

    pillow_heif.register_heif_opener()
    noise = np.random.default_rng(4).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    return [File("p.heic", image_bytes(noise, "HEIF"), rgb)]


def _points() -> np.ndarray:
    return CAMERA.back_project(np.full(SIZE, 0.7)).astype("<f4").reshape(-1, 3)


def _ply(kind: str, extra: str = "", tail: bytes = b"") -> bytes:
    points = _points()
    body = points.tobytes() if kind != "ascii" else "".join(f"{x:g} {y:g} {z:g}\n" for x, y, z in points).encode()
    order = kind if kind == "ascii" else "binary_little_endian"
    axes = "property float x\nproperty float y\nproperty float z\n"
    return f"ply\nformat {order} 1.0\nelement vertex {len(points)}\n{axes}{extra}end_header\n".encode() + body + tail


def _pcd(kind: str) -> bytes:
    points = _points()
    body = {"ascii": "".join(f"{x:g} {y:g} {z:g}\n" for x, y, z in points).encode(), "binary": points.tobytes()}
    plain = points.T.tobytes()
    literal = b"".join(bytes([len(part) - 1]) + part for k in range(0, len(plain), 32) if (part := plain[k : k + 32]))
    body["binary_compressed"] = struct.pack("<II", len(literal), len(plain)) + literal
    head = (
        f"# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH {WIDTH}\nHEIGHT {HEIGHT}\n"
    )
    return f"{head}VIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(points)}\nDATA {kind}\n".encode() + body[kind]


def pictures() -> list[File]:
    """Depth as stereo cameras and scanners have it, labels, and pages."""
    rng = np.random.default_rng(3)
    words = rng.integers(5000, 9000, SIZE).astype(np.uint16)
    pfm = b"Pf\n%d %d\n-1.0\n" % (WIDTH, HEIGHT) + rng.uniform(2, 9, SIZE).astype("<f4").tobytes()
    viewport = "element camera 1\nproperty int viewportx\nproperty int viewporty\n"
    grid = (
        "obj_info num_cols 32\nobj_info num_rows 24\nelement range_grid 768\nproperty list uchar int vertex_indices\n"
    )
    grid_rows = b"".join(struct.pack("<Bi", 1, k) for k in range(768))
    levels = (rng.uniform(size=SIZE) < 0.5).astype(np.uint8)
    pages = [Image.fromarray(words), Image.fromarray(words[::2, ::2])]  # a level of it
    two = packed(lambda file: pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:]))
    return [
        File("d.pfm", pfm, depth), File("d.png", image_bytes(words, "PNG"), disparity),
        File("d.pgm", b"P5\n32 24\n10000\n" + words.astype(">u2").tobytes(), depth),
        File("d.pgm", b"P2\n32 24\n10000\n" + " ".join(map(str, words.ravel())).encode(), depth),
        File("m.pgm", b"P5\n32 24\n3\n" + levels.tobytes(), mask), File("m.pbm", b"P4\n32 24\n" + b"\x0f" * 96, mask),
        File("d.tif", image_bytes(words, "TIFF"), depth), File("pages.tif", two, depth),
        File("d.ply", _ply("binary"), depth), File("d.ply", _ply("ascii"), depth),
        File("v.ply", _ply("binary", viewport, struct.pack("<ii", WIDTH, HEIGHT)), depth),
        File("g.ply", _ply("binary", grid, grid_rows), depth),
        *(File("d.pcd", _pcd(kind), depth) for kind in ("ascii", "binary", "binary_compressed")),
        File("p.tif", image_bytes(np.zeros((*SIZE, 3), np.uint8), "TIFF"), rgb),
        File("p.webp", _photograph("WEBP"), rgb), File("p.jpg", _photograph("JPEG"), rgb),
        *_heic(),
    ]  # fmt: skip


# ---------------- joints and robots


def joints(path: Path) -> None:
    """Joint values of two pictures."""
    table = read_joints(path, names=("j1", "j2"))
    for row in table.of(("000000", "000001")):
        assert np.isfinite(list(row.values())).all()


def robot(path: Path) -> None:
    """A robot, and where its links are."""
    arm = load_robot(path)
    for T in arm.forward(dict.fromkeys(arm.needed, 0.1)):
        assert np.isfinite(T).all()
    for link in arm.links:
        assert np.isfinite(link.vertices_m).all()


_URDF = b"""<robot name="r" xmlns:xacro="http://www.ros.org/wiki/xacro">
<link name="a"><visual><origin xyz="0 0 0.1" rpy="0 0.1 0"/><geometry><capsule radius="0.05" length="0.2"/></geometry>
</visual></link>
<link name="b"><visual><geometry><box size="0.1 0.1 0.2"/></geometry></visual></link>
<joint name="j1" type="revolute"><parent link="a"/><child link="b"/><origin xyz="0 0 0.3"/><axis xyz="0 0 1"/>
<limit lower="-1" upper="1" effort="1" velocity="1"/></joint>
<link name="c"><visual><geometry><cylinder radius="0.05" length="0.2"/></geometry></visual></link>
<joint name="j2" type="prismatic"><parent link="b"/><child link="c"/><axis xyz="1 0 0"/><mimic joint="j1"
multiplier="2" offset="0.1"/><limit lower="-1" upper="1" effort="1" velocity="1"/></joint>
</robot>
"""
_XACRO = b"""<robot name="r" xmlns:xacro="http://www.ros.org/wiki/xacro">
<xacro:property name="size" value="0.1"/>
<xacro:macro name="part" params="name"><link name="${name}"><visual><geometry><sphere radius="${size * 2}"/></geometry>
</visual></link></xacro:macro>
<xacro:part name="a"/>
</robot>
"""
_MESSAGES = b"""header: {stamp: {sec: 1700000000, nanosec: 5}}
name: [j1, j2]
position: [0.1, 0.2]
---
header: {stamp: {sec: 1700000001, nanosec: 5}}
name: [j1, j2]
position: [0.3, 0.2]
"""


def robots() -> list[File]:
    """Robots and the values of their joints."""
    table = {"joint_names": ["j1", "j2"], "positions": [[0.1, 0.2], [0.3, 0.4]]}
    named = {name: np.array(value) for name, value in table.items()} | {"frames": np.array(["000000", "000001"])}
    return [
        File("joints.json", _json(table), joints),
        File("joints.json", _json({"unit": "rad", "0": {"j1": 0.1, "j2": 0.2}, "1": {"j1": 0.3, "j2": 0.2}}), joints),
        File("joints.json", _json({"joint_names": ["j1"], "points": [{"positions": [0.1]}, {"positions": [1]}]}),
             joints),
        File("joints.yaml", _MESSAGES, joints), File("joints.csv", b"frame,j1,j2\n0,0.1,0.2\n1,0.3,0.4\n", joints),
        File("joints.csv", b"0.1,0.2\n0.3,0.4\n", joints), File("joints.txt", b"0.1 0.2\n0.3 0.4\n", joints),
        File("joints.npy", packed(lambda file: np.save(file, np.full((2, 2), 0.3))), joints),
        File("joints.npz", packed(lambda file: np.savez(file, **named)), joints),
        File("robot.urdf", _URDF, robot), File("robot.urdf.xacro", _XACRO, robot),
    ]  # fmt: skip


# ---------------- BOP's imagewise tars


RUNS = {"size": [HEIGHT, WIDTH], "counts": [100, 200, 468]}


def _tar(**changed: bytes | None) -> bytes:
    R, t = POSE.to_bop()
    said = {
        "camera.json": {"cam_K": CAMERA.K.ravel().tolist(), "depth_scale": 0.1},
        "gt.json": [{"obj_id": 1, "cam_R_m2c": R, "cam_t_m2c": t}], "mask_visib.json": {"0": RUNS},
    }  # fmt: skip
    files = {name: _json(one) for name, one in said.items()}
    files["rgb.png"] = image_bytes(np.zeros((*SIZE, 3), np.uint8), "PNG")

    def write(file: Any) -> None:
        with tarfile.open(fileobj=file, mode="w", bufsize=tarfile.BLOCKSIZE) as archive:
            for name, content in (files | changed).items():
                if content is not None:
                    about = tarfile.TarInfo(f"000001_000000.{name}")
                    about.size = len(content)
                    archive.addfile(about, io.BytesIO(content))

    return packed(write)


def tar(path: Path) -> None:
    """Unpacked, it is a data set; refused, nothing is left."""
    root = path.parent / "set"
    (root / "models").mkdir(parents=True)
    (root / "models" / "obj_000001.ply").write_text("ply\n")
    try:
        unpack([path], root / "train")
    except dd.DiffDopeError:
        left = [one.name for one in root.iterdir() if one.name != "models"]
        assert not left, f"left behind: {left}"
        raise
    data = DataSet.open(root, "train")
    for scene_id in data.scene_ids:
        scene = data.scene(scene_id)
        for im_id in scene.image_ids:
            scene.camera(im_id), scene.rgb(im_id), scene.truth(im_id)


def of_tar(name: str) -> Callable[[Path], None]:
    """A reader of one file within a tar."""

    def read(path: Path) -> None:
        whole = path.with_name("shard-000000.tar")
        whole.write_bytes(_tar(**{name: path.read_bytes()}))
        tar(whole)

    return read


def tars() -> list[File]:
    """A tar, and the files in it."""
    R, t = POSE.to_bop()
    return [
        File("shard-000000.tar", _tar(), tar),
        File("camera.json", _json({"cam_K": CAMERA.K.ravel().tolist(), "depth_scale": 0.1}), of_tar("camera.json")),
        File("gt.json", _json([{"obj_id": 1, "cam_R_m2c": R, "cam_t_m2c": t}]), of_tar("gt.json")),
        File("mask.json", _json({"0": RUNS}), of_tar("mask_visib.json")),
        File("rgb.png", image_bytes(np.zeros((*SIZE, 3), np.uint8), "PNG"), of_tar("rgb.png")),
    ]  # fmt: skip


GROUPS: dict[str, Callable[[], list[File]]] = {
    "cameras of tools": cameras, "places and flanges": poses, "depth, labels, pages": pictures,
    "joints and robots": robots, "imagewise tars": tars,
}  # fmt: skip
