"""What `diffdope track` shows while it works, and the files that it writes at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from diffdope.cli.journal_display import JournalDisplay
from diffdope.cli.progress import Activity, counted
from diffdope.cli.report import view_line
from diffdope.cli.track_run import Video, events_of, poses_of
from diffdope.cli.track_target import RigidTarget, TrackTarget
from diffdope.io.bop_results import Estimate, write_results
from diffdope.io.pose_outputs import write_scene_gt, write_tum
from diffdope.io.results import notes_in
from diffdope.io.wording import in_options
from diffdope.note_codes import NoteCode, code_of, of_codes
from diffdope.pipelines.result import Status
from diffdope.pipelines.settings import Preset

Records = Mapping[str, Mapping[str, Any]]

# Fields of `FitQuality` that speak for a pose, of 1 at best.
_AGREEMENTS = {
    "depth_inliers": "depth fits at {:.0f} % of the object",
    "texture": "its colours correlate by {:.0f} %",
    "overlap": "drawing and mask share {:.0f} %",
    "outline": "{:.0f} % of its outline lie on edges of the photograph",
}

# What notes say of inputs that are the same in every frame.
_PREMISES = frozenset({
    NoteCode.DEPTH_SCALE, NoteCode.DEPTH_SCALE_UNSURE, NoteCode.DEPTH_KIND, NoteCode.FILM_DISTANCE,
    NoteCode.REGISTRATION, NoteCode.UNITS, NoteCode.DEPTH_UNIT, NoteCode.TOO_FAR, NoteCode.MASK_EMPTY,
    NoteCode.RGB_LIKE_DEPTH,
})  # fmt: skip


class TrackDisplay(JournalDisplay):
    """Progress with the last frame's status, and a line for every loss and recovery."""

    def __init__(self, total: int | None, done: Records, out: Path, console: Console) -> None:
        activity = Activity("tracking", total=total, done=len(done))
        super().__init__("frames", out / "poses.jsonl", activity, console)
        self._done, self._lost, self._text = len(done), False, ""
        if done:
            console.print(f"resuming: {len(done)} frames are done already")

    def described(self) -> str:
        """Whether the last frame was lost, and its confidence."""
        return self._text

    def count(self, record: Mapping[str, Any]) -> None:
        """Takes a frame, and says if the object was lost or found in it."""
        lost = record["status"] == Status.LOST
        confidence = 0.0 if record["confidence"] is None else record["confidence"]
        self._text = "lost" if lost else f"tracking: confidence {confidence:.2f}"
        if lost != self._lost:
            event = in_options(record["message"].partition(";")[0]) if lost else events_of(record)
            self._console.print(f"frame {self._done - 1}, {record['time_s']:.2f} s: {event}")
            self._lost = lost


def write_files(
    out: Path, tracked: TrackTarget, video: Video, records: Records, preset: Preset, console: Console, *, film: bool,
    obj_id: int, started: bool,
) -> int:  # fmt: skip
    """Writes poses.csv, scene_gt.json, trajectory.txt, track.png and track.mp4, and prints a summary.

    Args:
        out: folder for them.
        tracked: what was followed.
        video: its frames.
        records: of all frames.
        preset: that it was followed with.
        console: to print on.
        film: whether track.mp4 is wanted.
        obj_id: number of the object in the files.
        started: whether there was a start pose for the first frame.

    Returns:
        The exit code: 1 if it is lost at the end.
    """
    from diffdope.cli.track_pictures import film_frames
    from diffdope.viz.animation import has_h264, write_film
    from diffdope.viz.tracking import write_track_plot

    doubt = preset.tracking.doubt
    rows = list(records.values())
    found = estimates(records, obj_id)
    write_results(out / "poses.csv", found)
    write_scene_gt(out / "scene_gt.json", [(row.im_id, obj_id, row.pose) for row in found])
    seen = (row for row in poses_of(records) if row[2]["status"] != Status.LOST)
    write_tum(out / "trajectory.txt", [(float(record["time_s"]), pose) for _, pose, record in seen])
    write_track_plot(
        out / "track.png", [row["time_s"] for row in rows], [row["confidence"] for row in rows],
        [row["cost"] for row in rows], [row["status"] == Status.LOST for row in rows], doubt=doubt,
    )  # fmt: skip
    if film and has_h264():
        with Activity("drawing the film", total=len(rows)) as activity:
            frames = counted(film_frames(tracked, video, records, doubt=doubt), activity)
            write_film(out / "track.mp4", frames, fps=video.frames.fps)
    missing = getattr(video.frames, "missing", {})
    print_summary(
        records, doubt, out, console, film=film and not has_h264(), started=started, missing=missing,
        shown=isinstance(tracked, RigidTarget),
    )  # fmt: skip
    return 1 if rows[-1]["status"] == Status.LOST else 0


def estimates(records: Records, obj_id: int) -> list[Estimate]:
    """Rows of a BOP results file: the frames in which the object was not lost, numbered as their files are."""
    names = list(records)
    numbers = [int(name) for name in names] if all(name.isdecimal() for name in names) else list(range(len(names)))
    return [
        Estimate(0, number, obj_id, float(record["confidence"] or 0.0), pose, float(record["seconds"]))
        for number, (_, pose, record) in zip(numbers, poses_of(records), strict=True)
        if record["status"] != Status.LOST
    ]


def print_summary(
    records: Records, doubt: float, out: Path, console: Console, *, film: bool, started: bool,
    missing: Mapping[str, int], shown: bool = True,
) -> None:  # fmt: skip
    """A table: frames, how many in doubt and lost, how many had no depth or mask, time.

    Args:
        records: of all frames.
        doubt: confidence below which a frame is in doubt.
        out: where the files are.
        console: on which it is printed.
        film: whether one was asked for that cannot be written.
        started: whether there was a start pose for the first frame.
        missing: how many frames had no image, by kind.
        shown: whether `diffdope view` shows it.
    """
    rows = list(records.values())
    lost = [row["status"] == Status.LOST for row in rows]
    doubtful = sum((row["confidence"] or 0.0) < doubt for row, gone in zip(rows, lost, strict=True) if not gone)
    seconds = np.array([row["seconds"] for row in rows])
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("frames", f"{len(rows)}: {sum(lost)} lost, {doubtful} in doubt")
    table.add_row(
        "time", f"median {1e3 * np.median(seconds):.1f} ms, p90 {1e3 * np.percentile(seconds, 90):.1f} ms a frame"
    )
    if all(lost):
        table.add_row("why", in_options(never_found(rows[0]["message"], len(rows))))
        cure = "give the pose in the first frame (--init), or a mask; or draw --box closely around what is visible"
        if started:
            cure = f"{are_right(rows)}; without --init, the object is looked for in a mask or box of the first frame"
        if premises_of(rows):
            cure = f"see the note; {are_right(rows)}"
        table.add_row("cure", cure)
    elif doubtful == len(rows) - sum(lost):
        table.add_row("why", doubt_in_words([row for row, gone in zip(rows, lost, strict=True) if not gone], doubt))
        table.add_row("cure", f"look at it; {are_right(rows)}")
    elif lost[-1]:
        table.add_row("why", in_options(rows[-1]["message"]))
    for name, note in far_away(records):
        table.add_row("note", f"frame {name}: {note}")
    for kind, count in missing.items():
        table.add_row("note", f"{count} of {len(rows)} frames have no {kind} image and were tracked without")
    for note, count in premises_of(rows):
        table.add_row("note", f"in {count} frames: {in_options(note)}")
    if film:
        table.add_row("note", 'no film: it needs PyAV with x264; pip install "diffdope[video]"')
    table.add_row("files", str(out))
    console.print(table)
    if shown:
        console.print(view_line(out), highlight=False, soft_wrap=True)


def never_found(message: str, frames: int) -> str:
    """What the first frame says of a film in which no frame has the object, as it holds for all of them."""
    return message.replace("lost for 1 frame ", f"lost for all {frames} frames ", 1) if frames > 1 else message


def are_right(rows: Sequence[Mapping[str, Any]]) -> str:
    """The inputs that may be wrong; the depth's scale only where depth was compared."""
    deep = any("depth" in row["modalities"] for row in rows)
    return f"are K, the mesh, its unit{', the depth scale' if deep else ''} and the first pose right?"


def far_away(records: Records) -> list[tuple[str, str]]:
    """Frames in which the object was found where another one of its kind may be, and what they say of it."""
    return [(name, note) for name, row in records.items() for note in of_codes(notes_in(row), {NoteCode.FOUND_FAR})]


def premises_of(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """What frames say of the inputs of the whole film, and in how many: a note of each kind, the first of them."""
    found: dict[NoteCode, tuple[str, int]] = {}
    for row in rows:
        for note in of_codes(notes_in(row), _PREMISES):
            first, count = found.get(code_of(note), (note, 0))
            found[code_of(note)] = first, count + 1
    return sorted(found.values(), key=lambda one: -one[1])


def doubt_in_words(rows: Sequence[Mapping[str, Any]], doubt: float) -> str:
    """Why no frame is believed: what agrees, and how far, in the middle of the frames."""
    sure = [row["confidence"] or 0.0 for row in rows]
    seen: dict[str, float] = {}
    for name in _AGREEMENTS:
        values = [row["evidence"][name] for row in rows if (row.get("evidence") or {}).get(name) is not None]
        if values:
            seen[name] = float(np.median(values))
    agree = "; ".join(_AGREEMENTS[name].format(100 * value) for name, value in sorted(seen.items(), key=lambda s: s[1]))
    return f"confidence {min(sure):.2f} to {max(sure):.2f}, below {doubt:g} in all frames{': ' if agree else ''}{agree}"
