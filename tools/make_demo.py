"""Make the packaged demo example: a juice carton of our own design in a path-traced scene.

The picture comes from Mitsuba 3, not from our renderer, so that the demo shows refinement on light, shadow
and gloss that the mesh's texture does not know. Everything is drawn here from numbers and seeds; nothing is
downloaded. It takes three minutes on two cores:

    python -m venv venv_mitsuba && venv_mitsuba/bin/pip install mitsuba numpy pillow
    venv_mitsuba/bin/python tools/make_demo.py --out src/diffdope/data/demo --preview /tmp/preview.png

Units: the object and its file are in millimetres (as in BOP), the scene in metres. Frames: model (m): z up,
front towards -y, origin amid the bounding box; world (w): z up, table at z = 0; camera (c): OpenCV.
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFont

Array = NDArray[np.float64]
Faces = NDArray[np.int32]
Rgb = tuple[int, int, int]

# ---------------------------------------------------------------- camera, poses

WIDTH, HEIGHT = 640, 480
FOCAL, CX, CY = 830.0, 324.3, 236.6  # px; integer pixel centres: the centre of the top-left pixel is (0, 0)
CAMERA_W = np.array([0.015, -0.65, 0.38])
TARGET_W = np.array([0.012, 0.0, 0.080])
YAW_DEG = -33.0  # of the carton on the table
INIT_ANGLE_DEG, INIT_SHIFT_MM, INIT_SEED = 20.0, 15.0, 4
DEPTH_UNIT_MM = 0.1
RANGE_M = 1.15  # the depth camera sees no further
EXPOSURE, GLOSS = 1.0, 0.15  # brightness of the picture; roughness of the carton's coat


@dataclass(frozen=True)
class Rigid:
    """x_b = R @ x_a + t for the frames a and b that the variable's name says."""

    R: Array
    t: Array

    def apply(self, x: Array) -> Array:
        """Map points (..., 3)."""
        return x @ self.R.T + self.t


def camera_pose() -> Rigid:
    """T_w2c of the camera that looks from CAMERA_W at TARGET_W."""
    z = (TARGET_W - CAMERA_W) / np.linalg.norm(TARGET_W - CAMERA_W)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    R = np.stack([x, np.cross(z, x), z])
    return Rigid(R, -R @ CAMERA_W)


def object_pose(height_mm: float) -> Rigid:
    """T_m2w (metres) of the carton that stands on the table."""
    return Rigid(rotation(np.array([0.0, 0.0, np.radians(YAW_DEG)])), np.array([0.0, 0.0, height_mm / 2000.0]))


def rotation(phi: Array) -> Array:
    """Rodrigues' formula: the rotation (3, 3) of the rotation vector phi [rad]."""
    angle = float(np.linalg.norm(phi))
    k = phi / angle
    hat = np.array([[0.0, -k[2], k[1]], [k[2], 0.0, -k[0]], [-k[1], k[0], 0.0]])
    R: Array = np.eye(3) + np.sin(angle) * hat + (1.0 - np.cos(angle)) * hat @ hat
    return R


def perturbed(truth: Rigid) -> Rigid:
    """The demo's start: the truth turned and moved by exact amounts in random directions."""
    rng = np.random.default_rng(INIT_SEED)
    axis, direction = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    return Rigid(rotation(np.radians(INIT_ANGLE_DEG) * axis) @ truth.R, truth.t + INIT_SHIFT_MM / 1000.0 * direction)


def project(x_c: Array) -> Array:
    """Pixels (..., 2) of camera points (..., 3)."""
    uv: Array = FOCAL * x_c[..., :2] / x_c[..., 2:] + np.array([CX, CY])
    return uv


# ---------------------------------------------------------------- object: geometry (mm)

HALF, CORNER = 35.0, 5.0  # half width, radius of the upright edges
BODY, RISE, FIN, FIN_HALF = (
    108.0,
    34.0,
    15.0,
    1.6,
)  # heights of walls, gable and top seam; half the seam's thickness
SLOPE = float(np.hypot(RISE, HALF - FIN_HALF))
PANEL = BODY + SLOPE + FIN  # length of one printed panel, bottom to top
TEXTURE, WRAP_ROWS = 512, 448  # px; the rows below the wrap hold the cap and the bottom


@dataclass(frozen=True)
class Mesh:
    """Vertices (V, 3), faces (F, 3), uv (V, 2) with v UP from the texture's bottom, as in BOP."""

    vertices: Array
    faces: Faces
    uv: Array

    def join(self, other: Mesh) -> Mesh:
        """Both meshes side by side; no vertices are shared."""
        faces = np.concatenate([self.faces, other.faces + len(self.vertices)]).astype(np.int32)
        return Mesh(np.concatenate([self.vertices, other.vertices]), faces, np.concatenate([self.uv, other.uv]))

    def placed(self, R: Array, t: Array) -> Mesh:
        """The mesh rotated and moved."""
        return Mesh(self.vertices @ R.T + t, self.faces, self.uv)


def profile() -> list[tuple[float, float, float, float, float]]:
    """Rings of the carton, bottom to top: (z, half width x, half width y, depth of the fold, place on panel).

    Pairs of rings close to each other make narrow bevels, so that smooth shading stays flat on the panels.
    """
    bevel = [(z, HALF - inset, HALF - inset, 0.0, z) for z, inset in ((0.0, 2.5), (0.7, 0.8), (2.5, 0.0))]
    body = [(z, HALF, HALF, 0.0, z) for z in np.linspace(10.0, BODY - 1.2, 9)]
    slope = [
        (BODY + RISE * s, HALF - s, HALF + (FIN_HALF - HALF) * s, 0.8 * HALF * s, BODY + SLOPE * s)
        for s in (0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)
    ]
    top, start = BODY + RISE, BODY + SLOPE
    fin = [(top + d, HALF - 1.0, FIN_HALF, 0.0, start + d) for d in (0.8, 1.6, 8.0, FIN - 0.8)]
    return [*bevel, *body, *slope, *fin, (top + FIN, HALF - 1.5, FIN_HALF - 0.5, 0.0, start + FIN)]


def ring(half_x: float, half_y: float, fold: float) -> Array:
    """One closed outline (n + 1, 2), anticlockwise from the front's left end; last point = first."""
    flat, arc = 8, 5
    radius = min(CORNER, 0.6 * half_y)
    points = []
    for side in range(4):
        turn = np.radians(90.0 * side)
        along, out = (half_x, half_y) if side % 2 == 0 else (half_y, half_x)
        x = np.linspace(-(along - radius), along - radius, flat + 1)
        angle = np.linspace(0.0, np.pi / 2, arc + 1)[1:-1]
        x = np.concatenate([x, along - radius + radius * np.sin(angle)])
        y = np.concatenate([np.full(flat + 1, -out), -out + radius - radius * np.cos(angle)])
        points.append(np.stack([np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y], axis=1))
    outline = np.concatenate(points)
    outline[:, 0] -= np.sign(outline[:, 0]) * fold * (1.0 - np.abs(outline[:, 1]) / half_y)
    return np.concatenate([outline, outline[:1]])


def strip_faces(rings: int, columns: int) -> Faces:
    """Triangles (F, 3) between consecutive rings of `columns` vertices, anticlockwise from outside."""
    a = (np.arange(rings - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    b, c, d = a + 1, a + columns + 1, a + columns
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)


def lid(outline: Array, z: float, box: tuple[float, float, float, float], *, up: bool) -> Mesh:
    """A flat fan over an outline, its texture laid flat into box (u0, v0, u1, v1)."""
    xy = np.concatenate([[[0.0, 0.0]], outline])
    low, span = outline.min(axis=0), np.ptp(outline, axis=0)
    uv = np.array(box[:2]) + (xy - low) / span * (np.array(box[2:]) - np.array(box[:2]))
    first = np.arange(1, len(outline), dtype=np.int32)
    pair = [first, first + 1] if up else [first + 1, first]
    return Mesh(np.insert(xy, 2, z, axis=1), np.stack([np.zeros_like(first), *pair], axis=1), uv)


def lathe(outline: Array, segments: int, box: tuple[float, float, float, float]) -> Mesh:
    """Turn an outline (n, 2) of (radius, z), bottom to top, about z; angle along u, outline along v."""
    angle = np.linspace(0.0, 2.0 * np.pi, segments + 1)
    x, y = (outline[:, :1] * f(angle) for f in (np.cos, np.sin))
    vertices = np.stack([x, y, np.broadcast_to(outline[:, 1:], x.shape)], axis=-1).reshape(-1, 3)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(outline, axis=0), axis=1))])
    u, v = np.meshgrid(angle / angle[-1], length / length[-1])
    uv = np.stack([box[0] + (box[2] - box[0]) * u, box[1] + (box[3] - box[1]) * v], axis=-1).reshape(-1, 2)
    return without_slivers(Mesh(vertices, strip_faces(len(outline), segments + 1), uv))


def without_slivers(mesh: Mesh) -> Mesh:
    """Drop triangles without area (the lathe's poles) and vertices that no triangle uses."""
    a, b, c = mesh.vertices[mesh.faces].swapaxes(0, 1)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    used, faces = np.unique(mesh.faces[area > 1e-9 * area.max()], return_inverse=True)
    return Mesh(mesh.vertices[used], faces.reshape(-1, 3).astype(np.int32), mesh.uv[used])


def carton() -> Mesh:
    """The gable-top carton and its screw cap: two closed surfaces, in mm, origin amid the bounding box."""
    rings = profile()
    outlines = [ring(hx, hy, fold) for _, hx, hy, fold, _ in rings]
    vertices = np.concatenate([np.insert(o, 2, r[0], axis=1) for o, r in zip(outlines, rings, strict=True)])
    steps = np.linalg.norm(np.diff(ring(HALF, HALF, 0.0), axis=0), axis=1)
    u = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()
    v = 1.0 - (1.0 - np.array([r[4] for r in rings]) / PANEL) * WRAP_ROWS / TEXTURE
    uv = np.stack([np.tile(u, len(v)), np.repeat(v, len(u))], axis=1)
    wall = Mesh(vertices, strip_faces(len(rings), len(u)), uv)
    bottom = lid(outlines[0], 0.0, (0.60, 0.01, 0.72, 0.115), up=False)
    top = lid(outlines[-1], rings[-1][0], (0.02, 0.990, 0.98, 0.996), up=True)
    whole = wall.join(bottom).join(top).join(screw_cap())
    middle = (whole.vertices.min(axis=0) + whole.vertices.max(axis=0)) / 2.0
    return whole.placed(np.eye(3), -middle)


def screw_cap() -> Mesh:
    """The cap, off the middle of the front slope, its foot sunk into the carton."""
    outline = np.array(
        [
            [0, -4],
            [12.5, -4],
            [12.5, 1.6],
            [12, 2],
            [10.4, 2.2],
            [10.2, 2.8],
            [10, 10.2],
            [9, 11.4],
            [0, 11.6],
        ]
    )
    normal = np.array([0.0, -RISE, HALF - FIN_HALF]) / SLOPE
    x = np.array([1.0, 0.0, 0.0])
    R = np.stack([x, np.cross(normal, x), normal], axis=1)
    return lathe(outline, 36, (0.01, 0.01, 0.49, 0.115)).placed(R, np.array([9.0, -HALF * 0.55, BODY + RISE * 0.47]))


def write_ply(
    path: Path, mesh: Mesh, *, texture: str | None, names: tuple[str, str] = ("texture_u", "texture_v")
) -> None:
    """Write a binary little-endian PLY; `names` are what its reader calls the texture coordinates."""
    vertex = np.concatenate([mesh.vertices, mesh.uv], axis=1).astype("<f4")
    face = np.zeros(len(mesh.faces), dtype=[("n", "u1"), ("index", "<i4", 3)])
    face["n"], face["index"] = 3, mesh.faces
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        *([f"comment TextureFile {texture}"] if texture else []),
    ]
    lines += [f"element vertex {len(vertex)}", *(f"property float {n}" for n in ("x", "y", "z", *names))]
    lines += [f"element face {len(face)}", "property list uchar int vertex_indices", "end_header", ""]
    path.write_bytes("\n".join(lines).encode() + vertex.tobytes() + face.tobytes())


# ---------------------------------------------------------------- object: print

CREAM, ORANGE, AMBER, GREEN = (246, 236, 214), (232, 110, 30), (248, 178, 52), (24, 84, 66)
MINT, RED, NAVY, WHITE = (140, 200, 165), (200, 44, 40), (28, 40, 82), (255, 255, 255)
DOTS = 8  # px per mm while drawing; the texture is reduced from that


class Sheet:
    """A drawing surface in millimetres, y down from the top of the panel."""

    def __init__(self, width: float, height: float, colour: Rgb) -> None:
        """Make an empty sheet of one colour."""
        self.image = Image.new("RGB", (round(width * DOTS), round(height * DOTS)), colour)
        self.draw = ImageDraw.Draw(self.image)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Rgb) -> None:
        """Fill a rectangle."""
        self.draw.rectangle([x0 * DOTS, y0 * DOTS, x1 * DOTS - 1, y1 * DOTS - 1], fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: Rgb) -> None:
        """Fill a circle."""
        self.draw.circle((x * DOTS, y * DOTS), radius * DOTS, fill=colour)

    def wedge(self, x: float, y: float, radius: float, start: float, end: float, colour: Rgb) -> None:
        """Fill a sector between two angles in degrees, clockwise from +x."""
        box = [(x - radius) * DOTS, (y - radius) * DOTS, (x + radius) * DOTS, (y + radius) * DOTS]
        self.draw.pieslice(box, start, end, fill=colour)

    def polygon(self, points: list[tuple[float, float]], colour: Rgb) -> None:
        """Fill a polygon."""
        self.draw.polygon([(x * DOTS, y * DOTS) for x, y in points], fill=colour)

    def text(self, x: float, y: float, words: str, size: float, colour: Rgb, *, bold: float = 0.0) -> None:
        """Write words centred at (x, y), `size` mm high, with strokes thickened by `bold` mm."""
        font, stroke = ImageFont.load_default(size * DOTS), round(bold * DOTS)
        self.draw.text((x * DOTS, y * DOTS), words, colour, font, "mm", stroke_width=stroke, stroke_fill=colour)


def orange_slice(sheet: Sheet, x: float, y: float, radius: float) -> None:
    """A cut orange: rind, pith and nine segments."""
    for share, colour in ((1.0, ORANGE), (0.90, CREAM)):
        sheet.disc(x, y, radius * share, colour)
    for k in range(9):
        sheet.wedge(x, y, radius * 0.84, 40 * k + 13, 40 * k + 47, AMBER if k % 3 else ORANGE)
    sheet.disc(x, y, radius * 0.10, CREAM)


def leaf(sheet: Sheet, x: float, y: float, length: float, angle_deg: float, colour: Rgb) -> None:
    """A pointed leaf from its stem at (x, y)."""
    s = np.linspace(0.0, 1.0, 24)
    half = 0.22 * length * np.sin(np.pi * s)
    local = np.stack([np.r_[s, s[::-1]] * length, np.r_[half, -half[::-1]]], axis=1)
    c, d = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    sheet.polygon([(x + c * p - d * q, y + d * p + c * q) for p, q in local.tolist()], colour)


def front_panel() -> Sheet:
    """Cream, with the name and a large cut orange."""
    sheet = Sheet(2 * HALF, PANEL, CREAM)
    sheet.box(0, 0, 70, FIN + SLOPE + 2, GREEN)
    sheet.text(35, 8, "PRESS HERE", 5.5, CREAM, bold=0.2)
    sheet.polygon([(6, 56), (14, 24), (22, 56)], AMBER)
    sheet.text(35, 78, "SIX-D", 23, GREEN, bold=1.2)
    sheet.box(8, 91, 62, 92.5, ORANGE)
    sheet.text(35, 97.5, "orange & mint", 7.5, NAVY, bold=0.3)
    orange_slice(sheet, 31, 132, 26)
    leaf(sheet, 44, 112, 24, -28, GREEN)
    leaf(sheet, 44, 113, 20, 24, MINT)
    sheet.box(0, 160, 70, PANEL, ORANGE)
    sheet.text(52, 165, "1 LITRE", 5.5, WHITE, bold=0.3)
    return sheet


def right_panel() -> Sheet:
    """Mint, with leaves, slogan and code bars."""
    sheet = Sheet(2 * HALF, PANEL, MINT)
    sheet.box(0, 0, 70, FIN + SLOPE + 2, RED)
    for k, (x, y, angle) in enumerate([(6, 138, -25), (33, 140, -60), (7, 153, -8), (49, 116, -42), (47, 86, -40)]):
        leaf(sheet, x, y, 25, angle, (GREEN, ORANGE, WHITE, NAVY, GREEN)[k])
    for k, word in enumerate(("TURN", "SHIFT", "POUR")):
        sheet.text(26, 84 + 13 * k, word, 13.0, (NAVY, RED, GREEN)[k], bold=0.9)
    code_bars(sheet)
    sheet.box(0, 160, 70, PANEL, NAVY)
    return sheet


def code_bars(sheet: Sheet) -> None:
    """A field of bars in the manner of a bar code."""
    sheet.box(45, 124, 66, 156, WHITE)
    rng = np.random.default_rng(11)
    y = 126.0
    while y < 153.5:
        bar, gap = rng.choice([0.7, 1.2, 1.9], 2)
        sheet.box(47, y, 64, y + bar, (20, 20, 20))
        y += bar + gap


def back_panel() -> Sheet:
    """Navy head, cream table of contents."""
    sheet = Sheet(2 * HALF, PANEL, NAVY)
    sheet.box(0, 8, 70, 14, AMBER)
    sheet.disc(22, 42, 12, AMBER)
    sheet.disc(29, 38, 11, NAVY)
    sheet.text(35, 78, "good morning", 9, CREAM, bold=0.4)
    sheet.box(5, 88, 65, 152, CREAM)
    sheet.text(35, 94, "PER GLASS", 7, NAVY, bold=0.5)
    for k, (what, share) in enumerate(
        [("orange", 0.9), ("apple", 0.55), ("carrot", 0.4), ("mint", 0.15), ("light", 0.7)]
    ):
        y = 104 + 10 * k
        sheet.text(19, y, what, 6.5, NAVY, bold=0.2)
        sheet.box(33, y - 2.6, 33 + 29 * share, y + 2.6, (ORANGE, MINT, RED, GREEN, AMBER)[k])
    sheet.box(0, 158, 35, PANEL, RED)
    return sheet


def left_panel() -> Sheet:
    """Orange, with slanted bands and the name upright."""
    sheet = Sheet(2 * HALF, PANEL, ORANGE)
    for k in range(9):
        y = 46 + 16 * k
        sheet.polygon([(0, y), (70, y - 34), (70, y - 26), (0, y + 8)], AMBER if k % 2 else (240, 140, 40))
    words = Sheet(104, 28, WHITE)
    words.text(52, 14, "fresh light", 17, NAVY, bold=0.7)
    sheet.image.paste(words.image.rotate(90, expand=True), (28 * DOTS, 62 * DOTS))
    for k in range(5):
        sheet.disc(14, 76 + 18 * k, 4.0 + k, (WHITE, NAVY, RED, GREEN, CREAM)[k])
    return sheet


def label() -> Image.Image:
    """The whole texture: four panels side by side; below them cap, bottom and spare colours."""
    panels = [make().image for make in (front_panel, right_panel, back_panel, left_panel)]
    wrap = Image.new("RGB", (4 * panels[0].width, panels[0].height))
    for k, panel in enumerate(panels):
        wrap.paste(panel, (k * panel.width, 0))
    # u = 0 is where the front's flat part begins; the prints meet half a rounded corner to the left of it.
    arc = 0.5 * np.pi * CORNER
    wrap = ImageChops.offset(wrap, -round(0.5 * arc / (2.0 * (HALF - CORNER) + arc) * panels[0].width), 0)
    texture = Image.new("RGB", (TEXTURE, TEXTURE), CREAM)
    texture.paste(wrap.resize((TEXTURE, WRAP_ROWS), Image.Resampling.LANCZOS), (0, 0))
    texture.paste(cap_print().resize((260, TEXTURE - WRAP_ROWS), Image.Resampling.LANCZOS), (0, WRAP_ROWS))
    foot = Sheet(70, 70, CREAM)
    foot.text(35, 25, "LOT 6", 18, NAVY, bold=0.6)
    foot.box(10, 45, 40, 60, RED)
    texture.paste(foot.image.resize((64, 58), Image.Resampling.LANCZOS), (306, WRAP_ROWS + 4))
    return texture


def cap_print() -> Image.Image:
    """The cap's print, unrolled: angle to the right, rim to the middle upwards; ribs and two marks."""
    sheet = Sheet(72, 40, RED)
    for k in range(0, 36, 2):
        sheet.box(2 * k, 13, 2 * k + 2, 22, (170, 30, 30))
    sheet.box(10, 0, 22, 10, WHITE)
    sheet.box(46, 0, 50, 12, AMBER)
    return sheet.image


# ---------------------------------------------------------------- scene (metres)


def noise(rng: np.random.Generator, cells: tuple[int, int], size: int) -> Array:
    """Smooth noise in about [0, 1], with cells (down, across) over a square of `size` px."""
    coarse = Image.fromarray(rng.random(cells).astype(np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float64)


def wood(size: int = 1024, planks: int = 5) -> Array:
    """Reflectance (size, size, 3) of a planked table, grain along x."""
    rng = np.random.default_rng(3)
    warp = noise(rng, (14, 3), size) + 0.35 * noise(rng, (60, 6), size)
    plank = np.arange(size)[:, None] * planks // size
    tone = rng.uniform(-0.10, 0.10, planks)[plank]
    rings = 0.5 + 0.5 * np.sin(2.0 * np.pi * (9.0 * warp + 3.7 * plank))
    fibre = noise(rng, (size, 24), size) - 0.5
    shade = 0.62 + tone + 0.13 * rings + 0.16 * fibre + 0.10 * (noise(rng, (6, 6), size) - 0.5)
    joint = np.abs((np.arange(size) * planks / size + 0.5) % 1.0 - 0.5) < 0.008
    shade = np.where(joint[:, None], shade * 0.45, shade)
    colour: Array = np.clip(shade[..., None] * np.array([0.74, 0.45, 0.25]), 0.01, 1.0)
    return colour


def plaster(size: int = 512) -> Array:
    """Reflectance (size, size, 3) of the wall behind."""
    rng = np.random.default_rng(5)
    shade = 0.9 + 0.14 * (noise(rng, (6, 6), size) - 0.5) + 0.04 * (noise(rng, (90, 90), size) - 0.5)
    colour: Array = np.clip(shade[..., None] * np.array([0.50, 0.53, 0.54]), 0.0, 1.0)
    return colour


def bitmap(mi: Any, pixels: Array | Image.Image) -> dict[str, Any]:
    """A Mitsuba texture: sRGB-coded if it is an image, linear reflectance if it is an array."""
    if isinstance(pixels, Image.Image):
        return {"type": "bitmap", "bitmap": mi.Bitmap(np.array(pixels)), "raw": False}
    return {"type": "bitmap", "bitmap": mi.Bitmap(pixels.astype(np.float32)), "raw": True}


def plastic(mi: Any, colour: Any, alpha: float) -> dict[str, Any]:
    """A slightly glossy coat over a colour (list of three) or a texture (dict)."""
    reflectance = colour if isinstance(colour, dict) else {"type": "rgb", "value": colour}
    return {"type": "roughplastic", "distribution": "ggx", "alpha": alpha, "diffuse_reflectance": reflectance}


def shape(mi: Any, folder: Path, name: str, mesh: Mesh, bsdf: dict[str, Any]) -> dict[str, Any]:
    """A mesh in world metres as a Mitsuba shape."""
    write_ply(folder / f"{name}.ply", mesh, texture=None, names=("u", "v"))
    # Mitsuba's bitmaps have v down; the file has v up.
    return {"type": "ply", "filename": str(folder / f"{name}.ply"), "flip_tex_coords": True, "bsdf": bsdf}


# Outlines of the clutter, (radius, height) in mm, up the outside and down the inside.
CUP = "0 0, 24 0, 27 2, 31 20, 34 42, 35 57, 34.3 58.5, 32.8 58.5, 32 57, 31 42, 28 20, 22 5, 0 4"
VASE = "0 0, 30 0, 36 5, 48 32, 50 52, 44 78, 30 104, 21 124, 20 140, 25 152, 23.5 153, 18 140, 18 124, 0 118"


def turned(outline: str, x: float, y: float) -> Mesh:
    """A lathe shape from millimetres, standing on the table at (x, y) metres, its corners rounded."""
    points = np.array([pair.split() for pair in outline.split(",")], dtype=np.float64)
    for _ in range(2):  # Chaikin's corner cutting
        a, b = points[:-1], points[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut, points[-1:]])
    return lathe(points / 1000.0, 64, (0.0, 0.0, 1.0, 1.0)).placed(np.eye(3), np.array([x, y, 0.0]))


def clutter(mi: Any, folder: Path) -> dict[str, Any]:
    """Three neutral things: a cup that hides a corner of the carton, a vase, a book."""
    T = mi.ScalarTransform4f
    book = T().translate([-0.17, 0.10, 0.0125]).rotate([0, 0, 1], 24).scale([0.065, 0.09, 0.0125])
    return {
        "cup": shape(mi, folder, "cup", turned(CUP, 0.056, -0.085), plastic(mi, [0.62, 0.60, 0.56], 0.12)),
        "vase": shape(mi, folder, "vase", turned(VASE, 0.155, 0.19), plastic(mi, [0.22, 0.24, 0.26], 0.25)),
        "book": {"type": "cube", "to_world": book, "bsdf": plastic(mi, [0.35, 0.36, 0.40], 0.4)},
    }


def room(mi: Any) -> dict[str, Any]:
    """Table, wall, a soft lamp to the upper left, a dim cool sky."""
    T = mi.ScalarTransform4f
    table = T().translate([0, 0.1, 0]).rotate([0, 0, 1], 7).scale([0.75, 0.75, 1])
    wall = T().translate([0, 0.62, 0.5]).rotate([1, 0, 0], 90).scale([1.6, 1.0, 1])
    lamp = T().look_at(origin=[-0.95, -0.38, 0.86], target=[0, 0, 0.05], up=[0, 0, 1]).scale([0.22, 0.22, 1])
    light = {"type": "area", "radiance": {"type": "rgb", "value": [47.0, 41.0, 33.0]}}
    return {
        "table": {"type": "rectangle", "to_world": table, "bsdf": plastic(mi, bitmap(mi, wood()), 0.3)},
        "wall": {
            "type": "rectangle",
            "to_world": wall,
            "bsdf": {"type": "diffuse", "reflectance": bitmap(mi, plaster())},
        },
        "lamp": {"type": "rectangle", "to_world": lamp, "emitter": light},
        "sky": {"type": "constant", "radiance": {"type": "rgb", "value": [0.42, 0.48, 0.56]}},
    }


def sensor(mi: Any, T_w2c: Rigid, samples: int) -> dict[str, Any]:
    """The camera. Mitsuba's film has half-integer pixel centres, so its principal point is ours plus a half.

    The offset is a fraction of the film's width and height, < 0 for a point right of, or below, the middle.
    `check_rays` and `check_silhouette` hold this sign and this half.
    """
    to_world = np.eye(4)
    to_world[:3, :3] = T_w2c.R.T @ np.diag([-1.0, -1.0, 1.0])  # Mitsuba's camera has x left and y up
    to_world[:3, 3] = CAMERA_W
    return {
        "type": "perspective",
        "fov_axis": "x",
        "fov": float(np.degrees(2.0 * np.arctan(WIDTH / (2.0 * FOCAL)))),
        "principal_point_offset_x": -(CX + 0.5 - WIDTH / 2.0) / WIDTH,
        "principal_point_offset_y": -(CY + 0.5 - HEIGHT / 2.0) / HEIGHT,
        "near_clip": 0.01,
        "to_world": mi.ScalarTransform4f(to_world),
        "film": {
            "type": "hdrfilm",
            "width": WIDTH,
            "height": HEIGHT,
            "rfilter": {"type": "box"},
            "pixel_format": "rgb",
        },
        "sampler": {"type": "independent", "sample_count": samples, "seed": 1},
    }


# ---------------------------------------------------------------- exact images, and the checks of K


def pixel_rays() -> Array:
    """Directions (H, W, 3), z = 1, through the integer pixel centres."""
    u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    return np.stack([(u - CX) / FOCAL, (v - CY) / FOCAL, np.ones_like(u, dtype=np.float64)], axis=-1)


def cast(mi: Any, scene: Any, T_w2c: Rigid, name: str) -> tuple[Array, NDArray[np.bool_]]:
    """Exact depth (H, W) in metres (0: nothing) and where shape `name` is nearest, one ray a pixel centre."""
    rays_c = pixel_rays().reshape(-1, 3)
    rays_w = rays_c @ T_w2c.R
    depth, mask = np.zeros(len(rays_w)), np.zeros(len(rays_w), dtype=bool)
    origin = mi.Point3f(CAMERA_W.tolist())
    for k, direction in enumerate(rays_w.tolist()):  # |z_c| = 1, so the ray's parameter is the depth itself
        hit = scene.ray_intersect_preliminary(mi.Ray3f(origin, mi.Vector3f(direction)))
        if hit.is_valid():
            depth[k], mask[k] = hit.t, hit.shape.id() == name
    return depth.reshape(HEIGHT, WIDTH), mask.reshape(HEIGHT, WIDTH)


def check_rays(mi: Any, scene: Any, T_w2c: Rigid) -> float:
    """Largest distance (px) between a pixel centre and where K projects Mitsuba's own ray through it."""
    worst = 0.0
    for u, v in ((0, 0), (WIDTH - 1, 0), (0, HEIGHT - 1), (320, 240), (411, 97)):
        film = mi.Point2f((u + 0.5) / WIDTH, (v + 0.5) / HEIGHT)
        ray, _ = scene.sensors()[0].sample_ray(0.0, 0.5, film, mi.Point2f(0.5, 0.5))
        uv = project(T_w2c.R @ np.array(ray.d, dtype=np.float64).reshape(3))
        worst = max(worst, float(np.abs(uv - [u, v]).max()))
    assert worst < 1e-2, f"K and Mitsuba's film disagree by {worst} px"
    return worst


def silhouette(uv: Array, faces: Faces, scale: int = 8) -> Array:
    """Coverage (H, W) of projected triangles, by polygons on a grid `scale` times finer."""
    image = Image.new("L", (WIDTH * scale, HEIGHT * scale))
    draw = ImageDraw.Draw(image)
    fine = (uv + 0.5) * scale  # Pillow's polygons have pixel i span [i, i + 1]
    for triangle in fine[faces]:
        draw.polygon([(float(x), float(y)) for x, y in triangle], fill=255)
    blocks = np.asarray(image, dtype=np.float64).reshape(HEIGHT, scale, WIDTH, scale)
    coverage: Array = blocks.mean(axis=(1, 3)) / 255.0
    return coverage


def centroid(image: Array) -> Array:
    """Mean pixel (u, v), weighted by the image."""
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    middle: Array = np.array([(u * image).sum(), (v * image).sum()]) / image.sum()
    return middle


def check_silhouette(mi: Any, alone: dict[str, Any], uv: Array, faces: Faces, T_w2c: Rigid) -> tuple[float, float]:
    """IoU and centroid distance (px) between Mitsuba's picture of the carton alone and the mesh under K."""
    integrator = {"type": "aov", "aovs": "index:shape_index"}
    scene = {"type": "scene", "integrator": integrator, "sensor": sensor(mi, T_w2c, 256), "carton": alone}
    seen = np.asarray(mi.render(mi.load_dict(scene), seed=2), dtype=np.float64)[..., 0]
    seen, drawn = seen / seen.max(), silhouette(uv, faces)
    iou = float(np.minimum(seen, drawn).sum() / np.maximum(seen, drawn).sum())
    bias = float(np.linalg.norm(centroid(seen) - centroid(drawn)))
    assert iou > 0.99, f"silhouette: IoU {iou}"
    assert bias < 0.05, f"silhouette: centroid off by {bias} px"
    return iou, bias


# ---------------------------------------------------------------- sensors


def blur(image: Array, sigma: float) -> Array:
    """Gaussian blur of (H, W, 3) by a five-tap separable kernel."""
    taps = np.exp(-0.5 * (np.arange(-2, 3) / sigma) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        pad = [(2, 2) if k == axis else (0, 0) for k in range(3)]
        wide = np.pad(image, pad, mode="edge")
        image = sum(w * np.take(wide, np.arange(image.shape[axis]) + k, axis=axis) for k, w in enumerate(taps))
    return image


def develop(radiance: Array, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A camera's 8-bit sRGB picture of linear radiance: lens blur, shot and read noise, soft highlights."""
    x = blur(EXPOSURE * radiance, 0.5)
    x = x + rng.normal(size=x.shape) * np.sqrt(8e-5 * np.maximum(x, 0.0) + 1e-6)
    x = np.where(x > 0.6, 0.6 + 0.4 * np.tanh((x - 0.6) / 0.4), np.maximum(x, 0.0))
    coded = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1.0 / 2.4) - 0.055)
    return np.rint(255.0 * np.clip(coded, 0.0, 1.0)).astype(np.uint8)


def measure(depth: Array, rng: np.random.Generator) -> NDArray[np.uint16]:
    """A depth camera's picture (units of 0.1 mm) of exact depth (metres).

    Noise grows with distance; samples are lost at edges, at random, and beyond the range.
    """
    sigma = 1.2e-3 + 1.9e-3 * (depth - 0.4) ** 2
    noisy = depth + sigma * rng.normal(size=depth.shape)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(depth, 1, mode="edge"), (3, 3))
    edge = np.ptp(around, axis=(2, 3)) > 0.012
    lost = rng.random(depth.shape) < np.where(edge, 0.6, 0.002)
    return np.where(lost | (depth <= 0.0) | (depth > RANGE_M), 0, np.rint(noisy * 1000.0 / DEPTH_UNIT_MM)).astype(
        np.uint16
    )


# ---------------------------------------------------------------- files


def pose_json(pose: Rigid) -> dict[str, list[float]]:
    """BOP's keys, translation in mm."""
    return {"cam_R_m2c": pose.R.ravel().tolist(), "cam_t_m2c": (1000.0 * pose.t).tolist()}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write readable JSON."""
    path.write_text(json.dumps(content, indent=1) + "\n")


def write_object(out: Path, mesh: Mesh, texture: Image.Image) -> None:
    """Write object.ply and object.png."""
    write_ply(out / "object.ply", mesh, texture="object.png")
    texture.save(out / "object.png", optimize=True)


def write_numbers(out: Path, truth: Rigid) -> None:
    """Write camera.json, truth.json, init.json and README.md."""
    K = [FOCAL, 0.0, CX, 0.0, FOCAL, CY, 0.0, 0.0, 1.0]
    write_json(out / "camera.json", {"cam_K": K, "depth_scale": DEPTH_UNIT_MM, "width": WIDTH, "height": HEIGHT})
    write_json(out / "truth.json", pose_json(truth))
    write_json(out / "init.json", pose_json(perturbed(truth)))
    (out / "README.md").write_text(README)


README = """# Demo example

A juice carton of our own design in a scene of our own, path-traced with Mitsuba 3; no third-party
model, picture or brand is in it. Made by `tools/make_demo.py`. Licence: CC0 1.0 (public domain),
<https://creativecommons.org/publicdomain/zero/1.0/>.

- `object.ply`, `object.png`: mesh in millimetres with its texture (`comment TextureFile`, v up, as
  in BOP)
- `rgb.png`: 640 x 480, 8-bit sRGB, with lens blur and sensor noise
- `depth.png`: 16-bit, 0.1 mm a unit, 0 = missing; noise of 1.2 mm + 1.9 mm/m^2 (z - 0.4 m)^2, holes
  at edges, nothing beyond 1.15 m
- `mask.png`: 255 where the carton is visible (exact; a cup hides a corner of it)
- `camera.json`: BOP's `cam_K` (integer pixel centres) and `depth_scale`, with `width` and `height`
- `truth.json`, `init.json`: `cam_R_m2c`, `cam_t_m2c` (mm): the exact pose, and the same turned by
  20 degrees and moved by 15 mm
"""


def overlay(rgb: NDArray[np.uint8], mesh: Mesh, poses: list[tuple[Rigid, Rgb]]) -> Image.Image:
    """The picture, twice as large, with the mesh's edges under each pose."""
    image = Image.fromarray(rgb).resize((2 * WIDTH, 2 * HEIGHT))
    draw = ImageDraw.Draw(image)
    for pose, colour in poses:
        uv = 2.0 * project(pose.apply(mesh.vertices / 1000.0)) + 0.5
        for triangle in uv[mesh.faces[::3]]:
            draw.polygon([(float(x), float(y)) for x, y in triangle], outline=colour)
    return image


def make(mi: Any, out: Path, samples: int, preview: Path | None) -> None:
    """Build, render, check and write everything."""
    mesh, texture, T_w2c = carton(), label(), camera_pose()
    T_m2w = object_pose(float(np.ptp(mesh.vertices[:, 2])))
    truth = Rigid(T_w2c.R @ T_m2w.R, T_w2c.apply(T_m2w.t))
    with tempfile.TemporaryDirectory() as name:
        placed = Mesh(T_m2w.apply(mesh.vertices / 1000.0), mesh.faces, mesh.uv)
        target = shape(mi, Path(name), "carton", placed, plastic(mi, bitmap(mi, texture), GLOSS))
        things = {
            **room(mi),
            **clutter(mi, Path(name)),
            "carton": target,
            "sensor": sensor(mi, T_w2c, samples),
        }
        scene = mi.load_dict({"type": "scene", "integrator": {"type": "path", "max_depth": 8}, **things})
        uv = project(truth.apply(mesh.vertices / 1000.0))
        ray_error = check_rays(mi, scene, T_w2c)
        iou, bias = check_silhouette(mi, target, uv, mesh.faces, T_w2c)
        depth, mask = cast(mi, scene, T_w2c, "carton")
        radiance = np.asarray(mi.render(scene, seed=1), dtype=np.float64)
    hidden = 1.0 - mask.sum() / silhouette(uv, mesh.faces).sum()
    rng = np.random.default_rng(0)
    rgb = develop(radiance, rng)
    write_object(out, mesh, texture)
    write_numbers(out, truth)
    Image.fromarray(rgb).save(out / "rgb.png", optimize=True)
    Image.fromarray(measure(depth, rng)).save(out / "depth.png", optimize=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(out / "mask.png", optimize=True)
    if preview is not None:
        overlay(rgb, mesh, [(truth, (0, 255, 0)), (perturbed(truth), (255, 0, 255))]).save(preview)
    width, height = np.ptp(uv, axis=0)
    print(f"{len(mesh.vertices)} vertices, {len(mesh.faces)} triangles, {hidden:.1%} of the carton hidden")
    print(f"{width:.0f} x {height:.0f} px at {truth.t[2]:.3f} m")
    print(f"rays within {ray_error:.1e} px, silhouette IoU {iou:.4f}, centroid off by {bias:.4f} px")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the example")
    parser.add_argument("--samples", type=int, default=256, help="path-traced samples a pixel")
    parser.add_argument("--preview", type=Path, help="also write the picture with both poses drawn on it")
    options = parser.parse_args()
    mi: Any = importlib.import_module("mitsuba")  # untyped, and in an environment of its own
    mi.set_variant("scalar_rgb")
    options.out.mkdir(parents=True, exist_ok=True)
    make(mi, options.out, options.samples, options.preview)


if __name__ == "__main__":
    main()
