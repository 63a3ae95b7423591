"""What the plots of all studies share."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.experiments.plots import heat_map, log_axes, new_figure, save, short


def test_a_heat_map_writes_its_numbers_into_the_cells(tmp_path: Path) -> None:
    figure, axes = new_figure(1)
    values = np.array([[0.0, 100.0], [50.0, np.nan]])
    texts = [["none", "all"], ["half", ""]]
    heat_map(figure, axes[0], values, x=[1, 2], y=[5, 10], title="t", texts=texts, low=0, high=100)
    assert [text.get_text() for text in axes[0].texts] == ["none", "all", "half", ""]
    assert [text.get_position() for text in axes[0].texts] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    # White on the dark end of the scale, black on the bright one.
    assert [text.get_color() for text in axes[0].texts[:2]] == ["white", "black"]
    save(figure, tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (440, 350)
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]


def test_logarithmic_axes_have_plain_numbers() -> None:
    figure, axes = new_figure(1)
    axes[0].plot([80, 20480], [0.3, 40.0])
    log_axes(axes[0], x=[80, 20480], y=True)
    figure.canvas.draw()
    assert [label.get_text() for label in axes[0].get_xticklabels()] == ["80", "20.5k"]
    shown = {label.get_text() for label in axes[0].get_yticklabels()}
    assert {"0.5", "1", "2", "5", "10", "20"} <= shown


@pytest.mark.parametrize(("value", "text"), [(0.1, "0.1"), (5.0, "5"), (9999, "9999"), (81920, "81.9k")])
def test_short_numbers(value: float, text: str) -> None:
    assert short(value) == text
