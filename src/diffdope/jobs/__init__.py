"""Long lists of tasks: many workers, a journal that survives anything, and parts for several machines."""
