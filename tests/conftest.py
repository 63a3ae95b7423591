"""Fixtures for all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from diffdope.scene.mesh import Mesh

PROJECT = Path(__file__).resolve().parents[1]
# What makes rich print colours, or lines of another length than where there is no terminal.
TERMINAL = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM", "TERM")
# A process whose parent ignored this is not told how its own children end.
CHILD_ENDED = getattr(signal, "SIGCHLD", None)
STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Kernels are compiled before tests are collected, by other processes, and before there are several that run tests.

    Tests compare results of this process, to the bit, with those of others: `pipelines/compilation/compile_ahead.py`.
    """
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    from diffdope.pipelines.compilation.compile_ahead import compile_apart
    from diffdope.pipelines.settings import Preset
    from diffdope.terms.registry import ObjectiveSettings

    compile_apart(Preset(objective=ObjectiveSettings(edge_weight=1.0)))
    compile_apart(Preset())
    compile_apart(Preset(solver="newton"))


@pytest.fixture(scope="session")
def box() -> Mesh:
    """A box of 6 x 9 x 5 cm without any symmetry of its colours."""
    from diffdope.experiments.shapes import grid_box, mottled, painted

    return painted("box", *grid_box(np.array([0.06, 0.09, 0.05]), 6), mottled)


@pytest.fixture(scope="session", autouse=True)
def no_terminal() -> Iterator[None]:
    """Commands, and the processes that tests start, see no trace of the terminal in which the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in TERMINAL:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def exit_statuses() -> None:
    """Tests learn how the processes that they start have ended, however the tests were started."""
    if CHILD_ENDED is not None:
        signal.signal(CHILD_ENDED, signal.SIG_DFL)


@pytest.fixture
def default_signals() -> Iterator[None]:
    """This process, and those that a test starts, can be stopped by signals, however the tests were started.

    A shell starts the background jobs of a script with interrupts ignored, `nohup` with SIGHUP ignored, and processes
    inherit both, as well as blocked signals. That a job keeps ignoring them is right, and
    `test_a_background_job_keeps_ignoring_ctrl_c` holds it; tests that send signals ask for this fixture.
    """
    before = {number: signal.getsignal(number) for number in STOPPING}
    blocked = signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING) if os.name != "nt" else set()
    for number in STOPPING:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if os.name != "nt":
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@pytest.fixture
def threads_share_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads share what one would do alone, for there is little of it: for tests that are about threads."""
    monkeypatch.setattr("diffdope.render.pool.WORTH_THREADS", 0)


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded, so that a failure repeats."""
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data sets that lies beside the project on some machines; nothing of it is shipped."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the project: tests on real images are left out")
    return folder
