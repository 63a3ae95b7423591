"""BOP data sets and metrics; the only place, beside the command line, where lengths are millimetres."""
