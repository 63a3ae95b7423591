"""The pictures of /scene as views and masks, which a worker takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected, placed, some_of
from diffdope.io.images import read_with
from diffdope.io.mask_levels import Levels, levels_of_image
from diffdope.io.masks import MaskFile
from diffdope.io.memory_file import MemoryFile
from diffdope.scene.observation import Observation
from diffdope.scene.view import View
from diffdope.service.asked_scene import AskedScene, AskedView, Part, check_parts, part_of
from diffdope.service.uploads import check_picture, observation_of, told_apart

_PIXELS_OF_A_SCENE = 10  # times as many as one picture may have: pictures, and a mask for each object in each view

Masks = dict[tuple[int, int], NDArray[Any]]
MasksOfView = dict[int, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class SeenScene:
    """What the uploaded pictures show.

    Attributes:
        views: with the places of their cameras.
        masks: {(view, object): mask}.
    """

    views: tuple[View, ...]
    masks: Masks


def seen_of(asked: AskedScene, images: Mapping[str, bytes], *, most_pixels: int) -> SeenScene:
    """Decodes the pictures of all views.

    Args:
        asked: the JSON part.
        images: PNG or JPEG by their parts' names.
        most_pixels: of each; of all of them and of the masks that are made of them, ten times as many.

    Raises:
        DiffDopeError: if one is no such picture or too large, of a view or object that there is not, or for what
            `observation_of` refuses; or if several views do not say where their cameras stand.
    """
    check_parts(asked, images)
    _check_sizes(asked, images, most_pixels)
    _check_places(asked)
    views: list[View] = []
    masks: Masks = {}
    for number, one in enumerate(asked.views):
        of_view = {part_of(name): data for name, data in images.items() if part_of(name)[1] == number}
        seen = _observed(one, number, len(asked.views), of_view, most_pixels)
        views.append(View(seen, one.T_w2c, sigma=one.sigma, name=one.name or f"view {number}"))
        for owner, mask in _masks_of(asked, number, of_view).items():
            _check_size(f"mask.{number}", mask, seen)
            masks[number, owner] = mask
    _check_labels(asked, masks, images)
    return SeenScene(tuple(views), masks)


def _observed(
    one: AskedView, number: int, count: int, parts: Mapping[Part, bytes], most_pixels: int
) -> Observation:  # fmt: skip
    """Photograph and depth of a view."""
    images = {kind: data for (kind, _, _), data in parts.items() if kind != "mask"}
    if not images:
        wanted = "rgb or depth" if count == 1 else f"rgb.{number} or depth.{number}"
        raise expected("pictures", f"the part {wanted}", ", ".join(map(_name_of, parts)) or "none")
    try:
        return observation_of(one.pictures, images, most_pixels=most_pixels)
    except DiffDopeError as error:
        if count == 1:
            raise
        raise placed(f"views[{number}], ", error) from error


def _name_of(part: Part) -> str:
    return ".".join(str(one) for one in part if one is not None)


def _masks_of(asked: AskedScene, view: int, parts: Mapping[Part, bytes]) -> MasksOfView:
    """Masks of a view by object: of the objects' own pictures, and of that which shows the labels of all."""
    own = {
        part[2]: _own_mask(_name_of(part), data, asked.objects[part[2]].mask_inverted)
        for part, data in parts.items()
        if part[2] is not None
    }
    shared = parts.get(("mask", view, None))
    return own if shared is None else _shared_masks(asked, view, shared) | own


def _check_sizes(asked: AskedScene, images: Mapping[str, bytes], most: int) -> None:
    """By the sizes in the pictures' headers, before anything is unpacked."""
    total, labelled = 0, sum(one.mask_id is not None for one in asked.objects) or 1
    for name, data in images.items():
        kind, _, owner = part_of(name)
        pixels = check_picture(name, data, most)
        total += pixels * (labelled if kind == "mask" and owner is None else 1)
    if total > _PIXELS_OF_A_SCENE * most:
        cure = "send smaller pictures, or fewer objects at a time"
        wanted = f"at most {_PIXELS_OF_A_SCENE * most} pixels in all of them, a mask for each object included"
        raise expected("pictures", wanted, total, cure)


def _check_places(asked: AskedScene) -> None:
    for number, view in enumerate(asked.views):
        if len(asked.views) > 1 and view.T_w2c is None and not asked.find_places:
            cure = "a matrix in metres, world to camera, or BOP's cam_R_w2c and cam_t_w2c; or find_places"
            raise expected(f"views[{number}], T_w2c", f"where each of {len(asked.views)} cameras stands", "none", cure)


def _own_mask(name: str, data: bytes, inverted: bool | None) -> NDArray[Any]:
    with told_apart("mask"):
        return MaskFile(MemoryFile(name, data), inverted=inverted).read().pixels


def _shared_masks(asked: AskedScene, view: int, data: bytes) -> MasksOfView:
    """Masks by object, of the picture that shows the labels of all; of one object, it may show that one alone."""
    labels = {k: one.mask_id for k, one in enumerate(asked.objects) if one.mask_id is not None}
    name = f"mask.{view}"
    if not labels and len(asked.objects) == 1:
        return {0: _own_mask(name, data, asked.objects[0].mask_inverted)}
    if not labels:
        cure = f"each has its label in {name}; or send mask.{view}.OBJECT for each"
        raise expected("objects, mask_id", f"one that says which label of {name} is whose", "none", cure)
    with told_apart("mask"):
        levels = read_with("mask", MemoryFile(name, data), levels_of_image, lambda array: array)
    if not isinstance(levels, Levels):
        raise expected(name, "labels: whole numbers or colours", f"{levels.dtype} of shape {levels.shape}")
    return {k: levels.object_pixels(label) for k, label in labels.items()}


def _check_size(name: str, mask: NDArray[Any], seen: Observation) -> None:
    camera = seen.taken_by
    if mask.shape != (camera.height, camera.width):
        got = " x ".join(map(str, reversed(mask.shape)))
        raise expected(name, f"{camera.width} x {camera.height} pixels, as the other pictures of the view", got)


def _check_labels(asked: AskedScene, masks: Masks, images: Mapping[str, bytes]) -> None:
    for number, one in enumerate(asked.objects):
        if one.mask_id is None:
            continue
        own = [mask for (_, owner), mask in masks.items() if owner == number]
        if not own:
            raise expected(f"objects[{number}], mask_id", "a mask with labels, the part mask.VIEW", "none")
        if not any(mask.any() for mask in own):
            cure = f"labels that there are: {some_of(_labels_of(images))}"
            raise expected(f"objects[{number}], mask_id", "a label that a mask has", one.mask_id, cure)


def _labels_of(images: Mapping[str, bytes]) -> list[int]:
    """The labels of the pictures that show those of several objects."""
    shared = {name: data for name, data in images.items() if part_of(name)[0] == "mask" and part_of(name)[2] is None}
    return sorted({label for name, data in shared.items() for label in MaskFile(MemoryFile(name, data)).labels()})
