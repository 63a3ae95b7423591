"""Real processes, really killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.jobs.journal import Journal
from diffdope.jobs.signals import interrupts_deferred
from tests.jobs.driver import HEADER
from tests.jobs.drivers import Drivers, end, wait_for
from tests.jobs.fake_run import begun

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and /proc"),
    pytest.mark.usefixtures("default_signals"),
]

WORKERS = 2


def test_a_driver_killed_again_and_again_ends_with_the_same_bytes(tmp_path: Path, rng: np.random.Generator) -> None:
    run = Drivers(tmp_path, workers=WORKERS)
    for _ in range(4):
        before, begun_before = run.stored(), len(run.begun())
        driver = run.start()
        try:
            wanted = begun_before + int(rng.integers(1, 8))
            assert wait_for(lambda n=wanted: len(run.begun()) >= n, 20)  # type: ignore[misc]
            time.sleep(float(rng.uniform(0.0, 0.02)))
            driver.kill()
        finally:
            end(driver)
        assert run.no_worker_is_left()
        assert not before & set(run.begun()[begun_before:]), "what was stored has been done again"
        assert len(set(run.begun()) - run.stored()) <= WORKERS, "more is lost than what was in work"
    begun_before, before = len(run.begun()), run.stored()
    assert 0 < len(before) < run.groups * run.each
    driver = run.start()
    _, errors = driver.communicate(timeout=30)
    assert (driver.returncode, errors) == (0, "")
    assert not before & set(run.begun()[begun_before:])
    assert len(run.begun()) <= run.groups * run.each + 4 * WORKERS
    assert run.out.read_bytes() == run.undisturbed()
    assert os.listdir(run.out.parent) == [run.out.name]


def test_workers_do_not_outlive_a_killed_driver(tmp_path: Path) -> None:
    run = Drivers(tmp_path, groups=2, each=1, sleep_s=60.0)
    driver = run.start()
    try:
        assert wait_for(lambda: len(run.begun()) == 2, 20)
        driver.kill()
        driver.wait()
        assert run.no_worker_is_left()  # although each is at a task of a minute
    finally:
        end(driver)


def test_ctrl_c_stops_at_once_and_loses_only_what_is_in_work(tmp_path: Path) -> None:
    run = Drivers(tmp_path, groups=4, each=2, sleep_s=0.0)
    slow = Drivers(tmp_path, groups=4, each=2, sleep_s=30.0)
    driver = slow.start()
    try:
        assert wait_for(lambda: len(run.begun()) == 2, 20)
        os.killpg(driver.pid, signal.SIGINT)  # a terminal tells all of its processes
        _, errors = driver.communicate(timeout=20)  # what is in work would sleep for longer
    finally:
        end(driver)
    assert (driver.returncode, errors) == (130, "")
    assert run.no_worker_is_left(0.5)
    assert os.listdir(run.out.parent) == [run.out.name]
    driver = run.start()
    _, errors = driver.communicate(timeout=30)
    assert (driver.returncode, errors) == (0, "")
    assert run.out.read_bytes() == run.undisturbed()


def test_a_background_job_keeps_ignoring_ctrl_c(tmp_path: Path) -> None:
    run = Drivers(tmp_path, groups=4, each=2, sleep_s=0.1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for the background jobs of a script
    driver = run.start()
    try:
        assert wait_for(lambda: len(run.begun()) >= 2, 20)
        os.killpg(driver.pid, signal.SIGINT)
        _, errors = driver.communicate(timeout=30)
    finally:
        end(driver)
    assert (driver.returncode, errors) == (0, "")
    assert len(run.begun()) == run.groups * run.each
    assert run.out.read_bytes() == run.undisturbed()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_it_and_its_workers(tmp_path: Path, number: signal.Signals) -> None:
    run = Drivers(tmp_path, groups=2, each=2, sleep_s=60.0)
    driver = run.start()
    try:
        assert wait_for(lambda: len(run.begun()) == 2, 20)
        driver.send_signal(number)
        driver.communicate(timeout=10)
        assert run.no_worker_is_left()
    finally:
        end(driver)
    assert driver.returncode == -number


def test_ctrl_c_while_workers_start_is_silent(tmp_path: Path) -> None:
    run = Drivers(tmp_path)
    lock = run.out.with_name("run.jsonl.lock")
    for delay_s in (0.0, 0.05, 0.15):
        lock.unlink(missing_ok=True)  # stays if the interrupt came while it was taken
        driver = run.start()
        try:
            assert wait_for(lock.exists, 20)
            time.sleep(delay_s)
            os.killpg(driver.pid, signal.SIGINT)
            _, errors = driver.communicate(timeout=10)
        finally:
            end(driver)
        assert (driver.returncode, errors) == (130, "")
        assert run.no_worker_is_left(0.5)


def test_an_interrupt_that_another_thread_takes_waits_until_the_worker_is_started() -> None:
    begun, started = threading.Event(), False
    other = threading.Thread(target=lambda: begun.wait() and signal.raise_signal(signal.SIGINT))
    other.start()  # before interrupts are held: its mask is its own
    with pytest.raises(KeyboardInterrupt), interrupts_deferred():
        begun.set()
        other.join()
        time.sleep(0.01)
        started = True
    assert started
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_driver_is_turned_away(tmp_path: Path) -> None:
    run = Drivers(tmp_path)
    run.out.parent.mkdir()
    with Journal.open(run.out, HEADER) as journal:
        driver = run.start()
        _, errors = driver.communicate(timeout=20)
        assert driver.returncode == 2
        assert "expected no other process that writes it" in errors
        assert not begun(run.log)
        journal.append("a", {})
    with pytest.raises(DiffDopeError, match="iterations: 60 became 61"):
        Journal.open(run.out, {"settings": {"iterations": 61, "rate": 0.1}})
