"""Eight numbers at once, in LLVM's own vectors.

A triangle of a fine mesh covers a pixel or two of a row, a Jacobian has rows of six. LLVM unrolls a loop of eight
instead of turning it into one vector, and turns one of unknown length into code that gains only from 32 on. So these
steps are written down as vector instructions; LLVM lowers them to whatever the processor has.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from diffdope.render.kernels.layout import CHUNK

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


def _pointer(builder: Any, data: Any, word: Any, kind: Any = _INTS) -> Any:
    return builder.bitcast(builder.gep(data, [word]), kind.as_pointer())


def _store(builder: Any, value: Any, pointer: Any) -> None:
    store = _LastingStore(builder.block, value, pointer)
    store.align = 4
    builder._insert(store)


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    return context.make_array(kind)(context, builder, array).data


@intrinsic
def draw_lanes(_context, blocks, word, face, x, x0, x1, u0, a, av, u1, b, bv, c, cv, z, zx):
    """Draws a face into the eight pixels x .. x + 7 of the block at `word`, where it covers them and is nearer.

    A pixel is covered if it lies in x0 .. x1 and a - av (x - u0), b - bv (x - u1) and c + cv (x - u0) are not
    negative; its 1/Z is z + zx (x - u0). Positive floats are ordered as their bits are, and 0 stands for nothing.
    """
    number = types.float32
    signature = types.void(blocks, types.int64, types.int32, *[number] * 13)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
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


@intrinsic
def add_lanes(_context, target, to, factor, source, at):
    """target[to : to + 8] += factor * source[at : at + 8]."""
    signature = types.void(target, types.int64, types.float32, source, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source = (_data(context, builder, signature.args[k], arguments[k]) for k in (0, 3))
        sums = _pointer(builder, target, arguments[1], _FLOATS)
        terms = builder.load(_pointer(builder, source, arguments[4], _FLOATS), align=4)
        product = builder.fmul(_splat(builder, arguments[2], _FLOATS), terms, flags=("contract",))
        builder.store(builder.fadd(builder.load(sums, align=4), product, flags=("contract",)), sums, align=4)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def put_lanes(_context, target, to, a, b, c, d, e, f):
    """target[to : to + 8] = a, b, c, d, e, f, 0, 0 at once, so that reading them at once need not wait."""
    signature = types.void(target, types.int64, *[types.float32] * 6)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row = ir.Constant(_FLOATS, [0.0] * LANES)
        for k, value in enumerate(arguments[2:]):
            row = builder.insert_element(row, value, ir.Constant(_I32, k))
        data = _data(context, builder, signature.args[0], arguments[0])
        builder.store(row, _pointer(builder, data, arguments[1], _FLOATS), align=4)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def turn_lanes(_context, target, to, source, a, b, c, d, e, f, g, h):
    """Copies eight rows of eight from source[a], source[b] ... to columns: target[to + CHUNK * k + row]."""
    signature = types.void(target, types.int64, source, *[types.int64] * 8)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source = (_data(context, builder, signature.args[k], arguments[k]) for k in (0, 2))
        rows = [builder.load(_pointer(builder, source, at, _FLOATS), align=4) for at in arguments[3:]]
        for width in (1, 2, 4):  # exchanges the off-diagonal squares of this width, so that in the end [i, k] is [k, i]
            low = [k + (LANES - width if k & width else 0) for k in range(LANES)]
            high = [k + (LANES if k & width else width) for k in range(LANES)]
            for i in (i for i in range(LANES) if not i & width):
                first, second = rows[i], rows[i + width]
                rows[i] = builder.shuffle_vector(first, second, ir.Constant(_INTS, low))
                rows[i + width] = builder.shuffle_vector(first, second, ir.Constant(_INTS, high))
        for k, column in enumerate(rows):
            at = builder.add(arguments[1], ir.Constant(_I64, CHUNK * k))
            builder.store(column, _pointer(builder, target, at, _FLOATS), align=4)
        return context.get_dummy_value()

    return signature, generate
