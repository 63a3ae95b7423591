"""What follows from the poses: pictures and cameras of the data set, masks, scene_gt_info.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.annotate.pictures import PictureSource
from diffdope.annotate.silhouettes import silhouettes_of
from diffdope.annotate.state import Annotations
from diffdope.annotate.store import Store
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.files import write_durably
from diffdope.io.json_files import read_object
from diffdope.io.png import write_png
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viz.compose import to_bytes

_DEPTH_MM = 0.1  # of a unit of depth images, which then reach 6.5 m
SIGNATURES = "annotation_masks.json"


class Exporter:
    """Writes what follows from the poses of one picture, where it is not written yet.

    Args:
        store: of the session.
        pictures: the images.
        mesh_of: the mesh of an object.
    """

    def __init__(self, store: Store, pictures: PictureSource, mesh_of: Callable[[int], Mesh]) -> None:
        self._store, self._pictures, self._mesh_of = store, pictures, mesh_of
        self._folder = store.folder
        self._worlds = pictures.cameras()

    def adopt(self, state: Annotations) -> None:
        """Takes the masks that are there for those of a state, which another tool made: only changes are written.

        Pictures without any, as those of poses that `track` wrote, are written with the first change.
        """
        masked = {
            path.name.partition("_")[0] for name in ("mask", "mask_visib") for path in (self._folder / name).glob("*_*")
        }
        there = sorted({one.im_id for one in state.placements if f"{one.im_id:06d}" in masked})
        self._write(SIGNATURES, {str(im_id): signature_of(state, im_id) for im_id in there})

    def write(self, state: Annotations) -> int:
        """Brings the files of all pictures that have annotations, or had some, up to date; returns how many it wrote.

        The signature of a picture is taken off before its masks change and put back when they are all there, so that a
        crash leaves a picture that the next run writes again.
        """
        self._store.write_models({one.obj_id: self._mesh_of(one.obj_id) for one in state.things})
        signatures = self._read(SIGNATURES)
        wanted = {str(im_id): signature_of(state, im_id) for im_id in sorted({p.im_id for p in state.placements})}
        stale = [key for key in {**wanted, **signatures} if wanted.get(key, "") != signatures.get(key, "")]
        for key in stale:
            self._write(SIGNATURES, {k: v for k, v in signatures.items() if k != key})
            self._write_picture(state, int(key))
            signatures = {k: v for k, v in signatures.items() if k != key}
            if wanted.get(key):
                signatures[key] = wanted[key]
            self._write(SIGNATURES, signatures)
        return len(stale)

    def _write_picture(self, state: Annotations, im_id: int) -> None:
        view = self._pictures.observation(im_id)
        self._write_images(im_id, view)
        placed = [(self._mesh_of(state.obj_id(one.thing)), one.pose) for one in state.annotations(im_id)]
        silhouettes = silhouettes_of(placed, view.camera, view.depth)
        for name, masks in (("mask", silhouettes.whole), ("mask_visib", silhouettes.visible)):
            folder = self._folder / name
            folder.mkdir(exist_ok=True)
            for k, mask in enumerate(masks):
                _save(folder / f"{im_id:06d}_{k:06d}.png", np.where(mask, 255, 0).astype(np.uint8))
            for path in folder.glob(f"{im_id:06d}_*.png"):  # of objects that were taken out
                if path.stem.rpartition("_")[2].isdecimal() and int(path.stem.rpartition("_")[2]) >= len(masks):
                    path.unlink()
        info = self._read("scene_gt_info.json")
        info.pop(str(im_id), None)
        if placed:
            info[str(im_id)] = silhouettes.info(view.depth)
        self._write("scene_gt_info.json", dict(sorted(info.items(), key=lambda item: int(item[0]))))

    def _write_images(self, im_id: int, view: Observation) -> None:
        """The pictures as they were compared: rectified, in BOP's numbers; those that are there stay."""
        if view.rgb is not None and not self._there("rgb", im_id):
            _save(self._folder / "rgb" / f"{im_id:06d}.png", to_bytes(np.asarray(view.rgb, np.float64)))
        scale_mm = None
        if view.depth is not None and not self._there("depth", im_id):
            scale_mm = _DEPTH_MM if 1e3 * float(view.depth.max()) <= _DEPTH_MM * 65535 else 1.0
            units = np.clip(np.round(1e3 * np.asarray(view.depth, np.float64) / scale_mm), 0, 65535)
            _save(self._folder / "depth" / f"{im_id:06d}.png", units.astype(np.uint16))
        cameras = self._read("scene_camera.json")
        if str(im_id) not in cameras:
            cameras[str(im_id)] = camera_entry(view.camera, scale_mm, self._worlds.get(im_id))
            self._write("scene_camera.json", dict(sorted(cameras.items(), key=lambda item: int(item[0]))))

    def _there(self, kind: str, im_id: int) -> bool:
        kinds = (kind, "gray") if kind == "rgb" else (kind,)
        return any(path for one in kinds for path in (self._folder / one).glob(f"{im_id:06d}.*"))

    def _read(self, name: str) -> dict[str, Any]:
        path = self._folder / name
        return read_object(path) if path.is_file() else {}

    def _write(self, name: str, entry: Mapping[str, Any]) -> None:
        write_durably(self._folder / name, json.dumps(entry, indent=1, allow_nan=False) + "\n")


def camera_entry(camera: Camera, depth_scale_mm: float | None, T_w2c: Pose | None) -> dict[str, Any]:
    """An entry of scene_camera.json."""
    entry: dict[str, Any] = {"cam_K": camera.K.ravel().tolist()}
    if depth_scale_mm:
        entry["depth_scale"] = depth_scale_mm
    if T_w2c is not None:
        entry["cam_R_w2c"], entry["cam_t_w2c"] = T_w2c.to_bop()
    return entry


def signature_of(state: Annotations, im_id: int) -> str:
    """Digest, 16 hexadecimal digits, of the models and poses that masks follow from; empty where there are none."""
    placed = state.annotations(im_id)
    if not placed:
        return ""
    digest = hashlib.sha256()
    for one in placed:
        digest.update(f"{state.obj_id(one.thing)}".encode() + one.pose.matrix.tobytes())
    return digest.hexdigest()[:16]


def _save(path: Path, picture: NDArray[Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    write_png(path, picture)
