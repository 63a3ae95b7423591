"""How commands locate the object of one image, with what their flags say of where it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from diffdope.cli.input_flags import InputFlags, box_of
from diffdope.cli.report import with_progress
from diffdope.geometry.pose import Pose
from diffdope.io.regions import note_on_corners
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.observation import Observation


def located(
    given: InputFlags, refiner: Refiner, observation: Observation, near: Pose | None = None
) -> RefinementResult:  # fmt: skip
    """The object in a mask, in a box, or anywhere, under a progress bar.

    Args:
        given: the flags.
        refiner: of the object.
        observation: the images of these flags; a box of theirs is its mask.
        near: see `Refiner.locate`.
    """
    seen, where = _in_photograph(given, observation)
    result = with_progress(lambda report: refiner.locate(seen, near=near, progress=report, **where), "locating")
    box = box_of("box", given.box)
    if box is not None and not where and not result.ok:  # it was read as a mask, of which nobody says so
        return replace(result, notes=(*result.notes, *note_on_corners(box)))
    return result


def _in_photograph(given: InputFlags, observation: Observation) -> tuple[Observation, dict[str, Any]]:
    """The observation and what else is asked where a box is all that says where the object is, and there is no depth.

    Files of a box are read as a mask, for depth tells what in it is the object, and a lens bends it with the picture.
    """
    corners = observation.mask_box
    if given.box is None or corners is None or "depth" in observation.modalities:
        return observation, {}
    x0, y0, x1, y1 = corners
    return observation.without_mask(), {"box": (x0, y0, x1 - x0 + 1.0, y1 - y0 + 1.0)}
