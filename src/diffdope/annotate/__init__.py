"""Marking the poses of objects in pictures by hand: a session without a screen, its files, and a window for it."""
