"""The studies by name; a module is imported when its study is wanted."""

from __future__ import annotations

import importlib
from typing import Any

from diffdope.errors import check_choice
from diffdope.experiments.study import Study

MODULES: dict[str, str] = {
    "recovery": "diffdope.experiments.recovery",
    "modalities": "diffdope.experiments.modalities",
    "learning-rates": "diffdope.experiments.learning_rates",
    "symmetry": "diffdope.experiments.symmetry",
    "clutter": "diffdope.experiments.clutter",
    "cost": "diffdope.experiments.cost",
    "limits": "diffdope.experiments.limits",
    "calibration": "diffdope.experiments.calibration",
}


def find_study(name: str) -> Study[Any]:
    """A study by name.

    Raises:
        DiffDopeError: if there is none of that name.
    """
    check_choice("experiment", name, tuple(MODULES))
    study: Study[Any] = importlib.import_module(MODULES[name]).STUDY
    return study
