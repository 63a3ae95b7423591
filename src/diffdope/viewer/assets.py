"""Meshes, points and pictures as viser takes them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import choose_crop
from diffdope.scene.lod import level_of_detail, tolerance_of
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viz.compose import to_bytes

F64 = NDArray[np.float64]

MOST_FACES = 60_000
"""Of a mesh in a browser: beyond, pages get large, and triangles smaller than pixels."""
MOST_POINTS = 60_000  # of a depth image that a browser is sent
LONGEST_SIDE = 1280
"""Pixels of the photograph in a scene."""
_GREY = 0.55  # of points without a colour


def light_mesh(mesh: Mesh, faces: int = MOST_FACES) -> Mesh:
    """The mesh with at most about so many triangles."""
    return mesh if len(mesh.faces) <= faces else level_of_detail(mesh, faces, tolerance_of(faces))


def colored(mesh: Mesh) -> Any:
    """A `trimesh.Trimesh` with the mesh's texture or colours, for glTF.

    glTF counts v from the top, as `Mesh` does, but trimesh turns it around on its way there. COLOR_0 is linear light,
    and trimesh writes levels as they are, so they are made linear here.
    """
    import trimesh

    texture = mesh.shown_texture
    if texture is not None and mesh.uv is not None:
        from PIL import Image

        material = trimesh.visual.material.PBRMaterial(
            baseColorTexture=Image.fromarray(texture), metallicFactor=0.0, roughnessFactor=1.0, doubleSided=True
        )
        uv = np.stack([mesh.uv[:, 0], 1.0 - mesh.uv[:, 1]], axis=1)
        visual: Any = trimesh.visual.TextureVisuals(uv=uv, material=material)
    else:
        assert mesh.colors is not None
        levels = to_bytes(linear(np.asarray(mesh.colors, np.float64)))
        visual = trimesh.visual.ColorVisuals(
            vertex_colors=np.concatenate([levels, np.full((len(levels), 1), 255, np.uint8)], axis=1)
        )
    return trimesh.Trimesh(mesh.vertices_m, mesh.faces, visual=visual, process=False)


def linear(srgb: F64) -> F64:
    """Linear light of sRGB levels in [0, 1] (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


class Points(NamedTuple):
    """(N, 3) metres in the camera's frame, their colours (N, 3) uint8, and how far apart they are at most depths."""

    x_c: F64
    colors: NDArray[np.uint8]
    spacing_m: float


def points_of(view: Observation, most: int = MOST_POINTS) -> Points | None:
    """The depth image as points, every k-th pixel of every k-th row; None without depth."""
    if view.depth is None:
        return None
    step = max(1, int(np.ceil(np.sqrt(np.count_nonzero(view.depth) / most))))
    depth = np.asarray(view.depth[::step, ::step], np.float64)
    there = depth > 0.0
    rows, columns = np.nonzero(there)
    z, camera = depth[there], view.camera
    x, y = (step * columns - camera.cx) / camera.fx * z, (step * rows - camera.cy) / camera.fy * z
    colors = (
        np.full((len(z), 3), _GREY) if view.rgb is None else np.asarray(view.rgb[::step, ::step][there], np.float64)
    )
    spacing_m = step * float(np.median(z)) / camera.fx if len(z) else 0.0
    return Points(np.stack([x, y, z], axis=1), to_bytes(colors), spacing_m)


class Plane(NamedTuple):
    """A picture (H, W, 3) uint8 that stands at right angles to the optical axis: its middle and its size, metres."""

    picture: NDArray[np.uint8]
    middle_m: F64
    width_m: float
    height_m: float

    @classmethod
    def of(cls, view: Observation, distance_m: float, longest: int = LONGEST_SIDE) -> Plane | None:
        """The photograph, or depth in grey, where each pixel lies on its ray; None without either.

        Args:
            view: the images.
            distance_m: depth at which it stands.
            longest: side of the picture in pixels, at most.
        """
        if view.rgb is None and view.depth is None:
            return None
        camera = view.camera
        whole = (0.0, 0.0, camera.width - 1.0, camera.height - 1.0)
        part = view.crop(choose_crop([whole], camera, margin=0.0, max_size=longest))
        rgb = _depth_in_grey(part) if part.rgb is None else np.asarray(part.rgb, np.float64)
        corners = corners_of(part.camera, distance_m)
        size = corners[2] - corners[0]
        return cls(to_bytes(rgb), corners.mean(axis=0), float(size[0]), float(size[1]))


def corners_of(camera: Camera, distance_m: float) -> F64:
    """The corners (4, 3) of the image at a depth, metres: top left, top right, bottom right, bottom left."""
    left, right = -0.5 - camera.cx, camera.width - 0.5 - camera.cx
    top, bottom = -0.5 - camera.cy, camera.height - 0.5 - camera.cy
    x, y = np.array([left, right, right, left]) / camera.fx, np.array([top, top, bottom, bottom]) / camera.fy
    return np.stack([x, y, np.ones(4)], axis=1) * distance_m


def _depth_in_grey(view: Observation) -> F64:
    """Near is bright; missing depth is black."""
    assert view.depth is not None
    there = view.depth[view.depth > 0]
    near, far = np.quantile(there, [0.02, 0.98]) if len(there) else (0.0, 1.0)
    grey = np.where(view.depth > 0, 0.9 - 0.7 * (view.depth - near) / max(far - near, 1e-6), 0.0)
    return np.repeat(np.clip(grey, 0.0, 1.0)[..., None].astype(np.float64), 3, axis=2)
