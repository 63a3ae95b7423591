"""The frames of a recording: photographs, depth and masks of one moment, one frame at a time."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_positive, expected, placed
from diffdope.io.frames import Frame
from diffdope.io.mask_levels import Levels, levels_of
from diffdope.note_codes import Note, NoteCode
from diffdope.ros.cameras import entry_of, frame_of
from diffdope.ros.images import image_of
from diffdope.ros.pairing import NS_PER_S, partners, reach_ns
from diffdope.ros.recording import Recording, open_recording
from diffdope.ros.stored import Topic
from diffdope.ros.topics import TopicNames, Topics, choose_topics

TOLERANCE_S = 0.02
"""Seconds between photograph and depth: over half of a frame at 30 Hz, so that each finds its neighbour."""


@dataclass
class Scanned:
    """What the headers of a topic's messages say.

    Attributes:
        stamps_ns: when their pictures were taken; when they were recorded, where a header has no time.
        frame: that the first one names.
    """

    stamps_ns: list[int] = field(default_factory=list)
    logged_ns: list[int] = field(default_factory=list)
    frame: str | None = None

    def add(self, message: Any, logged_ns: int) -> None:
        """Adds the next message."""
        self.stamps_ns.append(stamp_ns(message))
        self.logged_ns.append(logged_ns)
        self.frame = frame_of(message) if self.frame is None else self.frame

    @property
    def stamped(self) -> bool:
        """Whether every header has a time."""
        return all(self.stamps_ns)


class BagFrames:
    """The frames of a recording.

    The recording is read twice: once for times and cameras, then for the images. A frame is a photograph (or depth,
    where there are none) with the depth that was taken at the same time; photographs without are left out. Masks may be
    missing. Times are those of the headers.

    Args:
        path: .mcap, .bag, .db3 or a bag's folder.
        names: the topics.
        tolerance_s: seconds by which the images of a frame differ at most.
        info_needed: whether the camera must come from the recording.
        mask_label: of the object, where masks hold the labels of several.
        mask_inverted: whether masks are black on the object.
        report: takes the number of messages that were looked at, and how many there are, if that is known.

    Attributes:
        names: of the frames: the header's time, SECONDS.NANOSECONDS.
        stamps_ns: the same as numbers, nanoseconds.
        frame_id: the optical frame that the images name.
        topics: that are read.
        info: the camera_info message; None without its topic.
        notes: what a user should know about what was read.

    Raises:
        DiffDopeError: if the recording cannot be read, topics are missing, no depth belongs to any photograph or was
            taken in another frame, or the camera changes.
    """

    def __init__(
        self,
        path: Path,
        names: TopicNames = TopicNames(),  # noqa: B008 (it cannot be changed)
        *,
        tolerance_s: float = TOLERANCE_S,
        info_needed: bool = True,
        other_depth_frame: bool = False,
        mask_label: int | None = None,
        mask_inverted: bool | None = None,
        report: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> None:
        check_positive("tolerance-s", tolerance_s)
        self._path, self._tolerance_ns = path, round(tolerance_s * NS_PER_S)
        self._mask_label, self._mask_inverted = mask_label, mask_inverted
        notes: list[str] = []
        with open_recording(path) as recording:
            self.topics = choose_topics(recording, names, info_needed=info_needed)
            scanned, self.info = _scan(recording, self.topics, report)
            notes += recording.notes
        self.stamps_ns, self._numbers = self._matched(scanned, notes)
        self.names = [f"{stamp // NS_PER_S}.{stamp % NS_PER_S:09d}" for stamp in self.stamps_ns]
        self.frame_id = _frame_of(scanned, allowed=other_depth_frame)
        self.notes = tuple(notes)

    @property
    def count(self) -> int | None:
        """Number of frames."""
        return len(self.names)

    @property
    def fps(self) -> float:
        """Frames a second: of the median step."""
        steps = [b - a for a, b in pairwise(self.stamps_ns)]
        return NS_PER_S / statistics.median(steps) if steps else 30.0

    def read(self, first: int = 0) -> Iterator[Frame]:
        """The frames from number `first` on; of images whose partner is recorded later, those in between are kept."""
        topics = self.topics.images
        wanted = {
            (topics[kind].name, number): (k, kind)
            for kind, numbers in self._numbers.items()
            for k, number in enumerate(numbers)
            if number is not None and k >= first
        }
        due = [
            {kind for kind, numbers in self._numbers.items() if numbers[k] is not None} for k in range(len(self.names))
        ]
        pending: dict[int, dict[str, NDArray[Any]]] = {}
        seen: dict[str, int] = {}
        following = first
        with open_recording(self._path) as recording:
            for stored in recording.messages(set(topics.values())):
                number = seen.get(stored.topic.name, 0)
                seen[stored.topic.name] = number + 1
                place = wanted.get((stored.topic.name, number))
                if place is None:
                    continue
                images = pending.setdefault(place[0], {})
                try:
                    images[place[1]] = self._image(place[1], stored.topic, stored.message)
                except DiffDopeError as error:
                    raise placed(f"frame {self.names[place[0]]}: ", error) from error
                while following in pending and pending[following].keys() == due[following]:
                    yield self._frame(following, pending.pop(following))
                    following += 1

    def _frame(self, k: int, images: dict[str, NDArray[Any]]) -> Frame:
        return Frame(self.names[k], (self.stamps_ns[k] - self.stamps_ns[0]) / NS_PER_S, **images)

    def _image(self, kind: str, topic: Topic, message: Any) -> NDArray[Any]:
        image = image_of(message, topic.name)
        if kind != "mask":
            return image
        levels = levels_of(image)
        pixels = levels.object_pixels(self._mask_label) if isinstance(levels, Levels) else levels
        return ~pixels if self._mask_inverted and pixels.dtype == bool else pixels

    def _matched(self, scanned: dict[str, Scanned], notes: list[str]) -> tuple[list[int], dict[str, list[int | None]]]:
        """The frames' times in ascending order, and of each kind the numbers of their messages."""
        times = _times(scanned, notes)
        main = next(iter(times))
        order = sorted(range(len(times[main])), key=times[main].__getitem__)
        kept = [k for n, k in enumerate(order) if n == 0 or times[main][k] > times[main][order[n - 1]]]
        if len(kept) < len(order):
            text = f"{len(order) - len(kept)} images of {main} have the time of another one and were left out"
            notes.append(Note(NoteCode.FRAMES_LEFT_OUT, text))
        stamps = [times[main][k] for k in kept]
        numbers: dict[str, list[int | None]] = {main: list(kept)}
        for kind in times.keys() - {main}:
            numbers[kind] = partners(stamps, times[kind], reach_ns(times[kind], self._tolerance_ns))
        if "depth" not in numbers or main == "depth":
            return stamps, numbers
        whole = [k for k, number in enumerate(numbers["depth"]) if number is not None]
        self._check_paired(stamps, times["depth"], whole, notes)
        return [stamps[k] for k in whole], {kind: [row[k] for k in whole] for kind, row in numbers.items()}

    def _check_paired(self, stamps: list[int], depths: list[int], whole: list[int], notes: list[str]) -> None:
        tolerance = self._tolerance_ns / NS_PER_S
        if not whole:
            gap = min(abs(a - b) for a in (stamps[0], stamps[-1]) for b in (depths[0], depths[-1])) / NS_PER_S
            cure = "give --tolerance-s, or --depth-topic none"
            wanted = f"depth within {tolerance:g} s of a photograph"
            raise expected("bag", wanted, f"none (the first and last are {gap:.3g} s apart)", cure)
        if len(whole) < len(stamps):
            missing = len(stamps) - len(whole)
            text = f"{missing} of {len(stamps)} photographs have no depth within {tolerance:g} s: left out"
            notes.append(Note(NoteCode.FRAMES_LEFT_OUT, text))


def stamp_ns(message: Any) -> int:
    """The time in a message's header, nanoseconds; 0 where it has none.

    Args:
        message: of ROS 2 (sec, nanosec), or of ROS 1 as rospy has it (secs, nsecs).
    """
    stamp = message.header.stamp
    if hasattr(stamp, "nanosec"):
        return int(stamp.sec) * NS_PER_S + int(stamp.nanosec)
    return int(stamp.secs) * NS_PER_S + int(stamp.nsecs)


def _scan(
    recording: Recording, topics: Topics, report: Callable[[int, int | None], None]
) -> tuple[dict[str, Scanned], Any]:
    """Times of all images, and the camera, which must stay the same."""
    kinds = {topic.name: kind for kind, topic in topics.images.items()}
    chosen = set(topics.images.values()) | ({topics.info} if topics.info is not None else set())
    counts = [topic.count for topic in recording.topics if topic in chosen]
    total = None if None in counts else sum(count for count in counts if count is not None)
    scanned = {kind: Scanned() for kind in topics.images}
    info: Any = None
    for done, stored in enumerate(recording.messages(chosen), 1):
        if stored.topic.name in kinds:
            scanned[kinds[stored.topic.name]].add(stored.message, stored.logged_ns)
        elif info is None:
            info = stored.message
        elif entry_of(stored.message) != entry_of(info):
            at = (stored.logged_ns) / NS_PER_S
            cure = "give --camera FILE and --info-topic none, or cut the recording there"
            raise expected(stored.topic.name, "one camera", f"another one at {at:.3f} s", cure)
        report(done, total)
    for kind, topic in topics.images.items():
        if not scanned[kind].stamps_ns:
            raise expected("bag", f"images on {topic.name}", "none")
    if topics.info is not None and info is None:
        raise expected("bag", f"a camera_info on {topics.info.name}", "none", "give --camera FILE")
    return scanned, info


def _times(scanned: dict[str, Scanned], notes: list[str]) -> dict[str, list[int]]:
    """Times of each kind: of the headers, or of recording for all where one has none."""
    if all(one.stamped for one in scanned.values()):
        return {kind: one.stamps_ns for kind, one in scanned.items()}
    bare = ", ".join(kind for kind, one in scanned.items() if not one.stamped)
    notes.append(Note(NoteCode.STAMPS_MISSING, f"headers of {bare} have no time: that of recording is used"))
    return {kind: one.logged_ns for kind, one in scanned.items()}


def _frame_of(scanned: dict[str, Scanned], *, allowed: bool) -> str:
    """The optical frame of the images.

    Raises:
        DiffDopeError: if depth is of another one, and nobody said how they lie.
    """
    frames = {kind: one.frame or "" for kind, one in scanned.items()}
    own: Sequence[str] = list(frames.values())
    if "rgb" in frames and frames.get("depth", own[0]) != frames["rgb"] and not allowed:
        cure = (
            "choose the depth that was aligned to the photographs (aligned_depth_to_color, depth_registered), or give "
            "--depth-camera and --depth-extrinsics"
        )
        raise expected("depth-topic", f"depth in the frame {frames['rgb']}, as the photographs", frames["depth"], cure)
    return own[0]
