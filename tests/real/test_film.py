"""A real hand-held film, from the data beside the project; skipped where that is absent."""

from __future__ import annotations

import numpy as np
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


@pytest.mark.parametrize("every", [1, 4])
def test_photographs_alone_suffice_for_a_mesh_without_colours(every: int) -> None:
    rows = real_film.follow(real_film.model("none"), "fast", ("rgb",), range(0, real_film.FRAMES, every))
    good = [row for row in rows if row.good]
    assert not any(row.mm > real_film.GONE_MM for row in rows)
    assert np.median([row.mm for row in good]) < 3.0
    assert np.median([row.degrees for row in good]) < 1.5
