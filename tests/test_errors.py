from __future__ import annotations

import ast
import re

import numpy as np
import pytest

from diffdope.error_kinds import NothingToCompareError, UnknownKeysError, unknown_keys
from diffdope.errors import (
    DiffDopeError,
    as_floats,
    check_choice,
    check_finite,
    check_positive,
    check_shape,
    expected,
    none_at,
    placed,
    refused,
    told_more,
)
from tests.conftest import PROJECT


def test_is_a_value_error() -> None:
    assert issubclass(DiffDopeError, ValueError)


def test_wording() -> None:
    assert str(expected("a", "b", "c")) == "a: expected b, got c"
    assert str(expected("a", "b", "c", "do d")) == "a: expected b, got c; do d"


def test_a_path_with_nothing_there_is_worded_and_names_its_argument() -> None:
    error = none_at("rgb", "an image file", "rgb.png")
    assert str(error) == "rgb: expected an image file, but there is none at rgb.png"
    assert error.argument == "rgb"


def test_every_error_that_names_an_argument_says_which_it_is() -> None:
    """So that a front end can put its own word there; what is worded by hand begins with a place, not with a name."""
    worded = re.compile(r"^f?['\"]([a-z_.{}, ]+): ")
    by_hand = {
        match[1]
        for path in (PROJECT / "src").rglob("*.py")
        for made in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if path.name != "errors.py" and isinstance(made, ast.Call)
        if getattr(made.func, "id", "") == "DiffDopeError" and made.args
        if (match := worded.match(ast.unparse(made.args[0])))
    }
    of_files = {
        "{path}",
        "{self.path}",
        "camera file {path}",
        "extrinsics file {path}",
        "{name} file {path}",
        "{topic}",
    }
    of_parts = {"{where}", "{name}", "{path}, key {im_id}", "{path}, key {obj_id}", "link {link}", "links of {name}"}
    of_parts |= {"scene {chosen}", "scene {scene.scene_id}", "joints of {robot}"}
    of_commands = {"serve", "{command}", "engine ray", "address {address or ", "no worker can be started"}
    assert by_hand <= of_files | of_parts | of_commands, "use `expected` or `refused`, which fill in `argument`"


def test_an_error_of_one_of_several_things_keeps_its_argument() -> None:
    error = told_more(placed("view 1: ", placed("frame 2, ", refused("mesh", "it was cut off"))), " (a.obj)")
    assert str(error) == "view 1: frame 2, mesh: it was cut off (a.obj)"
    assert (error.place, error.argument) == ("view 1: frame 2, ", "mesh")


def test_shape_names_argument_expected_and_got() -> None:
    with pytest.raises(DiffDopeError) as caught:
        check_shape("depth", np.zeros((2, 480, 640)), (480, 640))
    assert str(caught.value) == "depth: expected shape (480, 640), got (2, 480, 640)"


@pytest.mark.parametrize(("shape", "wanted"), [((4, 3), (None, 3)), ((), ()), ((5,), (5,)), ((0, 2), (None, 2))])
def test_fitting_shapes_pass(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
    check_shape("x", np.zeros(shape), wanted)


def test_wildcard_and_vector_are_worded() -> None:
    with pytest.raises(DiffDopeError, match=r"x: expected shape \(any, 3\), got \(4, 2\)"):
        check_shape("x", np.zeros((4, 2)), (None, 3))
    with pytest.raises(DiffDopeError, match=r"x: expected shape \(3,\), got \(4,\)"):
        check_shape("x", np.zeros(4), (3,))


def test_finite_counts_offenders() -> None:
    check_finite("x", np.arange(3))
    with pytest.raises(DiffDopeError, match="x: expected finite numbers, got 2 of 4 NaN or infinite; set to 0"):
        check_finite("x", np.array([0, np.nan, np.inf, 1]), cure="set to 0")


def test_choice_guesses() -> None:
    check_choice("preset", "paper", ("paper", "fast"))
    with pytest.raises(DiffDopeError, match="expected one of paper, fast, got 'papre'; did you mean paper?"):
        check_choice("preset", "papre", ("paper", "fast"))
    with pytest.raises(DiffDopeError, match="got 'zzz'$"):
        check_choice("preset", "zzz", ("paper", "fast"))


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_positive_refuses(value: float) -> None:
    with pytest.raises(DiffDopeError, match="s: expected a positive number"):
        check_positive("s", value)


def test_as_floats_copies_and_refuses_words() -> None:
    source = np.ones(3)
    copy = as_floats("x", source)
    copy[0] = 2
    assert source[0] == 1
    with pytest.raises(DiffDopeError, match="x: expected an array of numbers, got list"):
        as_floats("x", ["a", "b"])


def test_an_error_keeps_its_kind_and_what_it_knows_where_more_is_said_of_it() -> None:
    error = unknown_keys("init file a.json", "R and t", {"a": 1, 2: 3}, "name them")
    assert str(error) == "init file a.json: expected R and t, got keys a, 2; name them"
    assert str(unknown_keys("init", "R and t", {})) == "init: expected R and t, got keys none"
    for more in (placed("view 1: ", error), told_more(error, ", of file b")):
        assert isinstance(more, UnknownKeysError) and more.keys == ("a", "2") and more.argument == error.argument
    assert isinstance(placed("view 1: ", NothingToCompareError("none")), NothingToCompareError)
