"""The former home of `diffdope.io.bop_results`, for one more release; import from there."""

from diffdope.io.bop_results import COLUMNS, Estimate, read_results, write_results

__all__ = ["COLUMNS", "Estimate", "read_results", "write_results"]
