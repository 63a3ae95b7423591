"""Files of every kind that is read, as tools write them and spoilt: see `benchmarks.hostile_inputs`."""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import diffdope as dd
from diffdope.io.bop_results import read_results
from diffdope.io.capture import read_capture
from diffdope.io.images import read_depth, read_rgb
from diffdope.io.masks import read_labels, read_mask
from diffdope.io.poses import read_extrinsics, read_start_poses

Rng = np.random.Generator
SIZE = (24, 32)
CAMERA = dd.Camera(40.0, 40.0, 15.5, 11.5, 32, 24)
TOKENS = (
    b"nan", b"inf", b"-1", b"0", b"1e999", b"9" * 40, b"null", b"true", b'""', b"[]", b"{}", b"\x00", b"\xff", b"text",
    b"1e-320", b"-0.0", b"[[[[", b",", b":", b"\n", b"0x10", b"1_000", b"2024-01-01", b"!!python/object:x", b"&a",
    b"*a",
)  # fmt: skip


class Nan(Exception):
    """A pose that is none came out."""


def spoilt(data: bytes, rng: Rng) -> bytes:
    """A file with some of it changed; one in five stays as it is, and one in ten is noise."""
    kind = rng.integers(10)
    if kind < 2 or not data:
        return data
    if kind == 2:
        return rng.bytes(int(rng.integers(0, 400)))
    if kind == 3:
        return data[: int(rng.integers(0, len(data)))]
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(0, len(out) + 1))
        if kind < 7:
            words = [k for k, byte in enumerate(out) if chr(byte) in '0123456789[]{},:"\n ']
            at = int(rng.choice(words)) if words else at
            token = TOKENS[int(rng.integers(len(TOKENS)))]
            out[at : at + int(rng.integers(0, 4))] = token
        else:
            out[at : at + int(rng.integers(0, 5))] = rng.bytes(int(rng.integers(0, 5)))
    return bytes(out)


def saved(folder: Path, name: str, data: bytes | str, rng: Rng) -> Path:
    """A file of that content, spoilt."""
    path = folder / name
    path.write_bytes(spoilt(data.encode() if isinstance(data, str) else data, rng))
    return path


def packed(write: Callable[[Any], None]) -> bytes:
    """What a function writes into a file."""
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def image_bytes(array: np.ndarray, kind: str) -> bytes:
    """An image as Pillow writes it."""
    return packed(lambda file: Image.fromarray(array).save(file, kind))


def checked(pose: dd.Pose) -> None:
    """Refuses a pose with NaN."""
    if not (np.isfinite(pose.R_m2c).all() and np.isfinite(pose.t_m2c).all()):
        raise Nan(str(pose))


K_ENTRY = {"cam_K": CAMERA.K.ravel().tolist(), "depth_scale": 0.1, "width": 32, "height": 24}
CAMERAS = (
    ("c.json", json.dumps(K_ENTRY)),
    ("c.json", json.dumps({"0": K_ENTRY, "7": K_ENTRY | {"dist_coeffs": [0.1, 0.0, 0.0, 0.0, 0.0]}})),
    ("c.json", json.dumps({"fx": 40, "fy": 40, "cx": 15.5, "cy": 11.5, "k1": 0.1, "k2": 0.2, "p1": 0, "p2": 0})),
    ("c.yaml", "image_width: 32\nimage_height: 24\n"
     "camera_matrix: {rows: 3, cols: 3, data: [40, 0, 16, 0, 40, 12, 0, 0, 1]}\n"
     "distortion_model: plumb_bob\ndistortion_coefficients: {rows: 1, cols: 5, data: [0.1, 0, 0, 0, 0]}\n"),
    ("c.yml", "%YAML:1.0\n---\ncamera_matrix: !!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n"
     "   data: [ 40., 0., 16., 0., 40., 12., 0., 0., 1. ]\n"
     "distortion_coefficients: !!opencv-matrix\n   rows: 1\n   cols: 4\n   dt: d\n"
     "   data: [ 1.e-01, 0., 0., 0. ]\n"),
    ("cameras.txt", "# COLMAP\n1 OPENCV 32 24 40 40 16 12 0.1 0.0 0.0 0.0\n2 FOV 32 24 40 40 16 12 0.9\n"),
    ("cameras.txt", "1 THIN_PRISM_FISHEYE 32 24 40 40 16 12 .1 .02 .01 .02 .03 -.04 .05 .06\n"
     "2 RAD_TAN_THIN_PRISM_FISHEYE 32 24 40 40 16 12 .1 .02 0 0 0 0 .01 .02 .03 .04 0 0\n"),
    ("info.yaml", "height: 96\nwidth: 128\ndistortion_model: plumb_bob\nd: [0.1, 0, 0, 0, 0]\n"
     "k: [80, 0, 64, 0, 80, 48, 0, 0, 1]\nr: [1, 0, 0, 0, 1, 0, 0, 0, 1]\np: [80, 0, 64, 0, 0, 80, 48, 0, 0, 0, 1, 0]\n"
     "binning_x: 2\nbinning_y: 2\nroi: {x_offset: 20, y_offset: 10, height: 48, width: 64, do_rectify: false}\n"),
    ("cam_K.txt", "40 0 15.5\n0 40 11.5\n0 0 1\n"),
    ("k.yaml", "cam0:\n  camera_model: pinhole\n  distortion_model: equidistant\n  distortion_coeffs: [0.1, 0, 0, 0]\n"
     "  intrinsics: [40, 40, 16, 12]\n  resolution: [32, 24]\n"),
    ("c.xml", "<?xml version='1.0'?>\n<opencv_storage><camera_matrix type_id='opencv-matrix'><rows>3</rows>"
     "<cols>3</cols><dt>d</dt><data>40 0 16 0 40 12 0 0 1</data></camera_matrix></opencv_storage>"),
)  # fmt: skip


def camera_file(rng: Rng, folder: Path) -> None:
    name, text = CAMERAS[int(rng.integers(len(CAMERAS)))]
    how = {"image_id": 7} if rng.integers(4) == 0 else {"camera_id": 1} if rng.integers(3) == 0 else {}
    camera, _ = dd.load_camera(saved(folder, name, text, rng), width=32, height=24, **how)
    dd.Observation(camera, rgb=np.zeros((24, 32, 3), np.uint8))


_PACKED = base64.b64encode(image_bytes(np.eye(3, 4, dtype=np.uint8) * 255, "PNG")).decode()


def mask_file(rng: Rng, folder: Path) -> None:
    mask = np.zeros(SIZE, np.uint8)
    mask[6:18, 8:22] = rng.integers(1, 256)
    soft = rng.normal(size=SIZE).astype(np.float32)
    files = (
        ("m.png", image_bytes(mask, "PNG")), ("m.jpg", image_bytes(mask, "JPEG")),
        ("m.npy", packed(lambda file: np.save(file, soft))), ("m.npz", packed(lambda file: np.savez(file, mask=mask))),
        ("m.json", json.dumps({"segmentation": [[8, 6, 22, 6, 22, 18, 8, 18]], "bbox": [8, 6, 14, 12]})),
        ("m.json", json.dumps({"size": [24, 32], "counts": [100, 200, 468]})),
        ("m.json", json.dumps({"size": [24, 32], "counts": "d[2n0b100000000WOcN?"})),
        ("m.json", json.dumps({"images": [{"id": 1, "height": 24, "width": 32}], "annotations": [
            {"id": 3, "image_id": 1, "segmentation": [[1, 1, 9, 1, 9, 9]]}]})),
        ("m.xml", "<annotation><size><width>32</width><height>24</height></size><object><bndbox><xmin>3</xmin>"
         "<ymin>3</ymin><xmax>9</xmax><ymax>12</ymax></bndbox></object></annotation>"),
        ("m.csv", "image,xmin,ymin,xmax,ymax\na.png,3,3,12,9\n"),
        ("m.json", json.dumps([{"image": "a", "label": [{"x": 1, "y": 9, "width": 30, "height": 20, "rotation": 20,
                                "original_width": 32, "original_height": 24}]}])),
        ("m.json", json.dumps({"a": {"filename": "a", "regions": [{"shape_attributes": {
            "name": "polygon", "all_points_x": [1, 20, 9], "all_points_y": [2, 3, 15]}}]}})),
        ("m.json", json.dumps([{"box": {"x1": 1, "y1": 2, "x2": 9, "y2": 9}}])),
        ("m.json", json.dumps({"detections": [{"bbox": {
            "center": {"x": 9, "y": 9, "theta": 0.4}, "size_x": 4, "size_y": 5}}]})),
        ("m.json", json.dumps({"masks": [{"size": [24, 32], "counts": [100, 200, 468]}, _PACKED]})),
        ("m.json", json.dumps({"mask": (mask > 0).tolist()})),
        ("m.json", json.dumps({"boxes": [[1, 2, 9, 9]], "box_format": "xyxy"})),
        ("m.json", json.dumps({"imageHeight": 24, "imageWidth": 32, "shapes": [
            {"shape_type": "mask", "points": [[1, 2], [4, 4]], "mask": _PACKED},
            {"shape_type": "circle", "points": [[9, 9], [4, 4]]}]})),
        ("m.json", json.dumps({"predictions": [{"x": 9, "y": 9, "width": 4, "height": 6, "points": [
            {"x": 1, "y": 1}, {"x": 9, "y": 2}, {"x": 4, "y": 9}]}], "image": {"width": 32, "height": 24}})),
        ("m.xml", "<annotations><image name='a' width='32' height='24'><box xtl='1' ytl='1' xbr='9' ybr='9' "
         "rotation='9'/><mask rle='2, 3, 1' left='3' top='4' width='3' height='2'/><polygon points='1,1;9,1;9,9'/>"
         "<ellipse cx='9' cy='9' rx='4' ry='3'/></image></annotations>"),
        ("m.txt", "0 0.5 0.5 0.4 0.4\n1 0.1 0.1 0.9 0.1 0.5 0.9\n"),
    )  # fmt: skip
    path = saved(folder, *files[int(rng.integers(len(files)))], rng)
    read_labels(path)
    array = read_mask(path, size=SIZE, label=None if rng.integers(2) else int(rng.integers(0, 5)))
    dd.Observation(CAMERA, mask=array)


def depth_file(rng: Rng, folder: Path) -> None:
    depth = rng.uniform(0.3, 1.0, SIZE)
    words, plain = (1000 * depth).astype(np.uint16), depth.astype(np.float32)
    files = (
        ("d.png", image_bytes(words, "PNG")), ("d.tiff", image_bytes(plain, "TIFF")),
        ("d.npy", packed(lambda file: np.save(file, plain))),
        ("d.npz", packed(lambda file: np.savez(file, depth=plain))),
        ("d.exr", exr(plain)), ("d.jpg", image_bytes((255 * depth).astype(np.uint8), "JPEG")),
    )  # fmt: skip
    path = saved(folder, *files[int(rng.integers(len(files)))], rng)
    read_depth(path)
    (folder / "c.json").write_text(json.dumps(K_ENTRY))
    kind = "ray" if rng.integers(2) else "axis"
    capture = read_capture(folder / "c.json", depth=path, depth_kind=kind)
    dd.Observation(capture.camera, **capture.images)


def exr(depth: np.ndarray) -> bytes:
    """Without compression, one channel Z."""
    height, width = depth.shape

    def attribute(name: str, kind: str, value: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(value)) + value

    head = struct.pack("<II", 20000630, 2)
    head += attribute("channels", "chlist", b"Z\0" + struct.pack("<iIii", 2, 0, 1, 1) + b"\0")
    head += attribute("compression", "compression", b"\0")
    head += attribute("dataWindow", "box2i", struct.pack("<4i", 0, 0, width - 1, height - 1)) + b"\0"
    chunks = [struct.pack("<iI", row, 4 * width) + depth[row].astype("<f4").tobytes() for row in range(height)]
    at = len(head) + 8 * height
    table = b"".join(struct.pack("<Q", at + row * len(chunks[0])) for row in range(height))
    return head + table + b"".join(chunks)


def photograph_file(rng: Rng, folder: Path) -> None:
    rgb = rng.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    kind = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")[int(rng.integers(5))]
    path = saved(folder, f"p.{kind.lower()}", image_bytes(rgb, kind), rng)
    dd.Observation(CAMERA, rgb=read_rgb(path))


POSE = dd.Pose.from_wxyz_xyz([0.9, 0.1, -0.3, 0.2, 0.01, -0.02, 0.6])


def numbers_of(values: list[float]) -> str:
    """As a results CSV has them."""
    return " ".join(map(str, values))


def pose_file(rng: Rng, folder: Path) -> None:
    R, t = POSE.to_bop()
    matrix = POSE.matrix
    text = "\n".join(" ".join(f"{value:.9g}" for value in row) for row in matrix)
    entry = {"cam_R_m2c": R, "cam_t_m2c": t, "obj_id": 1}
    files = (
        ("i.json", json.dumps(entry)), ("i.json", json.dumps({"3": [entry, entry]})),
        ("i.json", json.dumps(matrix.tolist())),
        ("i.txt", text), ("i.npy", packed(lambda file: np.save(file, matrix))),
        ("i.yaml", "position: {x: 0.1, y: 0, z: 0.6}\norientation: {x: 0, y: 0, z: 0, w: 1}\n"),
        ("i.json", json.dumps([{"label": "a", "TWO": [[0, 0, 0, 1], [0, 0, 0.5]]}])),
        ("i.txt", "0.1 0.1 0 0.6 0 0 0 1\n"),
        ("i.json", json.dumps({"objects": [{"location": [1, 2, 70], "quaternion_xyzw": [0, 0, 0.6, 0.8]}]})),
        ("i.json", json.dumps({"detections": [{"results": [{"id": 3, "pose": {"pose": {
            "position": {"x": 0, "y": 0, "z": 1}, "orientation": {"x": 0, "y": 0, "z": 0, "w": 1}}}}]}]})),
        ("i.json", json.dumps({"rvec": [0.1, 2, 0.3], "tvec": [[0], [0.1], [0.5]]})),
        ("i.npz", packed(lambda file: np.savez(file, R=matrix[:3, :3], t=matrix[:3, 3]))),
        ("i.csv", "x,y,z,pose.qw,qw,qx,qy,qz\n0.1,0,0.6,1,1,0,0,0\n"),
        ("i.csv", f"scene_id,im_id,obj_id,score,R,t,time\n1,0,1,0.9,{numbers_of(R)},{numbers_of(t)},0.1\n"),
    )  # fmt: skip
    path = saved(folder, *files[int(rng.integers(len(files)))], rng)
    if path.suffix == ".csv" and rng.integers(2):
        for estimate in read_results(path):
            checked(estimate.pose)
    elif rng.integers(5) == 0:
        checked(read_extrinsics(path))
    else:
        kind = ("m2c", "c2m", "m2c-opengl", "c2m-opengl")[int(rng.integers(4))]
        for pose in read_start_poses(path, kind=kind).poses:  # type: ignore[arg-type]
            checked(pose)


PLY = (
    "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    "property uchar red\nproperty uchar green\nproperty uchar blue\n"
    "element face 4\nproperty list uchar int vertex_indices\nend_header\n"
    "0 0 0 255 0 0\n50 0 0 0 255 0\n0 50 0 0 0 255\n0 0 50 9 9 9\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"
)
OBJ = "v 0 0 0\nv 50 0 0\nv 0 50 0\nv 0 0 50\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 3/2 2/3\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"
STL = (
    b"\0" * 80 + struct.pack("<I", 2) + 2 * (struct.pack("<12f", 0, 0, 1, 0, 0, 0, 50, 0, 0, 0, 50, 0) + b"\0\0")
)  # fmt: skip


def mesh_file(rng: Rng, folder: Path) -> None:
    files: tuple[tuple[str, bytes | str], ...] = (("m.ply", PLY), ("m.obj", OBJ), ("m.stl", STL))
    dd.Mesh.load(saved(folder, *files[int(rng.integers(len(files)))], rng), unit="mm")
