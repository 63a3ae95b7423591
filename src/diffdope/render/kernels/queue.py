"""A counter that threads pull hypotheses from, inside compiled code.

A call from Python takes tens of microseconds to look at its arrays, one thread at a time. With a queue each thread
makes one call for all hypotheses that it will do.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def take(_context, queue):
    """The number in queue[0], which grows by one for whoever comes next."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.atomic_rmw("add", data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(queue), generate
