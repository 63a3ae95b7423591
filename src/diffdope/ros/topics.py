"""Which topics of a recording hold photographs, depth, masks and the camera."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diffdope.errors import expected, some_of
from diffdope.ros.images import kind_of
from diffdope.ros.recording import Recording
from diffdope.ros.stored import Topic

IMAGES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
INFO = "sensor_msgs/msg/CameraInfo"
NONE = "none"
"""Said instead of a topic that is to be left out."""
_TRANSPORTS = ("/compressedDepth", "/compressed")
_LISTED = 24  # topics that an error names


@dataclass(frozen=True)
class TopicNames:
    """What a user says of topics: a name, `NONE` to leave it out, or None to have it guessed.

    Attributes:
        rgb: of photographs.
        depth: of depth images, seen from the photographs' camera.
        info: of camera_info.
        mask: of masks; not guessed, since a grey image may be anything.
    """

    rgb: str | None = None
    depth: str | None = None
    info: str | None = None
    mask: str | None = None


@dataclass(frozen=True)
class Topics:
    """What is read of a recording; at least one of rgb, depth and mask.

    Attributes:
        rgb: of photographs.
        depth: of depth images.
        info: of camera_info; None where the camera comes from elsewhere.
        mask: of masks.
    """

    rgb: Topic | None
    depth: Topic | None
    info: Topic | None
    mask: Topic | None

    @property
    def images(self) -> dict[str, Topic]:
        """Those of images, by "rgb", "depth" and "mask"."""
        named = {"rgb": self.rgb, "depth": self.depth, "mask": self.mask}
        return {kind: topic for kind, topic in named.items() if topic is not None}


def choose_topics(recording: Recording, names: TopicNames, *, info_needed: bool = True) -> Topics:
    """The topics that a user named, and the others where there is only one of a kind.

    Args:
        recording: open.
        names: what was said.
        info_needed: whether the camera must come from the recording.

    Raises:
        DiffDopeError: if a topic is missing or of another type, or there are several of a kind and none was named: the
            error lists them.
    """
    kinds: dict[Topic, str] = {}
    if None in (names.rgb, names.depth):
        kinds = {topic: _kind(recording, topic) for topic in _of(recording, IMAGES)}
    mask = _named(recording, "mask-topic", names.mask, IMAGES)
    rgb, depth = (
        _named(recording, "rgb-topic", names.rgb, IMAGES),
        _named(recording, "depth-topic", names.depth, IMAGES),
    )
    taken = {topic.name for topic in (rgb, depth, mask) if topic is not None}
    free = {topic: kind for topic, kind in kinds.items() if topic.name not in taken}
    if names.rgb is None:
        colours = [topic for topic, kind in free.items() if kind == "rgb"]
        rgb = _only("rgb-topic", colours or [topic for topic, kind in free.items() if kind == "grey"])
    if names.depth is None:
        depth = _only("depth-topic", [topic for topic, kind in free.items() if kind == "depth"])
    if rgb is None and depth is None and mask is None:
        raise expected("bag", "topics of images", _listed(recording.topics), "name them: --rgb-topic, --depth-topic")
    info = _named(recording, "info-topic", names.info, (INFO,))
    first = next(topic for topic in (rgb, depth, mask) if topic is not None)
    if names.info is None:
        info = _info_of(recording, first, needed=info_needed)
    return Topics(rgb, depth, info, mask)


def base_of(name: str) -> str:
    """The name of an image's topic without that of its transport."""
    return next((name[: -len(end)] for end in _TRANSPORTS if name.endswith(end)), name)


def says_rectified(topic: Topic) -> bool:
    """Whether an image's topic is named as image_proc names what it has rectified: image_rect, image_rect_color."""
    return base_of(topic.name).rsplit("/", 1)[-1].startswith("image_rect")


def _of(recording: Recording, kinds: Sequence[str]) -> list[Topic]:
    return [topic for topic in recording.topics if topic.kind in kinds and topic.count != 0]


def _kind(recording: Recording, topic: Topic) -> str:
    stored = next(iter(recording.messages({topic})), None)
    return "other" if stored is None else kind_of(stored.message)


def _named(recording: Recording, argument: str, name: str | None, kinds: Sequence[str]) -> Topic | None:
    """The topic of a name, also without its leading slash or the name of its transport; None where none is named."""
    if name is None or name == NONE:
        return None
    full = f"/{name.lstrip('/')}"
    wanted = [full, *(full + end for end in _TRANSPORTS)]
    found = [topic for one in wanted for topic in recording.topics if topic.name == one]
    good = next((topic for topic in found if topic.kind in kinds), None)
    if good is not None and good.count != 0:
        return good
    listed = _listed(_of(recording, kinds))
    if found:
        got = "no message of it" if good is not None else found[0].kind
        raise expected(argument, f"messages {' or '.join(kinds)} on {name}", got, f"there are {listed}")
    close = difflib.get_close_matches(full, [topic.name for topic in recording.topics], n=1)
    cure = f"did you mean {close[0]}? there are {listed}" if close else f"there are {listed}"
    raise expected(argument, f"a topic of {recording.path.name}", name, cure)


def _only(argument: str, topics: Sequence[Topic]) -> Topic | None:
    """The only topic of a kind, raw rather than compressed; None where there is none."""
    bases = {base_of(topic.name) for topic in topics}
    if len(bases) > 1:
        cure = f"choose one, or {NONE}"
        raise expected(argument, f"one of {_listed(topics)}", "none chosen", cure)
    return min(topics, key=lambda topic: len(topic.name), default=None)


def _info_of(recording: Recording, image: Topic, *, needed: bool) -> Topic | None:
    """The camera_info beside an image's topic, or the only one."""
    infos = _of(recording, (INFO,))
    beside = f"{base_of(image.name).rsplit('/', 1)[0]}/camera_info"
    found = next((topic for topic in infos if topic.name == beside), None)
    if found is not None or not needed:
        return found
    if len(infos) == 1:
        return infos[0]
    if not infos:
        raise expected("info-topic", f"messages {INFO}", "none", "give --camera FILE")
    raise expected("info-topic", f"one of {_listed(infos)}", "none chosen")


def _listed(topics: Iterable[Topic]) -> str:
    return some_of((f"{topic.name} ({topic.kind})" for topic in topics), most=_LISTED)
