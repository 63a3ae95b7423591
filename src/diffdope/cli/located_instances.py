"""What `diffdope locate` writes and prints of several instances in one image, of one kind or of several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from diffdope.cli.report import print_answers, view_line
from diffdope.errors import expected
from diffdope.io.files import results_folder, write_json
from diffdope.io.plain import to_plain
from diffdope.io.pose_outputs import write_pose_list
from diffdope.io.results import encode
from diffdope.note_codes import NoteCode, of_codes
from diffdope.pipelines.result import RefinementResult
from diffdope.problem.failure import Status
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

if TYPE_CHECKING:
    from rich.console import Console

    from diffdope.cli.locate_command import LocateArguments


class Kind(NamedTuple):
    """A mesh, its number in BOP's files, and, of several kinds, what it is called; else empty."""

    mesh: Mesh
    obj_id: int
    name: str = ""


class ShownInstance(NamedTuple):
    """A result, its number in files and pictures, and whose it is."""

    label: int
    result: RefinementResult
    kind: Kind

    @property
    def title(self) -> str:
        """Its number, and of several kinds its name."""
        return f"{self.label} {self.kind.name}".rstrip()

    def entry(self) -> dict[str, Any]:
        """As results.json has it."""
        whose = {"object": self.kind.name, "obj_id": self.kind.obj_id} if self.kind.name else {}
        return {"label": self.label, **whose, **encode(self.result)}


def names_of_kinds(files: Sequence[Path]) -> list[str]:
    """Names of meshes without folder and ending; as they were typed where two would have the same."""
    stems = [one.stem for one in files]
    return stems if len(set(stems)) == len(stems) else [str(one) for one in files]


def kinds_of(files: Sequence[Path], meshes: Sequence[Mesh]) -> list[Kind]:
    """Several kinds, each with the number of its name, obj_000007.ply, or, if one has none, with its place."""
    named = [re.fullmatch(r"obj_(\d{6})", one.stem) for one in files]
    told = [int(one[1]) for one in named if one is not None]
    ids = told if len(set(told)) == len(files) else list(range(1, len(files) + 1))
    return [Kind(*one) for one in zip(meshes, ids, names_of_kinds(files), strict=True)]


def check_kinds(given: LocateArguments) -> None:
    """Refuses what is said of one kind where there are several, and a kind that is named twice.

    Raises:
        DiffDopeError: naming the option.
    """
    for k, path in enumerate(given.mesh):
        if path in given.mesh[:k]:
            raise expected(
                "mesh", "each kind once", f"{path} twice", "--instances says how many are looked for of each"
            )
    for name, value in (("near", given.near), ("obj-id", given.obj_id)):
        if value is not None:
            cure = "leave it out; objects have the numbers of their names, obj_000007.ply, or of their places"
            raise expected(name, "one --mesh beside it", f"{len(given.mesh)}", cure)


def write_all(
    given: LocateArguments, observation: Observation, found: Sequence[ShownInstance], beside: dict[str, Any],
    seconds: float,
) -> int:  # fmt: skip
    """Writes the results of one image, which took some seconds, and returns how many were found."""
    from diffdope.cli.pictures import Draughtsman, draw_all
    from diffdope.cli.progress import Activity

    with Activity("drawing"), results_folder(given.out, "poses") as folder:
        write_json(folder / "results.json", {"results": [one.entry() for one in found], **to_plain(beside)})
        compared = [one for one in found if one.result.modalities]  # of others, the pose stands for none
        drawn = [(one.title, one.result.ok, one.kind.mesh, one.result.pose) for one in compared]
        draw_all(folder / "overlay.png", observation, drawn)
        good = [one for one in found if one.result.ok]
        scores = [(one.kind.obj_id, one.result.pose, one.result.confidence or 0.0) for one in good]
        write_pose_list(folder, scores, seconds=seconds, im_id=given.bop_ids["im_id"])
        for one in found:
            if one.result.status is Status.AMBIGUOUS:
                picture = folder / f"answers_{one.label}.png"
                Draughtsman(one.kind.mesh, observation, one.result).draw_answers(picture)
    for one in found:
        given.write_rerun(one.kind.mesh, observation, one.result, label=one.label)
    return len(good)


def print_found(
    given: LocateArguments, found: Sequence[ShownInstance], how_many: str, *, name: str = "", why: str = ""
) -> None:  # fmt: skip
    """A line an instance; how many there are; where the files are.

    Args:
        given: the arguments.
        found: the instances.
        how_many: in words.
        name: before each label.
        why: there is none.
    """
    from rich.console import Console

    console = Console()
    for one in found:
        print_brief(f"{name}{one.title}", one.result, console)
    if why:
        console.print(why, highlight=False, soft_wrap=True)
    console.print(f"{how_many}; files: {given.out}")
    console.print(view_line(given.out), highlight=False, soft_wrap=True)


def print_brief(name: str, result: RefinementResult, console: Console) -> None:
    """A line of what was found, and what of its mask is not its own; of what is ambiguous, a line an answer, too."""
    console.print(f"{name}: {in_brief(result)}", highlight=False, soft_wrap=True, markup=False)
    for note in of_codes(result.notes, (NoteCode.SAME_PLACE, NoteCode.MASK_SHOWS_MORE)):
        console.print(f"  {note}", highlight=False, soft_wrap=True, markup=False)
    if result.status is Status.AMBIGUOUS:
        print_answers(result.answers, console)


def in_brief(result: RefinementResult) -> str:
    """One line; why, where nothing was compared."""
    if not result.modalities:
        return f"{result.status}: {result.message}"
    x, y, z = 1e3 * np.asarray(result.pose.t_m2c)
    sure = "" if result.confidence is None else f", confidence {result.confidence:.2f}"
    return f"{result.status}{sure}, at ({x:.1f}, {y:.1f}, {z:.1f}) mm"
