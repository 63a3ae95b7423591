"""XML, with names that count without their namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.parsers.expat import errors

from diffdope.errors import refused

Element = ElementTree.Element
_CUT_OFF = (  # what the parser says where a document ends too early
    errors.codes[errors.XML_ERROR_NO_ELEMENTS],
    errors.codes[errors.XML_ERROR_UNCLOSED_TOKEN],
    errors.codes[errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
)


def parsed(data: bytes) -> Element:
    """The root of a document, all names without namespaces.

    Raises:
        DiffDopeError: if it is no XML.
    """
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the last is of encodings
        cut = getattr(error, "code", None) in _CUT_OFF
        got = "it was cut off" if cut else "it is damaged"
        raise refused("mesh", f"expected XML: {error}; {got}, export it again") from error
    for element in root.iter():
        element.tag = local(element.tag)
        if any(name.startswith("{") for name in element.attrib):
            element.attrib = {local(name): value for name, value in element.attrib.items()}
    return root


def local(name: str) -> str:
    """A name without its namespace."""
    return name.rsplit("}", 1)[-1]


def text_of(element: Element | None, path: str = ".") -> str:
    """The text of an element at a path below another; empty where there is none."""
    found = element.find(path) if element is not None else None
    return (found.text or "").strip() if found is not None else ""


def by_id(root: Element, *tags: str) -> dict[str, Element]:
    """All elements of some kinds, by their ids."""
    return {element.get("id", ""): element for tag in tags for element in root.iter(tag)}


def children(element: Element, *tags: str) -> Iterator[Element]:
    """The children of some kinds, in order."""
    return (child for child in element if child.tag in tags)
