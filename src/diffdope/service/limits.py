"""What one service takes at most."""

from __future__ import annotations

from dataclasses import dataclass

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero
from diffdope.render.pool import available_cores


@checked_fields(
    least={"workers": 1, "queue": 0, "meshes": 1, "tracks": 1, "max_bytes": 1, "max_pixels": 1, "searches": 1}
)
@dataclass(frozen=True)
class Limits:
    """Numbers and sizes, of which each bounds memory or time.

    Attributes:
        workers: refinements at a time. One is best for most: its kernels use all cores.
        queue: requests that may wait beside those; the next one is refused with 503.
        meshes: that are kept; the least recently used is dropped for a new one.
        tracks: that are kept; a new one takes the place of one that was not used for `track_idle_s`.
        track_idle_s: seconds after which a track may be dropped for another.
        timeout_s: seconds for a request, its upload and its wait included.
        max_bytes: of a request.
        max_pixels: of a picture.
        searches: objects times views of a scene: each is a refinement, and several of those are done together; also
            kinds that are looked for in one picture.
    """

    workers: int = 1
    queue: int = 32
    meshes: int = 16
    tracks: int = 16
    track_idle_s: float = 60.0
    timeout_s: float = 60.0
    max_bytes: int = 64_000_000
    max_pixels: int = 25_000_000
    searches: int = 64

    def __post_init__(self) -> None:
        check_above_zero(self, "timeout_s", "track_idle_s")

    @property
    def threads(self) -> int:
        """Threads of one refinement: the cores, divided among the workers."""
        return max(1, available_cores() // self.workers)
