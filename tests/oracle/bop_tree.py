"""Writes a small BOP data set: two objects, two scenes, three instances an image; a test may then spoil it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from PIL import Image

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.geometry.so3 import exp
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from tests.oracle import shapes

K = (150.0, 150.0, 79.5, 59.5)
WIDTH, HEIGHT = 160, 120
DEPTH_SCALE = 0.1  # millimetres per unit
# Object 1 has colours and comes twice; object 2 has none. (obj_id, rotation vector, translation in metres)
INSTANCES = (
    (1, (0.5, 0.4, 0.2), (-0.10, 0.02, 0.45)),
    (1, (-0.4, 0.8, 0.1), (0.09, -0.05, 0.50)),
    (2, (0.9, 0.1, 0.3), (-0.03, 0.05, 0.36)),  # partly in front of the first
)


@dataclass(frozen=True)
class Tree:
    """Where it lies, and the truth of every image: (scene, image) -> [(obj_id, pose), ...] as in scene_gt.json."""

    root: Path
    split: str
    truth: dict[tuple[int, int], list[tuple[int, Pose]]]
    meshes: dict[int, Mesh]

    @property
    def words(self) -> list[str]:
        """Where it is, for a command line."""
        return ["--dataset", str(self.root), "--split", self.split]

    def scene(self, scene_id: int) -> Path:
        """The folder of a scene."""
        return self.root / self.split / f"{scene_id:06d}"


def make_tree(root: Path, *, images: tuple[tuple[int, int], ...] = ((1, 0), (1, 3), (2, 0))) -> Tree:
    """Writes a data set with models, models_eval, rgb, depth, mask, mask_visib, truth, cameras and targets.

    Args:
        root: folder to make.
        images: (scene, image) pairs; each later one shows the objects shifted a little.
    """
    meshes = write_models(root)
    camera = Camera(*K, WIDTH, HEIGHT)
    tree = Tree(root, "val", {}, meshes)
    for number, (scene_id, im_id) in enumerate(images):
        poses = [
            (o, Pose(exp(np.array(w)), np.array(t) + np.array([0.002 * number, 0.0, 0.0]))) for o, w, t in INSTANCES
        ]
        tree.truth[scene_id, im_id] = poses
        _write_image(tree.scene(scene_id), im_id, poses, meshes, camera)
    _write_truth(tree)
    _dump(root / "camera.json", {"fx": K[0], "fy": K[1], "cx": K[2], "cy": K[3], "width": WIDTH, "height": HEIGHT})
    targets = [
        {"scene_id": s, "im_id": i, "obj_id": o, "inst_count": count}
        for s, i in tree.truth
        for o, count in ((1, 2), (2, 1))
    ]
    _dump(root / "test_targets_bop19.json", targets)
    return tree


def pose_entry(obj_id: int, pose: Pose) -> dict[str, Any]:
    """An entry of scene_gt.json or of a file of start poses."""
    R, t = pose.to_bop()
    return {"cam_R_m2c": R, "cam_t_m2c": t, "obj_id": obj_id}


def write_starts(tree: Tree, scene_id: int, path: Path, starts: dict[int, list[tuple[int, Pose]]]) -> None:
    """A file in the format of the published start poses."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _dump(path, {str(im_id): [pose_entry(o, p) for o, p in poses] for im_id, poses in starts.items()})


def write_models(root: Path) -> dict[int, Mesh]:
    """Object 1 with colours, in models and models_eval; object 2 without, in models_eval alone."""
    box, torus = shapes.box(cells=4), shapes.torus(24, 12)
    colors = np.clip(0.5 + 6.0 * box.vertices_m, 0.05, 0.95)
    meshes = {1: Mesh(box.vertices_m, box.faces, colors=colors), 2: Mesh(torus.vertices_m, torus.faces)}
    for name in ("models", "models_eval"):
        (root / name).mkdir(parents=True)
    for obj_id, mesh in meshes.items():
        shade = None if mesh.colors is None else np.rint(255 * mesh.colors).astype(np.uint8)
        file = trimesh.Trimesh(1e3 * mesh.vertices_m, mesh.faces, vertex_colors=shade, process=False)
        if obj_id == 1:  # the other one is in models_eval only
            file.export(root / "models" / f"obj_{obj_id:06d}.ply")
        file.export(root / "models_eval" / f"obj_{obj_id:06d}.ply")
    half_turn = np.diag([-1.0, -1.0, 1.0, 1.0]).ravel().tolist()
    turns = {"axis": [0, 0, 1], "offset": [0, 0, 0]}
    info = {
        "1": {"diameter": 1e3 * meshes[1].diameter, "symmetries_discrete": [half_turn]},
        "2": {"diameter": 1e3 * meshes[2].diameter, "symmetries_continuous": [turns]},
    }
    _dump(root / "models_eval" / "models_info.json", info)
    return meshes


def _write_image(
    folder: Path, im_id: int, poses: list[tuple[int, Pose]], meshes: dict[int, Mesh], camera: Camera
) -> None:
    for name in ("rgb", "depth", "mask", "mask_visib"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rgb = np.full((HEIGHT, WIDTH, 3), 0.3)
    z = np.full((HEIGHT, WIDTH), 0.7)
    owner = np.full((HEIGHT, WIDTH), -1)
    for k, (obj_id, pose) in enumerate(poses):
        images = Renderer(meshes[obj_id], camera, threads=1).render(pose.R_m2c, pose.t_m2c)
        inside = images.coverage[0] >= 0.5
        Image.fromarray((255 * inside).astype(np.uint8)).save(folder / "mask" / f"{im_id:06d}_{k:06d}.png")
        front = inside & (images.depth[0] < z)
        owner[front], z[front] = k, images.depth[0][front]
        rgb[front] = images.rgb[0][front] if meshes[obj_id].has_color else 0.6
    for k in range(len(poses)):
        visible = (255 * (owner == k)).astype(np.uint8)
        Image.fromarray(visible).save(folder / "mask_visib" / f"{im_id:06d}_{k:06d}.png")
    Image.fromarray(np.rint(255 * np.clip(rgb, 0, 1)).astype(np.uint8)).save(folder / "rgb" / f"{im_id:06d}.png")
    units = np.rint(1e3 * z / DEPTH_SCALE).astype(np.uint16)
    Image.fromarray(units).save(folder / "depth" / f"{im_id:06d}.png")


def _write_truth(tree: Tree) -> None:
    for scene_id in {scene_id for scene_id, _ in tree.truth}:
        folder = tree.scene(scene_id)
        images = {im_id: poses for (scene, im_id), poses in tree.truth.items() if scene == scene_id}
        _dump(folder / "scene_gt.json", {str(i): [pose_entry(o, p) for o, p in ps] for i, ps in images.items()})
        matrix = [K[0], 0.0, K[2], 0.0, K[1], K[3], 0.0, 0.0, 1.0]
        _dump(folder / "scene_camera.json", {str(i): {"cam_K": matrix, "depth_scale": DEPTH_SCALE} for i in images})
        info = {str(i): [_info(folder, i, k) for k in range(len(ps))] for i, ps in images.items()}
        _dump(folder / "scene_gt_info.json", info)


def _info(folder: Path, im_id: int, k: int) -> dict[str, Any]:
    name = f"{im_id:06d}_{k:06d}.png"
    whole, visible = (np.asarray(Image.open(folder / kind / name)) > 0 for kind in ("mask", "mask_visib"))
    rows, columns = np.nonzero(visible)
    box = [int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]
    share = float(visible.sum() / whole.sum())
    return {"visib_fract": share, "bbox_visib": box, "px_count_all": int(whole.sum())}


def _dump(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data), encoding="utf-8")
