"""What if an image were stored the other way round? Each is turned back at a pose and compared as the others are.

A mask whose rows come from below lies beside the object, depth of another frame has other surfaces there, and colours
in the order BGR are of another pattern. Where the object is drawn, such an image fits badly, and well once it is turned
back. That is no search: a crop and a drawing for each image.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.fit_quality import FitQuality, assess
from diffdope.geometry.crop import CropWindow, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.failure import Status
from diffdope.problem.region import projected_box
from diffdope.render.renderer import draw
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.base import Comparison, Rendering

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

CROP_PX, _MARGIN = 128, 0.25  # side of the crop in which inputs are compared; its margin, a share of the box
_BETTER = 2.0  # times as much as the image as it was given, of which 0 is the worst
_FEWEST = 50  # pixels of the object that must have a depth
_MEETS = 0.05  # of what is drawn: a mask that is on so much is no other's
_PART = 0.5  # of what is drawn: as much again beside it is another object
_WITHIN = 0.7  # of what is drawn, that must be in the mask: else the pose is what is off
_THIN = 0.2  # of the drawn object's radius: a rim of a mask that is too wide is thinner


class _Image(NamedTuple):
    """A modality, the field that tells how it fits, from where on that is well, its name, and the code of its note."""

    modality: str
    field: str
    well: float
    name: str
    code: NoteCode


_IMAGES = (
    _Image("mask", "overlap", 0.35, "the mask", NoteCode.MASK_TURNED),
    _Image("depth", "depth_inliers", 0.6, "depth", NoteCode.DEPTH_TURNED),
    _Image("rgb", "texture", 0.3, "the photograph", NoteCode.RGB_TURNED),
)
_TURNS = (
    ((True, False), "upside down: are its rows stored from below?", "[::-1]"),
    ((False, True), "mirrored left to right: are its columns stored from the right?", "[:, ::-1]"),
    ((True, True), "turned by 180 degrees: is it that of another orientation of the camera?", "[::-1, ::-1]"),
)


CHANNELS_SWAPPED = Note(
    NoteCode.CHANNELS_SWAPPED, "the colours fit with red and blue swapped: are the channels in the order BGR?"
)
TEXTURE_FLIPPED = Note(
    NoteCode.TEXTURE_FLIPPED,
    "the colours fit with the texture upside down: is v of its coordinates the other way (v -> 1 - v)?",
)


def other_way_round(
    meshes: MeshLevels, observation: Observation, pose: Pose, names: Collection[str] = ("mask", "depth", "rgb")
) -> Iterator[Note]:  # fmt: skip
    """Which images fit a pose that is about right only once they are turned round, with the cure.

    Args:
        meshes: the object.
        observation: the images.
        pose: a result; of a mask, a start will do.
        names: of the images that are asked.
    """
    box = projected_box(meshes.mesh.vertices_m, pose, observation.camera)
    if isinstance(box, Status):
        return
    window = choose_crop([box], observation.camera, margin=_MARGIN, max_size=CROP_PX)
    crop, drawing = observation.crop(window), _drawing(meshes, observation, window, pose)
    given = _quality(meshes, crop, drawing)
    for image in _IMAGES:
        if image.modality not in observation.modalities or image.modality not in names:
            continue
        before = _fits(image, given, crop)
        found = [
            (0.0 if other is None else _fits(image, _quality(meshes, other, drawing), other), words, cure)
            for axes, words, cure in _TURNS
            for other in [_turned(observation, window, crop, image.modality, *axes)]
        ]
        best, words, cure = max(found)
        if best > max(image.well, _BETTER * before):
            yield Note(image.code, f"{image.name} fits when it is {words} Give {image.modality}{cure}")
        elif image.modality == "rgb" and crop.rgb is not None:
            swapped = _fits(image, _quality(meshes, crop.with_rgb(crop.rgb[..., ::-1]), drawing), crop)
            if swapped > max(image.well, _BETTER * before):
                yield CHANNELS_SWAPPED
            elif meshes.mesh.uv is not None:
                flipped = _drawing(texture_upside_down(meshes), observation, window, pose)
                if _fits(image, _quality(meshes, crop, flipped), crop) > max(image.well, _BETTER * before):
                    yield TEXTURE_FLIPPED


def mask_elsewhere(meshes: MeshLevels, observation: Observation, start: Pose) -> Iterator[Note]:
    """That a mask lies beside where a start has the object, and on it once its rows or columns are turned round.

    Args:
        meshes: the object.
        observation: the images.
        start: object to camera.
    """
    if observation.mask is None:
        return
    found = mask_and_drawn(meshes, observation, start, meshes.mesh.vertices_m, 2 * CROP_PX)
    if found is None or np.count_nonzero(found[0] & found[1]) > _MEETS * np.count_nonzero(found[1]):
        return
    yield from other_way_round(meshes, observation, start, ("mask",))


def second_part(meshes: MeshLevels, observation: Observation, pose: Pose) -> Iterator[Note]:
    """Whether a mask shows about as much again of something beside a pose that is within it.

    Args:
        meshes: the object.
        observation: with a mask.
        pose: a result.
    """
    from scipy import ndimage

    both = mask_and_drawn(meshes, observation, pose, meshes.mesh.vertices_m, 2 * CROP_PX)
    if both is None:
        return
    mask, drawn = both
    area = np.count_nonzero(drawn)
    if area == 0 or np.count_nonzero(mask & drawn) < _WITHIN * area:
        return
    thin = max(1.0, _THIN * float(np.sqrt(area / np.pi)))
    core = ndimage.distance_transform_edt(np.pad(mask & ~drawn, 1))[1:-1, 1:-1] > thin
    grown = ndimage.distance_transform_edt(~core) <= thin if core.any() else core
    labels, count = ndimage.label(grown & mask & ~drawn)
    largest = float(np.bincount(labels.ravel())[1:].max()) if count else 0.0
    if largest > _PART * area:
        yield Note(
            NoteCode.MASK_SHOWS_MORE,
            f"beside the object the mask shows {100.0 * largest / area:.0f} % as much again: does it cover two "
            "objects? Give the mask of one",
        )


def mask_and_drawn(
    meshes: MeshLevels, observation: Observation, pose: Pose, points_m: F64, side_px: int
) -> tuple[Bool, Bool] | None:  # fmt: skip
    """Where a mask shows something and where a pose draws the object, (H, W) each; None if one is not in the picture.

    Args:
        meshes: the object.
        observation: the images.
        pose: object to camera.
        points_m: (N, 3) of the object, whose box in the picture, with that of the mask, is looked at.
        side_px: the longer side of that part, at most.
    """
    mask_box, box = observation.mask_box, projected_box(points_m, pose, observation.camera)
    if mask_box is None or isinstance(box, Status):
        return None
    crop = observation.crop(choose_crop([box, mask_box], observation.camera, margin=0.0, max_size=side_px))
    assert crop.mask is not None
    return crop.mask > 0.5, draw(meshes.buffers(), crop.camera, pose).coverage[0] > 0.5


def texture_upside_down(meshes: MeshLevels) -> MeshLevels:
    """The object with its texture upside down; it has one."""
    mesh = meshes.mesh
    assert mesh.uv is not None
    return MeshLevels(replace(mesh, uv=mesh.uv * [1.0, -1.0] + [0.0, 1.0]), threads=1)


def _drawing(meshes: MeshLevels, observation: Observation, window: CropWindow, pose: Pose) -> Rendering:
    return Rendering.of(draw(meshes.buffers(), window.camera(observation.camera), pose))


def _quality(meshes: MeshLevels, crop: Observation, drawing: Rendering) -> FitQuality:
    everywhere: NDArray[np.float32] = np.ones_like(drawing.coverage)
    return assess(Comparison(drawing, crop, everywhere, meshes.length_m))


def _fits(image: _Image, quality: FitQuality, crop: Observation) -> float:
    """How well an image fits; 0 where hardly any of it can be compared."""
    if image.modality == "depth" and (crop.depth is None or np.count_nonzero(crop.depth) < _FEWEST):
        return 0.0
    return max(getattr(quality, image.field) or 0.0, 0.0)


def _turned(
    observation: Observation, window: CropWindow, crop: Observation, modality: str, rows: bool, columns: bool
) -> Observation | None:  # fmt: skip
    """A crop in which one image is turned round: of it, that part is taken which then lies there; None for nothing."""
    camera, alone = observation.camera, observation
    for other, left_out in (
        ("rgb", Observation.without_rgb), ("depth", Observation.without_depth), ("mask", Observation.without_mask),
    ):  # fmt: skip
        alone = alone if other == modality else left_out(alone)
    x0 = camera.width - window.x0 - window.width if columns else window.x0
    y0 = camera.height - window.y0 - window.height if rows else window.y0
    there = getattr(alone.crop(replace(window, x0=x0, y0=y0)), modality)
    part = there[:: -1 if rows else 1, :: -1 if columns else 1].copy()
    if not part.any():
        return None
    if modality == "mask":
        return crop.with_shares(part)
    if modality == "rgb":
        return crop.with_rgb(part)
    made = Observation(crop.camera, depth=part)
    return made if crop.mask is None else made.with_shares(crop.mask)
