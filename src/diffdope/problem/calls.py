"""Calls by address of what evaluates a factor: compiled once, and part of no entry that uses it."""

from typing import Any

from numba import types
from numba.extending import intrinsic

from diffdope.render.kernels.calls import call_by_address


@intrinsic
def evaluate_pose_at(
    _context, address, at, mesh, view, R, t, s, packed, terms, empty, with_normal, cost, gradient, normal, images, paint
):
    """Calls `fused_pass.evaluate_pose`."""
    kinds: tuple[Any, ...] = (at, mesh, view, R, t, s, packed, terms, empty, types.boolean, cost, gradient, normal)
    return call_by_address(types.int64, *kinds, images, types.boolean)


@intrinsic
def add_gradient_magnitude_at(
    _context, address, at, mesh, view, R, t, s, planes, terms, empty, with_normal, cost, gradient, normal
):
    """Calls `gradient_magnitude_kernel.add_gradient_magnitude`."""
    kinds: tuple[Any, ...] = (at, mesh, view, R, t, s, planes, terms, empty, types.boolean, cost, gradient, normal)
    return call_by_address(types.none, *kinds)
