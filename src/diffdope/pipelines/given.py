"""What every call of a `Refiner` refuses."""

from __future__ import annotations

from diffdope.errors import check_type, expected
from diffdope.pipelines.settings import Preset
from diffdope.scene.observation import Observation
from diffdope.search.descent import Progress

OBSERVATION_CURE = "Observation(camera, rgb=..., depth=..., mask=...) takes images"


def check_given(observation: Observation, progress: Progress | None = None) -> None:
    """Refuses what is no observation, and a progress that cannot be called.

    Raises:
        DiffDopeError: if it is none.
    """
    check_type("observation", observation, Observation, cure=OBSERVATION_CURE)
    if progress is not None and not callable(progress):
        raise expected("progress", "a function or None", repr(progress))


def check_searches(preset: Preset) -> None:
    """Refuses a preset that finds nothing without a start pose.

    Raises:
        DiffDopeError: if its solver is `descent`.
    """
    if preset.solver == "descent":
        raise expected("preset", "one whose solver searches", preset.name, "locate with default or fast")
