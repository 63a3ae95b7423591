"""Array-only kernels: no validation, no threads, no allocation inside a pose."""
