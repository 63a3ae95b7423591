"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def compiled_apart() -> None:
    """Tests compare results of this process, to the bit, with those of others: see `diffdope.pipelines.compiled`."""
    from diffdope.pipelines.compiled import compile_apart
    from diffdope.pipelines.settings import Preset
    from diffdope.terms.registry import ObjectiveSettings

    compile_apart(Preset(objective=ObjectiveSettings(edge_weight=1.0)))
    compile_apart(Preset())
    compile_apart(Preset(solver="newton"))


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded, so that a failure repeats."""
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data sets that lies beside the project on some machines; nothing of it is shipped."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the project: tests on real images are left out")
    return folder
