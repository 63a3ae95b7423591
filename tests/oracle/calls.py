"""How many functions a piece of work calls: what loops over vertices or estimates in Python is told without a clock."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType


def calls_of(work: Callable[[], object]) -> int:
    """Functions that `work` calls, those of C and of other functions included; what numpy does inside is one."""
    count = 0

    def counted(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before, collecting = sys.getprofile(), gc.isenabled()
    gc.collect()
    gc.disable()  # what is collected meanwhile, and calls back, is none of its calls
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
        if collecting:
            gc.enable()
    return count
