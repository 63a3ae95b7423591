"""BOP's imagewise files, in tars of a web data set or in a folder, as folders of scenes.

An image KEY has KEY.rgb.jpg or .png, KEY.gray.tiff, KEY.depth.png, KEY.camera.json, KEY.gt.json, KEY.gt_info.json,
KEY.mask.json and KEY.mask_visib.json: the same entries as those of scenes' files, and masks as run lengths by instance.
KEY is SCENE_IMAGE where it was made from scenes; else each is an image of one scene, numbered in the order of keys.
"""

from __future__ import annotations

import json
import re
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from diffdope.errors import expected
from diffdope.io.files import check_folder, write_json
from diffdope.io.json_files import parse_json
from diffdope.io.rle import decode_rle

_OF_SCENE = re.compile(r"(\d+)_(\d+)")
_PICTURES = ("rgb", "gray", "depth")
_LISTS = {"camera": "scene_camera", "gt": "scene_gt", "gt_info": "scene_gt_info"}
_MASKS = ("mask", "mask_visib")
_INSIDE = re.compile(r"([^.]+)\.(\w+)\.(\w+)")  # KEY.kind.ending


@dataclass(frozen=True)
class _File:
    """One file of an image: in a tar, or on its own."""

    source: Path
    member: tarfile.TarInfo | None
    ending: str


def unpack(sources: list[Path], out: Path) -> dict[int, int]:
    """Writes the folders of scenes.

    Args:
        sources: tars (shard-000000.tar), or folders of tars or of KEY files.
        out: the folder of the split; it must not hold anything, and holds all or nothing afterwards.

    Returns:
        The number of images by scene.

    Raises:
        DiffDopeError: if there is no image, one has no camera or comes twice, or a file in it is broken.
    """
    check_folder(out)
    if out.is_dir() and any(out.iterdir()):
        raise expected("out", "a folder that does not exist yet, or an empty one", str(out), "choose another")
    with ExitStack() as opened:
        tars = {path: opened.enter_context(_open(path)) for path in _tars(sources)}
        images = _images(sources, tars)
        if not images:
            wanted = "tars or folders with KEY.rgb.jpg (or .png, .gray, .depth) and KEY.camera.json"
            raise expected("sources", wanted, ", ".join(map(str, sources)) or "nothing")
        places = _places(sorted(images))
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as temporary:
            folder = Path(temporary) / out.name
            for scene in sorted({scene for scene, _ in places.values()}):
                keys = [key for key in sorted(images) if places[key][0] == scene]
                _write_scene(folder / f"{scene:06d}", {places[key][1]: images[key] for key in keys}, tars)
            if out.is_dir():
                out.rmdir()  # empty
            folder.rename(out)
    counted: dict[int, int] = defaultdict(int)
    for scene, _ in places.values():
        counted[scene] += 1
    return dict(counted)


def _tars(sources: list[Path]) -> list[Path]:
    found = []
    for source in sources:
        if not source.exists():
            raise expected("sources", "a tar, or a folder of BOP's imagewise files", f"{source}, which does not exist")
        found += sorted(source.glob("*.tar")) if source.is_dir() else [source]
    return found


def _open(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise expected("sources", f"a tar in {path}", str(error)) from error


def _files(sources: list[Path], tars: Mapping[Path, tarfile.TarFile]) -> Iterator[tuple[str, _File]]:
    for path, tar in tars.items():
        try:
            for member in tar.getmembers():
                if member.isfile():
                    yield PurePosixPath(member.name).name, _File(path, member, "")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise expected("sources", f"a whole tar in {path}", f"a file that was cut off ({error})") from error
    for source in sources:
        if source.is_dir():
            for path in sorted(source.iterdir()):
                if path.is_file():
                    yield path.name, _File(path, None, "")


def _images(sources: list[Path], tars: Mapping[Path, tarfile.TarFile]) -> dict[str, dict[str, _File]]:
    """{key: {kind: file}} of what has a camera and a picture."""
    found: dict[str, dict[str, _File]] = defaultdict(dict)
    for name, file in _files(sources, tars):
        match = _INSIDE.fullmatch(name)
        if match is None or match[2] not in (*_PICTURES, *_LISTS, *_MASKS):
            continue
        key, kind, ending = match.groups()
        if kind in found[key]:
            raise expected("sources", f"each file once: {key}.{kind}", f"{found[key][kind].source} and {file.source}")
        found[key][kind] = _File(file.source, file.member, ending)
    for key, files in found.items():
        if "camera" not in files or not any(kind in files for kind in _PICTURES):
            missing = "camera.json" if "camera" not in files else "rgb, gray or depth"
            raise expected("sources", f"{key}.camera.json and a picture beside each other", f"no {key}.{missing}")
    return dict(found)


def _places(keys: list[str]) -> dict[str, tuple[int, int]]:
    """(scene, image) of each key."""
    matches = {key: _OF_SCENE.fullmatch(key) for key in keys}
    places = {key: (int(match[1]), int(match[2])) for key, match in matches.items() if match is not None}
    if len(places) == len(keys) == len(set(places.values())):
        return places
    return {key: (0, number) for number, key in enumerate(keys)}


def _write_scene(folder: Path, images: Mapping[int, Mapping[str, _File]], tars: Mapping[Path, tarfile.TarFile]) -> None:
    folder.mkdir(parents=True)
    lists: dict[str, dict[str, Any]] = defaultdict(dict)
    for number, files in sorted(images.items()):
        for kind, file in files.items():
            content = _content(file, tars)
            if kind in _PICTURES:
                (folder / kind).mkdir(exist_ok=True)
                (folder / kind / f"{number:06d}.{file.ending}").write_bytes(content)
                continue
            where = f"{file.source}, {file.member.name}" if file.member is not None else str(file.source)
            entry = parse_json(content.decode("utf-8", "replace"), where, "JSON")
            if kind in _LISTS:
                lists[_LISTS[kind]][str(number)] = entry
            else:
                _write_masks(folder / kind, number, entry, where)
    for name, entries in lists.items():
        write_json(folder / f"{name}.json", entries)


def _content(file: _File, tars: Mapping[Path, tarfile.TarFile]) -> bytes:
    if file.member is None:
        return file.source.read_bytes()
    try:
        stream = tars[file.source].extractfile(file.member)
        content = b"" if stream is None else stream.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise expected("sources", f"{file.member.name} in {file.source}", str(error)) from error
    if len(content) != file.member.size:
        raise expected("sources", f"{file.member.name} in {file.source}", "a file that was cut off")
    return content


def _write_masks(folder: Path, number: int, entry: Any, where: str) -> None:
    from PIL import Image

    if not isinstance(entry, Mapping) or not all(str(key).isdecimal() for key in entry):
        raise expected(where, "run lengths by the number of the instance", json.dumps(entry)[:60])
    folder.mkdir(exist_ok=True)
    for instance, lengths in entry.items():
        mask = decode_rle(lengths, f"{where}, instance {instance}")
        Image.fromarray(mask.astype("uint8") * 255).save(folder / f"{number:06d}_{int(instance):06d}.png")
