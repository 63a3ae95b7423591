"""Ctrl-C, SIGTERM and a terminal that is closed, in commands that run for long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from diffdope.cli import main as program
from diffdope.io.files import results_folder, write_json

_SLOW = r"""
import os, sys, time
from types import SimpleNamespace
from diffdope.cli import main as program

def run(arguments):
    try:
        os.write(1, b"begun\n")
        time.sleep(30)
    finally:
        os.write(1, b"cleaning\n")
        time.sleep(0.3)
        os.write(1, b"cleaned\n")

program.COMMANDS = {"slow": SimpleNamespace(load=lambda: SimpleNamespace(run=run))}
sys.argv[1:] = ["slow"]
sys.exit(program.main())
"""


def stopped(number: signal.Signals, *, stdin: int = subprocess.DEVNULL) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command that gets a signal at its work, and another one as it cleans up."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", _SLOW], stdin=stdin, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert process.stdout.readline() == "cleaning\n"
        process.send_signal(number)
        out, errors = process.communicate(timeout=30)
        return process.returncode, out, errors


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes without a signal")
@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", -15), ("SIGHUP", -1)])
def test_a_command_cleans_up_once_however_often_it_is_told(name: str, code: int) -> None:
    assert stopped(signal.Signals[name]) == (code, "cleaned\n", "error: interrupted; nothing was written\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_at_a_terminal_ends_the_loop_of_a_shell_too() -> None:
    """A shell goes on with the next round unless what it ran has died of the signal."""
    ours, theirs = os.openpty()
    try:
        code, out, errors = stopped(signal.SIGINT, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (code, out, errors) == (-signal.SIGINT, "cleaned\n", "error: interrupted; nothing was written\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no nohup")
def test_a_signal_that_is_ignored_stays_ignored() -> None:
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    words = [sys.executable, "-c", ignoring + _SLOW.replace("sleep(30)", "sleep(1)")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        began = time.monotonic()
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=30)
        assert time.monotonic() - began > 0.8


def test_what_had_been_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(arguments: list[str]) -> int:
        write_json(tmp_path / "first.json", {})
        with results_folder(tmp_path / "out", "poses") as folder:
            write_json(folder / "second.json", {})
        if arguments:
            with results_folder(tmp_path / "other", "poses") as folder:
                write_json(folder / "third.json", {})
                raise KeyboardInterrupt
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "COMMANDS", {"slow": SimpleNamespace(load=lambda: SimpleNamespace(run=run))})
    for words in (["slow"], ["slow", "further"]):
        assert program.main(words) == 130
        said = capsys.readouterr().err
        assert said == f"error: interrupted; {tmp_path / 'first.json'}, {tmp_path / 'out'} had been written\n"
