"""Poses that look alike: symmetric, turned, ambiguous; which is the canonical one, and what is answered."""
