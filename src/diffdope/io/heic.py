"""Photographs in HEIC, as iPhones write them: read by pillow-heif, where that is installed (extra `heif`)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from diffdope.errors import expected
from diffdope.io.memory_file import MemoryFile, opened

ENDINGS = (".heic", ".heif", ".hif")
"""Of such photographs."""

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # ISO/IEC 23008-12, annex B
_AVIF = b"avi"  # of the first letters of brands that Pillow reads itself, below a common brand as well
_HEAD = 32  # bytes, in which a file says its brand and the first ones that it is compatible with


def prepare_heic(name: str, path: Path | MemoryFile) -> None:
    """Teaches Pillow to open a file that is in HEIC; does nothing for all others.

    Args:
        name: the argument to blame.
        path: a file that is there.

    Raises:
        DiffDopeError: if the file is in HEIC, and pillow-heif is missing.
        OSError: if it cannot be read.
    """
    with opened(path) as stream:
        head = stream.read(_HEAD)
    if head[4:8] != b"ftyp" or head[8:12] not in _BRANDS or _AVIF in head[8:]:
        return
    if find_spec("pillow_heif") is None:
        cure = 'pip install "diffdope[heif]", or save it as JPEG or PNG'
        raise expected(name, f"an image in {path} that can be read here", "a photograph in HEIC", cure)
    import pillow_heif

    pillow_heif.register_heif_opener()
