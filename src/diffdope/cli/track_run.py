"""The loop of `diffdope track`: frame after frame into a journal that survives an interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np

from diffdope.cli.track_target import TrackTarget
from diffdope.errors import DiffDopeError, expected, placed, told_more
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.depth import DepthReader
from diffdope.io.frames import Frame, Frames
from diffdope.io.masks import Mask, mask_in_box
from diffdope.io.poses import pose_of
from diffdope.io.results import encode, notes_in
from diffdope.jobs.journal import Journal
from diffdope.note_codes import Note, NoteCode, codes_of, of_codes
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.tracking.frame import not_found_yet
from diffdope.scene.observation import Observation

Record = Mapping[str, Any]

_EVENTS = frozenset({NoteCode.IN_DOUBT, NoteCode.FOUND_WIDER, NoteCode.FOUND_AGAIN, NoteCode.FOUND_FAR})
AGAIN = 30
"""Trusted frames after which a tracker's state depends on those before no longer: what is usual follows each of them by
a tenth (`FitHistory`), and a velocity is forgotten in a third of the time."""


@dataclass(frozen=True)
class Video:
    """Frames, and what makes observations of them: the camera, a reader of depth, a box or mask in the first frame."""

    frames: Frames
    camera: Camera
    depth: DepthReader | None = None
    box: tuple[float, float, float, float] | None = None
    notes: tuple[str, ...] = ()
    first_mask: Mask | None = None

    def observation(self, frame: Frame) -> Observation:
        """A frame as the library takes it; a mask without any pixel is left out, and a note says so.

        Raises:
            DiffDopeError: if the frame cannot be used: it is named.
        """
        said: tuple[str, ...] = ()
        mask = None if frame.mask is None or not np.any(frame.mask) else frame.mask
        if mask is None and self.box is not None and frame.time_s == 0.0:
            boxed = mask_in_box(self.box, frame.size)
            mask, said = boxed.pixels, boxed.notes
        elif mask is None and self.first_mask is not None and frame.time_s == 0.0:
            mask, said = self.first_mask.pixels, self.first_mask.notes
        elif mask is None and frame.mask is not None:
            text = "mask: empty, as where the object is not in the picture: this frame was tracked without it"
            said = (Note(NoteCode.MASK_EMPTY, text),)
        depth = None if frame.depth is None or not np.any(frame.depth) else frame.depth
        scale: float | None = None
        try:
            plain = False
            if depth is not None and self.depth is not None:
                depth, scale, more = self.depth.read(depth)
                said, plain = (*said, *more), self.depth.source.rectified
            return Observation(
                self.camera, rgb=frame.rgb, depth=depth, mask=mask, depth_scale=scale, depth_rectified=plain,
                notes=(*self.notes, *said),
            )  # fmt: skip
        except DiffDopeError as error:
            raise placed(f"frame {frame.name}: ", error) from error


def track_into(
    journal: Journal, tracked: TrackTarget, video: Video, start: Pose | None, report: Callable[[Record], None]
) -> list[str]:
    """Tracks the frames that the journal does not have yet; returns the names of all.

    Args:
        journal: of this run or of an interrupted one.
        tracked: the object.
        video: the frames.
        start: pose in the first frame; None to locate the object there.
        report: takes each new record.

    Raises:
        DiffDopeError: if the journal is of other frames, or a frame cannot be used.
    """
    names = list(journal.done)
    searching = start is None and bool(names) and last_good(journal.done) is None
    pose = None if names else start
    if names and not searching:
        tracked_again(journal.done, tracked, video, start)
    try:
        for frame in video.frames.read(len(names)):
            observation = video.observation(frame)
            if searching and observation.mask_box is None:  # the run before has searched in vain
                result = not_found_yet("no mask", notes=observation.notes)
            else:
                result = tracked.track(frame, observation, pose)
                searching = False
            pose = None
            record = record_of(frame, result)
            journal.append(frame.name, record)
            names.append(frame.name)
            report(record)
    except DiffDopeError as error:
        raise _with_way_on(error, len(names)) from error
    if not names:
        raise expected("frames", "at least one", "none")
    return names


def _with_way_on(error: DiffDopeError, kept: int) -> DiffDopeError:
    """An error of one frame, with what became of those before and how to go on; of the first frame, as it is."""
    if not kept:
        return error
    cure = "replace what is wrong, or remove all files of that frame, and give the same command again"
    return told_more(error, f"; the {kept} frame{'s' if kept > 1 else ''} before it are kept: {cure}")


def tracked_again(done: Mapping[str, Record], tracked: TrackTarget, video: Video, start: Pose | None) -> None:
    """The last frames of an interrupted run once more, of which nothing is kept but what the tracker learns from them.

    So it is in the state in which it was: it knows velocity, light, what the object looks like and what is usual.

    Args:
        done: the frames of the run.
        tracked: the object.
        video: the frames.
        start: pose in the first frame; None if the object was located there.
    """
    first, last, pose = state_began(done, start)
    lately = max(last + 1, len(done) - AGAIN)  # of a long loss, its last frames will do
    frames = chain(
        islice(video.frames.read(first), last + 1 - first), islice(video.frames.read(lately), len(done) - lately)
    )
    for frame in frames:
        tracked.track(frame, video.observation(frame), pose)
        pose = None


def state_began(done: Mapping[str, Record], start: Pose | None) -> tuple[int, int, Pose | None]:
    """(first, last, pose): the last trusted frame, and the one, with its pose, from which to track up to it."""
    rows = list(done.values())
    trusted = [k for k, row in enumerate(rows) if is_trusted(row)]
    last = trusted[-1] if trusted else 0
    before = [k for k in trusted if k <= last - AGAIN]
    return (before[-1], last, pose_of(rows[before[-1]], "poses.jsonl")) if before else (0, last, start)


def is_trusted(record: Record) -> bool:
    """Whether the tracker has learned from that frame: the object was neither lost nor in doubt."""
    return record["status"] != Status.LOST and NoteCode.IN_DOUBT not in codes_of(notes_in(record))


def check_same_frames(done: Mapping[str, Record], frames: Frames) -> None:
    """Refuses to go on with another video than the one begun.

    Raises:
        DiffDopeError: if the first frames have other names.
    """
    names = getattr(frames, "names", None)
    if names is not None and list(done) != names[: len(done)]:
        other = next(k for k, name in enumerate(done) if names[k : k + 1] != [name])
        wanted = f"frame {list(done)[other]}, as in the run that was begun"
        raise expected("frames", wanted, ", ".join(names[other : other + 1]) or "none", "choose another --out")


def has_grown(done: Mapping[str, Record], frames: Frames) -> bool:
    """Whether there are more frames than a run has done; of a film, only reading it to its end would tell."""
    names = getattr(frames, "names", None)
    return names is not None and len(names) > len(done)


def last_good(done: Mapping[str, Record]) -> Pose | None:
    """The last pose that was no guess, if any."""
    for record in reversed(list(done.values())):
        if record["status"] != Status.LOST:
            return pose_of(record, "poses.jsonl")
    return None


def record_of(frame: Frame, result: RefinementResult) -> dict[str, Any]:
    """A line of the journal: the frame's time, and the result."""
    return {"time_s": frame.time_s, **encode(result)}


def events_of(record: Record) -> str:
    """What happened in this frame: doubt and recovery, not missing images, which are noted in every frame alike."""
    return "; ".join(of_codes(notes_in(record), _EVENTS))


def poses_of(records: Mapping[str, Record]) -> Iterator[tuple[str, Pose, Record]]:
    """(frame, pose, record) in the order of the frames."""
    for name, record in records.items():
        yield name, pose_of(record, f"poses.jsonl, {name}"), record
