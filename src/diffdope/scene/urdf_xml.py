"""The XML of a robot description: other formats are named, and what rviz reads is read, too.

Descriptions come with what strict parsers refuse and those of ROS, Drake and Gazebo take: prefixes that nothing
declares (`drake:acceleration`, `sensor:camera`), blanks before the declaration, xacro in a file that is called .urdf.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError, expected, refused

_OTHERS = {
    "mujoco": "an MJCF of MuJoCo", "sdf": "an SDF of Gazebo", "html": "a web page", "COLLADA": "a mesh (COLLADA)",
}  # fmt: skip
_LFS = b"version https://git-lfs.github.com"  # what stands for a file that Git LFS keeps elsewhere


def root_of_description(text: bytes, path: Path) -> Any:
    """The <robot> of a description, as lxml has it: no comments, and no names with prefixes but those of xacro.

    Args:
        text: of the file.
        path: of the file, for errors.

    Raises:
        DiffDopeError: naming what it is, if it is no URDF.
    """
    from lxml import etree  # yourdfpy's own parser

    if text.startswith(_LFS):
        raise expected("urdf", f"a robot description in {path}", "a pointer of Git LFS", "git lfs pull brings the file")
    try:
        root = _parsed(text.lstrip())
    except etree.XMLSyntaxError as error:
        begins = text.lstrip()[:64]  # more than a mark of the encoding; of a mesh, less than the header
        if begins and b"<" not in begins:
            wanted = f"a URDF or xacro file (<robot>), {path}"
            raise expected("urdf", wanted, "a file of another kind (no XML)", "give the robot's URDF") from error
        raise refused("urdf", f"cannot read {path}: {error} (XMLSyntaxError)") from error
    kind = etree.QName(root).localname
    if kind != "robot":
        got = f"{_OTHERS.get(kind, 'XML of another kind')} (<{kind}>)"
        raise expected("urdf", f"a URDF or xacro file (<robot>), {path}", got, "give the robot's URDF")
    return root


def has_xacro(root: Any) -> bool:
    """Whether something is left for xacro to expand."""
    return any(
        one.tag.startswith("xacro:") or "xacro" in one.tag.split("}")[0] or any("${" in v for v in one.attrib.values())
        for one in root.iter()
    )


def no_links(root: Any, path: Path) -> DiffDopeError:
    """What to say of a <robot> without links: that it is an SRDF, perhaps."""
    semantic = any(root.find(name) is not None for name in ("group", "disable_collisions", "group_state"))
    cure = "an SRDF names groups of a robot: give its URDF" if semantic else ""
    return expected("urdf", f"a robot with links in {path}", "none", cure)


def _parsed(text: bytes) -> Any:
    """The root; prefixes that are not declared are no error.

    Raises:
        lxml.etree.XMLSyntaxError: for any other.
    """
    from lxml import etree

    settings = {"remove_comments": True, "remove_pis": True, "resolve_entities": False}
    lenient = etree.XMLParser(recover=True, **settings)
    root = etree.fromstring(text, lenient)
    undeclared = etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE
    if root is None or any(one.type != undeclared for one in lenient.error_log):
        root = etree.fromstring(text, etree.XMLParser(**settings))  # says where the error is
    default = root.nsmap.get(None)
    for one in root.iter():
        if default is not None and one.tag.startswith(f"{{{default}}}"):
            one.tag = etree.QName(one).localname
        elif ":" in one.tag.split("}")[-1] and not one.tag.startswith("xacro:"):
            one.tag = one.tag.replace(":", "_")
        for name in [name for name in one.attrib if ":" in name.split("}")[-1]]:
            del one.attrib[name]
    etree.cleanup_namespaces(root)
    return root
