"""The processes that compile and those that load must not be mixed; and it works where nothing can be kept."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import numpy as np
import pytest
from filelock import FileLock

from diffdope.pipelines.compilation import compile_ahead
from diffdope.pipelines.compilation.kernel_shares import most_shares, seconds_of, shares
from diffdope.pipelines.one_shot import refine
from diffdope.pipelines.settings import preset
from diffdope.scene.packaged import packaged_example

CODE = """
import sys
from diffdope.pipelines.compilation.compile_ahead import compile_apart
from diffdope.pipelines.one_shot import refine
from diffdope.pipelines.settings import preset
from diffdope.scene.packaged import packaged_example
print(compile_apart(preset({preset!r})))
mesh, observation, start, _ = packaged_example()
print(refine(mesh, observation, start, preset={preset!r}, threads=1).pose.t_m2c.tobytes().hex())
from numba.core.dispatcher import Dispatcher
modules = [vars(module) for name, module in list(sys.modules.items()) if name.startswith("diffdope.")]
kernels = {{id(value): value for names in modules for value in names.values() if isinstance(value, Dispatcher)}}
print(sorted(k.py_func.__name__ for k in kernels.values() if sum(k.stats.cache_misses.values())))
"""


def started(code: str, cache: Path) -> subprocess.Popen[str]:
    """A process with a cache of its own."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen[str]) -> list[str]:
    """What a process prints until it ends, which it must do well."""
    out, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return [*out.split("\n")[:3], errors]


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_processes_load_what_others_compiled(preset: str, tmp_path: Path) -> None:
    # Compiles all kernels anew, into a cache of the test's own; half a minute.
    code = CODE.format(preset=preset)
    both = [said(process) for process in [started(code, tmp_path), started(code, tmp_path)]]  # at the same time
    later = said(started(code, tmp_path))
    assert sorted(one[0] for one in both) == ["False", "True"]  # one of them started processes, the other waited
    assert later[0] == "False"
    assert len({one[1] for one in [*both, later]}) == 1
    assert [one[2] for one in [*both, later]] == ["[]"] * 3, [one[3] for one in both]
    # Who has others compile says so, once; nobody else does, nor do those.
    assert [one[3].count("diffdope compiles kernels") for one in both] == [int(one[0] == "True") for one in both]
    assert later[3] == ""


NOWHERE = """
from numba.core.caching import CacheImpl
CacheImpl._locator_classes = []  # no folder can be written
"""


def test_without_a_folder_for_compiled_code_each_process_compiles_in_memory(tmp_path: Path) -> None:
    compiled_here, pose, _, errors = said(started(NOWHERE + CODE.format(preset="fast"), tmp_path))
    assert compiled_here == "False"
    assert "finds no folder to keep compiled kernels in" in errors
    assert "diffdope compiles kernels" not in errors  # that later runs load, there are none
    assert not list(tmp_path.iterdir())
    kept = refine(*packaged_example()[:3], preset="fast", threads=1)
    assert np.frombuffer(bytes.fromhex(pose)) == pytest.approx(kept.pose.t_m2c, abs=1e-6)  # compiled elsewhere


DRAWN = """
import logging
import numpy as np
import diffdope as dd
from diffdope.scene.packaged import packaged_example
{before}
mesh, observation, start, _ = packaged_example()
renderer = dd.Renderer(mesh, observation.camera)
for _ in range(2):
    renderer.render(start.R_m2c[None], start.t_m2c[None])
"""


@pytest.mark.parametrize("before", ["", "logging.getLogger('diffdope').setLevel(logging.ERROR)"])
def test_a_process_that_compiles_itself_says_so_once_and_can_be_silenced(before: str, tmp_path: Path) -> None:
    errors = said(started(DRAWN.format(before=before), tmp_path))[-1]
    assert errors.count("diffdope compiles kernels") == len(errors.splitlines()) == int(not before)


@pytest.fixture
def first_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """As if this process were the first one that needs kernels; the folder where it says that they are compiled."""
    monkeypatch.setattr(compile_ahead, "_mark", lambda edges, solver: tmp_path / "mark")
    monkeypatch.setattr(compile_ahead, "_may_start_processes", lambda: True)
    compile_ahead._compile_apart.cache_clear()
    yield tmp_path
    compile_ahead._compile_apart.cache_clear()


FAILURES = {
    "raise OSError('disk full')": "OSError: disk full",
    "import os; os.kill(os.getpid(), 9)": "one ended with -9",
    "import time; time.sleep(600)": "they took longer than 1 s",
}


@pytest.mark.parametrize("code", FAILURES)
def test_a_process_that_fails_is_told_and_the_result_comes_all_the_same(
    code: str, first_time: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile_ahead, "_CODE", code + "  # {} {} {} {}")
    monkeypatch.setattr(compile_ahead, "_LONGEST_S", 1.0 if "sleep" in code else 60.0)
    with pytest.warns(RuntimeWarning, match=f"so this one does it: {FAILURES[code]}"):
        result = refine(*packaged_example()[:3], threads=1)
    assert result.ok
    assert not (first_time / "mark").exists()  # the next process tries again


def test_an_interpreter_that_cannot_be_started_is_told(first_time: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(first_time / "python"))
    with pytest.warns(RuntimeWarning, match="none could be started"):
        assert compile_ahead.compile_apart(preset("fast"))


def test_while_others_compile_lines_say_so(
    first_time: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compile_ahead, "_CODE", "import time; time.sleep(1.0)  # {} {} {} {}")
    monkeypatch.setattr(compile_ahead, "_EVERY_S", 0.3)
    assert compile_ahead.compile_apart(preset("fast")) and (first_time / "mark").exists()
    lines = [record.getMessage() for record in caplog.records if "still compiles" in record.getMessage()]
    assert lines and re.fullmatch(r"diffdope still compiles kernels, \d+ s after it began", lines[0])


def test_who_waits_for_another_process_says_so(
    first_time: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compile_ahead, "_EVERY_S", 0.05)
    monkeypatch.setattr(compile_ahead, "_compile_in_shares", lambda edges, solver: "")
    other = FileLock(first_time / "mark.lock", thread_local=False)  # a timer releases it
    other.acquire()
    Timer(0.4, other.release).start()
    assert compile_ahead.compile_apart(preset("fast"))
    assert "diffdope waits for another process, which compiles kernels" in caplog.messages
    monkeypatch.setattr(compile_ahead, "_LONGEST_S", 0.1)
    (first_time / "mark").unlink()
    compile_ahead._compile_apart.cache_clear()
    with other:  # for too long: this process compiles itself
        assert not compile_ahead.compile_apart(preset("fast"))


@pytest.mark.parametrize("count", [1, 2, 3, 16])
def test_shares_are_everything_once_and_none_much_longer_than_needed(count: int) -> None:
    seconds = seconds_of(edges=True, solver="newton")
    divided = shares(seconds, count)
    assert sorted(name for names in divided for name in names) == sorted(seconds)
    longest = max(sum(seconds[name] for name in names) for names in divided)
    best = max(sum(seconds.values()) / count, max(seconds.values()))
    assert longest <= 4 / 3 * best  # Graham's bound
    assert most_shares(edges=True, solver="newton") <= len(seconds)
