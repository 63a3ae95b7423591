"""How sure a pose is: fit quality, confidence, covariance."""
