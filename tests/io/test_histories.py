"""The iterates beside result.json."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.io.histories import FILE_NAME, read_history, write_history
from diffdope.pipelines.result import History


def made(rng: np.random.Generator) -> History:
    costs = rng.random((5, 3))
    costs[2:, 1] = np.nan
    return History(
        costs, rng.random((5, 3, 2)), rng.random((5, 3, 3, 3)), rng.random((5, 3, 3)), np.ones(3), np.arange(5)
    )


def test_what_is_written_comes_back(tmp_path: Path, rng: np.random.Generator) -> None:
    history = made(rng)
    assert write_history(tmp_path, history) == tmp_path / FILE_NAME
    back = read_history(tmp_path, History)
    assert back is not None
    for name, array in vars(history).items():
        assert np.array_equal(getattr(back, name), array, equal_nan=True), name
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_history_without_sizes(tmp_path: Path, rng: np.random.Generator) -> None:
    write_history(tmp_path, History(*list(vars(made(rng)).values())[:5]))
    back = read_history(tmp_path, History)
    assert back is not None and back.sizes is None


def test_no_file_is_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path, History) is None


def test_broken_files_are_named(tmp_path: Path, rng: np.random.Generator) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(DiffDopeError, match="cannot read .*history.npz"):
        read_history(tmp_path, History)
    arrays = vars(made(rng))
    np.savez(tmp_path / FILE_NAME, **{name: array for name, array in arrays.items() if name != "t_m2c"})
    with pytest.raises(DiffDopeError, match="the array t_m2c"):
        read_history(tmp_path, History)
    np.savez(tmp_path / FILE_NAME, **{**arrays, "t_m2c": np.zeros((5, 2, 3))})
    with pytest.raises(DiffDopeError, match="t_m2c: expected shape"):
        read_history(tmp_path, History)
    np.savez(tmp_path / FILE_NAME, **{**arrays, "costs": np.array(["a"])})
    with pytest.raises(DiffDopeError, match="costs: expected numbers with 2 axes"):
        read_history(tmp_path, History)
