"""Writes a small data set of several sensors, as BOP-Industrial lays it out: an RGB-D one and grey ones beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.geometry.so3 import exp
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from tests.oracle.bop_tree import DEPTH_SCALE, pose_entry, write_models

CAMERAS = {"photo": Camera(150.0, 150.0, 79.5, 59.5, 160, 120), "cam1": Camera(170.0, 170.0, 89.5, 67.5, 180, 136)}
MIDDLE = np.array([0.0, 0.0, 0.45])
# (obj_id, rotation vector, translation in the world, metres): two of one kind, one of another in front
THINGS = (
    (1, (0.5, 0.4, 0.2), (-0.07, 0.02, 0.43)),
    (1, (-0.4, 0.8, 0.1), (0.08, -0.04, 0.46)),
    (2, (0.9, 0.1, 0.3), (-0.01, 0.05, 0.38)),
)


@dataclass(frozen=True)
class ViewTree:
    """Where it lies; poses in the world; T_w2c of each (sensor, image)."""

    root: Path
    world: tuple[tuple[int, Pose], ...]
    places: dict[tuple[str, int], Pose]
    targets: Path
    meshes: dict[int, Mesh] = field(repr=False)

    @property
    def scene(self) -> Path:
        """The folder of the only scene."""
        return self.root / "val" / "000001"


def around(yaw_deg: float, pitch_deg: float = 0.0) -> Pose:
    """World to camera: turned about the middle of the scene."""
    yaw, pitch = np.radians([yaw_deg, pitch_deg])
    R = exp(np.array([pitch, 0.0, 0.0])) @ exp(np.array([0.0, yaw, 0.0]))
    return Pose(R, MIDDLE - R @ MIDDLE)


def make_view_tree(root: Path, views: Mapping[tuple[str, int], Pose], *, named: bool = True) -> ViewTree:
    """Writes it.

    Args:
        root: folder to make.
        views: T_w2c by (sensor, image); "photo" has RGB and depth, "cam1" is grey.
        named: whether files are named after sensors; if not, there must be "photo" alone.
    """
    meshes = write_models(root)
    world = tuple((o, Pose(exp(np.array(w)), np.array(t))) for o, w, t in THINGS)
    folder = root / "val" / "000001"
    for sensor in {sensor for sensor, _ in views}:
        suffix = f"_{sensor}" if named else ""
        camera, truth, info, cameras = CAMERAS[sensor], {}, {}, {}
        for (name, im_id), place in views.items():
            if name != sensor:
                continue
            poses = [(o, place @ pose) for o, pose in world]
            shares = _write_image(folder, suffix, im_id, poses, meshes, camera, depth=sensor == "photo")
            truth[str(im_id)] = [pose_entry(o, pose) for o, pose in poses]
            info[str(im_id)] = [{"visib_fract": share} for share in shares]
            R, t = place.to_bop()
            cameras[str(im_id)] = {
                "cam_K": [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0],
                "cam_R_w2c": R, "cam_t_w2c": t, "depth_scale": DEPTH_SCALE,
            }  # fmt: skip
        for stem, data in (("scene_gt", truth), ("scene_gt_info", info), ("scene_camera", cameras)):
            dump(folder / f"{stem}{suffix}.json", data)
    targets = root / "test_targets_multiview_bop25.json"
    dump(targets, [{"scene_id": 1, "im_id": [list(one) if named else ["default", one[1]] for one in views]}])
    return ViewTree(root, world, dict(views), targets, meshes)


def dump(path: Path, data: Any) -> None:
    """As JSON."""
    path.write_text(json.dumps(data), encoding="utf-8")


def _write_image(
    folder: Path, suffix: str, im_id: int, poses: list[tuple[int, Pose]], meshes: dict[int, Mesh], camera: Camera, *,
    depth: bool,
) -> list[float]:  # fmt: skip
    size = camera.height, camera.width
    rgb, z, owner = np.full((*size, 3), 0.3), np.full(size, 0.8), np.full(size, -1)
    covers = []
    for k, (obj_id, pose) in enumerate(poses):
        images = Renderer(meshes[obj_id], camera, threads=1).render(pose.R_m2c, pose.t_m2c)
        covers.append(images.coverage[0] >= 0.5)
        front = covers[-1] & (images.depth[0] < z)
        owner[front], z[front] = k, images.depth[0][front]
        rgb[front] = images.rgb[0][front] if meshes[obj_id].has_color else 0.6
    shown = np.rint(255 * np.clip(rgb, 0, 1)).astype(np.uint8)
    if depth:
        _save(folder / f"rgb{suffix}" / f"{im_id:06d}.png", shown)
        _save(folder / f"depth{suffix}" / f"{im_id:06d}.png", np.rint(1e3 * z / DEPTH_SCALE).astype(np.uint16))
    else:
        _save(folder / f"gray{suffix}" / f"{im_id:06d}.png", np.asarray(Image.fromarray(shown).convert("L")))
    for k in range(len(poses)):
        visible = (255 * (owner == k)).astype(np.uint8)
        _save(folder / f"mask_visib{suffix}" / f"{im_id:06d}_{k:06d}.png", visible)
    return [float((owner == k).sum() / max(cover.sum(), 1)) for k, cover in enumerate(covers)]


def _save(path: Path, array: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
