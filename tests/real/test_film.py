"""A real hand-held film, from the data beside the project; skipped where that is absent."""

from __future__ import annotations

import pytest

from benchmarks import real_film

pytestmark = pytest.mark.skipif(
    not real_film.FOLDER.is_dir(), reason=f"no film at {real_film.FOLDER}; it is not part of the project"
)


@pytest.mark.parametrize("colour", ["none", "grey"])
def test_with_every_fourth_frame_the_object_is_not_lost(colour: str) -> None:
    rows = real_film.follow(real_film.model(colour), "fast", real_film.IMAGES["RGB-D"], range(2, real_film.FRAMES, 4))
    assert not any(row.lost for row in rows)
    assert max(row.mm for row in rows) < real_film.GONE_MM
