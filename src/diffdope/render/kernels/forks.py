"""Lets a fork wait until nobody compiles.

Numba compiles under one lock. A child that is forked while another thread holds it would wait for it for ever, at its
first call of anything that is not compiled yet.
"""

import os

from numba.core.compiler_lock import global_compiler_lock

if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )
