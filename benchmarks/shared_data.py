"""Reads the evaluation data beside the project, object by object, and names the sets that benchmarks run over.

It uses only what every build of diffdope offers, so that `benchmarks.accuracy` also measures older ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from diffdope import Camera, Mesh, Observation, Pose

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
LEVELS = {"1": "001_trans_001", "10": "010_trans_004", "20": "020_trans_030", "40": "040_trans_016"}
MODES = {
    "rgbd+mask": ("rgb", "depth", "mask"), "rgb+mask": ("rgb", "mask"), "rgbd": ("rgb", "depth"), "rgb": ("rgb",),
}  # fmt: skip


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
    start_image: int

    @property
    def name(self) -> str:
        """For tables; no two cases of a set have the same."""
        start = "" if self.start_image == self.image else f" start {self.start_image}"
        return f"{self.data_set} {self.scene}/{self.image:06d}/{self.instance:06d} obj {self.obj_id}{start}"

    def given(self, mode: str) -> Case | None:
        """The case with only some of its images (see `MODES`); None if one of them is not there."""
        images = {name: getattr(self.observation, name) for name in MODES[mode]}
        if any(image is None for image in images.values()):
            return None
        return replace(self, observation=Observation(self.observation.camera, **images))


@dataclass(frozen=True)
class CaseSet:
    """Objects of some scenes.

    Attributes:
        data_set: folder.
        split: its folder of scenes.
        scenes: names of their folders.
        images: only these; None for all.
        starts_of: takes the start poses of other images (HOPE's images of a scene share their truth).
        mask: folder of the masks.
        textured_only: whether objects whose mesh has no texture are left out.
        modes: those that make sense, of `MODES`.
    """

    data_set: str
    split: str
    scenes: tuple[str, ...]
    images: tuple[int, ...] | None = None
    starts_of: tuple[int, ...] | None = None
    mask: str = "mask_visib"
    textured_only: bool = False
    modes: tuple[str, ...] = tuple(MODES)

    @property
    def there(self) -> bool:
        """Whether its data are on this machine."""
        return (DATA / self.data_set).is_dir()

    def cases(self, level: str, mode: str | None = None, *, first: int = 0, every: int = 1) -> Iterator[Case]:
        """Every n-th case at a level (of `LEVELS`), with all its images or those of a mode."""
        found = (
            case
            for scene in self.scenes
            for case in cases(
                self.data_set, self.split, scene, LEVELS[level], images=self.images, mask=self.mask,
                textured_only=self.textured_only, starts_of=self.starts_of,
            )
        )  # fmt: skip
        for case in islice(found, first, None, every):
            chosen = case if mode is None else case.given(mode)
            if chosen is not None:
                yield chosen


HOPE2 = CaseSet("hope", "val", ("000002",), images=(0,), starts_of=(0, 1, 2, 3, 4))
HOPE3 = CaseSet("hope", "val", ("000003",), modes=("rgb+mask", "rgb"))
SIM = CaseSet("sim", "dev", ("000001",))
PARTS = CaseSet("parts", "dev", ("000001",), modes=("rgbd+mask", "rgb+mask", "rgbd"))
SETS = {
    "hope": replace(HOPE2, textured_only=True),
    "hope-all": HOPE2,
    "hope-rgb": replace(HOPE3, textured_only=True),
    "hope-rgb-all": HOPE3,
    "hope-scenes": replace(HOPE3, scenes=("000001", "000002", "000003", "000005")),
    "sim": SIM,
    "sim-noisy": replace(SIM, mask="mask_noisy", modes=("rgbd+mask", "rgb+mask")),
    "ycbv": CaseSet("ycbv_frames", "val", ("000001",)),
    # Without colours: of RGB, edges alone speak of them, where there is no mask or one that is off.
    "parts": PARTS,
    "parts-noisy": replace(PARTS, mask="mask_noisy", modes=("rgbd+mask", "rgb+mask")),
}
# Kinds of images, as tables of the documents name them: set and mode.
KINDS = {
    "hope rgb-d": ("hope-all", "rgbd+mask"),
    "hope rgb-d no mask": ("hope-all", "rgbd"),
    "hope rgb": ("hope-scenes", "rgb+mask"),
    "hope rgb no mask": ("hope-scenes", "rgb"),
    "sim rgb-d": ("sim", "rgbd+mask"),
    "sim rgb-d noisy mask": ("sim-noisy", "rgbd+mask"),
    "sim rgb-d no mask": ("sim", "rgbd"),
    "sim rgb": ("sim", "rgb+mask"),
    "sim rgb noisy mask": ("sim-noisy", "rgb+mask"),
    "sim rgb no mask": ("sim", "rgb"),
    "parts rgb-d": ("parts", "rgbd+mask"),
    "parts rgb-d no mask": ("parts", "rgbd"),
    "ycbv rgb-d": ("ycbv", "rgbd+mask"),
    "ycbv rgb-d no mask": ("ycbv", "rgbd"),
}


def cases_of_kind(kind: str, level: str, *, first: int = 0, every: int = 1) -> Iterator[Case]:
    """Every n-th case of a kind of `KINDS`; one at a time, for images are large."""
    name, mode = KINDS[kind]
    return SETS[name].cases(level, mode, first=first, every=every)


def by_image(cases: Iterable[Case]) -> dict[int, list[Case]]:
    """Cases by the image that they are of."""
    found: dict[int, list[Case]] = {}
    for case in cases:
        found.setdefault(case.image, []).append(case)
    return found


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
    images: tuple[int, ...] | None = None, mask: str = "mask_visib",
    textured_only: bool = False, starts_of: tuple[int, ...] | None = None,
) -> Iterator[Case]:  # fmt: skip
    """All instances of a scene that can be seen, with all images that there are; see `CaseSet`."""
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
        if (folder / "depth" / f"{image:06d}.png").exists():
            z = np.asarray(Image.open(folder / "depth" / f"{image:06d}.png")).astype(np.float32)
            z = z * np.float32(entry["depth_scale"] * 1e-3)
        for start_image in starts_of or (image,):
            for i, gt in enumerate(truth[str(image)]):
                path = root / "models" / f"obj_{gt['obj_id']:06d}.ply"
                if not path.exists():
                    if textured_only:
                        continue
                    path = root / "models_eval" / path.name
                m = np.asarray(Image.open(folder / mask / f"{image:06d}_{i:06d}.png")) > 0
                if not m.any():
                    continue
                start = starts[str(start_image)][i]
                yield Case(
                    data_set, scene, image, i, gt["obj_id"], path, Observation(camera, rgb=rgb, depth=z, mask=m),
                    Pose.from_bop(gt["cam_R_m2c"], gt["cam_t_m2c"]),
                    Pose.from_bop(start["cam_R_m2c"], start["cam_t_m2c"]), start_image,
                )  # fmt: skip
