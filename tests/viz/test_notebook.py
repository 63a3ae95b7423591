"""A result in a notebook: the overlay and one line, while the images are there, and never holding on to them."""

from __future__ import annotations

import base64
import copy
import gc
import io
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import diffdope as dd
from diffdope.scene.packaged import packaged_example


@pytest.fixture(scope="module")
def refiner() -> dd.Refiner:
    return dd.Refiner(packaged_example().mesh)


def test_a_result_shows_the_overlay_and_one_line(refiner: dd.Refiner) -> None:
    example = packaged_example()
    for result in (
        refiner.refine(example.observation, example.start),
        refiner.refine(example.observation, [example.start, example.truth]),
        refiner.locate(example.observation),
        refiner.track(example.observation, example.truth),
        dd.refine(refiner.mesh, example.observation, example.start),
    ):
        html, png = result._repr_html_(), result._repr_png_()
        assert png is not None
        assert np.array_equal(
            np.asarray(Image.open(io.BytesIO(png))), dd.overlay(refiner.mesh, example.observation, result)
        )
        line = html.split("<br>")[0]
        assert str(result.status) in line and f"confidence {result.confidence:.2f}" in line and "\n" not in line
        inside = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
        assert [base64.b64decode(one) for one in inside] == [png]


def test_it_holds_no_images(refiner: dd.Refiner) -> None:
    example = packaged_example()
    result = refiner.refine(example.observation, example.start)
    del example
    gc.collect()
    assert result._repr_png_() is None
    assert "dd.overlay(mesh, observation, result)" in result._repr_html_() and "<img" not in result._repr_html_()


def test_copies_and_pickles_are_results_without_images(refiner: dd.Refiner) -> None:
    example = packaged_example()
    result = refiner.refine(example.observation, example.start)
    for other in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result), copy.copy(result), replace(result)):
        assert other._repr_png_() is None and str(other.status) in other._repr_html_()
        assert np.array_equal(other.pose.matrix, result.pose.matrix) and repr(other) == repr(result)


def test_what_a_message_holds_is_no_html(refiner: dd.Refiner) -> None:
    example = packaged_example()
    result = replace(refiner.refine(example.observation, example.start), message="<script>")
    assert "<script>" not in result._repr_html_()
