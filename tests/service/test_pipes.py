"""What goes through the pipe to a worker comes out the same."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading

import numpy as np
import pytest

from diffdope.scene.packaged import packaged_example
from diffdope.service.pipes import receive, send


def sent(value: object) -> object:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        thread = threading.Thread(target=send, args=(ours, value))  # a pipe holds less than an image
        thread.start()
        got = receive(theirs)
        thread.join()
    return got


@pytest.fixture(params=[True, False], autouse=True)
def raw(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param and not hasattr(os, "readv"):
        pytest.skip("this system has no readv")
    monkeypatch.setattr("diffdope.service.pipes._RAW", request.param)


def test_an_end_in_the_middle_is_an_end() -> None:
    ours, theirs = multiprocessing.Pipe()
    text = pickle.dumps(([1000], b""), 5)
    ours.send_bytes(text)
    ours.close()
    with theirs, pytest.raises((EOFError, OSError)):
        receive(theirs)


def test_observations_arrive_as_they_were() -> None:
    seen = packaged_example().observation
    got = sent(("refine", (seen, [1.5, None])))
    assert isinstance(got, tuple) and got[0] == "refine" and got[1][1] == [1.5, None]
    for name in ("rgb", "depth", "mask"):
        stored, wanted = got[1][0]._images[name], seen._images[name]
        assert stored.unit == wanted.unit and stored.values.dtype == wanted.values.dtype
        assert np.array_equal(stored.values, wanted.values) and not stored.values.flags.writeable


def test_arrays_of_nothing_of_every_order_and_without_a_buffer() -> None:
    arrays = [np.empty((0, 3)), np.arange(6.0).reshape(2, 3).T, np.arange(9)[::2], np.array(["a", None], object)]
    got = sent(arrays)
    assert isinstance(got, list)
    for one, wanted in zip(got, arrays, strict=True):
        assert one.dtype == wanted.dtype and one.tolist() == wanted.tolist()
