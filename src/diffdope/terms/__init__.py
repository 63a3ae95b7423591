"""Kinds of evidence about a pose: each owns its settings, residual, noise scale and fit quality."""
