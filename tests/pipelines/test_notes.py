"""Settings that were changed and did not matter are named in a result's notes; those that mattered are not."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA, picture
from diffdope.geometry.pose import Pose
from diffdope.pipelines.notes import differing_fields, notes_on, without_effect
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

TRUTH = Pose(np.eye(3), np.array([0.0, 0.0, 0.5])).retract([0, 0, 0, 0.6, 0.4, 0])
ALL = ("rgb", "depth", "mask")


@cache
def box() -> Mesh:
    return painted("box", *grid_box(np.array([0.06, 0.09, 0.05]), 6), mottled)


@cache
def observed(*names: str) -> Observation:
    made = picture([(box(), TRUTH)], np.random.default_rng(0))
    return Observation(CAMERA, **{name: getattr(made, name) for name in names})


def with_setting(preset: Preset, name: str, value: Any) -> Preset:
    """The preset with one number changed, by its dotted name."""
    head, _, rest = name.partition(".")
    if not rest:
        return replace(preset, **{head: value})
    return replace(preset, **{head: with_setting(getattr(preset, head), rest, value)})


def idle(preset: Preset, names: tuple[str, ...], modalities: tuple[str, ...] | None = None) -> dict[str, str]:
    """Settings without effect, and why."""
    return dict(without_effect(preset, observed(*names), names if modalities is None else modalities))


IDLE: list[tuple[str, str, Any, tuple[str, ...], tuple[str, ...], str]] = [
    # preset, setting, value, given images, compared modalities, why
    ("default", "descent.iterations", 9, ALL, ALL, "the preset's solver is newton"),
    ("fast", "descent.method", "adam", ALL, ALL, "the preset's solver is newton"),
    ("paper", "search.prior", 0.5, ALL, ALL, "the preset's solver is descent"),
    ("paper", "search.near.angle_deg", 3.0, ALL, ALL, "the preset's solver is descent"),
    ("default", "crop.size", 99, ALL, ALL, "each level has a size of its own"),
    ("default", "search.outline.weight", 0.5, ALL, ALL, "edges do not hold the outline here"),
    ("fast", "search.region.weight", 0.5, ("rgb", "depth"), ("rgb", "depth"), "in films of photographs alone"),
    ("default", "search.prior", 0.5, ("rgb",), ("rgb", "outline"), "search.prior_unmasked counts"),
    ("default", "search.prior_unmasked", 0.5, ALL, ALL, "it counts without a mask only"),
    ("default", "search.mask_error_px", 0.9, ("rgb", "depth"), ("rgb", "depth"), "there is no mask"),
    ("default", "search.mask_refused_px", 0.9, ("depth",), ("depth",), "there is no mask"),
    ("default", "search.light", "gain", ("depth", "mask"), ("depth", "mask"), "colours are not compared"),
    ("default", "objective.rgb_cap_unmasked", 0.1, ALL, ALL, "it counts without a mask only"),
    ("default", "objective.uncovered_unmasked", 0.1, ALL, ALL, "it counts without a mask only"),
    ("default", "objective.uncovered", 0.3, ("depth",), ("depth",), "objective.uncovered_unmasked counts"),
    ("default", "objective.occlusion_margin", 0.3, ("depth",), ("depth",), "there is no mask in which"),
    ("default", "objective.depth_cap", 0.4, ("depth",), ("depth",), "the lesser objective.depth_cap_unmasked counts"),
    ("paper", "objective.rgb_cap", 0.6, ("rgb",), ("rgb",), "the lesser objective.rgb_cap_unmasked counts"),
    ("default", "objective.depth_weight", 0.4, ("rgb", "mask"), ("rgb", "mask"), "depth is not compared"),
    ("default", "objective.rgb_cap", 0.4, ("depth", "mask"), ("depth", "mask"), "rgb is not compared"),
    ("default", "objective.edge_cap", 0.4, ALL, ALL, "edge is not compared"),
    ("default", "objective.plane_weight", 0.4, ALL, ALL, "no objective.plane is given"),
    ("default", "objective.plane_tolerance_m", 0.4, ALL, ALL, "no objective.plane is given"),
]


@pytest.mark.parametrize(("base", "name", "value", "given", "compared", "why"), IDLE)
def test_a_setting_without_effect_is_named_with_the_reason(
    base: str, name: str, value: Any, given: tuple[str, ...], compared: tuple[str, ...], why: str
) -> None:
    preset = with_setting(PRESETS[base], name, value)
    found = idle(preset, given, compared)
    assert list(found) == [name] and why in found[name]
    notes = notes_on(box(), observed(*given), preset, compared)
    assert f"{name} has no effect: {found[name]}" in notes


HEEDED: list[tuple[str, str, Any, tuple[str, ...], tuple[str, ...]]] = [
    ("paper", "descent.iterations", 9, ALL, ALL),
    ("paper", "crop.size", 99, ALL, ALL),
    ("default", "crop.margin", 0.3, ALL, ALL),
    ("default", "search.prior", 0.5, ALL, ALL),
    ("default", "search.prior_unmasked", 0.5, ("rgb",), ("rgb", "outline")),
    ("default", "search.outline.weight", 0.5, ("rgb",), ("rgb", "outline")),
    ("default", "search.mask_error_px", 0.1, ALL, ALL),
    ("default", "search.light", "gain", ALL, ALL),
    ("default", "search.fallback_confidence", 0.1, ALL, ALL),
    ("default", "objective.rgb_cap_unmasked", 0.1, ("rgb",), ("rgb",)),
    ("default", "objective.depth_cap", 0.05, ("depth",), ("depth",)),  # below the cap without a mask
    ("default", "objective.uncovered", 0.3, ALL, ALL),
    ("default", "objective.depth_weight", 0.4, ALL, ALL),
    ("default", "objective.depth_weight", 0.0, ("rgb", "mask"), ("rgb", "mask")),  # switched off: that is its effect
    ("default", "objective.edge_cap", 0.4, ALL, (*ALL, "edge")),
    ("default", "objective.plane", (0.0, -1.0, 0.0, 0.0), ALL, ALL),
]


@pytest.mark.parametrize(("base", "name", "value", "given", "compared"), HEEDED)
def test_a_setting_that_matters_is_not_named(
    base: str, name: str, value: Any, given: tuple[str, ...], compared: tuple[str, ...]
) -> None:
    assert idle(with_setting(PRESETS[base], name, value), given, compared) == {}


@pytest.mark.parametrize("base", PRESETS)
@pytest.mark.parametrize("given", [ALL, ("rgb",), ("depth",), ("mask",)])
def test_a_shipped_preset_has_nothing_to_say_of_its_own_settings(base: str, given: tuple[str, ...]) -> None:
    assert idle(PRESETS[base], given) == {}


def test_a_preset_of_ones_own_is_compared_with_the_default() -> None:
    own = replace(PRESETS["default"], name="mine", crop=replace(PRESETS["default"].crop, size=99))
    assert list(idle(own, ALL)) == ["crop.size"]


def test_every_field_is_looked_at() -> None:
    """Whatever is changed is found, at any depth."""

    def leaves(settings: Any, prefix: str = "") -> list[str]:
        found = []
        for field in fields(settings):
            value = getattr(settings, field.name)
            found += leaves(value, f"{prefix}{field.name}.") if is_dataclass(value) else [prefix + field.name]
        return found

    base = PRESETS["default"]
    names = leaves(base)
    assert len(names) > 60
    for name in names:
        value = base
        for part in name.split("."):
            value = getattr(value, part)
        if isinstance(value, float):
            other = with_setting(base, name, value * 0.999 if value > 0.0 else 1e-3)
            assert list(differing_fields(other, base)) == [name]


def test_a_refinement_says_so_in_its_notes() -> None:
    start = TRUTH.retract([0.001, -0.001, 0.002, 0.01, 0.0, -0.01])
    preset = with_setting(with_setting(PRESETS["fast"], "descent.iterations", 9), "search.prior", 0.01)
    result = Refiner(box(), preset=preset, threads=1).refine(observed(*ALL), start)
    assert "descent.iterations has no effect: the preset's solver is newton" in result.notes
    assert not any("search.prior " in note for note in result.notes)
    plain = Refiner(box(), preset="fast", threads=1).refine(observed(*ALL), start)
    assert not any("has no effect" in note for note in plain.notes)


def test_a_mesh_says_what_was_repaired_and_what_is_off() -> None:
    bare = Mesh(box().vertices_m, np.vstack([box().faces, [[0, 0, 1]]]))
    assert bare.warnings
    notes = notes_on(bare, observed("rgb", "depth"), PRESETS["default"], ("depth",))
    assert set(bare.warnings) <= set(notes)
    assert "rgb is off: the mesh has no colours" in notes and "mask is off: no mask image was given" in notes
    assert not any(note.startswith("edge is off") for note in notes), "nobody asked for it"
    asked = with_setting(PRESETS["default"], "objective.edge_weight", 0.5)
    assert "edge is off: the mesh has no colours" in notes_on(bare, observed("rgb", "depth"), asked, ("depth",))
    off = with_setting(PRESETS["default"], "objective.depth_weight", 0.0)
    assert "depth is off: its weight is 0" in notes_on(box(), observed("rgb", "depth"), off, ("rgb",))
