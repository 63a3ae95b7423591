"""`diffdope demo`: the packaged example, from no pose at all, and from a rough one to a refined one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffdope.bop.metrics import add
from diffdope.checked_fields import check_fields
from diffdope.cli.help_text import parsed
from diffdope.cli.progress import Activity
from diffdope.cli.refine_command import described as described_run
from diffdope.geometry.pose import Pose
from diffdope.io.files import check_folder, results_folder
from diffdope.io.histories import write_history
from diffdope.io.results import write_result
from diffdope.pipelines.settings import DEFAULT, PRESETS
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example


@dataclass(frozen=True)
class DemoArguments:
    """Locates the packaged example, a carton in a path-traced scene; then refines it from 20 degrees and 15 mm off.

    Example: diffdope demo --out demo
    """

    out: Path = Path("diffdope_demo")
    """Folder for result.json, overlay.png, costs.png and the film of the refinement, and for located/."""
    seed: int = 0
    """Same seed, same result."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code."""
    given: DemoArguments = parsed(DemoArguments, arguments, "diffdope demo")
    check_fields(given, {"seed": 0})
    check_folder(given.out)
    mesh, observation, start, truth = packaged_example()
    return refine_and_show(given, mesh, observation, start, truth)


def errors(pose: Pose, truth: Pose, mesh: Mesh) -> dict[str, float]:
    """How far a pose is from the truth."""
    return {
        "rotation_deg": float(np.degrees(pose.angle_to(truth))),
        "translation_mm": 1e3 * pose.distance_to(truth),
        "add_mm": 1e3 * add(pose, truth, mesh.vertices_m),
    }


def described(name: str, error: dict[str, float]) -> str:
    """Errors in words."""
    return (
        f"{name}: {error['rotation_deg']:.2f} deg, {error['translation_mm']:.2f} mm off (ADD {error['add_mm']:.2f} mm)"
    )


def refine_and_show(given: DemoArguments, mesh: Mesh, observation: Observation, start: Pose, truth: Pose) -> int:
    """Locates and refines, writes all files at once, prints the errors."""
    from rich.console import Console

    from diffdope.cli.pictures import Draughtsman
    from diffdope.cli.report import print_summary, refine_with_progress, with_progress
    from diffdope.pipelines.refiner import Refiner

    console = Console()
    preset = PRESETS[DEFAULT]
    refiner = Refiner(mesh, preset=preset, seed=given.seed)
    located = with_progress(lambda report: refiner.locate(observation, progress=report), "locating")
    found = errors(located.pose, truth, mesh)
    result = refine_with_progress(refiner, observation, start)
    before, after = errors(start, truth, mesh), errors(result.pose, truth, mesh)
    titles = (described("start", before), described("refined", after))
    beside = described_run(preset, {"example": "packaged"}) | {"error_before": before, "error_after": after}
    with Activity("drawing pictures and films"), results_folder(given.out, "poses") as folder:
        write_result(folder / "result.json", result, beside)
        write_history(folder, result.history)
        Draughtsman(mesh, observation, result).draw(folder, titles=titles, truth=truth)
        beside = described_run(preset, {"example": "packaged"}) | {"error": found}
        (folder / "located").mkdir()
        write_result(folder / "located" / "result.json", located, beside)
        write_history(folder / "located", located.history)
        names = ("first proposal", described("located", found))
        Draughtsman(mesh, observation, located).draw(folder / "located", titles=names, truth=truth, film=False)
    console.print("[bold]Without a start pose[/]")
    print_summary(located, given.out / "located", console)
    console.print(f"[bold]{names[1]}[/]\n\n[bold]From a start pose[/]")
    print_summary(result, given.out, console)
    console.print(f"[bold]{titles[0]}\n{titles[1]}[/]")
    return 0 if result.ok and located.ok else 1
