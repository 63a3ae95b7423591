"""Reads the evaluation data beside the project, object by object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@dataclass(frozen=True)
class Case:
    """One object instance in one image, with one start pose."""

    data_set: str
    scene: str
    image: int
    instance: int
    obj_id: int
    mesh_path: Path
    observation: Observation
    truth: Pose
    start: Pose

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.data_set} {self.scene}/{self.image:06d}/{self.instance:06d} obj {self.obj_id}"


@cache
def load_mesh(path: Path) -> Mesh:
    """A mesh in millimetres, once."""
    return Mesh.load(path, unit="mm")


@cache
def evaluation_points(path: Path) -> NDArray[np.float64]:
    """At most 2000 vertices of a mesh, for ADD and ADD-S."""
    vertices = load_mesh(path).vertices_m
    keep = np.random.default_rng(0).permutation(len(vertices))[:2000]
    return np.asarray(vertices[keep])


def read_image(folder: Path, name: str, image: int) -> Path:
    """A picture, whatever its ending."""
    for ending in ("png", "jpg"):
        path = folder / name / f"{image:06d}.{ending}"
        if path.exists():
            return path
    raise FileNotFoundError(f"{folder / name}: no picture {image:06d}")


def cases(
    data_set: str, split: str, scene: str, level: str, *,
    images: list[int] | None = None, mask: str | None = "mask_visib",
    depth: bool = True, textured_only: bool = False, starts_of: list[int] | None = None,
) -> Iterator[Case]:  # fmt: skip
    """All instances of a scene; `starts_of` takes the start poses of other images (HOPE's frames share their truth)."""
    root = DATA / data_set
    folder = root / split / scene
    truth = json.loads((folder / "scene_gt.json").read_text())
    cameras = json.loads((folder / "scene_camera.json").read_text())
    starts = json.loads((root / "init_poses" / scene / f"scene_error_deg_{level}.json").read_text())
    for image in images if images is not None else [int(key) for key in truth]:
        entry = cameras[str(image)]
        rgb = np.asarray(Image.open(read_image(folder, "rgb", image)).convert("RGB"))
        camera = Camera.from_K(np.reshape(entry["cam_K"], (3, 3)), width=rgb.shape[1], height=rgb.shape[0])
        z = None
        if depth and (folder / "depth" / f"{image:06d}.png").exists():
            z = np.asarray(Image.open(folder / "depth" / f"{image:06d}.png")).astype(np.float32)
            z = z * np.float32(entry["depth_scale"] * 1e-3)
        for start_image in starts_of or [image]:
            for i, gt in enumerate(truth[str(image)]):
                path = root / "models" / f"obj_{gt['obj_id']:06d}.ply"
                if not path.exists():
                    if textured_only:
                        continue
                    path = root / "models_eval" / path.name
                m = None
                if mask is not None:
                    m = np.asarray(Image.open(folder / mask / f"{image:06d}_{i:06d}.png")) > 0
                    if not m.any():
                        continue
                start = starts[str(start_image)][i]
                yield Case(
                    data_set, scene, image, i, gt["obj_id"], path, Observation(camera, rgb=rgb, depth=z, mask=m),
                    Pose.from_bop(gt["cam_R_m2c"], gt["cam_t_m2c"]),
                    Pose.from_bop(start["cam_R_m2c"], start["cam_t_m2c"]),
                )  # fmt: skip
