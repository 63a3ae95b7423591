"""Eight pixels at once, in LLVM's own vectors.

A triangle of a fine mesh covers a pixel or two of a row. LLVM unrolls a loop of eight instead of turning it into one
vector, and turns one of unknown length into code that gains only from 32 pixels on. So the innermost step of drawing
is written down as vector instructions; LLVM lowers them to whatever the processor has.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 8
BLOCK = 2 * LANES  # words of eight pixels: their 1/Z as bits, then their faces

_F32, _I32, _I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_FLOATS, _INTS = ir.VectorType(_F32, LANES), ir.VectorType(_I32, LANES)


class _LastingStore(ir.instructions.StoreInstr):  # type: ignore[misc]
    """A store that LLVM does not merge with the selection before it: masked stores are slow on many processors."""

    def descr(self, buf: list[str]) -> None:
        """Writes the instruction's text."""
        text: list[str] = []
        super().descr(text)
        buf.append("".join(text).replace("store ", "store volatile ", 1))


def _splat(builder: Any, scalar: Any, kind: Any) -> Any:
    nothing = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(nothing, scalar, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, nothing, ir.Constant(_INTS, [0] * LANES))


def _pointer(builder: Any, data: Any, word: Any) -> Any:
    return builder.bitcast(builder.gep(data, [word]), _INTS.as_pointer())


def _store(builder: Any, value: Any, pointer: Any) -> None:
    store = _LastingStore(builder.block, value, pointer)
    store.align = 4
    builder._insert(store)


@intrinsic
def draw_lanes(_context, blocks, word, face, x, x0, x1, u0, a, av, u1, b, bv, c, cv, z, zx):
    """Draws a face into the eight pixels x .. x + 7 of the block at `word`, where it covers them and is nearer.

    A pixel is covered if it lies in x0 .. x1 and a - av (x - u0), b - bv (x - u1) and c + cv (x - u0) are not
    negative; its 1/Z is z + zx (x - u0). Positive floats are ordered as their bits are, and 0 stands for nothing.
    """
    number = types.float32
    signature = types.void(blocks, types.int64, types.int32, *[number] * 13)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        word = arguments[1]
        x, x0, x1, u0, a, av, u1, b, bv, c, cv, z, zx = (_splat(builder, v, _FLOATS) for v in arguments[3:])
        x = builder.fadd(x, ir.Constant(_FLOATS, [float(k) for k in range(LANES)]))
        from_0, from_1 = builder.fsub(x, u0), builder.fsub(x, u1)

        def minus(start: Any, slope: Any, way: Any) -> Any:
            return builder.fsub(start, builder.fmul(slope, way, flags=("contract",)), flags=("contract",))

        def plus(start: Any, slope: Any, way: Any) -> Any:
            return builder.fadd(start, builder.fmul(slope, way, flags=("contract",)), flags=("contract",))

        nearness = _pointer(builder, data, word)
        faces = _pointer(builder, data, builder.add(word, ir.Constant(_I64, LANES)))
        old, old_face = builder.load(nearness, align=4), builder.load(faces, align=4)
        new = builder.bitcast(plus(z, zx, from_0), _INTS)
        keep = builder.icmp_signed(">", new, old)
        keep = builder.and_(keep, builder.fcmp_ordered(">=", x, x0))
        keep = builder.and_(keep, builder.fcmp_ordered("<=", x, x1))
        zero = ir.Constant(_FLOATS, [0.0] * LANES)
        for side in (minus(a, av, from_0), minus(b, bv, from_1), plus(c, cv, from_0)):
            keep = builder.and_(keep, builder.fcmp_ordered(">=", side, zero))
        _store(builder, builder.select(keep, new, old), nearness)
        _store(builder, builder.select(keep, _splat(builder, arguments[2], _INTS), old_face), faces)
        return context.get_dummy_value()

    return signature, generate
