"""What a command prints."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from diffdope.cli.progress import Activity
from diffdope.geometry.pose import Pose
from diffdope.io.wording import in_options
from diffdope.note_codes import NoteCode
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.answers import Answer

_ANSWERS = 5  # that are printed of an object, of several; the JSON has all
_OF_DISTANCE = frozenset({NoteCode.FOCAL_LENGTH, NoteCode.SCALE_UNKNOWN})  # of what a photograph alone tells


def refine_with_progress(refiner: Refiner, observation: Observation, pose: Pose | list[Pose]) -> RefinementResult:
    """Refines under a progress bar; of several starts, the result of the best."""
    return with_progress(lambda report: refiner.refine(observation, pose, progress=report), "refining")


def with_progress(
    work: Callable[[Callable[[int, int, float], None]], RefinementResult], doing: str
) -> RefinementResult:
    """Works, and says how far it is.

    Args:
        work: is given the function to call as report(iteration, iterations, lowest cost).
        doing: in a word.
    """
    with Activity(f"{doing}") as activity:
        return work(
            lambda iteration, all_of_them, cost: activity.update(iteration, all_of_them, f"{doing}: cost {cost:.4f}")
        )


def print_summary(result: RefinementResult, out: Path, console: Console) -> None:
    """A table: status, costs, how far the pose moved, where the files are."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("status", f"[bold]{result.status}[/]: {in_options(result.message)}")
    if result.iterations:
        names = [
            f"{name} {result.initial_cost_per_modality[name]:.4f} -> {result.cost_per_modality[name]:.4f}"
            for name in result.modalities
        ]
        table.add_row("cost", f"{result.initial_cost:.4f} -> {result.cost:.4f}   ({', '.join(names)})")
        moved = 1e3 * result.pose.distance_to(result.initial_pose)
        turned = np.degrees(result.pose.angle_to(result.initial_pose))
        if result.answers:
            x, y, z = 1e3 * result.pose.t_m2c
            table.add_row("located", f"at ({x:.1f}, {y:.1f}, {z:.1f}) mm in {result.elapsed_s:.2f} s")
        else:
            table.add_row("moved by", f"{turned:.2f} deg, {moved:.2f} mm in {result.elapsed_s:.2f} s")
    if result.confidence is not None:
        within = "" if result.tolerance_m is None else f" that the surface is within {1e3 * result.tolerance_m:.1f} mm"
        table.add_row("confidence", f"{result.confidence:.2f}{within}")
    if result.ok and _OF_DISTANCE.intersection(result.note_codes) and result.covariance is not None:
        table.add_row("known", known_without_depth(result.pose, result.covariance))
    if len(result.answers) > 1 or any(answer.symmetry for answer in result.answers):
        for number, answer in enumerate(result.answers, 1):
            same = f"; looks the same {' and '.join(answer.symmetry)}" if answer.symmetry else ""
            table.add_row(f"answer {number}", f"{answer.probability:.2f}{same}")
        table.add_row("none of these", f"{result.none_of_these:.2f}")
    if result.covariance is not None:
        sigma = np.sqrt(np.diag(result.covariance))
        along = ", ".join(f"{value:.2f}" for value in 1e3 * sigma[:3])
        about = ", ".join(f"{value:.2f}" for value in np.degrees(sigma[3:]))
        table.add_row("1 sigma", f"{along} mm along, {about} deg about the camera's x, y, z")
    for note in result.notes:
        table.add_row("note", in_options(note))
    table.add_row("files", str(out))
    console.print(table)
    console.print(view_line(out), highlight=False, soft_wrap=True)


def print_answers(answers: Sequence[Answer], console: Console) -> None:
    """A line an answer: its probability, and where it is."""
    for number, answer in enumerate(answers[:_ANSWERS], 1):
        x, y, z = 1e3 * answer.pose.t_m2c
        text = f"  answer {number}: probability {answer.probability:.2f}, at ({x:.1f}, {y:.1f}, {z:.1f}) mm"
        console.print(text, highlight=False, soft_wrap=True, markup=False)


def known_without_depth(pose: Pose, covariance: NDArray[np.float64]) -> str:
    """How well a photograph alone tells a pose, in one line: what is in the picture, and how far away it is.

    Args:
        pose: object to camera.
        covariance: (6, 6) in (rho [m], phi [rad]), along and about the camera's axes.
    """
    away = float(np.linalg.norm(pose.t_m2c))
    along = pose.t_m2c / away
    shifts, turns = covariance[:3, :3], covariance[3:, 3:]
    far = float(np.sqrt(along @ shifts @ along)) / away
    across = np.eye(3) - np.outer(along, along)
    aside = float(np.sqrt(np.linalg.eigvalsh(across @ shifts @ across)[-1])) / away
    turned = float(np.sqrt(np.linalg.eigvalsh(turns)[-1]))
    aside_deg, turned_deg = np.degrees([aside, turned]).tolist()
    return (
        f"the direction to its origin to {aside_deg:.2f} deg, its orientation to {turned_deg:.2f} deg, its distance to "
        f"{100.0 * far:.1f} % (1 sigma)"
    )


def view_line(result: Path, *more: str) -> str:
    """How to look at a result, as a line to copy.

    Args:
        result: what `diffdope view` is given.
        more: its other words.
    """
    return f"to see it: {shlex.join(['diffdope', 'view', str(result), *more])}"
