"""What users call: a refiner, a tracker, presets, results."""
