"""Where a camera stands before a robot: error by number of pictures, images, and errors of joints.

The paper's robot experiment, on an arm that is drawn: the truth is exact, and no data set is needed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.calibration.calibrate import CalibrationSettings, calibrate
from diffdope.checked_fields import checked_fields
from diffdope.errors import check_choice
from diffdope.experiments.bench import Bench, Row
from diffdope.experiments.cases import Source
from diffdope.experiments.drawn_arm import drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.experiments.plots import new_figure, save
from diffdope.experiments.study import Study
from diffdope.experiments.tables import grouped, numbers
from diffdope.jobs.task import Task

_FOUND_MM, _FOUND_DEG = 10.0, 1.0  # a camera that is nearer than both is found
_DEPTH_NOISE_M = 0.001  # standard deviation of drawn depth
IMAGES = ("mask", "mask+depth")


@dataclass(frozen=True)
@checked_fields(least={"pictures": 1, "joint_noise_deg": 0.0, "repeats": 1})
class CalibrationStudySettings:
    """Numbers of the study."""

    pictures: tuple[int, ...] = (1, 3, 5)
    """Pictures, each of another configuration of the arm."""
    joint_noise_deg: tuple[float, ...] = (0.0, 0.5)
    """Standard deviation of what is told of each joint in each picture."""
    modalities: tuple[str, ...] = IMAGES
    """What is given: mask, or mask+depth (1 mm of noise)."""
    repeats: int = 4
    """Arms' configurations and cameras of a cell."""

    def __post_init__(self) -> None:
        """Refuses modalities that there are not."""
        for one in self.modalities:
            check_choice("modalities", one, IMAGES)


def trials(settings: CalibrationStudySettings, source: Source) -> list[Task]:
    """One for every cell and repeat."""
    return [
        Task(
            f"{images}/{count:03d}/{noise:06.3f}/{repeat:04d}", "arm",
            {"modalities": images, "pictures": count, "joint_noise_deg": float(noise), "repeat": repeat},
        )
        for images in settings.modalities
        for count in settings.pictures
        for noise in settings.joint_noise_deg
        for repeat in range(settings.repeats)
    ]  # fmt: skip


def measure(bench: Bench, settings: CalibrationStudySettings, trial: Row) -> Row:
    """One calibration with no start; cells share the camera and the first configurations of a repeat."""
    robot, rng = drawn_arm(), bench.rng("calibration", int(numbers(trial, "repeat")))
    pose, errors = looking_at(rng), np.random.default_rng(int(rng.integers(2**32)))
    images = str(trial["modalities"]).split("+")
    shots = []
    for k in range(int(numbers(trial, "pictures"))):
        joints = random_joints(robot, rng)
        noise = np.radians(numbers(trial, "joint_noise_deg"))
        told = {name: value + noise * errors.normal() for name, value in joints.items()}
        how: dict[str, Any] = {"name": str(k), "images": images, "told": told}
        shots.append(drawn_shot(robot, pose, joints, **how, depth_noise_m=_DEPTH_NOISE_M, rng=errors))
    began = time.perf_counter()
    result = calibrate(robot, shots, settings=CalibrationSettings(suggestions=0), threads=bench.threads)
    return {
        "status": str(result.status), "base_mm": 1e3 * result.T_camera_base.distance_to(pose),
        "angle_deg": float(np.degrees(result.T_camera_base.angle_to(pose))),
        "leave_one_out_mm": result.leave_one_out_mm, "seconds": time.perf_counter() - began,
    }  # fmt: skip


def found(record: Row) -> bool:
    """Whether the camera is where it is, to a centimetre and a degree."""
    return numbers(record, "base_mm") < _FOUND_MM and numbers(record, "angle_deg") < _FOUND_DEG


def table(settings: CalibrationStudySettings, records: Sequence[Row]) -> list[Row]:
    """A row a cell; `sure_and_wrong` counts those that say that they found it and did not."""
    rows: list[Row] = []
    for (images, count, noise), cell in grouped(records, "modalities", "pictures", "joint_noise_deg").items():
        good = [one for one in cell if found(one)]
        wrong = sum(one["status"] == "converged" and not found(one) for one in cell)
        millimetres = np.array([numbers(one, "base_mm") for one in good]) if good else np.array([np.nan])
        degrees = np.array([numbers(one, "angle_deg") for one in good]) if good else np.array([np.nan])
        rows.append({
            "modalities": images, "pictures": count, "joint_noise_deg": noise, "trials": len(cell), "found": len(good),
            "sure_and_wrong": wrong, "base_mm_median": float(np.median(millimetres)),
            "base_mm_p90": float(np.quantile(millimetres, 0.9)), "angle_deg_median": float(np.median(degrees)),
            "seconds_median": float(np.median([numbers(one, "seconds") for one in cell])),
        })  # fmt: skip
    return rows


def plot(settings: CalibrationStudySettings, records: Sequence[Row], path: Path) -> None:
    """Median error of the base by the number of pictures: a panel for each kind of images, a line for each noise."""
    cells = grouped([one for one in records if found(one)], "modalities", "pictures", "joint_noise_deg")
    figure, axes = new_figure(len(settings.modalities), width=4.5, height=3.6)
    for axis, images in zip(axes, settings.modalities, strict=True):
        for noise in settings.joint_noise_deg:
            there = [count for count in settings.pictures if (images, count, noise) in cells]
            medians = [np.median([numbers(one, "base_mm") for one in cells[images, count, noise]]) for count in there]
            axis.plot(there, medians, marker="o", label=f"joints {noise:g} degrees off")
        axis.set(xlabel="pictures", ylabel="base in the camera, mm (median)", title=images, yscale="log")
        axis.set_xticks(list(settings.pictures))
        axis.legend(fontsize=8)
    save(figure, path)


STUDY = Study(
    name="calibration",
    purpose="where a camera stands before a robot: error by pictures, images and errors of joints",
    settings=CalibrationStudySettings(),
    quick=CalibrationStudySettings(pictures=(2,), joint_noise_deg=(0.0, 0.5), repeats=1),
    trials=trials, measure=measure, table=table, plot=plot, takes="nothing",
)  # fmt: skip
