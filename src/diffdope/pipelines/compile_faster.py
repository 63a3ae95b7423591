"""What makes numba's own Python code faster in a process that only compiles, and then ends.

More than half of the time to compile is numba's inference of types and its lowering, in Python. Two things of it are
spared here: the collection of garbage, of which there is little, and asking anew, for each `a * b` and `a[i]`, which of
ten templates fits. Neither changes what is compiled.
"""

from __future__ import annotations

import gc
from typing import Any


def compile_faster() -> None:
    """Changes this process for good; does nothing to a numba that is built otherwise."""
    gc.disable()
    try:
        from numba.core.targetconfig import ConfigStack
        from numba.core.types.functions import BaseFunction
    except ImportError:
        return
    _remember_call_types(BaseFunction, ConfigStack)


def _remember_call_types(functions: Any, options: Any) -> None:
    """Lets types of functions remember their answers by arguments and by the options of the kernel at hand."""
    asked = functions.get_call_type
    answers: dict[Any, Any] = {}

    def get_call_type(self: Any, context: Any, args: Any, kws: Any) -> Any:
        chosen = options.top_or_none()
        if kws or chosen is None:
            return asked(self, context, args, kws)
        key = id(self), args, chosen.summary()
        if key not in answers:
            answers[key] = asked(self, context, args, kws), self  # which stays alive, so that no other gets its id
        return answers[key][0]

    functions.get_call_type = get_call_type
