"""The packaged demo example is whole, small and consistent with its own truth."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[np.float64]
DEMO = Path(str(files("diffdope") / "data" / "demo"))
FILES = {
    *("rgb.png", "depth.png", "mask.png", "object.png", "object.ply"),
    *("camera.json", "init.json", "truth.json", "README.md"),
}


def read_json(name: str) -> dict[str, Any]:
    """One of the example's JSON files."""
    content: dict[str, Any] = json.loads((DEMO / name).read_text())
    return content


def read_image(name: str) -> NDArray[Any]:
    """One of the example's images."""
    with Image.open(DEMO / name) as image:
        return np.array(image)


def read_pose(name: str) -> tuple[Array, Array]:
    """Rotation (3, 3) and translation (3,) in mm."""
    content = read_json(name)
    return np.reshape(content["cam_R_m2c"], (3, 3)), np.array(content["cam_t_m2c"])


def read_ply() -> tuple[list[str], Array, NDArray[np.int32]]:
    """Header lines, vertices (V, 5: x y z [mm], texture u v), faces (F, 3); without our own loader."""
    head, body = (DEMO / "object.ply").read_bytes().split(b"end_header\n", 1)
    lines = head.decode().splitlines()
    counts = {name: int(n) for name, n in (line.split()[1:] for line in lines if line.startswith("element"))}
    vertex_bytes = counts["vertex"] * 5 * 4
    face = np.frombuffer(body[vertex_bytes:], dtype=[("n", "u1"), ("index", "<i4", 3)])
    assert len(face) == counts["face"]
    assert (face["n"] == 3).all()
    vertices = np.frombuffer(body[:vertex_bytes], dtype="<f4").reshape(-1, 5).astype(np.float64)
    return lines, vertices, face["index"].astype(np.int32)


def projected(pose: str) -> tuple[Array, Array]:
    """Pixels (V, 2; integer pixel centres) and depth (V,) in mm of the mesh under a pose."""
    R, t = read_pose(pose)
    x_c = read_ply()[1][:, :3] @ R.T + t
    uvw = x_c @ np.reshape(read_json("camera.json")["cam_K"], (3, 3)).T
    return uvw[:, :2] / uvw[:, 2:], x_c[:, 2]


def silhouette(pose: str, scale: int = 4) -> NDArray[np.bool_]:
    """Where the mesh would be seen under a pose if nothing hid it."""
    camera, faces = read_json("camera.json"), read_ply()[2]
    width, height = camera["width"], camera["height"]
    image = Image.new("L", (width * scale, height * scale))
    draw = ImageDraw.Draw(image)
    for triangle in ((projected(pose)[0] + 0.5) * scale)[faces]:  # Pillow's polygons have pixel i span [i, i + 1]
        draw.polygon([(float(u), float(v)) for u, v in triangle], fill=1)
    covered: NDArray[np.bool_] = np.asarray(image).reshape(height, scale, width, scale).mean((1, 3)) >= 0.5
    return covered


def painted_depth(pose: str) -> Array:
    """Depth (H, W) in mm under a pose, 0 outside, painted far to near, then rays on the planes."""
    camera, (_, vertices, faces), (R, t) = read_json("camera.json"), read_ply(), read_pose(pose)
    uv, z = projected(pose)
    image = Image.new("I", (camera["width"], camera["height"]), -1)
    draw = ImageDraw.Draw(image)
    for face in np.argsort(-z[faces].mean(axis=1)).tolist():
        draw.polygon([(float(u), float(v)) for u, v in uv[faces[face]] + 0.5], fill=face)
    seen = np.asarray(image)
    a, b, c = (vertices[:, :3] @ R.T + t)[faces].swapaxes(0, 1)
    normal = np.cross(b - a, c - a)[seen]
    v, u = np.indices(seen.shape)
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ np.linalg.inv(np.reshape(camera["cam_K"], (3, 3))).T
    depth: Array = (normal * a[seen]).sum(axis=-1) / (normal * rays).sum(axis=-1)
    return np.where(seen >= 0, depth, 0.0)


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((a & b).sum() / (a | b).sum())


def test_files_are_there_and_small() -> None:
    assert {p.name for p in DEMO.iterdir()} == FILES
    assert sum(p.stat().st_size for p in DEMO.iterdir()) < 1_000_000


def test_images_have_the_cameras_size_and_their_types() -> None:
    camera = read_json("camera.json")
    shape = (camera["height"], camera["width"])
    rgb, depth, mask = (read_image(name) for name in ("rgb.png", "depth.png", "mask.png"))
    assert rgb.shape == (*shape, 3)
    assert depth.shape == mask.shape == shape
    assert [image.dtype.name for image in (rgb, depth, mask)] == ["uint8", "uint16", "uint8"]
    assert set(np.unique(mask)) == {0, 255}
    assert read_image("object.png").shape == (512, 512, 3)


def test_rgb_is_well_exposed_on_the_object() -> None:
    rgb = read_image("rgb.png")[read_image("mask.png") > 0]
    assert 60 < rgb.mean() < 180
    assert (rgb == 255).all(axis=1).mean() < 0.02


def test_mesh_is_in_millimetres_with_a_texture() -> None:
    lines, vertices, faces = read_ply()
    assert "format binary_little_endian 1.0" in lines
    assert "comment TextureFile object.png" in lines
    assert [line.split()[-1] for line in lines if line.startswith("property float")] == [
        "x", "y", "z", "texture_u", "texture_v",
    ]  # fmt: skip
    assert 100.0 < np.ptp(vertices[:, 2]) < 200.0
    assert 2000 <= len(faces) <= 6000
    assert faces.min() == 0
    assert faces.max() == len(vertices) - 1
    assert vertices[:, 3:].min() >= 0.0
    assert vertices[:, 3:].max() <= 1.0


def test_mesh_is_closed_and_wound_outwards() -> None:
    _, vertices, faces = read_ply()
    welded = np.unique(vertices[:, :3], axis=0, return_inverse=True)[1].reshape(-1)[faces]
    half_edges = np.concatenate([welded[:, [0, 1]], welded[:, [1, 2]], welded[:, [2, 0]]])
    assert len(np.unique(half_edges, axis=0)) == len(half_edges)
    assert {tuple(e) for e in half_edges.tolist()} == {tuple(e) for e in half_edges[:, ::-1].tolist()}
    a, b, c = vertices[faces, :3].swapaxes(0, 1)
    volume_ml = np.einsum("fi,fi->", a, np.cross(b, c)) / 6000.0
    assert 500.0 < volume_ml < 700.0


def test_mask_is_the_silhouette_of_the_truth_but_for_the_cup() -> None:
    mask, full = read_image("mask.png") > 0, silhouette("truth.json")
    assert (mask & ~full).sum() < 0.005 * mask.sum()
    assert 0.02 < 1.0 - (mask & full).sum() / full.sum() < 0.10
    assert iou(mask, full) > 0.9
    assert iou(mask, full) > iou(mask, silhouette("init.json")) + 0.1


def test_unhidden_outline_agrees_to_a_fraction_of_a_pixel() -> None:
    """The upper half is free, so its centre must agree: half a pixel would be a wrong convention of K."""
    mask, full = read_image("mask.png") > 0, silhouette("truth.json")
    rows = slice(0, int(np.argwhere(full)[:, 0].mean()))
    offset = np.argwhere(mask[rows]).mean(axis=0) - np.argwhere(full[rows]).mean(axis=0)
    assert np.abs(offset).max() < 0.1


def test_depth_agrees_with_the_truth_and_its_stated_noise() -> None:
    scale = read_json("camera.json")["depth_scale"]
    assert scale == pytest.approx(0.1)
    measured = read_image("depth.png") * scale
    expected = painted_depth("truth.json")
    both = (read_image("mask.png") > 0) & (measured > 0) & (expected > 0)
    error = (measured - expected)[both]
    assert len(error) > 10_000
    assert abs(np.median(error)) < 0.1
    spread = 1.4826 * np.median(np.abs(error - np.median(error)))
    assert 1.2 < spread < 1.6  # 1.2 mm + 1.9 mm/m^2 (0.7 m - 0.4 m)^2 = 1.4 mm


def test_texture_has_v_up() -> None:
    """Colours looked up on the front, the evenly lit wall, agree with the picture, and do not with v down."""
    _, vertices, faces = read_ply()
    front = faces[(vertices[faces, 1] < -34.0).all(axis=1)]
    column, row = np.rint(projected("truth.json")[0][front].mean(axis=1)).astype(int).T
    picture, texture = read_image("rgb.png")[row, column].ravel(), read_image("object.png")
    across, up = (vertices[front, 3:].mean(axis=1) * 512).astype(int).T
    assert len(front) > 100
    assert np.corrcoef(texture[511 - up, across].ravel(), picture)[0, 1] > 0.8
    assert np.corrcoef(texture[up, across].ravel(), picture)[0, 1] < 0.4


def test_depth_has_holes_but_few_on_the_object() -> None:
    depth, mask = read_image("depth.png"), read_image("mask.png") > 0
    assert 0.0 < (depth[mask] == 0).mean() < 0.1


def test_start_is_off_by_twenty_degrees_and_fifteen_millimetres() -> None:
    (R, t), (R0, t0) = read_pose("truth.json"), read_pose("init.json")
    for rotation in (R, R0):
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(rotation) == pytest.approx(1.0)
    angle = np.degrees(np.arccos((np.trace(R0 @ R.T) - 1.0) / 2.0))
    assert angle == pytest.approx(20.0, abs=1e-6)
    assert np.linalg.norm(t0 - t) == pytest.approx(15.0, abs=1e-6)
