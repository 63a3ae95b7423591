"""How far estimated poses are from the true ones, and the benchmarks' scores; definitions in docs/metrics.md.

Errors take `PosePairs` (N poses at a time) and `ModelPoints`; `add` and `add_s` take a single pair of `Pose`.
"""

from diffdope.bop.metrics.distances import add, add_errors, add_s, add_s_errors
from diffdope.bop.metrics.pairs import ModelPoints, PosePairs
from diffdope.bop.metrics.symmetric import mspd_errors, mssd_errors, rotation_translation_errors, with_nearest_truths

__all__ = [
    "ModelPoints",
    "PosePairs",
    "add",
    "add_errors",
    "add_s",
    "add_s_errors",
    "mspd_errors",
    "mssd_errors",
    "rotation_translation_errors",
    "with_nearest_truths",
]
