"""Bodies of requests: forms with files, or JSON with base64; both come to the same."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from diffdope.error_kinds import unknown_keys
from diffdope.errors import check_choice, check_count, check_type, expected
from diffdope.scene.mesh_io import unit_of_word
from diffdope.scene.mesh_units import metres_of
from diffdope.service.asked import checked, loaded, object_of

KINDS = ("rgb", "depth", "mask")
_JSON = "application/json"
_DATA_URL = re.compile(r"data:[\w.+/-]*;base64,")
_MESH_KEYS = ("mesh", "name", "beside", "unit", "preset", "seed", "allow_missing_texture")
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


@dataclass(frozen=True)
class MeshParts:
    """A mesh as it was sent.

    Attributes:
        name: of its file.
        data: its content.
        beside: textures and materials by name.
        how: unit, preset, seed and allow_missing_texture.
    """

    name: str
    data: bytes
    beside: list[tuple[str, bytes]]
    how: dict[str, Any]


async def asked_parts(
    request: Request, is_picture: Callable[[str], bool] = KINDS.__contains__
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What a request says about pictures, and the pictures by the names of their parts.

    Args:
        request: a form, or JSON.
        is_picture: whether a part of a name is a picture: by default "rgb", "depth" and "mask".

    Raises:
        DiffDopeError: if a part is missing, not known, or of another kind.
        HTTPException: if the form cannot be read.
    """
    if _is_json(request):
        return await asyncio.to_thread(_of_json, await request.body(), is_picture)
    async with request.form() as form:
        _check_names([name for name in form if not is_picture(name)], ("request", *KINDS))
        text = form.get("request")
        if not isinstance(text, str):
            raise expected(
                "request", "a form with the part request, a text of JSON", "none" if text is None else "a file"
            )
        _check_once(form)
        images = {name: await _content(name, form[name]) for name in form if is_picture(name)}
        return object_of(text), images


async def mesh_parts(request: Request) -> MeshParts:
    """The mesh of a request.

    Raises:
        DiffDopeError: if a part is missing, not known, or of another kind.
        HTTPException: if the form cannot be read.
    """
    if _is_json(request):
        return await asyncio.to_thread(_mesh_of_json, await request.body())
    async with request.form() as form:
        _check_names(form, ("mesh", "beside", "unit", "preset", "seed", "allow_missing_texture"))
        if not isinstance(form.get("mesh"), UploadFile):
            raise expected("mesh", "a file", "none" if form.get("mesh") is None else "a text")
        beside = [(_named(file), await _content("beside", file)) for file in form.getlist("beside")]
        texts = {name: form[name] for name in ("unit", "preset", "seed", "allow_missing_texture") if name in form}
        for name, text in texts.items():
            check_type(name, text, str)
        return MeshParts(_named(form["mesh"]), await _content("mesh", form["mesh"]), beside, _how(texts))


def _is_json(request: Request) -> bool:
    return bool(request.headers.get("content-type", "").split(";")[0].strip().lower() == _JSON)


def _check_once(form: FormData) -> None:
    names = [name for name, _ in form.multi_items()]
    for name in form:
        if names.count(name) > 1:
            raise expected(name, "the part once", f"{names.count(name)} times")


def _check_names(form: Iterable[str], known: tuple[str, ...]) -> None:
    for name in form:
        check_choice("form, part", name, known)


async def _content(name: str, part: Any) -> bytes:
    if not isinstance(part, UploadFile):
        raise expected(name, "a file", "a text", "of base64 make a JSON body, or send the bytes as a file")
    content: bytes = await part.read()
    return content


def _named(part: Any) -> str:
    return str(getattr(part, "filename", "") or "")


def _of_json(body: bytes, is_picture: Callable[[str], bool]) -> tuple[dict[str, Any], dict[str, bytes]]:
    given = loaded(_text(body))
    images = {name: _decoded(name, given.pop(name)) for name in [name for name in given if is_picture(name)]}
    return checked(given), images


def _mesh_of_json(body: bytes) -> MeshParts:
    given = loaded(_text(body))
    for key in given:
        check_choice("body, key", key, _MESH_KEYS)
    beside = given.get("beside", {})
    if not isinstance(beside, Mapping):
        raise expected("beside", "an object from names to base64", type(beside).__name__)
    for name in ("mesh", "name"):
        if name not in given:
            raise unknown_keys("body", f"the key {name}", given)
    check_type("name", given["name"], str)
    files = [(name, _decoded(f"beside, {name}", text)) for name, text in beside.items()]
    rest: dict[str, Any] = {
        name: given[name] for name in ("unit", "preset", "seed", "allow_missing_texture") if name in given
    }
    return MeshParts(given["name"], _decoded("mesh", given["mesh"]), files, _how(checked(rest)))


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise expected("body", "JSON in UTF-8", str(error)) from error


def _decoded(name: str, text: Any) -> bytes:
    """The bytes of base64, with or without the head of a data URL."""
    if not isinstance(text, str):
        raise expected(name, "a file in base64", type(text).__name__)
    head = _DATA_URL.match(text)
    try:
        return base64.b64decode(text[head.end() if head else 0 :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise expected(name, "a file in base64", f"{len(text)} other characters ({error})") from error


def _how(given: Mapping[str, Any]) -> dict[str, Any]:
    """Unit, preset, seed and allow_missing_texture, of texts or of JSON's own types."""
    unit, preset = given.get("unit"), given.get("preset", "default")
    check_type("preset", preset, str)
    if isinstance(unit, str):
        unit = unit_of_word(unit)
    if unit is not None:
        metres_of(unit)
    seed = given.get("seed", 0)
    if isinstance(seed, str):
        if not seed.strip().isdecimal():
            raise expected("seed", "a whole number, at least 0", repr(seed[:20]))
        seed = int(seed[:40])
    seed = check_count("seed", seed, least=0, most=2**63 - 1)
    return {"unit": unit, "preset": preset, "seed": seed, "allow_missing_texture": _truth(given)}


def _truth(given: Mapping[str, Any]) -> bool:
    value = given.get("allow_missing_texture", False)
    word = value.strip().lower() if isinstance(value, str) else value
    if isinstance(word, bool):
        return word
    if word not in _TRUE + _FALSE:
        raise expected("allow_missing_texture", "true or false", repr(value)[:40])
    return word in _TRUE


def _body(
    properties: dict[str, Any], needed: list[str], *, form: dict[str, Any], form_needed: list[str]
) -> dict[str, Any]:
    kinds = {
        "multipart/form-data": {"type": "object", "properties": form, "required": form_needed},
        _JSON: {"type": "object", "properties": properties, "required": needed},
    }
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind, schema in kinds.items()}}}


_FILE, _BASE64 = {"type": "string", "format": "binary"}, {"type": "string", "contentEncoding": "base64"}
_ASKED = {
    "camera": {"description": "K as three rows, or an object with cam_K and the like: docs/files.md"},
    "mesh": {"type": "string", "description": "id"},
    "meshes": {"type": "array", "items": {"type": "string"}, "description": "of /locate: ids of several kinds"},
    "start": {"description": "cam_R_m2c and cam_t_m2c, a matrix 4 x 4, or a list of either"},
}
ASKED_BODY = _body(
    {**_ASKED, **dict.fromkeys(KINDS, _BASE64)}, ["camera"],
    form={"request": {"type": "string", "description": "JSON: camera, mesh, start and others: docs/service.md"},
          **dict.fromkeys(KINDS, _FILE)},
    form_needed=["request"],
)  # fmt: skip
"""What /locate, /refine and /track take, for the OpenAPI page."""
_SCENE = {
    "objects": {"type": "array", "items": {"type": "object", "required": ["mesh"]},
                "description": "each with mesh, and mask_id, box, start, name, id"},
    "views": {"type": "array", "items": {"type": "object"},
              "description": "each with camera, T_w2c, sigma, name; of one view, their keys may stand in its place"},
    "camera": _ASKED["camera"],
}  # fmt: skip
SCENE_BODY = _body(
    {**_SCENE, **{f"{kind}{number}": _BASE64 for number in ("", ".0", ".1") for kind in KINDS}, "mask.0.1": _BASE64},
    ["objects"],
    form={"request": {"type": "string", "description": "JSON: objects, views: docs/service.md"},
          **{f"{kind}{number}": _FILE for number in ("", ".0", ".1") for kind in KINDS}, "mask.0.1": _FILE},
    form_needed=["request"],
)  # fmt: skip
"""What /scene takes; rgb.2, mask.1.4 and so on go on as they begin."""
_TEXTS = {
    "unit": {
        "type": ["string", "number"],
        "description": "m, mm, cm, inch, or metres in one; else that of the format, or mm",
    },
    "preset": {"type": "string", "default": "default"},
    "seed": {"type": "integer", "default": 0}, "allow_missing_texture": {"type": "boolean", "default": False},
}  # fmt: skip
MESH_BODY = _body(
    {
        "mesh": _BASE64,
        "name": {"type": "string"},
        "beside": {"type": "object", "additionalProperties": _BASE64},
        **_TEXTS,
    },
    ["mesh", "name"],
    form={"mesh": _FILE, "beside": {"type": "array", "items": _FILE}, **_TEXTS},
    form_needed=["mesh"],
)
"""What /meshes takes."""
