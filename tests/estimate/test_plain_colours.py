"""Black objects, textures of one texel, one colour everywhere: there is nothing to see in them, and nothing breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.experiments.shapes import grid_box
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import PRESETS
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.photometric_gain import fit_gain

TRUTH = Pose(np.eye(3), np.array([0.0, 0.0, 0.5])).retract([0, 0, 0, 0.6, 0.4, 0.1])
START = TRUTH.retract([0.003, -0.002, 0.004, 0.06, 0.05, -0.05])
VERTICES, FACES = grid_box(np.array([0.06, 0.09, 0.05]), 3)
UV = np.random.default_rng(0).random((len(VERTICES), 2))


def textured(texture: NDArray[np.uint8]) -> Mesh:
    return Mesh(VERTICES, FACES, uv=UV, texture=texture)


def coloured(colour: tuple[float, float, float]) -> Mesh:
    return Mesh(VERTICES, FACES, colors=np.tile(colour, (len(VERTICES), 1)))


MESHES: dict[str, Callable[[], Mesh]] = {
    "black texture": lambda: textured(np.zeros((64, 64, 3), np.uint8)),
    "one black texel": lambda: textured(np.zeros((1, 1, 3), np.uint8)),
    "one texel": lambda: textured(np.full((1, 1, 3), [200, 40, 90], np.uint8)),
    "a row of texels": lambda: textured(np.full((1, 32, 3), 128, np.uint8)),
    "white texture": lambda: textured(np.full((16, 16, 3), 255, np.uint8)),
    "black vertices": lambda: coloured((0.0, 0.0, 0.0)),
    "one colour": lambda: coloured((0.2, 0.5, 0.7)),
    "one channel": lambda: coloured((0.0, 0.0, 1.0)),
}
GIVEN = (("rgb", "depth", "mask"), ("rgb", "mask"), ("rgb", "depth"), ("rgb",))


def photograph(mesh: Mesh, *names: str, grey: float | None = None) -> Observation:
    made = picture([(mesh, TRUTH)], np.random.default_rng(1), noise=SensorNoise(rgb=0.005))
    images = {name: getattr(made, name) for name in names}
    if grey is not None:
        images["rgb"] = np.full_like(made.rgb, grey)
    return Observation(CAMERA, **images)


def sound(result: RefinementResult) -> None:
    """Numbers, whatever they are."""
    assert np.isfinite(result.pose.matrix).all()
    assert result.cost == result.cost and result.status
    if result.ok:
        assert np.isfinite(result.cost)
    if result.confidence is not None:
        assert 0.0 <= result.confidence <= 1.0
    if result.covariance is not None:
        assert np.isfinite(result.covariance).all()
        assert np.linalg.eigvalsh(result.covariance).min() > 0.0
    if result.evidence is not None:
        assert all(value is None or np.isfinite(value) for value in vars(result.evidence).values())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("preset", ["default", "fast", "paper"])
@pytest.mark.parametrize("name", MESHES)
def test_objects_without_a_pattern_are_refined(name: str, preset: str) -> None:
    mesh = MESHES[name]()
    refiner = Refiner(mesh, preset=preset, threads=1)
    for given in GIVEN:
        result = refiner.refine(photograph(mesh, *given), START)
        sound(result)
        if "mask" in given and preset == "default":
            assert result.pose.distance_to(TRUTH) < 0.5 * START.distance_to(TRUTH)
    for _ in range(2):
        if preset != "paper":
            sound(refiner.track(photograph(mesh, "rgb", "depth"), START))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("light", ["as-is", "gain", "gain-bias", "shading"])
@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_photographs_of_one_colour_say_nothing_and_break_nothing(grey: float, light: str) -> None:
    default = PRESETS["default"]
    preset = replace(default, search=replace(default.search, light=light))  # type: ignore[arg-type]
    for name in ("black texture", "one colour", "one texel"):
        mesh = MESHES[name]()
        for given in (("rgb", "mask"), ("rgb", "depth")):
            sound(Refiner(mesh, preset=preset, threads=1).refine(photograph(mesh, *given, grey=grey), START))


def test_gradients_of_a_black_object_are_no_trouble() -> None:
    for base in ("default", "paper"):
        preset = replace(PRESETS[base], objective=replace(PRESETS[base].objective, edge_weight=0.5))
        mesh = MESHES["black texture"]()
        sound(Refiner(mesh, preset=preset, threads=1).refine(photograph(mesh, "rgb", "depth", "mask"), START))


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("colour", [0.0, 1e-8, 0.3, 1.0])
def test_the_gain_of_one_colour_is_a_number(colour: float, with_bias: bool) -> None:
    for seen in (0.0, 0.2, 1.0):
        found = fit_gain(np.full((50, 3), colour), np.full((50, 3), seen), with_bias=with_bias)
        assert np.isfinite(found.gain).all() and np.isfinite(found.bias).all()
        assert (found.gain >= 0.2).all() and (found.gain <= 4.0).all()
        assert np.isfinite(found.removed(np.full((2, 2, 3), seen, np.float32))).all()


def test_a_texture_without_texels_is_refused() -> None:
    with pytest.raises(DiffDopeError, match="texture"):
        textured(np.zeros((0, 4, 3), np.uint8))
