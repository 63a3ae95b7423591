"""What follows from the poses: pictures and cameras of the data set, masks, scene_gt_info.json; written in the rear."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.annotate.pictures import PictureSource
from diffdope.annotate.state import Annotations
from diffdope.annotate.store import Store
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.files import write_durably
from diffdope.io.json_files import read_object
from diffdope.io.png import write_png
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viz.compose import to_bytes
from diffdope.viz.windows import window_of

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

_BEHIND_M = 0.015  # as BOP: a surface that is measured so much nearer hides the object
_DEPTH_MM = 0.1  # of a unit of depth images, which then reach 6.5 m
_QUIET_S = 0.4  # after the last change, until masks are drawn
_NO_BOX = [-1, -1, -1, -1]  # as BOP has it
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


class WholeOutline(NamedTuple):
    """How many pixels an object would take if nothing hid it, and its box, which may leave the picture."""

    pixels: int
    box: list[int]


class Silhouettes:
    """Where objects are in an image, and where nothing hides them.

    Attributes:
        whole: (H, W) each: where the object would be seen if it were alone.
        visible: (H, W) each: of that, where no other object and nothing measured is before it.
        outlines: of each, with what lies outside of the picture.
    """

    def __init__(self, whole: list[Bools], visible: list[Bools], outlines: list[WholeOutline]) -> None:
        self.whole, self.visible, self.outlines = whole, visible, outlines

    def info(self, depth: NDArray[np.float32] | None) -> list[dict[str, Any]]:
        """Entries of scene_gt_info.json."""
        entries = []
        for whole, visible, outline in zip(self.whole, self.visible, self.outlines, strict=True):
            all_px, seen = outline.pixels, int(visible.sum())
            valid = int((whole if depth is None else whole & (depth > 0)).sum())
            entries.append({
                "bbox_obj": outline.box if seen else _NO_BOX, "bbox_visib": bbox_of(visible), "px_count_all": all_px,
                "px_count_valid": valid, "px_count_visib": seen, "visib_fract": seen / all_px if all_px else 0.0,
            })  # fmt: skip
        return entries


def silhouettes_of(
    placed: list[tuple[Mesh, Pose]], camera: Camera, measured: NDArray[np.float32] | None
) -> Silhouettes:  # fmt: skip
    """Draws all objects of an image, and compares their depths with each other and with what was measured.

    Args:
        placed: meshes and poses.
        camera: of the image.
        measured: depth (H, W), metres, 0 where missing; None without.
    """
    size = (camera.height, camera.width)
    depths = [_depth(mesh, pose, camera) for mesh, pose in placed]
    nearest = np.full(size, np.inf)
    for depth in depths:
        nearest = np.where(depth > 0.0, np.minimum(nearest, depth), nearest)
    if measured is not None:
        before = np.where(measured > 0, measured + _BEHIND_M, np.inf)
        nearest = np.minimum(nearest, before)
    whole = [depth > 0.0 for depth in depths]
    visible = [(depth > 0.0) & (depth <= nearest) for depth in depths]
    outlines = [outline_of(mesh, pose, camera, mask) for (mesh, pose), mask in zip(placed, whole, strict=True)]
    return Silhouettes(whole, visible, outlines)


def outline_of(mesh: Mesh, pose: Pose, camera: Camera, inside: Bools) -> WholeOutline:
    """Pixels and box of a whole object; as BOP counts them, with what lies up to a picture's size outside of it.

    Args:
        mesh: the object.
        pose: of it.
        camera: of the image.
        inside: (H, W) where it is in the picture.
    """
    if not inside.any() or not any(edge.any() for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1])):
        return WholeOutline(int(inside.sum()), bbox_of(inside))
    width, height = camera.width, camera.height
    canvas = camera.crop(-width, -height, 3 * width, 3 * height)
    # What is larger than the picture is drawn in coarser pixels: nine pictures' worth would be much memory.
    window = window_of(mesh, canvas, [pose], margin=0.02, max_size=max(width, height))
    assert window is not None  # it is in the picture
    k, images = window.reduction, Renderer(mesh, window.camera(canvas)).render(pose.R_m2c, pose.t_m2c)
    drawn = images.coverage[0] >= 0.5
    x, y, across, down = bbox_of(drawn)
    box = [window.x0 - width + k * x, window.y0 - height + k * y, k * across, k * down]
    return WholeOutline(max(k * k * int(drawn.sum()), int(inside.sum())), box)


def bbox_of(mask: Bools) -> list[int]:
    """x, y, width and height of what is not 0; -1 each where nothing is, as BOP has it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return list(_NO_BOX)
    x, y = int(columns[0]), int(rows[0])
    return [x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1]


def camera_entry(camera: Camera, depth_scale_mm: float | None, T_w2c: Pose | None) -> dict[str, Any]:
    """An entry of scene_camera.json."""
    entry: dict[str, Any] = {"cam_K": camera.K.ravel().tolist()}
    if depth_scale_mm:
        entry["depth_scale"] = depth_scale_mm
    if T_w2c is not None:
        entry["cam_R_w2c"], entry["cam_t_w2c"] = T_w2c.to_bop()
    return entry


def signature_of(state: Annotations, im_id: int) -> str:
    """What the masks of a picture follow from, in a few letters; empty where nothing is annotated."""
    placed = state.annotations(im_id)
    if not placed:
        return ""
    digest = hashlib.sha256()
    for one in placed:
        digest.update(f"{state.obj_id(one.thing)}".encode() + one.pose.matrix.tobytes())
    return digest.hexdigest()[:16]


def _depth(mesh: Mesh, pose: Pose, camera: Camera) -> F64:
    """Depth (H, W) of one object, 0 beside it; only its part of the image is drawn."""
    depth = np.zeros((camera.height, camera.width))
    window = window_of(mesh, camera, [pose], margin=0.02)
    if window is None:
        return depth
    part = window.camera(camera)
    images = Renderer(mesh, part).render(pose.R_m2c, pose.t_m2c)
    drawn = np.where(images.coverage[0] >= 0.5, images.depth[0], 0.0)
    depth[window.y0 : window.y0 + part.height, window.x0 : window.x0 + part.width] = drawn
    return depth


def _save(path: Path, picture: NDArray[Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    write_png(path, picture)


class InTheRear:
    """Calls a function for the newest of the states that it is given, in a thread, when they stop coming for a moment.

    Args:
        work: takes a state.
        failed: takes the error where it raises one.
    """

    def __init__(self, work: Callable[[Annotations], object], failed: Callable[[BaseException], None]) -> None:
        self._work, self._failed = work, failed
        self._newest: Annotations | None = None
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="diffdope-annotate", daemon=True)
        self._thread.start()

    def give(self, state: Annotations) -> None:
        """Takes a newer state."""
        with self._changed:
            self._newest = state
            self._changed.notify()

    def finish(self) -> None:
        """Waits until the newest state was worked on, and ends the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest is not None or self._ended)
                while not self._ended and self._changed.wait(_QUIET_S):
                    pass  # one more came
                state, self._newest = self._newest, None
                if state is None:
                    return
            try:
                self._work(state)
            except Exception as error:  # of any kind: the poses are saved, and the next change tries again
                self._failed(error)
