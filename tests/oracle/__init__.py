"""Slow float64 oracles and random scenes shared by the tests."""
