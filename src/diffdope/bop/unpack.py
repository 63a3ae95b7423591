"""BOP's imagewise files, in tars of a web data set or in a folder, as folders of scenes.

An image KEY has KEY.rgb.jpg or .png, KEY.gray.tiff, KEY.depth.png, KEY.camera.json, KEY.gt.json, KEY.gt_info.json,
KEY.mask.json and KEY.mask_visib.json: the same entries as those of scenes' files, and masks as run lengths by instance.
KEY is SCENE_IMAGE where it was made from scenes; else each is an image of one scene, numbered in the order of keys.
"""

from __future__ import annotations

import io
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

from diffdope.errors import DiffDopeError, check_type, expected, placed
from diffdope.io.bop_poses import pose_of
from diffdope.io.cameras import camera_of_picture
from diffdope.io.files import bytes_of, check_folder, is_file, is_folder, write_json
from diffdope.io.json_files import integer_field, parse_json
from diffdope.io.numbers import is_whole
from diffdope.io.rle import decode_rle

_OF_SCENE = re.compile(r"(\d{1,9})_(\d{1,9})")  # beyond that, names would be too long for folders
_PICTURES = ("rgb", "gray", "depth")
_LISTS = {"camera": "scene_camera", "gt": "scene_gt", "gt_info": "scene_gt_info"}
_MOST = 999_999  # of a mask's number: it has six digits
_MASKS = ("mask", "mask_visib")
_INSIDE = re.compile(r"([^.]+)\.(\w+)\.(\w+)")  # KEY.kind.ending
_ENDINGS = {"png", "jpg", "jpeg", "tif", "tiff"}
_LARGEST = 1 << 28  # bytes of a file: pictures are smaller; a sparse one of a tar may promise any number


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
        if not (is_file(source) or is_folder(source)):
            raise expected("sources", "a tar, or a folder of BOP's imagewise files", f"{source}, which does not exist")
        found += sorted(source.glob("*.tar")) if source.is_dir() else [source]
    return found


def _open(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path)
    except Exception as error:  # also those of what it was compressed by
        raise expected("sources", f"a tar in {path}", str(error) or type(error).__name__) from error


def _files(sources: list[Path], tars: Mapping[Path, tarfile.TarFile]) -> Iterator[tuple[str, _File]]:
    for path, tar in tars.items():
        try:
            members = tar.getmembers()
        except Exception as error:  # of headers, and of what it was compressed by
            raise expected("sources", f"a whole tar in {path}", f"a file that was cut off ({error})") from error
        for member in members:
            if member.isfile():
                yield PurePosixPath(member.name).name, _File(path, member, "")
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
        if (ending.lower() in _ENDINGS) != (kind in _PICTURES) or (kind not in _PICTURES and ending != "json"):
            wanted = f"{key}.{kind}.{'png, jpg or tiff' if kind in _PICTURES else 'json'}"
            raise expected("sources", wanted, f"{name} in {file.source}")
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
        size = (0, 0)
        for kind, file in sorted(files.items(), key=lambda item: item[0] not in _PICTURES):
            content = _content(file, tars)
            where = f"{file.source}, {file.member.name}" if file.member is not None else str(file.source)
            if kind in _PICTURES:
                size = _size_of(content, where)
                (folder / kind).mkdir(exist_ok=True)
                (folder / kind / f"{number:06d}.{file.ending}").write_bytes(content)
                continue
            entry = _entry(content, where)
            if kind in _LISTS:
                _check_entry(kind, entry, size, where)
                lists[_LISTS[kind]][str(number)] = entry
            else:
                _write_masks(folder / kind, number, entry, where)
    for name, entries in lists.items():
        write_json(folder / f"{name}.json", entries)


def _entry(content: bytes, where: str) -> Any:
    try:
        entry = parse_json(content.decode("utf-8-sig"), where, "JSON")
        json.dumps(entry, allow_nan=False)
    except UnicodeDecodeError as error:
        raise expected(where, "JSON in UTF-8", "another encoding, or a damaged file") from error
    except ValueError as error:
        if isinstance(error, DiffDopeError):
            raise
        raise expected(where, "finite numbers", "NaN or infinity") from error
    return entry


def _size_of(content: bytes, where: str) -> tuple[int, int]:
    """(width, height) of a picture."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size
    except Exception as error:  # of damaged bytes Pillow raises whatever their fields lead to
        raise expected(where, "a picture", str(error) or type(error).__name__) from error


def _check_entry(kind: str, entry: Any, size: tuple[int, int], where: str) -> None:
    """Refuses what cannot be an entry of a scene's file, for a picture of (width, height)."""
    if kind == "camera":
        check_type(where, entry, dict)
        try:
            camera_of_picture(entry, *size)
        except DiffDopeError as error:
            raise placed(f"{where}: ", error) from error
        return
    check_type(where, entry, list)
    for one in entry:
        check_type(where, one, dict)
        if kind == "gt":
            integer_field(one, "obj_id", where)
            pose_of(one, where)


def _content(file: _File, tars: Mapping[Path, tarfile.TarFile]) -> bytes:
    if file.member is None:
        return bytes_of(file.source, "sources")
    if file.member.size > _LARGEST:
        raise expected("sources", f"files of at most {_LARGEST} bytes", f"{file.member.size} of {file.member.name}")
    try:
        stream = tars[file.source].extractfile(file.member)
        content = b"" if stream is None else stream.read()
    except Exception as error:  # of headers, and of what it was compressed by
        raise expected("sources", f"{file.member.name} in {file.source}", str(error)) from error
    if len(content) != file.member.size:
        raise expected("sources", f"{file.member.name} in {file.source}", "a file that was cut off")
    return content


def _write_masks(folder: Path, number: int, entry: Any, where: str) -> None:
    from PIL import Image

    numbers = {int(key) for key in entry if is_whole(key)} if isinstance(entry, dict) else set()
    if not isinstance(entry, dict) or len(numbers) != len(entry) or max(numbers, default=0) > _MOST:
        raise expected(where, "run lengths by the number of the instance", json.dumps(entry)[:60])
    folder.mkdir(exist_ok=True)
    for instance, lengths in entry.items():
        mask = decode_rle(lengths, f"{where}, instance {instance}")
        Image.fromarray(mask.astype("uint8") * 255).save(folder / f"{number:06d}_{int(instance):06d}.png")
