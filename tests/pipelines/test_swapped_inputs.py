"""An image that is stored the other way round is named with its cure; one that is right is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diffdope.pipelines.diagnosis.swapped_inputs import other_way_round, second_part
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example

MESH, CENTRED, START, TRUTH = packaged_example()
ROWS, COLUMNS = 24, 40  # by which the object is moved from the middle, where turned images are alike


def off_centre(**changes: Any) -> Observation:
    """The packaged images with more of the picture above and to the left, in which an object lies low to the right."""
    c = CENTRED.camera
    camera = replace(
        c, cx=c.cx + 4 * COLUMNS, cy=c.cy + 4 * ROWS, width=c.width + 4 * COLUMNS, height=c.height + 4 * ROWS
    )
    images: dict[str, Any] = {}
    for name in CENTRED.modalities:
        image = getattr(CENTRED, name)
        border = ((4 * ROWS, 0), (4 * COLUMNS, 0), *[(0, 0)] * (image.ndim - 2))
        images[name] = np.pad(image, border, mode="edge" if name != "mask" else "constant")
    return Observation(camera, **{name: changes.get(name, lambda one: one)(image) for name, image in images.items()})


def said(observation: Observation, mesh: Mesh = MESH) -> list[str]:
    refiner = Refiner(mesh)
    return list(other_way_round(refiner.meshes, observation, refiner.frame.enter(TRUTH)))


def test_what_is_right_is_not_turned() -> None:
    assert said(off_centre()) == []


@pytest.mark.parametrize(
    ("turn", "cure"),
    [
        (np.s_[::-1], "[::-1]"), (np.s_[:, ::-1], "[:, ::-1]"), (np.s_[::-1, ::-1], "[::-1, ::-1]"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["rgb", "depth", "mask"])
def test_a_turned_image_is_named(name: str, turn: Any, cure: str) -> None:
    (found,) = said(off_centre(**{name: lambda image: image[turn].copy()}))
    assert found.endswith(f"Give {name}{cure}")


def test_swapped_channels_and_textures_are_named() -> None:
    assert MESH.uv is not None
    assert "BGR" in said(off_centre(rgb=lambda image: image[..., ::-1].copy()))[0]
    upside_down = replace(MESH, uv=MESH.uv * [1.0, -1.0] + [0.0, 1.0])
    assert "v -> 1 - v" in said(off_centre(), upside_down)[0]


def test_a_turned_mask_is_named_though_nothing_could_be_compared() -> None:
    result = Refiner(MESH).refine(off_centre(mask=lambda image: image[::-1].copy()), START)
    assert not result.ok and "Give mask[::-1]" in result.message


def test_a_mask_of_two_objects_is_named() -> None:
    refiner, own = Refiner(MESH), off_centre()

    def parts(mask: Any) -> list[str]:
        return list(second_part(refiner.meshes, own.with_mask(mask), refiner.frame.enter(TRUTH)))

    assert own.mask is not None
    mask = own.mask > 0.5
    beside = int(1.2 * np.ptp(np.flatnonzero(mask.any(axis=0))))
    two = mask | np.roll(mask, -beside, axis=1)
    assert parts(mask) == []
    (found,) = parts(two)
    assert "does it cover two objects" in found
    wide = np.zeros_like(mask)
    for shift in range(-4, 5):
        wide |= np.roll(mask, shift, axis=1) | np.roll(mask, shift, axis=0)
    assert parts(wide) == []
