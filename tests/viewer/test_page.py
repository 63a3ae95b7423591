"""The page that needs no server: one file, no links outside, text that cannot become HTML."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest

from diffdope.scene.packaged import packaged_example
from diffdope.viewer.content import Body, Content, Moment
from diffdope.viewer.page import chosen_moments, words, write_page

pytest.importorskip("viser", reason="the extra `viewer` is not installed")


def content(count: int) -> Content:
    example = packaged_example()
    picture = np.zeros((8, 9, 3), np.uint8)

    def moment(k: int) -> Moment:
        body = Body("object", "result", example.mesh, (example.truth.retract([0, 0, 0.01 * k, 0, 0, 0]),))
        return Moment(f"<b>{k}</b>", (f"a < {k} & b",), example.observation, (body,), lambda: {"x<y": picture})

    titles = [str(k) for k in range(count)]
    return Content("<script>alert(1)</script>", ("confidence 0.9",), ("no <history>",), "frame", titles, moment)


def test_the_page_is_one_file_that_names_no_other(tmp_path: Path) -> None:
    assert write_page(tmp_path / "page.html", content(5), most=3) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    linked = re.findall(r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=[\"']([^\"']+)", text)
    assert [url for url in linked if not url.startswith("data:")] == []
    assert "<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>" in text
    assert "<script>alert(1)" not in text
    panel = text[text.index('<details id="diffdope-words"') :]
    assert "confidence 0.9" in panel and "a &lt; 4 &amp; b" in panel
    assert "no &lt;history&gt;; 2 of 5 frames" in panel


def test_pictures_are_in_the_page() -> None:
    picture = np.full((20, 30, 3), (200, 30, 30), np.uint8)
    made = content(1)
    panel = words(made, made.moment(0), (), {"residual": picture})
    from PIL import Image

    data = base64.b64decode(re.findall(r'src="data:image/jpeg;base64,([^"]+)"', panel)[0])
    assert np.abs(np.asarray(Image.open(io.BytesIO(data)), np.int16) - picture).max() < 12


@pytest.mark.parametrize(("count", "most"), [(1, 40), (40, 40), (41, 40), (1000, 40), (7, 2), (7, 1)])
def test_moments_are_spread_over_the_whole(count: int, most: int) -> None:
    chosen = chosen_moments(count, most)
    assert len(chosen) == min(count, most) and chosen[-1] == count - 1
    assert most == 1 or chosen[0] == 0
    assert len(chosen) < 3 or max(np.diff(chosen)) <= min(np.diff(chosen)) + 1
