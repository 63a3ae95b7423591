"""Spoilt recordings: read as far as they go, or refused with a word; nothing else is raised."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from diffdope.errors import DiffDopeError
from diffdope.ros.bag_frames import BagFrames
from tests.ros.recordings import CONTAINERS
from tests.ros.test_bag_frames import messages

pytest.importorskip("rosbags")
pytest.importorskip("mcap")

KINDS = ("ros1.bag", "ros2.db3", "ros2.mcap", "ros1.mcap", "folder")


@pytest.mark.filterwarnings("ignore")  # of Pillow, numpy and rosbags about what they cannot make sense of
@pytest.mark.parametrize("kind", KINDS)
def test_spoilt_bytes(tmp_path: Path, kind: str) -> None:
    rng = random.Random(7)
    good = CONTAINERS[kind](tmp_path / kind, messages(3))
    outcomes = {"read": 0, "refused": 0}
    for n in range(60):
        spoilt = tmp_path / f"{n}_{kind}"
        (shutil.copytree if good.is_dir() else shutil.copy)(good, spoilt)
        victims = sorted(file for file in spoilt.iterdir()) if spoilt.is_dir() else [spoilt]
        victim = rng.choice(victims)
        data = bytearray(victim.read_bytes())
        for _ in range(rng.choice([1, 4, 40])):
            place = rng.randrange(len(data))
            data[place : place + rng.choice([0, 1, 8])] = rng.randbytes(rng.choice([0, 1, 8]))
        if n % 5 == 0:
            data = data[: rng.randrange(len(data))]
        victim.write_bytes(bytes(data))
        try:
            assert all(frame.rgb is not None for frame in BagFrames(spoilt).read())
            outcomes["read"] += 1
        except DiffDopeError:
            outcomes["refused"] += 1
    assert outcomes["refused"] >= 10, outcomes
