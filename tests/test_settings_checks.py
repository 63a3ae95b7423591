"""Every number of every settings class: of the right type, finite, in range, and Python's own."""

from __future__ import annotations

import dataclasses
import importlib
import math
import pkgutil
import re
import typing
from typing import Any

import numpy as np
import pytest

import diffdope
from diffdope.checked_fields import replace_unchecked
from diffdope.errors import DiffDopeError
from diffdope.search.levels import Level

NAMED = re.compile(r"(\w*Settings|Level|Preset|SensorNoise)$")
SIGNED = {"plane"}  # normals and offsets of planes have either sign
NEEDED: dict[str, dict[str, Any]] = {"Level": {"size": 40}}


def settings_classes() -> dict[str, type]:
    """By their qualified names: all that can be made without arguments but those of `NEEDED`."""
    found: dict[str, type] = {}
    for module in pkgutil.walk_packages(diffdope.__path__, "diffdope."):
        if module.name in ("diffdope.torch", "diffdope.cli.main"):
            continue
        for cls in vars(importlib.import_module(module.name)).values():
            own = isinstance(cls, type) and cls.__module__ == module.name and dataclasses.is_dataclass(cls)
            if own and NAMED.match(cls.__name__):
                found[f"{cls.__module__}.{cls.__name__}"] = cls
    mixed_in = {base for cls in found.values() for base in cls.__mro__[1:]}  # a term's own are checked in the whole
    return {name: cls for name, cls in found.items() if cls not in mixed_in}


CLASSES = settings_classes()


def made(cls: type, **change: Any) -> Any:
    return cls(**{**NEEDED.get(cls.__name__, {}), **change})


def fields_of_kind(*kinds: Any) -> list[Any]:
    found = []
    for name, cls in CLASSES.items():
        hints = typing.get_type_hints(cls)
        for field in dataclasses.fields(cls):
            if hints[field.name] in kinds:
                place = f"{name.rpartition('.')[0][9:]}.{cls.__name__}.{field.name}"
                found.append(pytest.param(cls, field.name, id=place))
    return found


NOTHING_TOO_LARGE = (math.nan, math.inf, -math.inf, 1e300, np.float64("nan"), np.float32("inf"), 10**400)
NO_NUMBERS = ("2", "two", None, True, np.bool_(True), [1.0], {}, object(), np.ones(2), 1j)


def test_all_settings_are_found() -> None:
    names = {name.rpartition(".")[2] for name in CLASSES}
    assert names >= {
        "ContourSettings", "CropSettings", "DescentSettings", "LevenbergSettings", "Level", "NoiseSettings",
        "ObjectiveSettings", "PolishSettings", "Preset", "PyramidSettings", "SearchSettings", "SensorNoise",
        "TrackingSettings",
    }  # fmt: skip
    assert len(fields_of_kind(float)) > 60 and len(fields_of_kind(int)) > 20


@pytest.mark.parametrize(("cls", "name"), fields_of_kind(float))
def test_numbers_are_finite_numbers_and_not_negative(cls: type, name: str) -> None:
    for value in (*NOTHING_TOO_LARGE, *NO_NUMBERS, -1.0):
        with pytest.raises(DiffDopeError) as refused:
            made(cls, **{name: value})
        assert name in str(refused.value) and "expected" in str(refused.value), value


@pytest.mark.parametrize(("cls", "name"), fields_of_kind(int))
def test_counts_are_whole_numbers_and_not_negative(cls: type, name: str) -> None:
    for value in (*NOTHING_TOO_LARGE, *NO_NUMBERS, -1, 1.5, 8.0, 10**30):
        with pytest.raises(DiffDopeError) as refused:
            made(cls, **{name: value})
        assert name in str(refused.value) and "expected" in str(refused.value), value


@pytest.mark.parametrize(("cls", "name"), fields_of_kind(bool))
def test_switches_are_truth_values(cls: type, name: str) -> None:
    for value in (0, 1, "false", None, 0.0):
        with pytest.raises(DiffDopeError, match=f"{name}: expected True or False, got"):
            made(cls, **{name: value})


@pytest.mark.parametrize(("cls", "name"), fields_of_kind(tuple[float, ...], tuple[int, ...]))
def test_numbers_of_lists_are_checked_one_by_one(cls: type, name: str) -> None:
    given = getattr(made(cls), name) or (0.0, 0.0, 1.0, 1.0)
    bad = (*NOTHING_TOO_LARGE, "2", None, True, *(() if name in SIGNED else (-1,)))
    for value in bad:
        with pytest.raises(DiffDopeError, match=name):
            made(cls, **{name: (*given[:-1], value)})
    for value in (3, 2.0, "123", None):
        with pytest.raises(DiffDopeError, match=f"{name}: expected a tuple"):
            made(cls, **{name: value})


def test_a_record_of_another_class_is_refused() -> None:
    for cls in CLASSES.values():
        hints = typing.get_type_hints(cls)
        for field in dataclasses.fields(cls):
            if dataclasses.is_dataclass(hints[field.name]):
                with pytest.raises(DiffDopeError, match=rf"{field.name}: expected an? {hints[field.name].__name__}"):
                    made(cls, **{field.name: {"size": 8}})


@pytest.mark.parametrize(("cls", "name"), fields_of_kind(float, int))
def test_numbers_of_numpy_become_pythons(cls: type, name: str) -> None:
    plain = made(cls)
    value = getattr(plain, name)
    for kind in (np.int64, np.int32) if isinstance(value, int) else (np.float64,):
        stored = getattr(made(cls, **{name: kind(value)}), name)
        assert stored == value and type(stored) is type(value)
    assert made(cls, **{name: value}) == plain


def test_lists_become_tuples() -> None:
    from diffdope.pipelines.settings import PyramidSettings

    assert PyramidSettings(levels=[Level(40)]).levels == (Level(40),)  # type: ignore[arg-type]


@pytest.mark.parametrize("hypotheses, iterations", [(10**5, 10**5), (2**31 - 1, 1), (1, 2**31 - 1)])
def test_searches_that_fit_into_no_memory_are_refused(hypotheses: int, iterations: int) -> None:
    from diffdope.pipelines.settings import DescentSettings, PyramidSettings

    with pytest.raises(DiffDopeError, match="hypotheses, iterations: expected a product of at most 10000000"):
        DescentSettings(hypotheses=hypotheses, iterations=iterations)
    with pytest.raises(DiffDopeError, match="hypotheses, iterations: expected a product of at most 10000000"):
        PyramidSettings((Level(40, hypotheses, iterations),))


def test_settings_replaced_unchecked_are_those_that_a_checked_copy_has() -> None:
    level = Level(40)
    made = replace_unchecked(level, size=50)
    assert made == dataclasses.replace(level, size=50) and type(made) is Level
    assert level.size == 40
    with pytest.raises(TypeError, match="Level has no sizes"):
        replace_unchecked(level, sizes=50)
