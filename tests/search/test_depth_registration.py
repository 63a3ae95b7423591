"""Depth that is shifted against the photograph and the mask: told, and by how much."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

import diffdope as dd
from diffdope.experiments.shapes import primitives
from diffdope.experiments.synthetic import SensorNoise, picture, random_pose
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.problem.level_problem import LevelRules, prepare_level
from diffdope.render.buffers import Buffers
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.checks.depth_registration import DepthShift, may_be_shifted
from diffdope.terms.registry import ObjectiveSettings

SHIFTS = ((-4, 3), (0, -8), (6, 0))  # pixels to the right and down
NUMBERS = re.compile(r"registration: .* lies \((\S+), (\S+)\) pixels .*\((\S+), (\S+)\) mm")


def shifted(seen: Observation, right: int, down: int, drop: tuple[str, ...] = ()) -> Observation:
    """With depth that is so many pixels to the right and below."""
    images = {name: getattr(seen, name) for name in seen.modalities if name not in drop}
    return Observation(seen.camera, **{**images, "depth": np.roll(images["depth"], (down, right), (0, 1))})


def told(result: dd.RefinementResult) -> list[list[float]]:
    """Pixels to the right and below, and the same in millimetres, of each note."""
    found = [NUMBERS.match(note) for note in result.notes]
    return [[float(number) for number in one.groups()] for one in found if one]


def drawn(preset: str) -> Iterator[tuple[Refiner, Observation, Pose, Pose]]:
    """Objects as they are seen, with a start and the truth."""
    for name in ("box, label", "cylinder, label", "cube"):
        refiner = Refiner(primitives()[name].mesh, preset=preset)
        for seed in (3, 4, 5):
            rng = np.random.default_rng(seed)
            truth = random_pose(rng)
            seen = picture([(refiner.mesh, truth)], rng, noise=SensorNoise())
            yield refiner, seen, perturb(truth, angle_rad=np.radians(10.0), distance_m=0.004, rng=rng), truth


def test_shifts_are_told_in_pixels_and_millimetres() -> None:
    errors, asked = [], 0
    for refiner, seen, start, truth in drawn("default"):
        assert told(refiner.refine(seen, start)) == []
        for right, down in SHIFTS:
            asked += 1
            for u, v, x, y in told(refiner.refine(shifted(seen, right, down), start)):
                errors.append(np.hypot(u - right, v - down))
                metres = truth.t_m2c[2] * np.array([u, v]) / seen.camera.fx
                assert (x, y) == pytest.approx(1e3 * metres, rel=0.05, abs=0.1)
    assert len(errors) >= 0.75 * asked  # a cylinder that is seen from its end is hardly cut by anything behind it
    assert np.median(errors) < 0.5 and np.mean(np.array(errors) < 1.0) >= 0.8 and max(errors) < 2.0


def test_coarse_images_tell_shifts_to_a_pixel_of_theirs() -> None:
    errors = []
    for refiner, seen, start, _ in drawn("fast"):
        assert told(refiner.refine(seen, start)) == []
        for right, down in SHIFTS:
            result = refiner.refine(shifted(seen, right, down), start)
            coarse = [int(found[1]) for note in result.notes if (found := re.search(r"to about (\d+) pixel", note))]
            for (u, v, _, _), reduction in zip(told(result), coarse, strict=True):
                errors.append(np.hypot(u - right, v - down) / reduction)
    assert len(errors) >= 12 and max(errors) < 1.0


def test_the_result_is_no_less_sure_but_for_the_note() -> None:
    mesh, seen, start, _ = packaged_example()
    result = Refiner(mesh).refine(shifted(seen, 6, 0), start)
    assert len(told(result)) == 1 and not any(note.startswith("contradiction") for note in result.notes)
    assert any(note.endswith("Or is it the mask that is shifted?") for note in result.notes)
    assert result.ok


def test_what_has_no_depth_or_nothing_beside_it_is_not_told() -> None:
    mesh, seen, start, _ = packaged_example()
    assert seen.depth is not None
    alone = Observation(seen.camera, depth=np.roll(seen.depth, 6, 1))
    assert told(Refiner(mesh).refine(alone, start)) == []
    assert told(Refiner(mesh).refine(Observation(seen.camera, rgb=seen.rgb, mask=seen.mask), start)) == []


def test_a_coarse_level_leaves_open_what_fits_better_moved_or_lies_pixels_aside() -> None:
    mesh, seen, start, _ = packaged_example()
    window = CropWindow(0, 0, 320, 240, 4)
    rough = prepare_level(
        Buffers(mesh), seen, start, window, ObjectiveSettings(), LevelRules(), length_m=mesh.diameter, with_normal=True
    )
    open_ = [DepthShift(np.array([2.0, 0.0]), 0.6, 80.0), DepthShift(np.array([4.0, -4.0]), 0.95, 80.0)]
    assert all(may_be_shifted(one, rough) for one in open_)
    assert not may_be_shifted(DepthShift(np.array([4.0, 1.0]), 0.95, 80.0), rough) and not may_be_shifted(None, rough)
