"""YAML as tools of this field write it: OpenCV's dialects, and the messages that `ros2 topic echo` prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from diffdope.errors import expected
from diffdope.io.json_files import read_text, without_contradictions

_DEEPEST = 100  # lists within lists: the parser's time grows with the square of their number
_MOST = 1 << 22  # values: of a few lines, aliases of aliases make any number


def yaml_documents(text: str) -> list[Any]:
    """The values of a text, one for each part between lines of `---`; parts without content are left out.

    OpenCV's directives (`%YAML:1.0`) are passed over, and its tags are taken for the mappings and lists that they mark.
    Numbers of pictures such as 000012 are decimal: to YAML 1.1 they are octal, if they have no 8 and no 9.

    Raises:
        yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError, RecursionError: of what is no YAML.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        """Takes the tags of OpenCV for what they mark."""

    def mapping(loader: Any, node: Any) -> Any:
        own = [one for one in node.value if one[0].tag != "tag:yaml.org,2002:merge"]  # << gives way to the own keys
        found = loader.construct_mapping(node, deep=True)
        without_contradictions(
            [(loader.construct_object(key, deep=True), loader.construct_object(value, deep=True)) for key, value in own]
        )
        return found

    def untagged(loader: Any, suffix: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return mapping(loader, node)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    def whole(loader: Any, node: Any) -> Any:
        padded = re.fullmatch(r"[-+]?0\d+", node.value)
        return int(node.value) if padded else loader.construct_yaml_int(node)

    Loader.add_constructor("tag:yaml.org,2002:int", whole)
    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    Loader.add_multi_constructor("tag:yaml.org,2002:opencv", untagged)
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    _check_depth(body)
    documents = [data for data in yaml.load_all(body, Loader=Loader) if data is not None]
    for data in documents:
        if _count(data, set(), {}) > _MOST:
            raise ValueError("aliases (*name) that repeat each other make too many values")
    return documents


def _check_depth(text: str) -> None:
    """Refuses brackets that open and open, without any that close."""
    depth = 0
    for mark in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if mark in "[{" else max(depth - 1, 0)
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} lists within lists")


def _count(data: Any, above: set[int], known: dict[int, int]) -> int:
    """How many values there are, those of an alias each time that it stands for them.

    Args:
        data: of a document.
        above: what it is within, by identity.
        known: counts of values that were met, by identity.
    """
    if not isinstance(data, dict | list | tuple):
        return 1
    if id(data) in above:
        raise ValueError("an alias (*name) that stands for what it is within")
    if id(data) not in known:
        above.add(id(data))
        inner = data.values() if isinstance(data, dict) else data
        known[id(data)] = 1 + sum(_count(one, above, known) for one in inner)
        above.remove(id(data))
    return known[id(data)]


def read_yaml(path: Path, name: str) -> Any:
    """The value of a YAML file, or the list of its documents where there are several, or none.

    Args:
        path: the file.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it cannot be read, or is no YAML.
    """
    documents = parse_yaml(read_text(path, name), path, name)
    return documents[0] if len(documents) == 1 else documents


def parse_yaml(text: str, path: Path, name: str) -> list[Any]:
    """The values of a YAML file; see `yaml_documents`.

    Args:
        text: of the file.
        path: of the file, for the message.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it is no YAML: where it goes wrong.
    """
    import yaml

    try:
        return yaml_documents(text)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError, KeyError) as error:
        raise expected(name, f"YAML in {path}", " ".join(str(error).split())[:200]) from error
